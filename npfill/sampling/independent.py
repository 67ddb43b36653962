"""Samples with noise of its own in every pixel."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Conditioned
from npfill.sampling.base import LogLikelihoods, Paths, Sampler, Samples, mixture
from npfill.sampling.predictive import bounded, moments
from npfill.scores import floored, pointwise_log_likelihood

# Pixels that are drawn at once: bounds the memory.
_CHUNK = 2**18


@dataclass(frozen=True)
class Independent(Sampler):
    """A draw of every pixel from its own predictive distribution."""

    name: ClassVar[str] = "independent"
    meaning: ClassVar[str] = "noise of its own in every pixel"
    density: ClassVar[str] = "the product over pixels"
    at_once: ClassVar[bool] = True  # only the noise depends on the sample

    def draw(self, paths: Paths, targets: Targets, predicted: Gaussian | None) -> Samples:
        """See `Sampler.draw`."""
        predicted = predicted or moments(paths.given, targets, paths.seed)
        noise = paths.pixel_noise(len(targets.index))
        drawn = predicted.mean.new_empty(len(noise), *predicted.mean.shape)
        for first in range(0, len(targets.index), _CHUNK):
            chunk = slice(first, first + _CHUNK)
            part = Gaussian(predicted.mean[:, chunk], predicted.scale[:, chunk])
            drawn[:, :, chunk] = bounded(part, noise[:, :, chunk])
        return drawn

    def log_likelihood(
        self,
        given: Conditioned,
        truth: Float[Tensor, "batch pixel channel"],
        asked: Bool[Tensor, "batch pixel"],
        seed: int,
        count: int,
    ) -> LogLikelihoods:
        """Each pixel by itself: see `scores.pointwise_log_likelihood`."""
        components = mixture(given, seed, count)
        own, least = (
            pointwise_log_likelihood(each, truth, asked)
            for each in (components, floored(components))
        )
        return own, least
