"""Prediction by npfill, by its plain formulation and by the published networks, side by side.

One picture, given 100 of 28x28 grey or 1,000 of 64x64 RGB pixels: mean and scale at the others, for
five z. All take turns in one process.
"""

import copy
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.contest import clock_of
from benchmarks.published import WIDTH, Published, published_config
from benchmarks.reference import plain
from npfill.context import Context, Targets

SAMPLES = 5
# Milliseconds that the published code took on one thread of a Xeon with AVX-512, and the most that
# npfill may take of it.
STATED = {
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

    variant: str
    channels: int
    milliseconds: dict[str, float]
    difference: float


@torch.no_grad()
def side_by_side(variant: str, channels: int, rounds: int) -> Taken:
    """The medians of so many rounds, in which all take one after the other."""
    model, published = published_config(variant, channels), Published(variant, channels).eval()
    context, targets = problem(channels, model.config.size)
    at = context.positions()[context.mask()[0]]
    values, asked = context.values()[0, context.mask()[0]], targets.positions(at)
    noise = torch.randn(SAMPLES, WIDTH, generator=torch.Generator().manual_seed(1))
    plainly = plain(copy.deepcopy(model))

    def by(which: object) -> Callable[[], Tensor]:
        def predict() -> Tensor:
            given = which.condition(context)  # type: ignore[attr-defined]
            latent = given.latent
            z = None if latent is None else latent.rsample(noise[:, None])
            predicted = given.predict(z, targets)
            return torch.cat([predicted.mean, predicted.scale], dim=-1)

        return predict

    ways = {
        "published": lambda: published(at, values, asked, noise),
        "plain": by(plainly),
        "npfill": by(model),
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
    difference = float((answers["npfill"] - answers["plain"]).abs().max())
    return Taken(variant, channels, medians, difference)


def problem(channels: int, size: int) -> tuple[Context, Targets]:
    """A picture of noise of which a few random pixels are observed, and the others."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(1, channels, size, size, generator=generator)
    order = torch.randperm(size * size, generator=generator)
    seen, hidden = order[: _CONTEXT[channels]], order[_CONTEXT[channels] :].sort().values
    observed = torch.zeros(size * size, dtype=torch.bool)
    observed[seen] = True
    return Context(pixels, observed.view(1, 1, size, size)), Targets(hidden, (size, size))
