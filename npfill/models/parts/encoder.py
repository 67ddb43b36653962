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
        self.coordinates, self.width = coordinates, width
        self.point = mlp(coordinates.features + channels, hidden, width)

    def forward(self, context: Context) -> Float[Tensor, "batch width"]:
        """The mean representation of each picture's observed pixels; zero without any."""
        points = points_of(context)
        inputs = torch.cat([self.coordinates(points.positions), points.values], dim=-1)
        return mean(self.point(inputs), points.valid)


class BasisEncoder(nn.Module):
    """r = mean_i h(x_i, y_i), with h(x, y) = (φ(x), y φ(x)): nothing here is learned.

    The products let the mean carry the coefficients of the picture in the basis φ, beside those of
    the density of the observed pixels. φ does not depend on the picture, so it is computed once
    for a batch and the means are matrix products. The factor √K, for K functions, gives
    coefficients of unit size.
    """

    def __init__(self, coordinates: Coordinates, channels: int) -> None:
        super().__init__()
        self.coordinates = coordinates
        self.width = (1 + channels) * coordinates.features

    def forward(self, context: Context) -> Float[Tensor, "batch width"]:
        """The mean representation of each picture's observed pixels; zero without any."""
        basis = self.coordinates(context.positions())
        mask = context.mask().unsqueeze(1).to(basis.dtype)
        seen = torch.cat([mask, context.values().mT], dim=1)
        count = mask.sum(-1, keepdim=True).clamp(min=1.0)
        return ((seen / count) @ basis).flatten(1) * basis.shape[-1] ** 0.5


def encoder(
    kind: EncoderKind, coordinates: Coordinates, channels: int, hidden: Sequence[int], width: int
) -> PointwiseEncoder | BasisEncoder:
    """The encoder and mean aggregator that a configuration names.

    `hidden` and `width` are those of the pointwise encoder's perceptron.
    """
    if kind == "basis":
        return BasisEncoder(coordinates, channels)
    return PointwiseEncoder(coordinates, channels, hidden, width)
