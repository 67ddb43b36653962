"""Prediction by npfill, by its plain formulation and by the published networks, side by side.

One picture, given 100 of 28x28 grey or 1,000 of 64x64 RGB pixels: mean and scale at the others, for
five z. All take turns in one process.
"""

import argparse
import copy
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.measure import clock_of
from npfill.context import Context, Targets
from npfill.models import NeuralProcess
from tests.reference.plain import plain
from tests.reference.published import WIDTH, Published, published_config

_SAMPLES = 5
# Milliseconds that the published code took on one thread of a Xeon with AVX-512, and the most that
# npfill may take of it.
_STATED = {
    ("cnp", 1): (1.7, 1.0),
    ("cnp", 3): (14.0, 1.0),
    ("np", 1): (11.0, 0.5),
    ("np", 3): (64.0, 0.5),
    ("anp", 1): (14.0, 0.5),
    ("anp", 3): (354.0, 0.5),
}
_CONTEXT = {1: 100, 3: 1000}


@dataclass(frozen=True)
class Taken:
    """Median milliseconds by who predicted, and how far npfill is from its plain formulation."""

    milliseconds: dict[str, float]
    difference: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    parser.add_argument("--threads", type=int, action="append", help="1, by default; repeatable")


def run(options: argparse.Namespace) -> None:
    """Print a table for each number of threads."""
    for threads in options.threads or [1]:
        torch.set_num_threads(threads)
        Console(width=100, highlight=False).print(_table(threads))


def _table(threads: int) -> Table:
    table = Table("variant", "picture", "published", "plain", "npfill", "share", "stated", "goal")
    table.title = f"prediction for five z, published layers, {threads} threads: median ms"
    for (variant, channels), (stated, share) in _STATED.items():
        taken = side_by_side(variant, channels, rounds=60 if channels == 1 else 15)
        # The same answer, or it is not the same work.
        assert taken.difference < 1e-5, taken
        ms = taken.milliseconds
        numbers = [f"{ms[who]:.1f}" for who in ("published", "plain", "npfill")]
        picture = "28x28, 100 px" if channels == 1 else "64x64, 1,000 px"
        ratio = f"{ms['npfill'] / ms['published']:.2f}"
        table.add_row(variant, picture, *numbers, ratio, f"{stated:g}", f"{share * stated:g}")
    return table


@torch.no_grad()
def side_by_side(variant: str, channels: int, rounds: int) -> Taken:
    """The medians of so many rounds, in which all take one after the other."""
    model, published = published_config(variant, channels), Published(variant, channels).eval()
    context, targets = problem(channels, model.config.size)
    at = context.positions()[context.mask()[0]]
    values, asked = context.values()[0, context.mask()[0]], targets.positions(at)
    noise = torch.randn(_SAMPLES, WIDTH, generator=torch.Generator().manual_seed(1))
    ways: dict[str, Callable[[], Tensor]] = {
        "published": lambda: published(at, values, asked, noise),
        "plain": _prediction(plain(copy.deepcopy(model)), context, targets, noise),
        "npfill": _prediction(model, context, targets, noise),
    }
    clock = clock_of(torch.device("cpu"))
    answers = {name: way() for name, way in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            before = clock()
            way()
            times[name].append(1e3 * (clock() - before))
    medians = {name: statistics.median(each) for name, each in times.items()}
    return Taken(medians, float((answers["npfill"] - answers["plain"]).abs().max()))


def _prediction(
    model: NeuralProcess, context: Context, targets: Targets, noise: Tensor
) -> Callable[[], Tensor]:
    def predict() -> Tensor:
        given = model.condition(context)
        z = None if given.latent is None else given.latent.rsample(noise[:, None])
        predicted = given.predict(z, targets)
        return torch.cat([predicted.mean, predicted.scale], dim=-1)

    return predict


def problem(channels: int, size: int) -> tuple[Context, Targets]:
    """A picture of noise of which a few random pixels are observed, and the others."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(1, channels, size, size, generator=generator)
    order = torch.randperm(size * size, generator=generator)
    seen, hidden = order[: _CONTEXT[channels]], order[_CONTEXT[channels] :].sort().values
    observed = torch.zeros(size * size, dtype=torch.bool)
    observed[seen] = True
    return Context(pixels, observed.view(1, 1, size, size)), Targets(hidden, (size, size))
