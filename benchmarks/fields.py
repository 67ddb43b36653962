"""Seconds of completing real grids of 512x512, by the network for data and by kriging.

The cells of `npfill evaluate --fields`, on the grids that are so large. Needs scikit-image.
Processor seconds without start-up; the network's std is checked on the picture.
"""

import argparse

import numpy as np
import torch
import typer

from npfill.evaluate.fields.cells import on_real
from npfill.evaluate.fields.tools import completed

_SIDE, _GRIDS = 512, ("lunar surface", "gravel", "galaxies")
_TOOLS = ("convcnp-field", "kriging")


def add_options(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(_: argparse.Namespace) -> None:
    """Print a line for each grid, gap and tool, and the sums."""
    torch.set_num_threads(1)
    fills = {name: completed(name, "cpu", 0) for name in _TOOLS}
    ramp = np.indices((64, 64))[0].astype(float)
    for fill in fills.values():  # loads it
        fill(np.where(np.eye(64) > 0, np.nan, ramp), np.eye(64) > 0)
    total = dict.fromkeys(_TOOLS, 0.0)
    for cell in on_real(fills, _SIDE, 0, lambda *_: None, _GRIDS):
        typer.echo(f"{cell.field}, {cell.gap}: {cell.tool} {cell.seconds:.2f}")
        total[cell.tool] += cell.seconds
    typer.echo(", ".join(f"{name} {seconds:.1f}" for name, seconds in total.items()))
