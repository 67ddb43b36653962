"""Seconds and memory that completing a photograph takes.

Each case runs in a process of its own, which says its seconds without start-up and its peak memory.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch
import typer

import npfill
from npfill.evaluate.memory import with_peak


@dataclass(frozen=True)
class Case:
    """A picture's height and width, and what is missing: a `blob` of 5 %, or `scattered` pixels."""

    height: int
    width: int
    missing: str


CASES = (
    Case(512, 768, "scattered"),
    Case(512, 768, "blob"),
    Case(3000, 4000, "blob"),
    Case(3000, 4000, "scattered"),
)
_BLOB, _KEPT = 0.05, 0.5


def hole_of(case: Case) -> np.ndarray:
    """Bool "height width", True where the picture is missing."""
    if case.missing == "scattered":
        return np.random.default_rng(0).random((case.height, case.width)) >= _KEPT
    rows, columns = np.ogrid[: case.height, : case.width]
    squared = (rows - case.height / 2) ** 2 + (columns - case.width / 2) ** 2
    hole: np.ndarray = squared < _BLOB * case.height * case.width / np.pi
    return hole


def run(case: Case, model: str) -> dict[str, float | None]:
    """Complete a picture of noise, without samples, in this process."""
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (case.height, case.width, 3), dtype=np.uint8)
    loaded, hole = npfill.load(model), hole_of(case)
    before = time.perf_counter()
    _, peak = with_peak(lambda: npfill.complete(picture, hole, loaded, samples=0))
    seconds, used = time.perf_counter() - before, time.process_time()
    return {"seconds": seconds, "processor": used, "gigabytes": peak}


def main() -> None:
    """Print a table of all cases; with --case, one of them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="auto", help="a name or a weight file")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.case is not None:
        typer.echo(json.dumps(run(CASES[options.case], options.model)))
        return
    typer.echo(f"{options.threads} threads\n")
    typer.echo("| picture | missing | seconds | processor, with start-up | peak memory |")
    typer.echo("|---|---|---:|---:|---:|")
    for number, case in enumerate(CASES):
        words = ["--model", options.model, "--threads", str(options.threads)]
        command = [sys.executable, "-m", "benchmarks.complete", *words, "--case", str(number)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        result = json.loads(done.stdout)
        name = f"{case.width}x{case.height} | {case.missing}"
        times = f"{result['seconds']:.1f} s | {result['processor']:.1f} s"
        peak = result["gigabytes"]
        typer.echo(f"| {name} | {times} | {'' if peak is None else f'{peak:.2f} GB'} |")


if __name__ == "__main__":
    main()
