"""Seconds of completing real grids of 512x512, by the network for data and by kriging.

Each of the eight gaps of `npfill evaluate --fields`, on the grids that are so large. Needs
scikit-image. Processor seconds of this process, without start-up.
"""

import argparse
import time
from collections import Counter

import numpy as np
import torch
import typer

import npfill
from npfill.evaluate.fields.cells import REAL_GAPS, drawn_gap
from npfill.evaluate.fields.grids import read
from npfill.seeds import array_generator

_SIDE, _GRIDS = 512, ("lunar surface", "gravel", "galaxies")
_NOISY = 0.2  # of the pixels are seen, with as much noise
_WAYS: dict[str, tuple[str, bool]] = {
    "with the check": ("convcnp-field", True),
    "without": ("convcnp-field", False),
    "kriging": ("kriging", False),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this program."""
    parser.add_argument("--threads", type=int, default=1)


def run(options: argparse.Namespace) -> None:
    """Print a row for each grid and gap, and the sums."""
    torch.set_num_threads(options.threads)
    total = Counter[str]()
    for model, _ in _WAYS.values():
        _seconds(np.where(np.eye(64) > 0, np.nan, np.indices((64, 64))[0]), model, check=False)
    typer.echo(f"| | {' | '.join(_WAYS)} |\n| --- |{' ---: |' * len(_WAYS)}")
    for name in _GRIDS:
        grid = read(name, _SIDE)
        for gap in REAL_GAPS:
            random = array_generator(0, "real", name, f"{gap}")
            is_noisy = gap == "noisy"
            noise = _NOISY * grid.std() * random.standard_normal(grid.shape) if is_noisy else 0
            hole = drawn_gap(_NOISY if is_noisy else gap, _SIDE, random)
            values = np.where(hole, np.nan, grid + noise)
            found = {way: _seconds(values, *how) for way, how in _WAYS.items()}
            total.update(found)
            typer.echo(
                f"| {name}, {gap} | {' | '.join(f'{each:.2f}' for each in found.values())} |"
            )
    typer.echo(f"| sum | {' | '.join(f'{each:.1f}' for each in total.values())} |")


def _seconds(values: np.ndarray, model: str, check: bool) -> float:
    began = time.process_time()
    npfill.complete(values, model=model, samples=0, check=check)
    return time.process_time() - began
