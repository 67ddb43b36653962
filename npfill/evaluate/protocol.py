"""The protocol that every reported number follows."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from npfill.evaluate import classifier
from npfill.evaluate.answers import Answer, Completer
from npfill.evaluate.settings import Setting
from npfill.gaussian import Gaussian, mixture_moments
from npfill.scores import (
    centrality,
    coherence,
    coverage,
    diversity,
    edge_correlation,
    floored,
    pointwise_log_likelihood,
    psnr,
    squared_error,
    ssim,
    z_squared,
)

LEVELS = tuple(number / 10 for number in range(1, 10))
# The most test pictures that are used but at random counts, and for a completer that takes long.
FEWER_IMAGES, FEWEST_IMAGES = 200, 50


@dataclass(frozen=True)
class Estimate:
    """A mean over pictures, with its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Result:
    """What was measured of a completer in one setting.

    Attributes:
        images: How many test pictures.
        scores: Estimates by the score's name. A score that does not exist is left out.
    """

    completer: str
    setting: Setting
    images: int
    scores: dict[str, Estimate] = field(default_factory=dict)


def images_for(setting: Setting, most: int) -> int:
    """How many test pictures a setting is measured on, where `most` are at random counts."""
    return most if setting.family == "random" else min(most, FEWER_IMAGES)


@torch.no_grad()
def measure(
    name: str,
    completer: Completer,
    setting: Setting,
    images: UInt8[Tensor, "image channel size size"],
    seed: int,
    on_batch: Callable[[int], None] = lambda _: None,
) -> Result:
    """Score a completer in one setting.

    The same seed gives every completer the same masks, and a picture the same mask whatever the
    number of pictures.

    Args:
        name: What to call it.
        completer: The model or baseline.
        setting: What is observed.
        images: Test pictures, bytes, on the completer's device.
        seed: Of the masks.
        on_batch: Told the number of pictures of each batch that is done.
    """
    size = images.shape[-1]
    chunk = completer.chunk(size * size)
    observed = setting.observed(len(images), size, seed).to(images.device)
    rows: list[dict[str, Tensor]] = []
    for some, seen in zip(images.split(chunk), observed.split(chunk), strict=True):
        pixels = some.float() / 255.0
        rows.append(scores_of(completer.answer(pixels, seen), pixels, seen))
        on_batch(len(some))
    columns = {key: torch.cat([row[key] for row in rows]) for key in rows[0]}
    estimates = {key: _estimate(values) for key, values in columns.items()}
    scores = {key: value for key, value in estimates.items() if value is not None}
    return Result(name, setting, len(images), scores)


def scores_of(
    answer: Answer,
    pixels: Float[Tensor, "batch channel height width"],
    observed: Bool[Tensor, "batch 1 height width"],
) -> dict[str, Tensor]:
    """All scores that an answer can have, each "batch"; NaN where a picture has none."""
    truth, asked = pixels.flatten(2).mT, ~observed.flatten(1)
    mean, hole = _grid(answer.mean, pixels), ~observed
    scores = {
        "mse": squared_error(answer.mean, truth, asked),
        "psnr": psnr(mean, pixels, hole),
        "ssim": ssim(mean, pixels, hole),
    }
    if answer.says_context:
        scores["context_mse"] = squared_error(answer.mean, truth, ~asked)
    if answer.likelihoods is not None:
        own, least = answer.likelihoods
        scores |= {"log_likelihood": own, "floored_log_likelihood": least}
    if answer.components is not None:
        scores |= {
            "pointwise": pointwise_log_likelihood(answer.components, truth, asked),
            "floored_pointwise": pointwise_log_likelihood(floored(answer.components), truth, asked),
        }
        moments = mixture_moments(answer.components)
        scores |= _calibration(answer.components, moments, truth, asked)
        std = _grid(moments.scale, pixels)
        scores["edge_correlation"] = edge_correlation(std, pixels, hole)
    if answer.uncalibrated is not None:
        before = mixture_moments(answer.uncalibrated)
        values = _calibration(answer.uncalibrated, before, truth, asked)
        scores |= {f"uncalibrated_{key}": value for key, value in values.items()}
    if answer.samples is not None:
        samples = torch.stack([_grid(sample, pixels) for sample in answer.samples])
        scores["diversity"] = diversity(samples, hole)
        scores["coherence"] = coherence(samples, mean, hole)
        if pixels.shape[1:] == (1, classifier.SIZE, classifier.SIZE):
            scores |= _as_digits(samples, mean, pixels, hole)
    if answer.kl is not None:
        scores["kl"] = answer.kl
    if answer.seconds is not None:
        scores["seconds"] = answer.seconds
    return scores


def _as_digits(
    samples: Float[Tensor, "sample batch 1 28 28"],
    mean: Float[Tensor, "batch 1 28 28"],
    truth: Float[Tensor, "batch 1 28 28"],
    hole: Bool[Tensor, "batch 1 28 28"],
) -> dict[str, Tensor]:
    """How sure a classifier of digits is of completed pictures, and how samples differ to it."""
    completed = torch.where(hole, samples, truth)
    return {
        "confidence": classifier.confidence(completed).mean(0),
        "mean_confidence": classifier.confidence(torch.where(hole, mean, truth)),
        "real_confidence": classifier.confidence(truth),
        "label_entropy": classifier.label_entropy(completed),
    }


def _calibration(
    components: Gaussian,
    moments: Gaussian,
    truth: Float[Tensor, "batch pixel channel"],
    asked: Bool[Tensor, "batch pixel"],
) -> dict[str, Tensor]:
    """z², and the coverage of all intensities in the hole and of those between 0 and 1."""
    scores = {"z_squared": z_squared(moments, truth, asked)}
    everywhere = asked.unsqueeze(-1).expand_as(truth)
    between = everywhere & (truth > 0.0) & (truth < 1.0)
    probability = centrality(components, truth)
    for suffix, counted in (("", everywhere), ("_between", between)):
        for level in LEVELS:
            key = f"coverage_{100 * level:.0f}{suffix}"
            scores[key] = coverage(probability, counted, level)
    return scores


def _grid(
    values: Float[Tensor, "batch pixel channel"], like: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, "batch channel height width"]:
    return values.mT.reshape(like.shape)


def _estimate(values: Float[Tensor, " image"]) -> Estimate | None:
    """The mean over the pictures that have the score; none if no picture has."""
    finite = values[values.isfinite()].double()
    if not len(finite):
        return None
    error = finite.std().item() / math.sqrt(len(finite)) if len(finite) > 1 else 0.0
    return Estimate(finite.mean().item(), error)
