"""The contract of a predictor, and prediction by a neural process."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float

from npfill.context import Context, Targets, observed_average
from npfill.errors import InputError, ModelError, UsageError
from npfill.gaussian import Gaussian
from npfill.memory import is_out_of_memory
from npfill.models import NeuralProcess
from npfill.models.base import Conditioned
from npfill.pictures.picture import CLASSES, Picture, match_channels
from npfill.pictures.planes import around
from npfill.predictor.drawn import Prediction, channels_last, drawing_from, drawn, painted
from npfill.predictor.rescaled import Findings
from npfill.sampling import AUTO, Exemplar, Sampler, moments, sampler_for
from npfill.sampling.predictive import smaller_chunks

Array = Float[np.ndarray, "height width channel"]
HoleArray = Bool[np.ndarray, "height width"]
_LARGE = 2_000_000  # pixels beyond which a network sees the surroundings of the hole alone
# A sampler, None of a baseline; and what a check found, None without one.
Chosen = Sampler | None
Check = Findings | None
Moments = Callable[[Conditioned, Targets, int], Gaussian]


@dataclass(eq=False, kw_only=True)
class Predictor(ABC):
    """Something that predicts the hole of a picture.

    Attributes:
        name: Its name, for reports.
        word: The word that loads it again: its name, or what the user named it by.
        path: Its file; None without one.
        sha256: Hash of its file, in hex; None without a file.
        terms: Terms of the data that it was trained on; "" without any.
        device: Where it runs.
        draws: A clause on the one way in which it draws samples, if it has but one.
    """

    draws = ""
    name: str
    word: str
    sha256: str | None = None
    terms: str = ""
    device: str = "cpu"
    path: Path | None = None

    def on(self, picture: Picture) -> "Predictor":
        """The predictor of a picture or of data, for which `auto` may have another."""
        return self

    @property
    @abstractmethod
    def variant(self) -> str:
        """The variant of the network; `baseline` of a baseline."""

    def check_sampler(
        self, sampler: str = AUTO, rounds: int | None = None, *, noise: bool = False
    ) -> Sampler | None:
        """The sampler of options, before there is a picture; None of what has but one way.

        Raises:
            UsageError: `predict` would refuse them for any picture.
        """
        if (sampler, rounds, noise) != (AUTO, None, False):
            raise UsageError(
                f"{self.name} {self.draws}", "leave sampler, rounds and noise out, or name a model"
            )
        return None

    def predict(
        self,
        picture: Array,
        hole: HoleArray,
        *,
        samples: int = 0,
        seed: int = 0,
        sampler: str = AUTO,
        rounds: int | None = None,
        noise: bool = False,
        check: Check = None,
        bounded: bool = True,
        draw_from: HoleArray | None = None,
        wanted: HoleArray | None = None,
    ) -> Prediction:
        """Predict the pixels of a hole from the others.

        Args:
            picture: Intensities in [0, 1], of one or three channels; unread where the hole is.
            hole: True where the picture is missing; at least one pixel.
            samples: The number of samples.
            seed: Sample k depends on the seed and k alone.
            sampler: `auto`, or a key of `npfill.sampling.SAMPLERS`.
            rounds: Rounds of the autoregressive sampler; None for its default.
            noise: Draw the pixels of samples where they would be means.
            check: The findings of a check on the picture, which the std and samples follow; nothing
                to a baseline.
            bounded: Means and samples are clipped to [0, 1], as intensities are.
            draw_from: True where samples may take patches from; None for everywhere.
            wanted: True where the hole is to be filled, and not merely unseen; None for all of it.

        Raises:
            UsageError: The sampler is not for this model and hole.
            InputError: The picture is not one that can be completed, or memory runs out.
            ModelError: Predictions are not finite, or a package is missing.
        """
        chosen = drawing_from(self.check_sampler(sampler, rounds, noise=noise), draw_from, wanted)
        missing = int(hole.sum())
        if rounds is not None and rounds > missing:
            raise UsageError(
                f"{rounds} rounds: the hole has {missing:,} pixels", "no more than pixels"
            )
        predicted = self._predict(picture, hole, samples, seed, chosen, check)
        return predicted.clipped() if bounded else predicted

    @abstractmethod
    def _predict(
        self, picture: Array, hole: HoleArray, samples: int, seed: int, how: Chosen, check: Check
    ) -> Prediction: ...


@dataclass(eq=False)
class NeuralPredictor(Predictor):
    """A neural process, on its device; mean and std are not those of the samples."""

    model: NeuralProcess
    for_data: Callable[[], Predictor] | None = None
    moments: Moments = moments

    def on(self, picture: Picture) -> Predictor:
        """See `Predictor.on`; shares of classes have edges, as photographs do."""
        of_data = picture.is_data and picture.measure != CLASSES
        return self.for_data() if of_data and self.for_data is not None else self

    @property
    def variant(self) -> str:
        """See `Predictor.variant`."""
        return self.model.variant

    def check_sampler(
        self, sampler: str = AUTO, rounds: int | None = None, *, noise: bool = False
    ) -> Sampler:
        """See `Predictor.check_sampler`."""
        return sampler_for(self.model, sampler, rounds, noise=noise)

    def _predict(
        self, picture: Array, hole: HoleArray, samples: int, seed: int, how: Chosen, check: Check
    ) -> Prediction:
        """When memory runs out, once more in smaller chunks."""
        assert how is not None
        work = partial(_predict, self.model, picture, hole, samples, seed, how, check, self.moments)
        try:
            return work()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        try:  # outside of `except`, where the error would keep its tensors alive
            with smaller_chunks():
                predicted = work()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise InputError(
                f"a picture of {hole.shape[1]}x{hole.shape[0]} needs more memory than "
                f"{self.device} has left",
                '`device="cpu"`, fewer `samples`, or a smaller picture',
            ) from None
        note = "the device ran out of memory: done again in smaller parts"
        return replace(predicted, notes=(*predicted.notes, note))


def _predict(
    model: NeuralProcess,
    picture: Array,
    hole: HoleArray,
    samples: int,
    seed: int,
    sampler: Sampler,
    check: Check,
    moments_of: Moments,
) -> Prediction:
    """Encode once; moments and samples both follow from it."""
    if model.config.channels not in {1, 3}:
        raise ModelError(
            f"the model is for pictures of {model.config.channels} channels",
            "models of one or three channels complete pictures",
        )
    # As far as the hole depends on, from and to where cells of a pyramid begin.
    part = around(hole, model.reach, model.reach) if model.reach and hole.size > _LARGE else ...
    missing = hole[part]
    context, notes = context_of(model, picture[part], missing)
    positions = torch.from_numpy(np.flatnonzero(missing)).to(context.pixels.device)
    targets, channels = Targets(positions, (missing.shape[0], missing.shape[1])), picture.shape[-1]
    with torch.no_grad(), torch.autocast(context.pixels.device.type, enabled=False):
        given = model.condition(context)
        factor, known = given.factor, None if check is None else check.correlation
        if known is None and channels > model.config.channels and not model.in_unit:
            known = np.eye(channels)  # nothing says that channels of data go together
        if known is not None:
            factor = torch.from_numpy(np.linalg.cholesky(known)).to(context.pixels)
        factor = None if factor is None or channels < len(factor) else factor  # of grey in colour
        given = replace(given, factor=factor)
        correlation = None if factor is None else (factor @ factor.mT).cpu().numpy()
        predicted = own = moments_of(given, targets, seed)
        if check is not None:
            scale = torch.from_numpy(check.rescaled(own.scale.cpu().numpy()))
            predicted = replace(own, scale=scale.to(own.scale))
        mean, std = (channels_last(part, channels) for part in (predicted.mean, predicted.scale))
        pictures, more, kind = list[Array](), tuple[str, ...](), ""
        if samples and isinstance(sampler, Exemplar):
            pictures, more, kind = painted(sampler, picture, hole, mean, std, range(samples), seed)
        elif samples:
            pictures, more = drawn(sampler, given, targets, predicted, own, samples, seed, channels)
    if not all(np.isfinite(values).all() for values in (mean, std)):
        raise ModelError(
            "the model's predictions are not finite", "its weights are damaged: fetch them again"
        )
    own_std = None if check is None else channels_last(own.scale, channels)
    return Prediction(mean, std, pictures, (*notes, *more), kind, own_std, correlation)


def context_of(model: NeuralProcess, picture: Array, hole: HoleArray) -> tuple[Context, list[str]]:
    """The context of a picture on the model's grid, and sentences on what the model was not for.

    A larger picture is averaged onto the grid; a colour picture becomes a batch of channels for a
    grey model.
    """
    config, notes, frame = model.config, list[str](), (hole.shape[0], hole.shape[1])
    if max(frame) > config.size and not model.any_size:
        notes.append(
            f"the picture is {hole.shape[1]}x{hole.shape[0]} and the model was made for "
            f"{config.size}x{config.size}: the observed pixels are averaged onto a coarser grid, "
            "and the hole is filled smoothly"
        )
    if picture.shape[-1] > config.channels:
        notes.append("the model is for grey pictures: each colour channel is completed by itself")
    if picture.shape[-1] < config.channels and not model.any_size:
        notes.append("the model is for RGB pictures: the grey picture is completed as RGB")
    values, observed = picture, ~hole
    if not model.any_size:
        values, observed = observed_average(values, observed, config.size)
    if config.channels != 1:
        values = match_channels(values, config.channels)
    tensor = torch.from_numpy(np.ascontiguousarray(values)).permute(2, 0, 1)
    batch = tensor.unsqueeze(1) if config.channels == 1 else tensor.unsqueeze(0)
    weight = next(model.parameters())
    mask = torch.from_numpy(observed).expand(len(batch), 1, -1, -1)
    return Context(batch.to(weight), mask.to(weight.device), frame=frame), notes
