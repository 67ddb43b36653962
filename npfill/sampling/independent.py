"""Samples with noise of its own in every pixel."""

from dataclasses import dataclass
from typing import ClassVar

from npfill.context import Targets
from npfill.gaussian import Gaussian
from npfill.sampling.base import MixtureSampler, Paths, Samples
from npfill.sampling.predictive import drawn, moments
from npfill.scores import pointwise_log_likelihood

# Pixels that are drawn at once: bounds the memory.
_CHUNK = 2**18


@dataclass(frozen=True)
class Independent(MixtureSampler):
    """A draw of every pixel from its own predictive distribution."""

    name: ClassVar[str] = "independent"
    meaning: ClassVar[str] = "noise of its own in every pixel"
    density: ClassVar[str] = "the product over pixels"
    score = staticmethod(pointwise_log_likelihood)
    at_once: ClassVar[bool] = True  # only the noise depends on the sample
    has_moments: ClassVar[bool] = True

    def draw(self, paths: Paths, targets: Targets, predicted: Gaussian | None) -> Samples:
        """See `Sampler.draw`."""
        predicted = predicted or moments(paths.given, targets, paths.seed)
        noise = paths.pixel_noise(len(targets.index), "pixels")
        samples = predicted.mean.new_empty(len(noise), *predicted.mean.shape)
        for first in range(0, len(targets.index), _CHUNK):
            chunk = slice(first, first + _CHUNK)
            part = Gaussian(predicted.mean[:, chunk], predicted.scale[:, chunk])
            samples[:, :, chunk] = drawn(paths.given.model, part, noise[:, :, chunk])
        return samples
