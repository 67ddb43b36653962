"""Draws of the latent z. Draw k depends on (seed, k) alone, never on how many are asked for."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
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
    noise = latent_noise(latent.mean.shape[-1], seed, purpose, range(count))
    return latent.rsample(noise.to(latent.mean).unsqueeze(1))


def latent_noise(
    width: int, seed: int, purpose: str, numbers: Sequence[int]
) -> Float[Tensor, "sample latent"]:
    """The standard normal noise of draws of z by their numbers, float32 on the CPU."""
    return torch.stack(
        [torch.randn(width, generator=generator(seed, purpose, number)) for number in numbers]
    )


def has_latent(model: NeuralProcess[Any]) -> bool:
    """Whether the variant has a z."""
    return model.has_latent
