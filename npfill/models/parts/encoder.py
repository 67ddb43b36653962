"""The encoder h of a point (x_i, y_i), aggregated by the mean: a context becomes one vector r."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from npfill.context import Context
from npfill.models.parts.aggregator import mean
from npfill.models.parts.coordinates import Coordinates
from npfill.models.parts.mlp import mlp
from npfill.models.parts.points import points_of

EncoderKind = Literal["pointwise", "basis"]


class PointwiseEncoder(nn.Module):
    """r = mean_i h(x_i, y_i), with h a perceptron over the features of x_i beside y_i."""

    def __init__(
        self, coordinates: Coordinates, channels: int, hidden: Sequence[int], width: int
    ) -> None:
        super().__init__()
        self.coordinates = coordinates
        self.point = mlp(coordinates.features + channels, hidden, width)

    def forward(self, context: Context) -> Float[Tensor, "batch width"]:
        """The mean representation of each picture's observed pixels; zero without any."""
        points = points_of(context)
        inputs = torch.cat([self.coordinates(points.positions), points.values], dim=-1)
        return mean(self.point(inputs), points.valid)


class BasisEncoder(nn.Module):
    """r = mean_i h(x_i, y_i), with h(x, y) = (φ(x), y φ(x)) and φ a perceptron.

    The products let the mean carry the coefficients of the picture in a learned basis, beside the
    density of the observed pixels. φ does not depend on the picture, so it is computed once for a
    batch and the means are two matrix products. `width` is that of r.
    """

    def __init__(
        self, coordinates: Coordinates, channels: int, hidden: Sequence[int], width: int
    ) -> None:
        super().__init__()
        if width % (1 + channels):
            raise ValueError(f"width {width} is not a multiple of 1 + channels = {1 + channels}")
        self.coordinates = coordinates
        self.basis = mlp(coordinates.features, hidden, width // (1 + channels))

    def forward(self, context: Context) -> Float[Tensor, "batch width"]:
        """The mean representation of each picture's observed pixels; zero without any."""
        basis = self.basis(self.coordinates(context.positions()))
        mask = context.mask().unsqueeze(1).to(basis.dtype)
        seen = torch.cat([mask, context.values().mT.to(basis.dtype)], dim=1)
        count = mask.sum(-1, keepdim=True).clamp(min=1.0)
        return ((seen / count) @ basis).flatten(1)


def encoder(
    kind: EncoderKind, coordinates: Coordinates, channels: int, hidden: Sequence[int], width: int
) -> nn.Module:
    """The encoder and mean aggregator that a configuration names."""
    parts = {"pointwise": PointwiseEncoder, "basis": BasisEncoder}
    return parts[kind](coordinates, channels, hidden, width)
