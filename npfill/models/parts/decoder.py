"""The decoder g: position, representation and latent become a Gaussian over the intensities.

Every decoder is called as g(positions, r, z). The positions are those of the targets, "target 2"
where all pictures of a batch share them and "batch target 2" otherwise. r has a row per target,
or one row for all. z has a leading sample axis, and with it so has the answer.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.gaussian import Gaussian, full_precision
from npfill.models.parts.coordinates import Coordinates
from npfill.models.parts.local import Nodes, smoothed
from npfill.models.parts.mlp import mlp

DecoderKind = Literal["pointwise", "basis", "local"]

# Rows of hidden layers that are computed at once: what stays in a core's cache is not fetched
# from memory layer by layer.
_ROWS = 2**10


def floored_gaussian(outputs: Float[Tensor, "*shape channels"], floor: float) -> Gaussian:
    """Mean and pre-activation of the scale, side by side, become a Gaussian.

    The mean is free; the scale is floor + (1 - floor) softplus, so it never falls below `floor`.
    """
    mean, scale = full_precision(outputs).chunk(2, dim=-1)
    return Gaussian(mean, floor + (1.0 - floor) * F.softplus(scale))


class Joined(nn.Module):
    """One linear layer over r and z side by side, split so that each is multiplied once."""

    def __init__(self, representation: int, latent: int, outputs: int) -> None:
        super().__init__()
        self.from_representation = nn.Linear(representation, outputs) if representation else None
        self.from_latent = nn.Linear(latent, outputs) if latent else None

    def forward(
        self,
        r: Float[Tensor, "batch row width"] | None,
        z: Float[Tensor, "sample batch latent"] | None,
    ) -> Float[Tensor, "*sample batch row output"]:
        """W_r r + W_z z + b, over the inputs that there are."""
        parts = []
        if self.from_representation is not None and r is not None:
            parts.append(self.from_representation(r))
        if self.from_latent is not None and z is not None:
            parts.append(self.from_latent(z).unsqueeze(-2))
        return sum(parts[1:], start=parts[0])


class PointwiseDecoder(nn.Module):
    """g(x, r, z) is a perceptron over the features of x beside r and z."""

    def __init__(
        self,
        coordinates: Coordinates,
        joined: tuple[int, int],
        hidden: Sequence[int],
        channels: int,
        floor: float,
    ) -> None:
        super().__init__()
        self.coordinates, self.floor = coordinates, floor
        self.from_position = nn.Linear(coordinates.features, hidden[0], bias=False)
        self.joined = Joined(*joined, hidden[0])
        self.body = mlp(hidden[0], hidden[1:], 2 * channels)

    def forward(
        self,
        positions: Float[Tensor, "*positions 2"],
        r: Float[Tensor, "batch row width"] | None,
        z: Float[Tensor, "sample batch latent"] | None,
    ) -> Gaussian:
        """Gaussians "*sample batch target channel"."""
        first = self.from_position(self.coordinates(positions))
        if r is not None:
            first = first + self.joined(r, None)
        if z is None:
            return floored_gaussian(self.body(first.relu_()), self.floor)
        draws = z.split(max(1, _ROWS // (first.shape[-2] * z.shape[1])))
        outputs = [self.body((first + self.joined(None, some)).relu_()) for some in draws]
        return floored_gaussian(torch.cat(outputs), self.floor)


class BasisDecoder(nn.Module):
    """g(x, r, z) = Σ_k c_k(r, z) φ_k(x), with a perceptron c, for mean and scale alike.

    The features of the coordinates are the basis, and the network gives the coefficients (a
    DeepONet, Lu et al. 2021, with a fixed trunk). A target costs one inner product, and not a pass
    through a network.
    """

    def __init__(
        self,
        coordinates: Coordinates,
        joined: tuple[int, int],
        hidden: Sequence[int],
        channels: int,
        floor: float,
    ) -> None:
        super().__init__()
        self.coordinates, self.floor, self.channels = coordinates, floor, channels
        self.joined = Joined(*joined, hidden[0])
        self.branch = mlp(hidden[0], hidden[1:], 2 * channels * coordinates.features)
        self.bias = nn.Parameter(torch.zeros(2 * channels))

    def forward(
        self,
        positions: Float[Tensor, "*positions 2"],
        r: Float[Tensor, "batch 1 width"] | None,
        z: Float[Tensor, "sample batch latent"] | None,
    ) -> Gaussian:
        """Gaussians "*sample batch target channel"."""
        basis = self.coordinates(positions)
        branch = self.branch(F.relu(self.joined(r, z))).squeeze(-2)
        coefficients = branch.unflatten(-1, (2 * self.channels, -1)) / basis.shape[-1] ** 0.5
        outputs = coefficients @ basis.mT
        return floored_gaussian(outputs.mT + self.bias, self.floor)


class LocalDecoder(BasisDecoder):
    """A `BasisDecoder` whose mean is added to the interpolated averages of a `LocalEncoder`."""

    def forward(
        self,
        positions: Float[Tensor, "*positions 2"],
        r: Float[Tensor, "batch 1 width"] | None,
        z: Float[Tensor, "sample batch latent"] | None,
    ) -> Gaussian:
        """Gaussians "*sample batch target channel"."""
        if r is None:
            raise ValueError("a local decoder begins at the representation r")
        residual = super().forward(positions, r, z)
        nodes = Nodes(self.coordinates.frequencies)
        begin = smoothed(r.squeeze(-2), nodes, positions, self.channels)
        return Gaussian(residual.mean + begin, residual.scale)


def decoder(
    kind: DecoderKind,
    coordinates: Coordinates,
    joined: tuple[int, int],
    hidden: Sequence[int],
    channels: int,
    floor: float,
) -> nn.Module:
    """The decoder that a configuration names.

    Args:
        kind: Its kind.
        coordinates: How it sees positions.
        joined: Widths of r and of z, 0 for what the variant has not.
        hidden: Widths of its hidden layers.
        channels: Channels of the picture.
        floor: The smallest scale it can answer.
    """
    parts = {"pointwise": PointwiseDecoder, "basis": BasisDecoder, "local": LocalDecoder}
    return parts[kind](coordinates, joined, hidden, channels, floor)
