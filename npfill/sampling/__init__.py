"""Samplers by name: joint draws of the pixels of a hole, for every variant."""

from npfill.sampling.autoregressive import Autoregressive
from npfill.sampling.base import AUTO, SAMPLERS, Sampler, Samples, sampler_for
from npfill.sampling.exemplar import Exemplar
from npfill.sampling.flow import Flow
from npfill.sampling.independent import Independent
from npfill.sampling.latent import Latent
from npfill.sampling.predictive import MOMENT_DRAWS, draws, moments

__all__ = [
    "AUTO",
    "MOMENT_DRAWS",
    "SAMPLERS",
    "Autoregressive",
    "Exemplar",
    "Flow",
    "Independent",
    "Latent",
    "Sampler",
    "Samples",
    "draws",
    "moments",
    "sampler_for",
]

SAMPLERS.update(
    (sampler.name, sampler) for sampler in (Latent, Autoregressive, Independent, Exemplar, Flow)
)
