"""Perceptrons over points: r is the mean of an encoding of every context point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from npfill.config import Length
from npfill.context import Context, Latents, Masks, Pixels, Positions, Rows
from npfill.gaussian import Gaussian
from npfill.models.base import floored_gaussian
from npfill.models.parts.layers import MOST_LAYERS, Encoder, Joined, Size, Sizes, mlp
from npfill.models.parts.points import Coordinates, Encoding, check_frequencies, means, points_of

# Rows of hidden layers that are computed at once: a block that stays in a core's cache is not
# fetched from memory layer by layer.
_ROWS = 2**10


class PointwiseEncoder(Encoder):
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
        hidden = self.point[:-1](inputs)
        mean = means(hidden, points.valid.unsqueeze(1)).squeeze(1)
        return self._last(mean, points.valid)

    def each(self, pixels: Pixels, observed: Masks) -> Float[Tensor, "mask batch feature"]:
        """The mean representation under each mask, with every pixel encoded once."""
        every = Context(pixels, observed.any(0))
        features = self.coordinates(every.positions()).expand(len(pixels), -1, -1)
        valid = observed.flatten(2).transpose(0, 1)
        hidden = self.point[:-1](torch.cat([features, every.values()], dim=-1))
        return self._last(means(hidden, valid), valid).transpose(0, 1)

    def _last(
        self, hidden: Float[Tensor, "batch *mask hidden"], valid: Bool[Tensor, "batch *mask point"]
    ) -> Float[Tensor, "batch *mask width"]:
        """The last layer of h at the mean, which is its mean over the points: it is affine."""
        return self.point[-1](hidden) * valid.any(-1, keepdim=True)


@dataclass(frozen=True, kw_only=True)
class _PointwiseConfig:
    """The features of positions that both parts begin with."""

    kind: Literal["pointwise"] = "pointwise"
    coordinates: Annotated[Encoding, "Features of a position."]
    frequencies: Annotated[int, "Frequencies of the features on an axis; raw ones have none."] = 0

    def __post_init__(self) -> None:
        check_frequencies(self.coordinates, self.frequencies)

    @property
    def features(self) -> Coordinates:
        """The features of a position."""
        return Coordinates(self.coordinates, self.frequencies)


@dataclass(frozen=True, kw_only=True)
class PointwiseEncoderConfig(_PointwiseConfig):
    """Sizes of a `PointwiseEncoder`."""

    hidden: Annotated[
        Sizes, Length(0, MOST_LAYERS), "Widths of the hidden layers of the perceptron."
    ]
    width: Annotated[Size, "Width of the representation r."]

    def build(self, channels: int) -> PointwiseEncoder:
        """The encoder of pictures of so many channels."""
        return PointwiseEncoder(self.features, channels, self.hidden, self.width)


class PointwiseDecoder(nn.Module):
    """g(x, r, z) is a perceptron over the features of x beside r and z."""

    def __init__(
        self,
        coordinates: Coordinates,
        inputs: tuple[int, int],
        hidden: Sequence[int],
        channels: int,
        floor: float,
    ) -> None:
        super().__init__()
        self.coordinates, self.floor = coordinates, floor
        self.from_position = nn.Linear(coordinates.features, hidden[0], bias=False)
        self.joined = Joined(*inputs, hidden[0])
        self.body = mlp(hidden[0], hidden[1:], 2 * channels)

    def forward(self, positions: Positions, r: Rows | None, z: Latents | None) -> Gaussian:
        """Gaussians "*sample batch target channel"."""
        first = self.from_position(self.coordinates(positions))
        if r is not None:
            first = first + self.joined(r, None)
        if z is None:
            return floored_gaussian(self.body(first.relu_()), self.floor)
        draws = z.split(max(1, _ROWS // (first.shape[-2] * z.shape[1])))
        outputs = [self.body((first + self.joined(None, chunk)).relu_()) for chunk in draws]
        return floored_gaussian(torch.cat(outputs), self.floor)


@dataclass(frozen=True, kw_only=True)
class PointwiseDecoderConfig(_PointwiseConfig):
    """Sizes of a `PointwiseDecoder`."""

    hidden: Annotated[
        Sizes, Length(1, MOST_LAYERS), "Widths of the hidden layers of the perceptron."
    ]

    def build(self, inputs: tuple[int, int], channels: int, floor: float) -> PointwiseDecoder:
        """The decoder for widths of r and z (0 for none), channels, and a floor of the scale."""
        return PointwiseDecoder(self.features, inputs, self.hidden, channels, floor)
