"""The predictive distribution: draws of z, moments over them chunk by chunk, draws of intensities.

Draw k depends on (seed, k) alone, never on the number of draws.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

import numpy as np
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

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_RULE = (_NODES + 1.0) / 2.0, _WEIGHTS / 2.0  # from 0 to 1
_NEWTON_STEPS = 6
# Values integrated at once: their nodes stay in the cache.
_PART = 2**14
# Least distance of means from 0 and 1; largest fraction of the greatest possible variance; least θ.
_LEAST, _MOST, _NARROWEST = 1e-3, 0.99, 1e-12


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
    sources = (generator(seed, purpose, number) for number in numbers)
    return torch.stack([torch.randn(width, generator=each) for each in sources])


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


def mixture(
    given: Conditioned, targets: Targets, seed: int, count: int, purpose: str = "scores"
) -> Gaussian:
    """Predictions "draw batch target channel" for `count` draws of z; one without a z.

    `purpose` is as for `draws`.
    """
    return given.calibrated(uncalibrated(given, targets, seed, count, purpose), targets)


def uncalibrated(
    given: Conditioned, targets: Targets, seed: int, count: int, purpose: str = "scores"
) -> Gaussian:
    """The `mixture` before its calibration."""
    if given.latent is not None:
        z = draws(given.latent, seed, purpose, count)
        return given.model.predict(given.encoded, z, targets)
    single = given.model.predict(given.encoded, None, targets)
    return replace(single, mean=single.mean.unsqueeze(0), scale=single.scale.unsqueeze(0))


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
    chunks = in_chunks(given.model, targets, len(given.context.pixels))
    predicted = (given.predict(z, chunk) for chunk in chunks)
    mixed = predicted if z is None else map(mixture_moments, predicted)
    parts = (torch.stack([part.mean, part.scale]) for part in mixed)
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


def drawn(
    model: NeuralProcess, predicted: Gaussian, noise: Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """The draw that corresponds to standard normal `noise`; in [0, 1] if the model's values are."""
    if model.in_unit:
        return bounded(predicted, noise)
    return predicted.mean + predicted.scale * noise


def bounded(predicted: Gaussian, noise: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
    """The draw in [0, 1] that corresponds to standard normal `noise`.

    v = Φ((h + √ρ e) / √(1 - ρ)) with h = Φ⁻¹(mean) has the predicted mean for any ρ (Vasicek
    1987), and ρ is chosen for the predicted std. The distribution is close to the Gaussian where
    that lies well within [0, 1]; near a mean of 0 or with a large std most of its mass is close to
    0 and 1, as with intensities. A Gaussian clipped to [0, 1] has another mean and std: 0.1 and 0.2
    become 0.14 and 0.15.
    """
    mean = predicted.mean.clamp(_LEAST, 1.0 - _LEAST)
    variance = torch.minimum(predicted.scale.square(), _MOST * mean * (1.0 - mean))
    h = torch.special.ndtri(mean)
    pairs = zip(h.flatten().split(_PART), variance.flatten().split(_PART), strict=True)
    rho = torch.cat([_angle(*pair) for pair in pairs]).view_as(h).sin()
    drawn = (rho.sqrt() * noise).add_(h).div_((1.0 - rho).sqrt())
    return torch.special.ndtr(drawn, out=drawn)


def _angle(h: Float[Tensor, " n"], variance: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """The θ = arcsin ρ that gives v its variance, by Newton's method.

    Var v = (1/2π) ∫ exp(-h² / (1 + sin t)) dt from 0 to θ. It is convex in θ, so that steps from a
    larger θ, as that of the least integrand, end at the solution without passing it.
    """
    nodes, weights = (torch.from_numpy(array).to(h) for array in _RULE)
    angle = (2.0 * math.pi * variance * h.square().exp()).clamp(_NARROWEST, math.pi / 2)
    for _ in range(_NEWTON_STEPS):
        inside = torch.exp(-h.square().unsqueeze(-1) / (1.0 + (angle.unsqueeze(-1) * nodes).sin()))
        reached = angle * (inside @ weights) / (2.0 * math.pi)
        slope = torch.exp(-h.square() / (1.0 + angle.sin())) / (2.0 * math.pi)
        angle = (angle - (reached - variance) / slope).clamp(_NARROWEST, 1.55)
    return angle
