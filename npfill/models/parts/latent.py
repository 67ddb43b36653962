"""The latent encoder: a representation becomes a distribution over the latent z."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from npfill.gaussian import Gaussian, full_precision
from npfill.models.parts.layers import mlp


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
