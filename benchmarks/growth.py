"""How time and memory grow with the hole, the context and the samples: charts in docs/growth."""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import typer

import npfill
from benchmarks.measure import apart, seconds_and_peak
from npfill import checkpoint, zoo
from npfill.context import Context, Targets
from npfill.sampling import moments

_WEIGHTS = ("cnp-celeba", "lcnp-celeba", "np-celeba", "anp-celeba")
_AXES = {
    "hole": ("missing pixels of 256x256", (1024, 4096, 8192, 16384)),
    "context": ("context pixels of 64x64, 1,000 targets", (64, 1000, 2000, 4096)),
    "samples": ("samples of 28x28, half kept", (3, 6, 12)),
}
_ROUNDS = 2


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    parser.add_argument("--output", type=Path, default=Path("docs/growth"), help="a folder")


def run(options: argparse.Namespace) -> None:
    """Measure each of the weights in a process of its own, and draw."""
    options.output.mkdir(exist_ok=True, parents=True)
    for axis in _AXES:
        points = {}
        for weights in _WEIGHTS:
            points[weights] = apart(measure, axis, weights)
            typer.echo(f"{axis} {weights}: {points[weights]}")
        for column, what, unit in ((1, "time", "seconds"), (2, "memory", "peak MB")):
            series = {
                name: [(row[0], row[column]) for row in rows] for name, rows in points.items()
            }
            path = options.output / f"{axis}-{what}.png"
            _draw(path, f"{what} against {axis}, one thread", _AXES[axis][0], unit, series)


def measure(axis: str, weights: str) -> list[tuple[int, float, float]]:
    """Counts, the best seconds of the processor, and the peak memory in MB, in this process."""
    torch.set_num_threads(1)
    points = []
    with torch.no_grad():
        for count in _AXES[axis][1]:
            times, peak = seconds_and_peak(_task(axis, weights, count), _ROUNDS)
            points.append((count, min(times), 1e3 * (peak or 0.0)))
    return points


def _task(axis: str, weights: str, count: int) -> Callable[[], object]:
    random, model = np.random.default_rng(0), checkpoint.load(zoo.find(weights).path).model
    if axis == "context":
        order = torch.randperm(4096, generator=torch.Generator().manual_seed(0))
        observed = torch.zeros(4096, dtype=torch.bool)
        observed[order[:count]] = True
        context = Context(torch.rand(1, 3, 64, 64), observed.view(1, 1, 64, 64))
        targets = Targets(order[-1000:], (64, 64))
        return lambda: moments(model.condition(context), targets, 0)
    side = 256 if axis == "hole" else 28
    missing, samples = (count, 0) if axis == "hole" else (side * side // 2, count)
    hole = np.zeros(side * side, dtype=bool)
    hole[random.permutation(side * side)[:missing]] = True
    picture = random.random((side, side, 3)).astype(np.float32)
    mask = hole.reshape(side, side)
    return lambda: npfill.complete(picture, mask, model=model, samples=samples)


def _draw(
    path: Path, title: str, across: str, up: str, series: dict[str, list[tuple[int, float]]]
) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415 - drawing alone needs it

    axes = (figure := Figure(figsize=(7, 4), layout="constrained")).add_subplot()
    for name, points in series.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set(title=title, xlabel=across, ylabel=up, ylim=(0, None))
    axes.legend()
    figure.savefig(path, dpi=110)
