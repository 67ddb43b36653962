"""The predictive distribution of any number of targets, and its mean and std over draws of z."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from npfill.context import Targets
from npfill.gaussian import Gaussian, mixture_moments
from npfill.models.base import Conditioned, NeuralProcess
from npfill.sampling.latents import draws

# Mean and std are moments over this many draws of z, whatever number of samples is asked for.
MOMENT_DRAWS = 64
# Targets, over all pictures, in one pass: what bounds the memory.
CHUNK = 2**12
_chunk = ContextVar("chunk", default=CHUNK)


@contextmanager
def smaller_chunks() -> Iterator[None]:
    """Within, a sixteenth of the targets are predicted in one pass."""
    before = _chunk.set(CHUNK // 16)
    try:
        yield
    finally:
        _chunk.reset(before)


def in_chunks(model: NeuralProcess[Any], targets: Targets, pictures: int) -> Iterator[Targets]:
    """Targets, shared by all pictures, a few at a time.

    Args:
        model: Who is asked. One for any size is asked for all at once: it bounds the memory itself.
        targets: All of them.
        pictures: How many there are.
    """
    chunk = targets.index.shape[-1] if model.any_size else _chunk.get() // pictures
    for index in targets.index.split(max(1, chunk), dim=-1):
        yield Targets(index, targets.size)


def moments(given: Conditioned, targets: Targets, seed: int) -> Gaussian:
    """Mean and std "batch target channel": over draws of z of their own, for a latent variant."""
    latent = given.latent
    z = None if latent is None else draws(latent, seed, "moments", MOMENT_DRAWS)
    parts = (
        torch.stack(over_draws(given.predict(z, some)))
        for some in in_chunks(given.model, targets, len(given.log_share))
    )
    mean, scale = gathered(parts, targets.index.shape[-1], dim=2)
    return Gaussian(mean, scale)


def gathered(parts: Iterable[Tensor], count: int, dim: int) -> Tensor:
    """Parts one after another, as `torch.cat` would have them, each copied as soon as it is there.

    Small results that are kept between large ones that are not leave holes in memory: of 12
    megapixels, gigabytes.

    Args:
        parts: Tensors that differ in their length along an axis.
        count: Their length along it in all.
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
