"""Draws of z, and the mean and std of the predictive distribution over them, chunk by chunk.

Draw k depends on (seed, k) alone, never on the number of draws.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from jaxtyping import Float
from torch import Tensor

from npfill.context import Targets
from npfill.gaussian import Gaussian, mixture_moments
from npfill.models.base import Conditioned, NeuralProcess
from npfill.seeds import generator

# Mean and std are moments over this many draws of z, whatever the number of samples.
MOMENT_DRAWS = 64
# Targets, over all pictures, in one pass: bounds the memory.
CHUNK = 2**12
_chunk = ContextVar("chunk", default=CHUNK)


@contextmanager
def smaller_chunks() -> Iterator[None]:
    """Predict a sixteenth of the targets in one pass while the context is open."""
    before = _chunk.set(CHUNK // 16)
    try:
        yield
    finally:
        _chunk.reset(before)


def latent_noise(
    width: int, seed: int, purpose: str, numbers: Sequence[int]
) -> Float[Tensor, "sample latent"]:
    """Standard normal noise of draws of z by their numbers, float32 on the CPU."""
    return torch.stack(
        [torch.randn(width, generator=generator(seed, purpose, number)) for number in numbers]
    )


def draws(
    latent: Gaussian, seed: int, purpose: str, count: int
) -> Float[Tensor, "sample batch latent"]:
    """Draws of z from q(z | C), with noise made on the CPU and shared by the pictures of a batch.

    Args:
        latent: q(z | C), "batch latent".
        seed: The seed.
        purpose: A word for their use; each purpose has draws of its own.
        count: The number of draws.
    """
    noise = latent_noise(latent.mean.shape[-1], seed, purpose, range(count))
    return latent.rsample(noise.to(latent.mean).unsqueeze(1))


def in_chunks(model: NeuralProcess, targets: Targets, pictures: int) -> Iterator[Targets]:
    """Split targets that all pictures share into chunks.

    Args:
        model: The model. One for any size gets all targets at once: it bounds the memory itself.
        targets: All of them.
        pictures: The number of pictures in the batch.
    """
    chunk = targets.index.shape[-1] if model.any_size else _chunk.get() // pictures
    for index in targets.index.split(max(1, chunk), dim=-1):
        yield Targets(index, targets.size)


def moments(given: Conditioned, targets: Targets, seed: int) -> Gaussian:
    """Mean and std "batch target channel"; for a latent variant, over `MOMENT_DRAWS` draws of z."""
    latent = given.latent
    z = None if latent is None else draws(latent, seed, "moments", MOMENT_DRAWS)
    parts = (
        torch.stack(over_draws(given.predict(z, chunk)))
        for chunk in in_chunks(given.model, targets, len(given.context.pixels))
    )
    mean, scale = concat_chunks(parts, targets.index.shape[-1], dim=2)
    return Gaussian(mean, scale)


def concat_chunks(parts: Iterable[Tensor], count: int, dim: int) -> Tensor:
    """Concatenate chunks as `torch.cat` does, copying each as soon as it exists.

    Keeping small results between large temporaries fragments the heap: by gigabytes for a picture
    of 12 megapixels.

    Args:
        parts: Tensors that differ in their length along an axis.
        count: Their total length along it.
        dim: The axis.
    """
    whole, first = torch.empty(0), 0
    for part in parts:
        if first == 0:
            whole = part.new_empty(*part.shape[:dim], count, *part.shape[dim + 1 :])
        whole.narrow(dim, first, part.shape[dim]).copy_(part)
        first += part.shape[dim]
    return whole


def over_draws(
    predicted: Gaussian,
) -> tuple[Float[Tensor, "batch target channel"], Float[Tensor, "batch target channel"]]:
    """Mean and std of a prediction over its draws of z, if there are any."""
    mixed = predicted if predicted.mean.ndim == 3 else mixture_moments(predicted)
    return mixed.mean, mixed.scale
