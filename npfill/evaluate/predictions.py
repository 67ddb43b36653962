"""One interface for everything under evaluation: a batch of pictures becomes a prediction."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.baselines import Baseline, BaselinePrediction
from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.predictor import Prediction
from npfill.predictor.neural import Array, HoleArray
from npfill.sampling import Sampler
from npfill.sampling.predictive import uncalibrated
from npfill.scores import COMMON_FLOOR, floored, log_likelihood
from npfill.seeds import generator

Pixels = Float[Tensor, "batch channel height width"]
Mask = Bool[Tensor, "batch 1 height width"]
Values = Float[np.ndarray, "pixel channel"]

# Pixels times draws in one batch: bounds the memory.
_CHUNK = 200_000
_SAMPLES = 5  # that are scored without a sampler


@dataclass(frozen=True)
class BatchPrediction:
    """The prediction of every pixel of a batch of pictures, given their observed pixels.

    Attributes:
        mean: The predictive mean; the observed values at observed pixels, unless
            `predicts_context`.
        components: The predictive distribution, a mixture with a part for each draw of z; None
            for a baseline without a std.
        uncalibrated: The same before the calibration of the scale, for a neural process; of
            photographs, before the check on the picture.
        half_width: Standard deviations on each side of the mean in an interval of a probability,
            where they are not a Gaussian's.
        likelihoods: Joint log-likelihood of the hole, in nats per target pixel, with the scale as
            it is and floored at 0.1; None without a joint distribution.
        samples: Draws of whole pictures; None without a joint distribution.
        predicts_context: True where `mean` is a prediction at the observed pixels too.
        kl: KL(q(z | all pixels) || q(z | C)) in nats, for a latent variant.
        seconds: Time for mean and std of a picture, where that is measured.
        sample_seconds: Time for a sample, where that is measured.
    """

    mean: Float[Tensor, "batch pixel channel"]
    components: Gaussian | None = None
    uncalibrated: Gaussian | None = None
    half_width: Callable[[float], float] | None = None
    likelihoods: tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]] | None = None
    samples: Float[Tensor, "sample batch pixel channel"] | None = None
    predicts_context: bool = False
    kl: Float[Tensor, " batch"] | None = None
    seconds: Float[Tensor, " batch"] | None = None
    sample_seconds: Float[Tensor, " batch"] | None = None


class BatchPredictor(ABC):
    """A model or baseline under evaluation, which takes its pictures on `device`."""

    device: torch.device = torch.device("cpu")

    @abstractmethod
    def predict(self, pixels: Pixels, observed: Mask) -> BatchPrediction:
        """Predict a batch of pictures; likelihoods alone read the truth in the hole.

        Raises:
            InputError: A baseline cannot be used for this picture and hole.
        """

    def chunk(self, pixels: int) -> int:
        """The number of pictures of so many pixels that make a batch."""
        return 1


class GridModel(BatchPredictor):
    """A neural process on its own grid.

    Args:
        model: The model, in evaluation mode.
        latents: Draws of z from q(z | C), for a latent variant; and samples of a sampler.
        seed: The seed of the draws.
        sampler: Draws samples, and has their joint likelihood; None for the decoder's means, or
            noise in every pixel of a conditional variant.
    """

    def __init__(
        self, model: NeuralProcess, latents: int, seed: int, sampler: Sampler | None = None
    ) -> None:
        self.model, self.latents, self.seed, self.sampler = model, latents, seed, sampler
        self.device = next(model.parameters(), torch.empty(0)).device

    def predict(self, pixels: Pixels, observed: Mask, known: Mask | None = None) -> BatchPrediction:
        """Predict a batch.

        Args:
            pixels: The pictures.
            observed: True where they are observed.
            known: False in holes of the pictures' own, which are not scored; None without any.
        """
        context = Context(pixels, observed)
        targets = Targets.every(context.size, pixels.device)
        given = self.model.condition(context)
        before = uncalibrated(given, targets, self.seed, self.latents)
        components = given.calibrated(before, targets)
        whole = Context(pixels, torch.ones_like(observed) if known is None else known)
        truth, target = targets.values(pixels), whole.mask() & ~context.mask()
        prediction = BatchPrediction(
            mean=components.mean.mean(0),
            components=components,
            uncalibrated=before,
            likelihoods=(
                log_likelihood(components, truth, target),
                log_likelihood(floored(components), truth, target),
            ),
            samples=self._samples(components),
            predicts_context=True,
            kl=self._kl(given.latent, whole),
        )
        if self.sampler is None:
            return prediction
        started = time.perf_counter()  # with the encoding
        given = self.model.condition(context)
        drawn = self.sampler.sample(given, targets, self.seed, self.latents).clamp(0.0, 1.0).cpu()
        seconds = (time.perf_counter() - started) / (self.latents * len(truth))
        return replace(
            prediction,
            samples=drawn.to(truth),
            likelihoods=self.sampler.log_likelihood(given, truth, target, self.seed, self.latents),
            sample_seconds=torch.full((len(truth),), seconds),
        )

    def chunk(self, pixels: int) -> int:
        """As many as bound the pixels times draws; one where samples are timed as for a user."""
        return 1 if self.sampler is not None else max(1, _CHUNK // (pixels * self.latents))

    def _samples(self, components: Gaussian) -> Tensor:
        if len(components.mean) > 1:
            return components.mean[:_SAMPLES]
        shape = _SAMPLES, *components.mean.shape[1:]
        noise = torch.randn(shape, generator=generator(self.seed, "noise"))
        return components.rsample(noise.to(components.mean))

    def _kl(self, prior: Gaussian | None, whole: Context) -> Tensor | None:
        if prior is None:
            return None
        posterior = self.model.infer(whole)
        assert posterior is not None
        return posterior.kl(prior).sum(-1)


class GridBaseline(BatchPredictor):
    """A baseline, one picture at a time, in float64 on the CPU."""

    def __init__(self, baseline: Baseline, seed: int) -> None:
        self.baseline, self.seed = baseline, seed

    def predict(self, pixels: Pixels, observed: Mask) -> BatchPrediction:
        """Predict one picture: the observed values, and the baseline's in the hole."""
        picture, hole = one(pixels.double(), observed)
        whole, selected = picture.reshape(-1, picture.shape[-1]), hole.reshape(-1)
        if not hole.any():
            return BatchPrediction(torch.from_numpy(whole).unsqueeze(0))
        filled = self.baseline.fill(picture.astype(np.float32), hole)
        prediction = in_hole(whole, selected, filled)
        if not filled.is_joint:
            return prediction
        truth = whole[selected]
        own, least = (
            torch.tensor([filled.log_likelihood(truth, floor) / len(truth)], dtype=torch.float64)
            for floor in (0.0, COMMON_FLOOR)
        )
        noises = [
            torch.randn(*truth.shape, generator=generator(self.seed, "sample", number)).numpy()
            for number in range(_SAMPLES)
        ]
        drawn = [pasted(whole, selected, filled.sample(noise)) for noise in noises]
        return replace(prediction, likelihoods=(own, least), samples=torch.stack(drawn))


def one(pixels: Pixels, observed: Mask) -> tuple[Array, HoleArray]:
    """The picture and the hole of a batch of one, as arrays."""
    (picture,), ((seen,),) = pixels, observed
    return picture.permute(1, 2, 0).contiguous().cpu().numpy(), ~seen.cpu().numpy()


def in_hole(
    whole: Values, selected: Bool[np.ndarray, " pixel"], filled: Prediction | BaselinePrediction
) -> BatchPrediction:
    """A prediction of one picture's hole, with the observed values around it."""
    mean = pasted(whole, selected, filled.mean)
    if filled.std is None:
        return BatchPrediction(mean)
    scale, factor = pasted(np.ones_like(whole), selected, filled.std), None
    if isinstance(filled, Prediction) and filled.correlation is not None:
        factor = torch.from_numpy(np.linalg.cholesky(filled.correlation.astype(np.float64)))
    return BatchPrediction(mean, Gaussian(mean.unsqueeze(0), scale.unsqueeze(0), factor))


def pasted(
    whole: Values, selected: Bool[np.ndarray, " pixel"], values: Float[np.ndarray, "hole channel"]
) -> Float[Tensor, "1 pixel channel"]:
    """A copy with the selected pixels replaced, as a batch of one."""
    result = whole.copy()
    result[selected] = values
    return torch.from_numpy(result).unsqueeze(0)
