"""Samples through z alone: the decoder's mean, for a draw of z for each sample."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.models.base import Conditioned
from npfill.sampling.base import LogLikelihoods, Paths, Sampler, Samples, mixture
from npfill.scores import floored, log_likelihood


@dataclass(frozen=True)
class Latent(Sampler):
    """The mean of p(y | x, C, z) for a draw of z from q(z | C); its draw with `noise`."""

    noise: bool = False

    name: ClassVar[str] = "latent"
    meaning: ClassVar[str] = "the decoder's mean for a draw of z"
    density: ClassVar[str] = "the mean over draws of z"

    @classmethod
    def refuse(cls, model: NeuralProcess) -> str:
        """A conditional variant has no z."""
        return "" if model.has_latent else f"a {model.variant} has no latent z"

    def draw(self, paths: Paths, targets: Targets, predicted: Gaussian | None) -> Samples:
        """See `Sampler.draw`."""
        del predicted
        given, noise = paths.given, paths.latent_noise()
        assert given.latent is not None
        assert noise is not None
        z = given.latent.rsample(noise.unsqueeze(1))
        return paths.last_pass(lambda chunk: given.predict(z, chunk), targets, self.noise)

    def log_likelihood(
        self,
        given: Conditioned,
        truth: Float[Tensor, "batch pixel channel"],
        asked: Bool[Tensor, "batch pixel"],
        seed: int,
        count: int,
    ) -> LogLikelihoods:
        """log (1/K) Σ_k Π_t p(y_t | z_k): see `scores.log_likelihood`."""
        components = mixture(given, seed, count)
        own, least = (
            log_likelihood(each, truth, asked) for each in (components, floored(components))
        )
        return own, least
