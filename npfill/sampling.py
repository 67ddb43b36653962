"""Draws of the latent z. Draw k depends on (seed, k) alone, never on how many are asked for."""

import torch
from jaxtyping import Float
from torch import Tensor

from npfill.gaussian import Gaussian
from npfill.seeds import generator


def draws(
    latent: Gaussian, seed: int, purpose: str, count: int
) -> Float[Tensor, "sample batch latent"]:
    """Draws of z from q(z | C), with noise made on the CPU and equal for all pictures of a batch.

    Args:
        latent: q(z | C), "batch latent".
        seed: The seed.
        purpose: What the draws are for; each purpose has draws of its own.
        count: How many.
    """
    noise = torch.stack(
        [
            torch.randn(latent.mean.shape[-1], generator=generator(seed, purpose, number))
            for number in range(count)
        ]
    )
    return latent.rsample(noise.to(latent.mean).unsqueeze(1))
