"""Points of a picture: features of their positions, the observed ones as a set, their means."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from npfill.context import Context

Encoding = Literal["raw", "fourier", "cosine"]
_MOST = 4096


def check_frequencies(encoding: Encoding, frequencies: int) -> None:
    """Refuse a number of frequencies that the features cannot have.

    Raises:
        ValueError: It is out of range; `raw` features need none.
    """
    least = 0 if encoding == "raw" else 1
    if not least <= frequencies <= _MOST:
        raise ValueError(
            f"frequencies = {frequencies} is out of range", f"it lies in {least} .. {_MOST}"
        )


class Coordinates(nn.Module):
    """Features φ(x) of a position x in [0, 1]².

    `raw` gives the two coordinates, from -1 to 1. `fourier` adds cos(π k x) and sin(π k x) for
    k = 1 .. `frequencies` on each axis (Tancik et al. 2020, "Fourier Features Let Networks Learn
    High Frequency Functions in Low Dimensional Domains", with a fixed ladder). `cosine` gives the
    separable products cos(π j x₁) cos(π k x₂) for j, k < `frequencies`, each with a mean square of
    1: the basis of the discrete cosine transform, which is orthogonal over the pixels of a grid.
    """

    def __init__(self, encoding: Encoding, frequencies: int) -> None:
        super().__init__()
        self.encoding, self.frequencies = encoding, frequencies
        numbers = {"raw": 2, "fourier": 2 + 4 * frequencies, "cosine": frequencies**2}
        self.features = numbers[encoding]

    def forward(self, positions: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch feature"]:
        """φ(x), of about unit size."""
        if self.encoding == "raw":
            return 2.0 * positions - 1.0
        if self.encoding == "cosine":
            # Pixels come last until the end: long rows are multiplied faster than short ones.
            rows, columns = self.waves(positions.mT).unbind(-3)
            return (rows.unsqueeze(-2) * columns.unsqueeze(-3)).flatten(-3, -2).mT
        ladder = torch.arange(self.frequencies, device=positions.device, dtype=positions.dtype)
        angles = (positions.unsqueeze(-1) * (ladder + 1) * math.pi).flatten(-2)
        return torch.cat([2.0 * positions - 1.0, angles.cos(), angles.sin()], dim=-1)

    def waves(self, axis: Float[Tensor, "*axes n"]) -> Float[Tensor, "*axes frequency n"]:
        """The factors √2 cos(π k x) of the `cosine` features along an axis; 1 for k = 0."""
        ladder = torch.arange(self.frequencies, device=axis.device, dtype=axis.dtype)[:, None]
        waves = (axis.unsqueeze(-2) * ladder * math.pi).cos()
        return waves * torch.where(ladder == 0, 1.0, math.sqrt(2.0))


@dataclass(frozen=True)
class Points:
    """A padded set of points per picture; rows where `valid` is False hold zeros."""

    positions: Float[Tensor, "batch point 2"]
    values: Float[Tensor, "batch point channel"]
    valid: Bool[Tensor, "batch point"]


def points_of(context: Context) -> Points:
    """The observed pixels, padded to the largest number of them in the batch (at least one row)."""
    mask, values, positions = context.mask(), context.values(), context.positions()
    most = context.at_most if context.at_most is not None else int(mask.sum(1).max())
    most = min(max(most, 1), mask.shape[1])
    if most == mask.shape[1]:
        return Points(positions.expand(mask.shape[0], -1, -1), values, mask)
    # A stable sort brings the observed pixels to the front in row-major order.
    index = mask.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
    found = values.gather(1, index.unsqueeze(-1).expand(-1, -1, values.shape[-1]))
    return Points(positions[index], found, mask.gather(1, index))


def means(
    values: Float[Tensor, "batch point width"], valid: Bool[Tensor, "batch mask point"]
) -> Float[Tensor, "batch mask width"]:
    """r = (1/n) Σ r_i under each of several masks of the same points; zero where one has none."""
    # Divided after the sum: 1/n is not exact in half precision, and its error would not average.
    count = valid.sum(-1, keepdim=True).clamp(min=1)
    return (valid.to(values.dtype) @ values) / count


def sums_over_grid(
    grid: Float[Tensor, "batch channel height width"],
    rows: Float[Tensor, "function height"],
    columns: Float[Tensor, "function width"],
) -> Float[Tensor, "batch channel pair"]:
    """Σ_i y_i f_j(row_i) g_k(column_i) over the pixels i of a grid, for all pairs (j, k).

    The functions f_j g_k are never laid out over the grid: first the columns are summed over, then
    the rows.
    """
    return (rows @ (grid @ columns.mT)).flatten(-2)
