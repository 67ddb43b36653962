"""The protocol that every reported number follows: pictures, contexts and metrics to results."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.data import Images, Photographs
from npfill.errors import InputError
from npfill.evaluate.case import Case
from npfill.evaluate.contexts import ContextKind
from npfill.evaluate.metrics import scores_of
from npfill.evaluate.predictions import BatchPredictor

Pictures: TypeAlias = Images | Photographs

# The most pictures of a grid that are scored but at random counts, and by a slow predictor.
FEWER_IMAGES, FEWEST_IMAGES = 200, 50


@dataclass(frozen=True)
class Budget:
    """How much is measured.

    Attributes:
        images: Pictures, at most; on a grid at random counts, and at most 200 elsewhere, 50 for
            `gp`, for samplers and for `linear` with more than 1,024 values a picture.
        draws: Draws of z, and samples of each sampler.
        seed: The seed of masks and draws.
    """

    images: int = 1000
    draws: int = 16
    seed: int = 0


@dataclass(frozen=True)
class Estimate:
    """A mean over the pictures that have a score, with its standard error and their number.

    Infinite scores are counted; the mean leaves out the PSNR of exact pictures, and no other. The
    error is NaN where it is not known.
    """

    value: float
    error: float
    pictures: int
    infinite: int = 0


@dataclass(frozen=True)
class Result:
    """The scores of a predictor with one kind of context.

    Attributes:
        predictor: The predictor's name.
        context: The kind of context.
        pictures: The number of pictures that it was given.
        scores: Estimates by the name of the metric; a metric that no picture has is left out.
    """

    predictor: str
    context: ContextKind
    pictures: int
    scores: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class Results:
    """An evaluation, with everything that its numbers depend on.

    Attributes:
        data: The place of the data.
        part: Which of its pictures were measured.
        size: Side of the grid that they were brought to; None for their own sizes.
        channels: Their channels.
        masks: The place of irregular masks, if there were any.
        budget: How much was measured.
        predictors: The hash of the weights of each, or what it was fitted to.
        results: One for each predictor and kind of context.
        notes: Sentences on what the numbers do not show.
    """

    data: str
    part: str
    size: int | None
    channels: int
    masks: str | None
    budget: Budget
    predictors: dict[str, str]
    results: tuple[Result, ...]
    notes: tuple[str, ...] = ()

    @property
    def contexts(self) -> list[ContextKind]:
        """The kinds of contexts, in order."""
        return list(dict.fromkeys(result.context for result in self.results))

    def score(self, predictor: str, context: ContextKind, metric: str) -> Estimate | None:
        """The estimate of a metric; None where it was not measured."""
        pair = predictor, context
        (found,) = [each for each in self.results if (each.predictor, each.context) == pair]
        return found.scores.get(metric)


def images_for(context: ContextKind, most: int) -> int:
    """The number of pictures of a grid to measure on, where `most` are for random counts."""
    return most if context.family == "random" else min(most, FEWER_IMAGES)


@torch.no_grad()
def measure(
    name: str,
    predictor: BatchPredictor,
    context: ContextKind,
    pictures: Pictures,
    seed: int,
    on_batch: Callable[[int], None] = lambda _: None,
    on_refusal: Callable[[InputError], object] = lambda _: None,
) -> Result:
    """Score a predictor with one kind of context.

    The same seed gives every predictor the same masks, and a picture the same mask whatever the
    number of pictures, which are bytes. `on_batch` is called with the number of pictures of each
    batch that is done, `on_refusal` with the reason why one, refused, has no scores.
    """
    rows = []
    for pixels, observed in _batches(predictor, context, pictures, seed):
        try:
            predicted = predictor.predict(pixels, observed)
        except InputError as error:
            on_refusal(error)
        else:
            rows.append(scores_of(Case(predicted, pixels.to(predicted.mean.dtype), observed)))
        on_batch(len(pixels))
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {key: torch.cat([row[key] for row in rows if key in row]) for key in names}
    scores = {key: one for key, values in columns.items() if (one := _estimate(key, values))}
    return Result(name, context, len(pictures), scores)


def _batches(
    predictor: BatchPredictor, context: ContextKind, pictures: Pictures, seed: int
) -> Iterator[tuple[Float[Tensor, "b c h w"], Bool[Tensor, "b 1 h w"]]]:
    """Pictures in [0, 1] and their masks, on the predictor's device."""
    where = predictor.device
    if isinstance(pictures, Photographs):
        for number, picture in enumerate(pictures.pictures):
            size = picture.shape[-2], picture.shape[-1]
            observed = context.observed(1, size, seed, first=number)
            yield picture.unsqueeze(0).to(where).float() / 255.0, observed.to(where)
        return
    size = pictures.shape[-2], pictures.shape[-1]
    masks = context.observed(len(pictures), size, seed)
    chunk = predictor.chunk(size[0] * size[1])
    for some, observed in zip(pictures.split(chunk), masks.split(chunk), strict=True):
        yield some.to(where).float() / 255.0, observed.to(where)


def _estimate(metric: str, values: Float[Tensor, " image"]) -> Estimate | None:
    """The mean over the pictures that have the score; None if none has."""
    known = values[~values.isnan()].cpu().double()
    some = known[known.isfinite()] if metric.endswith("psnr") else known
    if not len(known):
        return None
    error = some.std().item() / math.sqrt(len(some)) if len(some) > 1 else math.nan
    mean = (some if len(some) else known).mean().item()
    return Estimate(mean, error, len(some), int(known.isinf().sum()))
