"""Local averages on a grid of nodes: mean aggregation that starts as kernel smoothing."""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from npfill.config import Length
from npfill.context import Context, Latents, Positions, Row
from npfill.gaussian import Gaussian
from npfill.models.parts.basis import BasisDecoder
from npfill.models.parts.layers import MOST_LAYERS, Encoder, Size, Sizes
from npfill.models.parts.points import Coordinates, Encoding, sums_over_grid

# The width of the kernels, in distances of nodes, and the weight in every local average of the
# mean of the whole context beside the observed pixels.
_WIDTH, _PULL = 0.7, 0.1
# Intensities vary by about a third: what brings them to unit size.
_GAIN = 3.0


@dataclass(frozen=True)
class Nodes:
    """Gaussian kernels k_u(x) around the nodes u of a square grid over [0, 1]²."""

    per_axis: int

    @property
    def count(self) -> int:
        """The number of nodes."""
        return self.per_axis**2

    def bumps(self, axis: Float[Tensor, "*axes n"]) -> Float[Tensor, "*axes node n"]:
        """The factors of the kernels along an axis, 1 at their nodes."""
        ladder = torch.arange(self.per_axis, device=axis.device, dtype=axis.dtype)[:, None]
        distances = (axis.unsqueeze(-2) * self.per_axis - ladder - 0.5) / _WIDTH
        return (-0.5 * distances.square()).exp()

    def weights(self, positions: Float[Tensor, "*batch n 2"]) -> Float[Tensor, "*batch node n"]:
        """k_u(x) / Σ_u k_u(x) at positions x."""
        bumps = self.bumps(positions.mT)
        rows, columns = (bumps / bumps.sum(-2, keepdim=True)).unbind(-3)
        return (rows.unsqueeze(-2) * columns.unsqueeze(-3)).flatten(-3, -2)


class LocalEncoder(Encoder):
    """r = ρ(Σ_i h(x_i, y_i)), with h(x, y) = (k(x), y k(x)) for kernels k around a grid of nodes.

    ρ turns the sums into what they say of each node: how much is observed near it, and the mean of
    that (Nadaraya-Watson smoothing), pulled to the mean of all that is observed. Nothing here is
    learned.
    """

    def __init__(self, nodes: int, channels: int) -> None:
        super().__init__()
        self.nodes = Nodes(nodes)
        self.width = (1 + channels) * self.nodes.count + channels

    def forward(self, context: Context) -> Float[Tensor, "batch width"]:
        """Seen shares, local deviations from the mean, and the mean, side by side."""
        rows, columns = (self.nodes.bumps(axis) for axis in context.axes())
        mask, values = context.observed, context.seen()
        mean = values.sum((-2, -1)) / mask.sum((-2, -1)).clamp(min=1)
        deviations = values - mean[..., None, None] * mask
        density = sums_over_grid(mask.to(rows.dtype), rows, columns)
        local = sums_over_grid(deviations, rows, columns) / (density + _PULL)
        seen = (density - 1.0) / (density + 1.0)
        parts = [seen.flatten(1), _GAIN * local.flatten(1), _GAIN * (mean - 0.5)]
        return torch.cat(parts, dim=1)


def smoothed(
    r: Float[Tensor, "batch width"],
    nodes: Nodes,
    positions: Float[Tensor, "*batch target 2"],
    channels: int,
) -> Float[Tensor, "batch target channel"]:
    """The local averages of a `LocalEncoder`, interpolated: Σ_u k_u(x) m_u / Σ_u k_u(x)."""
    _, local, mean = r.split([nodes.count, channels * nodes.count, channels], dim=-1)
    field = (local.unflatten(-1, (channels, -1)) @ nodes.weights(positions)).mT
    return (field + mean.unsqueeze(-2)) / _GAIN + 0.5


@dataclass(frozen=True, kw_only=True)
class LocalEncoderConfig:
    """Size of a `LocalEncoder`."""

    kind: Literal["local"] = "local"
    nodes: Annotated[Size, "Nodes on an axis."]

    def build(self, channels: int) -> LocalEncoder:
        """The encoder of pictures of so many channels."""
        return LocalEncoder(self.nodes, channels)


class LocalDecoder(BasisDecoder):
    """A `BasisDecoder` whose mean is added to the interpolated averages of a `LocalEncoder`."""

    def forward(self, positions: Positions, r: Row | None, z: Latents | None) -> Gaussian:
        """Gaussians "*sample batch target channel"."""
        if r is None:
            raise ValueError("a local decoder begins at the representation r")
        residual = super().forward(positions, r, z)
        nodes = Nodes(self.coordinates.frequencies)
        begin = smoothed(r.squeeze(-2), nodes, positions, self.channels)
        return Gaussian(residual.mean + begin, residual.scale)


@dataclass(frozen=True, kw_only=True)
class LocalDecoderConfig:
    """Sizes of a `LocalDecoder`, which goes with a `LocalEncoder` of as many nodes."""

    kind: Literal["local"] = "local"
    nodes: Annotated[Size, "Nodes on an axis, and frequencies of what is added to them."]
    hidden: Annotated[
        Sizes, Length(1, MOST_LAYERS), "Widths of the hidden layers before the coefficients."
    ]
    coordinates: Annotated[Encoding, "Functions of the basis of what is added."] = "cosine"

    def build(self, inputs: tuple[int, int], channels: int, floor: float) -> LocalDecoder:
        """The decoder for widths of r and z (0 for none), channels, and a floor of the scale."""
        coordinates = Coordinates(self.coordinates, self.nodes)
        return LocalDecoder(coordinates, inputs, self.hidden, channels, floor)
