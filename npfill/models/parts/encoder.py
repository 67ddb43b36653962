"""The encoder h of a point (x_i, y_i), aggregated by the mean: a context becomes one vector r."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from npfill.context import Context
from npfill.models.parts.aggregator import mean, means, sums_over_grid
from npfill.models.parts.coordinates import Coordinates
from npfill.models.parts.local import LocalEncoder
from npfill.models.parts.mlp import mlp
from npfill.models.parts.points import points_of

EncoderKind = Literal["pointwise", "basis", "local"]
Pixels = Float[Tensor, "batch channel height width"]
Masks = Bool[Tensor, "mask batch 1 height width"]


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
        hidden = self._hidden(self.coordinates(points.positions), points.values)
        return self._last(mean(hidden, points.valid), points.valid)

    def each(self, pixels: Pixels, observed: Masks) -> Float[Tensor, "mask batch feature"]:
        """The mean representation under each mask, with every pixel encoded once."""
        every = Context(pixels, observed.any(0))
        features = self.coordinates(every.positions()).expand(len(pixels), -1, -1)
        valid = observed.flatten(2).transpose(0, 1)
        hidden = self._hidden(features, every.values())
        return self._last(means(hidden, valid), valid).transpose(0, 1)

    def _hidden(
        self,
        features: Float[Tensor, "batch point feature"],
        values: Float[Tensor, "batch point channel"],
    ) -> Float[Tensor, "batch point hidden"]:
        """h up to its last layer."""
        return self.point[:-1](torch.cat([features, values], dim=-1))

    def _last(
        self, hidden: Float[Tensor, "batch *mask hidden"], valid: Bool[Tensor, "batch *mask point"]
    ) -> Float[Tensor, "batch *mask width"]:
        """The last layer of h at the mean, which is its mean over the points: it is affine."""
        return self.point[-1](hidden) * valid.any(-1, keepdim=True)


class BasisEncoder(nn.Module):
    """r = mean_i h(x_i, y_i), with h(x, y) = (φ(x), y φ(x)): nothing here is learned.

    The products let the mean carry the coefficients of the picture in the basis φ, beside those of
    the density of the observed pixels. φ is `cosine`, whose functions are separable, so that the
    sums are two small matrix products. The factor √K, for K functions, gives coefficients of unit
    size.
    """

    def __init__(self, coordinates: Coordinates, channels: int) -> None:
        super().__init__()
        self.coordinates = coordinates
        self.width = (1 + channels) * coordinates.features

    def forward(self, context: Context) -> Float[Tensor, "batch width"]:
        """The mean representation of each picture's observed pixels; zero without any."""
        rows, columns = (self.coordinates.waves(axis) for axis in context.axes())
        seen = torch.cat([context.observed.to(rows.dtype), context.seen()], dim=1)
        count = context.mask().sum(1).clamp(min=1)[:, None, None]
        means = sums_over_grid(seen, rows, columns) / count
        return means.flatten(1) * self.coordinates.features**0.5

    def each(self, pixels: Pixels, observed: Masks) -> Float[Tensor, "mask batch feature"]:
        """The mean representation under each mask."""
        every = Context(pixels.repeat(len(observed), 1, 1, 1), observed.flatten(0, 1))
        return self(every).unflatten(0, observed.shape[:2])


def encoder(
    kind: EncoderKind, coordinates: Coordinates, channels: int, hidden: Sequence[int], width: int
) -> PointwiseEncoder | BasisEncoder | LocalEncoder:
    """The encoder and mean aggregator that a configuration names.

    `hidden` and `width` are those of the pointwise encoder's perceptron; a local one has as many
    nodes on an axis as the coordinates have frequencies.
    """
    if kind == "local":
        return LocalEncoder(coordinates.frequencies, channels)
    if kind == "basis":
        return BasisEncoder(coordinates, channels)
    return PointwiseEncoder(coordinates, channels, hidden, width)
