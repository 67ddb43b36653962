"""How fast completing is, in a few minutes: python -m benchmarks.quick.

Start-up; prediction beside the published networks; whole completions by the shipped weights.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.predicting import STATED, side_by_side
from npfill import zoo

_DIGIT = ["examples/digit.png", "--mask", "examples/digit_mask.png", "--overwrite"]
# Height, width, pixels kept and samples of a completion; None keeps half of the pixels.
_SIZES = {
    28: [(28, 28, 100, 5), (256, 256, None, 0)],
    64: [(64, 64, 1000, 5), (256, 256, None, 0), (512, 768, None, 0)],
}
_LARGE = (3000, 4000, None, 0)
_COMPLETE = """
import json, sys, time
import numpy as np, torch, npfill
from npfill.evaluate.memory import with_peak
model, height, width, kept, samples, threads, rounds = json.loads(sys.argv[1])
torch.set_num_threads(threads)
loaded, random = npfill.load(model), np.random.default_rng(0)
shape = (height, width) if loaded.config.channels == 1 else (height, width, 3)
picture, hole = random.integers(0, 256, shape, dtype=np.uint8), random.random((height, width)) < 0.5
if kept is not None:
    hole[:] = True
    hole.flat[random.permutation(hole.size)[:kept]] = False
clock, times = time.process_time if threads == 1 else time.perf_counter, []
for _ in range(rounds):
    before = clock()
    _, peak = with_peak(lambda: npfill.complete(picture, hole, loaded, samples))
    times.append(clock() - before)
print(json.dumps([sorted(times)[len(times) // 2], peak]))
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quick", description=__doc__)
    parser.add_argument("--threads", type=int, action="append", help="1, by default; repeatable")
    parser.add_argument("--large", action="store_true", help="add 12 megapixels")
    options = parser.parse_args()
    console = Console(width=100, highlight=False)
    console.print(_start_up())
    for threads in options.threads or [1]:
        torch.set_num_threads(threads)
        console.print(_predictions(threads))
        console.print(_completions(threads, large=options.large))


def _start_up() -> Table:
    """Processor seconds of commands, beside `import torch` and in turn with it."""
    commands = {
        "import torch": ["-c", "import torch"],
        "npfill --help": ["-m", "npfill", "--help"],
    }
    table = Table("command", "seconds of processor", "more than import torch", title="start-up")
    with tempfile.TemporaryDirectory() as folder:
        for variant in ("cnp", "lcnp", "np", "anp"):
            words = ["-m", "npfill", "complete", *_DIGIT, "-m", f"{variant}-mnist", "-o", folder]
            commands[f"npfill complete digit.png -m {variant}-mnist"] = words
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(3):
            for name, words in commands.items():
                times[name].append(_processor_seconds(words))
    medians = {name: statistics.median(each) for name, each in times.items()}
    for name, seconds in medians.items():
        more = f"{seconds - medians['import torch']:+.2f}"
        table.add_row(name, f"{seconds:.2f}", "" if name in list(commands)[:2] else more)
    return table


def _processor_seconds(words: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _predictions(threads: int) -> Table:
    """Prediction at the published layer sizes."""
    table = Table("variant", "picture", "published", "plain", "npfill", "share", "stated", "goal")
    table.title = f"prediction for five z, published layers, {threads} threads: median ms"
    for (variant, channels), (stated, share) in STATED.items():
        taken = side_by_side(variant, channels, rounds=60 if channels == 1 else 15)
        # The same answer, or it is not the same work.
        assert taken.difference < 1e-5, taken
        ms = taken.milliseconds
        numbers = [f"{ms[who]:.1f}" for who in ("published", "plain", "npfill")]
        picture = "28x28, 100 px" if channels == 1 else "64x64, 1,000 px"
        ratio = f"{ms['npfill'] / ms['published']:.2f}"
        table.add_row(variant, picture, *numbers, ratio, f"{stated:g}", f"{share * stated:g}")
    return table


def _cases(*, large: bool) -> Iterator[tuple[str, tuple[int, int, int | None, int]]]:
    for name, entry in zoo.entries().items():
        if entry.variant != "convcnp":
            yield from ((name, size) for size in _SIZES[entry.size])
    if large:
        yield "np-celeba", _LARGE


def _completions(threads: int, *, large: bool) -> Table:
    """Whole completions by the shipped weights, each in a process of its own."""
    table = Table("weights", "picture", "kept", "samples", "median", "peak memory")
    table.title = f"npfill.complete, {threads} threads, without start-up"
    for name, (height, width, kept, samples) in _cases(large=large):
        rounds = 1 if height > 64 or name == "anp-celeba" else 5
        given = json.dumps([name, height, width, kept, samples, threads, rounds])
        done = subprocess.run(
            [sys.executable, "-c", _COMPLETE, given], capture_output=True, text=True, check=True
        )
        seconds, peak = json.loads(done.stdout)
        took = f"{1e3 * seconds:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
        table.add_row(
            name,
            f"{width}x{height}",
            "half" if kept is None else f"{kept:,}",
            str(samples),
            took,
            "" if peak is None else f"{peak:.2f} GB",
        )
    return table


if __name__ == "__main__":
    main()
