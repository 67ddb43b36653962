"""How time and memory grow with the hole, the context and the samples: charts in docs/growth.

python -m benchmarks.growth
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import typer

import npfill
from npfill.context import Context, Targets
from npfill.evaluate.charts import line_chart
from npfill.evaluate.memory import with_peak
from npfill.sampling import moments

_WEIGHTS = ("cnp-celeba", "lcnp-celeba", "np-celeba", "anp-celeba")
_FOLDER = Path("docs/growth")
_AXES = {
    "hole": ("missing pixels of 256x256", (1024, 4096, 8192, 16384)),
    "context": ("context pixels of 64x64, 1,000 targets", (64, 1000, 2000, 4096)),
    "samples": ("samples of 28x28, half kept", (3, 6, 12)),
}
_ROUNDS = 2


def task(axis: str, weights: str, count: int) -> Callable[[], object]:
    """What is timed."""
    random = np.random.default_rng(0)
    model = npfill.load(weights)
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
    return lambda: npfill.complete(picture, hole.reshape(side, side), model, samples)


def measure(axis: str, weights: str) -> list[tuple[int, float, float]]:
    """Counts, the best seconds of the processor, and the peak memory in MB."""
    torch.set_num_threads(1)
    points = []
    with torch.no_grad():
        for count in _AXES[axis][1]:
            run, times = task(axis, weights, count), []
            for _ in range(_ROUNDS):
                before = time.process_time()
                _, peak = with_peak(run)
                times.append(time.process_time() - before)
            points.append((count, min(times), 1e3 * (peak or 0.0)))
    return points


def main() -> None:
    """Measure each of the weights in a process of its own, and draw."""
    if len(sys.argv) == 3:
        typer.echo(json.dumps(measure(*sys.argv[1:])))
        return
    _FOLDER.mkdir(exist_ok=True)
    for axis, (label, _) in _AXES.items():
        measured = {}
        for weights in _WEIGHTS:
            command = [sys.executable, "-m", "benchmarks.growth", axis, weights]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            measured[weights] = json.loads(done.stdout)
            typer.echo(f"{axis} {weights}: {done.stdout.strip()}")
        seconds = {name: [(x, s, None) for x, s, _ in rows] for name, rows in measured.items()}
        memory = {name: [(x, mb, None) for x, _, mb in rows] for name, rows in measured.items()}
        for what, unit, series in (("time", "seconds", seconds), ("memory", "peak MB", memory)):
            chart = line_chart(f"{what} against {axis}, one thread", label, unit, series)
            chart.save(_FOLDER / f"{axis}-{what}.png", optimize=True)


if __name__ == "__main__":
    main()
