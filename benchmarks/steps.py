"""How fast training is: steps of every recipe, and with --data whole runs."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.contest import Contestant, Standing, contest, learner_of, matrix_rate, recipe_of
from benchmarks.measure import clock_of
from npfill.data.sources import read_images
from npfill.evaluate.held_out import at_random_counts
from npfill.training.batch import draw
from npfill.training.recipe import Recipe
from npfill.training.run import hardware

_TALK = "lcnp-mnist-talk"
_RECIPES = (_TALK, "cnp-mnist", "lcnp-mnist", "np-mnist", "anp-mnist")
# Recipes, the observed pixels of every picture, and changes. Half are observed, but where memory
# and time grow with them.
_ROWS = (
    (_TALK, 392, ()),
    (_TALK, 392, ("objective.targets=196",)),
    ("cnp-mnist", 392, ()),
    ("lcnp-mnist", 392, ()),
    ("np-mnist", 392, ()),
    ("anp-mnist", 100, ()),
)
_RANDOM = ("holes.random=1.0", "holes.half=0.0", "holes.box=0.0", "holes.strokes=0.0")
# A short schedule of the quickest recipe, and a likelihood that it reaches.
_UNTIL = ("cnp-mnist", ("schedule.steps=600", "schedule.warmup=50"), 0.5)
_VALIDATE_EVERY = 25
_DRAWS = 8


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    parser.add_argument("--data", type=Path, help="MNIST: adds whole runs to the steps")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="both, by default, if there")
    parser.add_argument("--recipe", action="append", choices=_RECIPES, help="only these steps")
    parser.add_argument("--compile", action="store_true", help="add steps by torch.compile")
    parser.add_argument("--quick", action="store_true", help="2 rounds, a hundredth of an epoch")


def run(options: argparse.Namespace) -> None:
    """Print the tables."""
    console = Console(width=110)
    for device in _devices(options.device):
        console.print(_steps(device, options))
        if options.data:
            console.print(_runs(device, options))


def _devices(wanted: str | None) -> list[str]:
    if wanted:
        return [wanted]
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def _steps(device: str, options: argparse.Namespace) -> Table:
    """One step of every recipe, by every contestant."""
    kinds = ["plain", "float32", "ours", *(["compiled"] if options.compile else [])]
    rates = {precision: matrix_rate(device, precision) for precision in ("float32", "bfloat16")}
    table = Table("step", "how", "precision", "ms", "images/s", "times plain", "share of rate")
    table.columns[0].no_wrap = True
    table.title = f"training steps on {hardware(torch.device(device))}"
    for name, count, changes in _ROWS:
        if options.recipe and name not in options.recipe:
            continue
        fixed = (*_RANDOM, f"holes.fewest={count}", f"holes.most={count}", *changes)
        contestants = [Contestant(kind, name, fixed, device) for kind in kinds]
        standings = contest(contestants, 2 if options.quick else 5)
        title = " ".join([name, *changes])
        _add(table, title, kinds, standings, rates)
    told = ", ".join(f"{rate / 1e9:,.0f} GFLOP/s in {name}" for name, rate in rates.items())
    table.caption = f"matrix products of 2048: {told}"
    return table


def _add(
    table: Table,
    title: str,
    kinds: Sequence[str],
    standings: Sequence[Standing],
    rates: dict[str, float],
) -> None:
    reference = standings[0]
    for kind, one in zip(kinds, standings, strict=True):
        # The same loss up to rounding, or it is not the same step.
        assert abs(one.loss - reference.loss) < 0.02 * abs(reference.loss), (kind, one, reference)
        share = one.operations / one.seconds / rates[one.precision]
        table.add_row(
            title if kind == kinds[0] else "",
            kind,
            one.precision,
            f"{one.seconds * 1e3:,.1f}",
            f"{one.images / one.seconds:,.0f}",
            f"{reference.seconds / one.seconds:.2f}",
            f"{share:.0%}",
            end_section=kind == kinds[-1],
        )


def _runs(device: str, options: argparse.Namespace) -> Table:
    """Seconds to a likelihood, and an epoch with its projection."""
    table = Table("run", "how", "result", title="on real pictures")
    name, changes, wanted = _UNTIL
    for kind in ("plain", "float32", "ours"):
        end = until(kind, name, changes, options.data, device, wanted)
        reached = f"{end.seconds:,.1f} s, {end.steps} steps: {end.likelihood:.3f}"
        table.add_row(f"{name} to a validation LL of {wanted}", kind, reached)
    share = 0.01 if options.quick else 1.0
    seconds, steps, epochs = epoch(_TALK, options.data, device, share)
    table.add_row(f"{_TALK}, {share:g} epoch", "ours", f"{seconds:,.1f} s, {steps} steps")
    hours = seconds / share * epochs / 3600
    table.add_row(f"{_TALK}, {epochs:.0f} epochs", "ours", f"{hours:,.2f} h, a projection")
    return table


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
