"""Runs on real pictures: seconds to a likelihood, and the length of an epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.contest import clock_of, learner_of, recipe_of
from npfill.data.sources import read_images
from npfill.evaluate.validation import at_random_counts
from npfill.training.batch import draw
from npfill.training.recipe import Recipe

_VALIDATE_EVERY = 25
_DRAWS = 8


@dataclass(frozen=True)
class Reached:
    """Steps and seconds of training, without validation, and the likelihood at their end."""

    steps: int
    seconds: float
    likelihood: float


def _split(recipe: Recipe, data: Path, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pictures to train on, and those held out."""
    images = read_images(data, "train", recipe.model.size, recipe.model.channels).to(device)
    return images[: -recipe.data.validation], images[-recipe.data.validation :]


def until(
    kind: str, name: str, changes: Sequence[str], data: Path, device_name: str, wanted: float
) -> Reached:
    """Train until the mean validation log-likelihood reaches `wanted`, or to the last step.

    It is that of the averaged weights, at a scale floor of 0.1.
    """
    device, recipe = torch.device(device_name), recipe_of(name, changes)
    train, held_out = _split(recipe, data, device)
    learner, clock = learner_of(kind, recipe, device), clock_of(device)
    seconds, likelihood, step = 0.0, float("-inf"), 0
    while step < recipe.schedule.steps and likelihood < wanted:
        before = clock()
        for _ in range(_VALIDATE_EVERY):
            learner.learn(draw(train, recipe, step), step)
            step += 1
        seconds += clock() - before
        scores = at_random_counts(learner.average, held_out, _DRAWS)
        likelihood = sum(scores["floored_log_likelihood"]) / len(scores["counts"])
    return Reached(step, seconds, likelihood)


def epoch(name: str, data: Path, device_name: str, share: float) -> tuple[float, int, float]:
    """Seconds for a share of an epoch of a recipe, its steps, and the epochs of the recipe."""
    device, recipe = torch.device(device_name), recipe_of(name, [])
    train, _ = _split(recipe, data, device)
    learner, clock = learner_of("ours", recipe, device), clock_of(device)
    batch = recipe.schedule.batch
    steps = max(1, round(share * len(train) / batch))
    before = clock()
    for step in range(steps):
        learner.learn(draw(train, recipe, step), step)
    return clock() - before, steps, recipe.schedule.steps * batch / len(train)
