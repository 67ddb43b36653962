"""Layers that encoders and decoders share: perceptrons, inputs side by side, the latent z.

Every decoder is called as g(positions, r, z). The positions are those of the targets, "target 2"
where all pictures of a batch share them and "batch target 2" otherwise. r has a row per target,
or one row for all. z has a leading sample axis, and with it so has the result.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from npfill.config import Range
from npfill.context import Context, Latents, Masks, Pixels, Rows
from npfill.gaussian import Gaussian
from npfill.models.base import full_precision

# No size in a configuration may ask for more than this, whoever wrote the file.
Size = Annotated[int, Range(1, 4096)]
Sizes = Annotated[tuple[int, ...], Range(1, 4096)]
MOST_LAYERS = 32


def mlp(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """Linear layers of the given hidden widths with a ReLU after each but the last."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU(inplace=True)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class Encoder(nn.Module):
    """An encoder of contexts into representations; `width` is that of these."""

    width: int

    def each(self, pixels: Pixels, observed: Masks) -> Float[Tensor, "mask batch feature"]:
        """The mean representation under each of several masks of the same pictures."""
        every = Context(pixels.repeat(len(observed), 1, 1, 1), observed.flatten(0, 1))
        return self(every).unflatten(0, observed.shape[:2])


class Joined(nn.Module):
    """One linear layer over r and z side by side, split so that each is multiplied once."""

    def __init__(self, representation: int, latent: int, outputs: int) -> None:
        super().__init__()
        self.from_representation = nn.Linear(representation, outputs) if representation else None
        self.from_latent = nn.Linear(latent, outputs) if latent else None

    def forward(
        self, r: Rows | None, z: Latents | None
    ) -> Float[Tensor, "*sample batch row output"]:
        """W_r r + W_z z + b, over the inputs that there are."""
        parts = []
        if self.from_representation is not None and r is not None:
            parts.append(self.from_representation(r))
        if self.from_latent is not None and z is not None:
            parts.append(self.from_latent(z).unsqueeze(-2))
        return sum(parts[1:], start=parts[0])


class LatentEncoder(nn.Module):
    """q(z | r), with a scale of 0.1 + 0.9 sigmoid (Kim et al. 2019, as published with the code)."""

    def __init__(self, inputs: int, hidden: Sequence[int], latent: int) -> None:
        super().__init__()
        self.body = mlp(inputs, hidden, 2 * latent)
        # Begin with little noise, so that the decoder hears what z says of the context.
        last = self.body[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.bias[latent:] -= 3.0

    def forward(self, representation: Float[Tensor, "batch width"]) -> Gaussian:
        """The Gaussian over z for each picture."""
        mean, scale = full_precision(self.body(representation)).chunk(2, dim=-1)
        return Gaussian(mean, 0.1 + 0.9 * torch.sigmoid(scale))
