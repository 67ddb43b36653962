"""The contract of a sampler, the table of samplers, and the noise that samples are made from."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Targets
from npfill.errors import UsageError
from npfill.gaussian import Gaussian, correlated
from npfill.models import NeuralProcess
from npfill.models.base import Conditioned
from npfill.sampling.predictive import concat_chunks, drawn, in_chunks, latent_noise, mixture
from npfill.scores import floored
from npfill.seeds import generator
from npfill.steps import Steps

Samples = Float[Tensor, "sample batch target channel"]
Truth = Float[Tensor, "batch pixel channel"]
Asked = Bool[Tensor, "batch pixel"]
LogLikelihoods = tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]

# Samples are drawn in groups of this many, whatever number is requested, as matrix products of
# another shape round in another way; one at a time, as memory allows, of pictures of any size.
_GROUP = 3


@dataclass(frozen=True)
class Paths:
    """A group of samples that are drawn together, and all that they depend on.

    Attributes:
        given: The model and its context.
        seed: The seed.
        numbers: The number k of each sample.
    """

    given: Conditioned
    seed: int
    numbers: range

    def latent_noise(self) -> Float[Tensor, "sample latent"] | None:
        """Standard normal noise of z; None for a conditional variant."""
        model = self.given.model
        if not model.has_latent:
            return None
        noise = latent_noise(model.config.latent, self.seed, "sample", self.numbers)
        return noise.to(self.given.context.pixels)

    def pixel_noise(self, pixels: int, word: str) -> Float[Tensor, "sample #batch pixel #channel"]:
        """Standard normal noise of each pixel for a use, shared by the pictures of a batch.

        Channels have their correlation, or where that is not known, share it. Those that a batch of
        a model of one channel is have it along the batch.
        """
        factor = self.given.factor
        channels = 1 if factor is None else len(factor)
        noise = [
            torch.randn(pixels, channels, generator=generator(self.seed, word, number))
            for number in self.numbers
        ]
        found = correlated(torch.stack(noise).unsqueeze(1).to(self.given.context.pixels), factor)
        return found.transpose(1, 3) if self.given.model.config.channels == 1 else found

    def last_pass(
        self, predict: Callable[[Targets], Gaussian], targets: Targets, word: str
    ) -> Samples:
        """Predict all targets chunk by chunk: draws with the noise of a word; means if it is ""."""
        pictures = len(self.numbers) * len(self.given.context.pixels)
        predicted = (predict(chunk) for chunk in in_chunks(self.given.model, targets, pictures))
        count = len(targets.index)
        if not word:
            return concat_chunks((part.mean for part in predicted), count, dim=2)
        parts = (torch.stack([part.mean, part.scale]) for part in predicted)
        mean, scale = concat_chunks(parts, count, dim=3)
        return drawn(self.given.model, Gaussian(mean, scale), self.pixel_noise(count, word))


@dataclass(frozen=True)
class Sampler(ABC):
    """A way to draw samples of pixels jointly, and the density of what it draws.

    All pictures of a batch share their noise and have holes of one size. The channels of a pixel
    share it too where it is not known how they vary together: in pictures they do so closely.
    A subclass is a frozen dataclass whose fields are its options.

    Attributes:
        name: The word that selects it.
        meaning: The samples in half a sentence, for reports.
        density: Their likelihood in half a sentence, for reports.
        at_once: Draw all samples in one group, not a few at a time.
        has_moments: Samples have the mean and std that they are given.
    """

    name: ClassVar[str]
    meaning: ClassVar[str]
    density: ClassVar[str]
    at_once: ClassVar[bool] = False
    has_moments: ClassVar[bool] = False

    @classmethod
    def refuse(cls, model: NeuralProcess) -> str:
        """The reason why a model has no such samples; "" if it has."""
        return ""

    def substitute(self, given: Conditioned) -> "Sampler | None":
        """The sampler for targets on a finer grid than the context's; None if this one will do."""
        return None

    @torch.no_grad()
    def sample(
        self,
        given: Conditioned,
        targets: Targets,
        seed: int,
        count: int,
        predicted: Gaussian | None = None,
    ) -> Samples:
        """Draw samples of targets: sample k depends on the seed and k alone.

        Args:
            given: The model and its context.
            targets: The pixels to draw, the same for all pictures; perhaps on a finer grid.
            seed: The seed.
            count: The number of samples, 0 or more.
            predicted: The `moments` of these targets with this seed, if they are known already.

        Returns:
            Samples; of intensities in [0, 1] where pixels are drawn, near it where they are means.
        """
        if not count:
            shape = 0, len(given.context.pixels), len(targets.index), given.model.config.channels
            return given.context.pixels.new_zeros(shape)
        size = count if self.at_once or given.has_law else 1 if given.model.any_size else _GROUP
        groups = [range(first, first + size) for first in range(0, count, size)]
        samples, steps = list[Samples](), Steps(len(groups))
        for numbers in groups:
            group = self.draw(Paths(given, seed, numbers), targets, predicted)
            samples.append(group[: count - numbers.start])
            steps.advance()
        return samples[0] if len(samples) == 1 else torch.cat(samples)

    @abstractmethod
    def draw(self, paths: Paths, targets: Targets, predicted: Gaussian | None) -> Samples:
        """Draw one group of samples; see `sample`."""

    @abstractmethod
    def log_likelihood(
        self, given: Conditioned, truth: Truth, asked: Asked, seed: int, count: int
    ) -> LogLikelihoods:
        """The joint log-likelihood of true pixels under this sampler, in nats per target pixel.

        Args:
            given: The model and its context.
            truth: Intensities of the whole grid of the context; read at `asked` alone.
            asked: True at the targets; as many in each picture.
            seed: The seed of draws of z and of orders.
            count: Draws of z of a latent variant, where the sampler leaves the number open.

        Returns:
            The log-likelihood with the scale as predicted, and with the scale floored at
            `scores.COMMON_FLOOR`.
        """


@dataclass(frozen=True)
class MixtureSampler(Sampler):
    """A sampler with the density of the mixture over draws of z."""

    @staticmethod
    @abstractmethod
    def score(predicted: Gaussian, truth: Truth, target: Asked) -> Float[Tensor, " batch"]:
        """Log-likelihood of targets under the components of the mixture; see `npfill.scores`."""

    def log_likelihood(
        self, given: Conditioned, truth: Truth, asked: Asked, seed: int, count: int
    ) -> LogLikelihoods:
        """The score of `count` draws of z; of a conditional variant, of its one distribution."""
        targets = Targets.every(given.context.size, given.context.pixels.device)
        components = mixture(given, targets, seed, count)
        own, least = (self.score(each, truth, asked) for each in (components, floored(components)))
        return own, least


AUTO = "auto"
# By name; the package fills it with its own.
SAMPLERS: dict[str, type[Sampler]] = {}


def sampler_for(
    model: NeuralProcess, name: str = AUTO, rounds: int | None = None, *, noise: bool = False
) -> Sampler:
    """The sampler of a name, with its options; `auto` is the one that suits the model.

    That is its default; but where `flow` has not what is asked for, that of its variant.

    Args:
        model: The model.
        name: `auto`, or a key of `SAMPLERS`.
        rounds: Rounds of a sampler that has them; None for its default.
        noise: Draw pixels where they would be means; ignored by a sampler that always does.

    Raises:
        UsageError: The name is unknown, or the sampler is not for this model or has no rounds.
    """
    if name not in {AUTO, *SAMPLERS}:
        raise UsageError(f"unknown sampler {name!r}", f"one of: {AUTO}, {', '.join(SAMPLERS)}")
    plain = rounds is None and not noise
    own = model.default_sampler if plain else type(model).default_sampler
    sampler = SAMPLERS[own if name == AUTO else name]
    if problem := sampler.refuse(model):
        raise UsageError(
            f"sampler {sampler.name}: {problem}", "autoregressive gives it coherent samples"
        )
    options = {"rounds": rounds, "noise": noise}
    known = {field.name for field in fields(sampler)}
    if rounds is not None and "rounds" not in known:
        raise UsageError(f"{rounds} rounds of sampler {sampler.name}", "autoregressive has rounds")
    if rounds is not None and rounds < 1:
        raise UsageError(f"{rounds} rounds", "1 or more are drawn")
    chosen = {key: value for key, value in options.items() if key in known and value is not None}
    return sampler(**chosen)
