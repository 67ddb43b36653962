"""Draws of z, moments over them, and samples: three ways for every variant."""

from npfill.sampling.latents import draws, has_latent
from npfill.sampling.mixture import MOMENT_DRAWS, moments, over_draws
from npfill.sampling.samplers import KINDS, Kind, Sampler, sampler_for, samples

__all__ = [
    "KINDS",
    "MOMENT_DRAWS",
    "Kind",
    "Sampler",
    "draws",
    "has_latent",
    "moments",
    "over_draws",
    "sampler_for",
    "samples",
]
