"""Coefficients in a fixed basis of cosines: nothing is learned of single points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.config import Length
from npfill.context import Context, Latents, Positions, Row
from npfill.gaussian import Gaussian
from npfill.models.base import floored_gaussian
from npfill.models.parts.layers import MOST_LAYERS, Encoder, Joined, Size, Sizes, mlp
from npfill.models.parts.points import Coordinates, Encoding, check_frequencies, sums_over_grid


class BasisEncoder(Encoder):
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


@dataclass(frozen=True, kw_only=True)
class BasisEncoderConfig:
    """Size of a `BasisEncoder`."""

    kind: Literal["basis"] = "basis"
    frequencies: Annotated[Size, "Cosines on an axis; the basis has so many squared."]

    def build(self, channels: int) -> BasisEncoder:
        """The encoder of pictures of so many channels."""
        return BasisEncoder(Coordinates("cosine", self.frequencies), channels)


class BasisDecoder(nn.Module):
    """g(x, r, z) = Σ_k c_k(r, z) φ_k(x), with a perceptron c, for mean and scale alike.

    The features of the coordinates are the basis, and the network gives the coefficients (a
    DeepONet, Lu et al. 2021, with a fixed trunk). A target costs one inner product, and not a pass
    through a network.
    """

    def __init__(
        self,
        coordinates: Coordinates,
        inputs: tuple[int, int],
        hidden: Sequence[int],
        channels: int,
        floor: float,
    ) -> None:
        super().__init__()
        self.coordinates, self.floor, self.channels = coordinates, floor, channels
        self.joined = Joined(*inputs, hidden[0])
        self.branch = mlp(hidden[0], hidden[1:], 2 * channels * coordinates.features)
        self.bias = nn.Parameter(torch.zeros(2 * channels))

    def forward(self, positions: Positions, r: Row | None, z: Latents | None) -> Gaussian:
        """Gaussians "*sample batch target channel"."""
        basis = self.coordinates(positions)
        branch = self.branch(F.relu(self.joined(r, z))).squeeze(-2)
        coefficients = branch.unflatten(-1, (2 * self.channels, -1)) / basis.shape[-1] ** 0.5
        outputs = coefficients @ basis.mT
        return floored_gaussian(outputs.mT + self.bias, self.floor)


@dataclass(frozen=True, kw_only=True)
class BasisDecoderConfig:
    """Sizes of a `BasisDecoder`."""

    kind: Literal["basis"] = "basis"
    frequencies: Annotated[int, "Frequencies on an axis of the functions of the basis."]
    hidden: Annotated[
        Sizes, Length(1, MOST_LAYERS), "Widths of the hidden layers before the coefficients."
    ]
    coordinates: Annotated[Encoding, "Functions of the basis."] = "cosine"

    def __post_init__(self) -> None:
        check_frequencies(self.coordinates, self.frequencies)

    def build(self, inputs: tuple[int, int], channels: int, floor: float) -> BasisDecoder:
        """The decoder for widths of r and z (0 for none), channels, and a floor of the scale."""
        coordinates = Coordinates(self.coordinates, self.frequencies)
        return BasisDecoder(coordinates, inputs, self.hidden, channels, floor)
