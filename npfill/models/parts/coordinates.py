"""Features of the coordinates of a pixel."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

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
        self.features = {"raw": 2, "fourier": 2 + 4 * frequencies, "cosine": frequencies**2}[
            encoding
        ]

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
