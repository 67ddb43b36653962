"""What is measured answers alike, whether it is a neural process or a baseline."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.baselines import Baseline
from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.sampling import draws
from npfill.scores import COMMON_FLOOR, floored, log_likelihood
from npfill.seeds import generator

# Pixels times draws in one batch: what bounds the memory.
_CHUNK = 200_000
_SAMPLES = 5


@dataclass(frozen=True)
class Answer:
    """What is said of every pixel of a batch of pictures, given what is observed of them.

    Attributes:
        mean: The best guess.
        components: The predictive distribution, a mixture with a part for each draw of z; None
            for a baseline without a std.
        uncalibrated: The same before the calibration of the scale, for a neural process.
        likelihoods: The joint log-likelihood of the hole, in nats per target pixel, with the scale
            as it is and floored at 0.1; None where there is none.
        samples: Draws of whole pictures; none for a baseline without a joint distribution.
        says_context: Whether `mean` is a prediction at the observed pixels too.
        kl: KL(q(z | all pixels) || q(z | C)) in nats, for a latent variant.
        seconds: What a sample took, where that is measured.
    """

    mean: Float[Tensor, "batch pixel channel"]
    components: Gaussian | None = None
    uncalibrated: Gaussian | None = None
    likelihoods: tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]] | None = None
    samples: Float[Tensor, "sample batch pixel channel"] | None = None
    says_context: bool = False
    kl: Float[Tensor, " batch"] | None = None
    seconds: Float[Tensor, " batch"] | None = None


class Completer(ABC):
    """What is measured: it completes batches of pictures."""

    @abstractmethod
    def answer(
        self,
        pixels: Float[Tensor, "batch channel height width"],
        observed: Bool[Tensor, "batch 1 height width"],
    ) -> Answer:
        """The answer for a batch of pictures; the truth under the hole serves likelihoods alone."""

    @abstractmethod
    def chunk(self, pixels: int) -> int:
        """How many pictures of so many pixels make a batch."""


class ModelCompleter(Completer):
    """A neural process, with z from q(z | C).

    Args:
        model: The model, in evaluation mode.
        latents: Draws of z, for a latent variant.
        seed: Of the draws.
    """

    def __init__(self, model: NeuralProcess[Any], latents: int, seed: int) -> None:
        self.model, self.latents, self.seed = model, latents, seed

    def answer(
        self,
        pixels: Float[Tensor, "batch channel height width"],
        observed: Bool[Tensor, "batch 1 height width"],
    ) -> Answer:
        """Means over draws of z; samples are the decoder's means, or noise in every pixel."""
        return self.answer_where(torch.ones_like(observed), pixels, observed)

    def answer_where(
        self,
        known: Bool[Tensor, "batch 1 height width"],
        pixels: Float[Tensor, "batch channel height width"],
        observed: Bool[Tensor, "batch 1 height width"],
    ) -> Answer:
        """The same for pictures with holes of their own: likelihoods are where they are known."""
        context = Context(pixels, observed)
        targets = Targets.every(context.size, pixels.device)
        given = self.model.condition(context)
        if given.latent is None:
            single = given.predict(None, targets)
            components = Gaussian(single.mean.unsqueeze(0), single.scale.unsqueeze(0))
        else:
            z = draws(given.latent, self.seed, "scores", self.latents)
            components = given.predict(z, targets)
        raw = Gaussian(components.mean, components.scale / given.spread(targets))
        whole = Context(pixels, known)
        truth, asked = targets.values(pixels), whole.mask() & ~context.mask()
        return Answer(
            mean=components.mean.mean(0),
            components=components,
            uncalibrated=raw,
            likelihoods=(
                log_likelihood(components, truth, asked),
                log_likelihood(floored(components), truth, asked),
            ),
            samples=self._samples(components),
            says_context=True,
            kl=self._kl(given.latent, whole),
        )

    def chunk(self, pixels: int) -> int:
        """What bounds pixels times draws."""
        return max(1, _CHUNK // (pixels * self.latents))

    def _samples(self, components: Gaussian) -> Tensor:
        if len(components.mean) > 1:
            return components.mean[:_SAMPLES]
        noise = torch.randn(
            _SAMPLES, *components.mean.shape[1:], generator=generator(self.seed, "noise")
        )
        return components.rsample(noise.to(components.mean))

    def _kl(self, prior: Gaussian | None, whole: Context) -> Tensor | None:
        if prior is None:
            return None
        posterior = self.model.infer(whole)
        assert posterior is not None
        return posterior.kl(prior).sum(-1)


class BaselineCompleter(Completer):
    """A baseline, one picture at a time, in float64 on the CPU.

    Args:
        baseline: The baseline.
        seed: Of the samples.
    """

    def __init__(self, baseline: Baseline, seed: int) -> None:
        self.baseline, self.seed = baseline, seed

    def answer(
        self,
        pixels: Float[Tensor, "batch channel height width"],
        observed: Bool[Tensor, "batch 1 height width"],
    ) -> Answer:
        """The observed pixels as they are, and the baseline's in the hole."""
        pictures = pixels.permute(0, 2, 3, 1).cpu().double().numpy()
        holes = (~observed[:, 0]).cpu().numpy()
        return _together([self._one(*both) for both in zip(pictures, holes, strict=True)])

    def chunk(self, pixels: int) -> int:
        """A few, so that progress is said."""
        return 10

    def _one(
        self,
        picture: Float[np.ndarray, "height width channel"],
        hole: Bool[np.ndarray, "height width"],
    ) -> Answer:
        whole, selected = picture.reshape(-1, picture.shape[-1]), hole.reshape(-1)
        if not hole.any():
            return Answer(torch.from_numpy(whole).unsqueeze(0))
        filled = self.baseline.fill(picture.astype(np.float32), hole)
        mean = _with(whole, selected, filled.mean)
        if filled.std is None:
            return Answer(mean)
        scale = _with(np.ones_like(whole), selected, filled.std)
        components = Gaussian(mean.unsqueeze(0), scale.unsqueeze(0))
        if filled.factors is None:
            return Answer(mean, components)
        truth = whole[selected]
        own, least = (
            torch.tensor([filled.log_likelihood(truth, floor) / len(truth)], dtype=mean.dtype)
            for floor in (0.0, COMMON_FLOOR)
        )
        drawn = []
        for number in range(_SAMPLES):
            noise = torch.randn(*truth.shape, generator=generator(self.seed, "sample", number))
            drawn.append(_with(whole, selected, filled.sample(noise.numpy())))
        return Answer(mean, components, None, (own, least), torch.stack(drawn))


def _with(
    whole: Float[np.ndarray, "pixel channel"],
    selected: Bool[np.ndarray, " pixel"],
    values: Float[np.ndarray, "hole channel"],
) -> Float[Tensor, "1 pixel channel"]:
    """A copy with the selected pixels replaced, as a batch of one."""
    result = whole.copy()
    result[selected] = values
    return torch.from_numpy(result).unsqueeze(0)


def _together(answers: list[Answer]) -> Answer:
    """One batch of answers of one picture each, which have all the same parts."""
    first = answers[0]
    mean = torch.cat([answer.mean for answer in answers])
    scales = [answer.components.scale for answer in answers if answer.components is not None]
    joint = [answer.likelihoods for answer in answers if answer.likelihoods is not None]
    drawn = [answer.samples for answer in answers if answer.samples is not None]
    return replace(
        first,
        mean=mean,
        components=Gaussian(mean.unsqueeze(0), torch.cat(scales, dim=1)) if scales else None,
        likelihoods=(torch.cat([one for one, _ in joint]), torch.cat([one for _, one in joint]))
        if joint
        else None,
        samples=torch.cat(drawn, dim=1) if drawn else None,
    )
