"""Seconds and memory of completing, without start-up, and what starting costs.

Each case runs in a process of its own.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import npfill
from benchmarks.measure import apart, gigabytes, in_words, seconds_and_peak
from npfill import checkpoint, zoo

_DIGIT = ["examples/digit.png", "--mask", "examples/digit_mask.png", "--overwrite"]
_PHOTO, _LARGE = (512, 768), (3000, 4000)
_BLOB = 0.05


@dataclass(frozen=True)
class Case:
    """A model, a picture's height and width, what is missing, and the samples.

    Missing is a `blob` of 5 %, a `half` of the pixels, or all but a number of them.
    """

    model: str
    height: int
    width: int
    missing: str | int
    samples: int = 0

    @property
    def rounds(self) -> int:
        """Slow ones are measured once."""
        return 1 if self.height > 64 or self.model == "anp-celeba" else 5


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    parser.add_argument("--threads", type=int, action="append", help="1, by default; repeatable")
    parser.add_argument("--large", action="store_true", help="add 12 megapixels")
    parser.add_argument("--model", action="append", help="only these; repeatable")


def run(options: argparse.Namespace) -> None:
    """Print the tables."""
    console = Console(width=100, highlight=False)
    if not options.model:
        console.print(_start_up())
    for threads in options.threads or [1]:
        table = Table("model", "picture", "missing", "samples", "median", "peak memory")
        table.title = f"npfill.complete, {threads} threads, without start-up"
        for case in _cases(large=options.large):
            if not options.model or case.model in options.model:
                table.add_row(*_row(case, threads))
        console.print(table)


def _cases(*, large: bool) -> Iterator[Case]:
    for name, entry in zoo.entries().items():
        if entry.variant == "convcnp":
            yield from (Case(name, *_PHOTO, missing) for missing in ("half", "blob"))
            if large:
                yield from (Case(name, *_LARGE, missing) for missing in ("half", "blob"))
            continue
        yield Case(name, entry.size, entry.size, 1000 if entry.size == 64 else 100, 5)
        yield Case(name, 256, 256, "half")
        if entry.size == 64:
            yield Case(name, *_PHOTO, "half")
    if large:
        yield Case("np-celeba", *_LARGE, "half")


def _row(case: Case, threads: int) -> list[str]:
    seconds, peak = apart(measure, case, threads)
    missing = f"all but {case.missing:,}" if isinstance(case.missing, int) else case.missing
    size = f"{case.width}x{case.height}"
    return [case.model, size, missing, str(case.samples), in_words(seconds), gigabytes(peak)]


def measure(case: Case, threads: int) -> tuple[float, float | None]:
    """Median seconds and peak memory of completing a picture of noise, in this process."""
    torch.set_num_threads(threads)
    random = np.random.default_rng(1)
    model = checkpoint.load(zoo.find(case.model).path).model
    shape: tuple[int, ...] = (case.height, case.width)
    if model.config.channels == 3 or case.model == "convcnp-photo":
        shape = (*shape, 3)
    picture, hole = random.integers(0, 256, shape, dtype=np.uint8), hole_of(case)
    times, peak = seconds_and_peak(
        lambda: npfill.complete(picture, hole, model=model, samples=case.samples), case.rounds
    )
    return statistics.median(times), peak


def hole_of(case: Case) -> np.ndarray:
    """Bool "height width", True where the picture is missing."""
    random, count = np.random.default_rng(0), case.height * case.width
    if case.missing == "blob":
        rows, columns = np.ogrid[: case.height, : case.width]
        squared = (rows - case.height / 2) ** 2 + (columns - case.width / 2) ** 2
        blob: np.ndarray = squared < _BLOB * count / np.pi
        return blob
    kept = case.missing if isinstance(case.missing, int) else count // 2
    hole = np.ones(count, dtype=bool)
    hole[random.permutation(count)[:kept]] = False
    return hole.reshape(case.height, case.width)


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
