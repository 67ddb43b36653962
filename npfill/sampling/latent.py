"""Samples through z alone: the decoder's mean, for a draw of z for each sample."""

from dataclasses import dataclass
from typing import ClassVar

from npfill.context import Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.sampling.base import MixtureSampler, Paths, Samples
from npfill.scores import log_likelihood


@dataclass(frozen=True)
class Latent(MixtureSampler):
    """The mean of p(y | x, C, z) for a draw of z from q(z | C); its draw with `noise`."""

    noise: bool = False

    name: ClassVar[str] = "latent"
    meaning: ClassVar[str] = "the decoder's mean for a draw of z"
    density: ClassVar[str] = "the mean over draws of z"
    score = staticmethod(log_likelihood)

    @classmethod
    def refuse(cls, model: NeuralProcess) -> str:
        """A conditional variant has no z."""
        return "" if model.has_latent else f"a {model.variant} has no latent z"

    def draw(self, paths: Paths, targets: Targets, predicted: Gaussian | None) -> Samples:
        """See `Sampler.draw`."""
        given, noise, word = paths.given, paths.latent_noise(), "pixels" if self.noise else ""
        assert given.latent is not None
        assert noise is not None
        z = given.latent.rsample(noise.unsqueeze(1))
        return paths.last_pass(lambda chunk: given.predict(z, chunk), targets, word)
