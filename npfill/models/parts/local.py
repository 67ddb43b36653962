"""Local averages on a grid of nodes: mean aggregation that begins at kernel smoothing."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from npfill.context import Context

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
        """How many nodes there are."""
        return self.per_axis**2

    def kernels(self, positions: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch node"]:
        """The kernels at positions, 1 at their nodes."""
        ladder = torch.arange(self.per_axis, device=positions.device, dtype=positions.dtype)
        distances = (positions.unsqueeze(-1) * self.per_axis - ladder - 0.5) / _WIDTH
        bumps = (-0.5 * distances.square()).exp()
        return (bumps[..., 0, :, None] * bumps[..., 1, None, :]).flatten(-2)


class LocalEncoder(nn.Module):
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
        kernels, mask = self.nodes.kernels(context.positions()), context.mask().unsqueeze(1)
        values = context.values().mT
        mean = values.sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1)
        density = mask.to(kernels.dtype) @ kernels
        local = ((values - mean * mask) @ kernels) / (density + _PULL)
        seen = (density - 1.0) / (density + 1.0)
        centred = mean.squeeze(-1) - 0.5
        return torch.cat([seen.flatten(1), _GAIN * local.flatten(1), _GAIN * centred], dim=1)

    def each(
        self,
        pixels: Float[Tensor, "batch channel height width"],
        observed: Bool[Tensor, "mask batch 1 height width"],
    ) -> Float[Tensor, "mask batch feature"]:
        """The representation under each mask, with the kernels computed once."""
        every = Context(pixels.repeat(len(observed), 1, 1, 1), observed.flatten(0, 1))
        return self(every).unflatten(0, observed.shape[:2])


def smoothed(
    r: Float[Tensor, "batch width"],
    nodes: Nodes,
    positions: Float[Tensor, "*positions 2"],
    channels: int,
) -> Float[Tensor, "batch target channel"]:
    """The local averages of a `LocalEncoder`, interpolated: Σ_u k_u(x) m_u / Σ_u k_u(x)."""
    kernels = nodes.kernels(positions)
    weights = kernels / kernels.sum(-1, keepdim=True)
    _, local, mean = r.split([nodes.count, channels * nodes.count, channels], dim=-1)
    field = (local.unflatten(-1, (channels, -1)) @ weights.mT).mT
    return (field + mean.unsqueeze(-2)) / _GAIN + 0.5
