"""Draw a terrain with a clouded part: what is seen, mean, std, and what `fillnodata` makes of it.

The terrain is matplotlib's sample `jacksboro_fault_dem.npz`; `fillnodata` is that of GDAL, in
rasterio. Prints the root mean square error of both in the hole, in metres.
"""

import argparse
from importlib import import_module
from pathlib import Path

import numpy as np

import npfill

_BLOBS, _RADIUS = 14, 14


def clouds(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Discs at random, True where something is hidden."""
    rows, columns = np.indices(shape)
    random = np.random.default_rng(seed)
    hidden = np.zeros(shape, dtype=bool)
    for row, column in random.uniform(0, 1, (_BLOBS, 2)) * shape:
        hidden |= np.hypot(rows - row, columns - column) < random.uniform(0.5, 1.2) * _RADIUS
    return hidden


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this program."""
    parser.add_argument("output", type=Path, help="The picture, a PNG.")


def run(options: argparse.Namespace) -> None:
    """Draw the picture, and print the errors."""
    cbook, plt = (import_module(f"matplotlib.{name}") for name in ("cbook", "pyplot"))
    fillnodata = import_module("rasterio.fill").fillnodata
    truth = cbook.get_sample_data("jacksboro_fault_dem.npz")["elevation"].astype(np.float32)
    truth = truth[:256, :256]
    hidden = clouds(truth.shape)
    seen = np.where(hidden, np.nan, truth)
    done = npfill.complete(seen, samples=0)
    other = fillnodata(np.where(hidden, 0, truth), ~hidden, max_search_distance=100)
    assert done.std is not None
    for name, values in (("npfill", done.mean), ("fillnodata", other)):
        error = np.sqrt(np.mean((values - truth)[hidden] ** 2))
        print(f"{name}: {error:.1f} m" + (f" ({done.model})" if values is done.mean else ""))  # noqa: T201
    z = ((done.mean - truth) / np.where(hidden, done.std, 1))[hidden]
    print(f"z² {np.mean(z**2):.2f}, {np.mean(np.abs(z) < 1.645):.0%} within 1.645 std")  # noqa: T201
    low, high = np.nanmin(truth), np.nanmax(truth)
    panels = [("data", seen), ("npfill: mean", done.mean), ("npfill: std", done.std)]
    panels.append(("fillnodata", other))
    figure, axes = plt.subplots(1, 4, figsize=(9.6, 2.7), layout="constrained")
    for axis, (name, values) in zip(axes, panels, strict=True):
        is_std = name.endswith("std")
        shown = axis.imshow(
            values,
            cmap="magma" if is_std else "terrain",
            vmin=0 if is_std else low,
            vmax=None if is_std else high,
        )
        axis.set_title(name, fontsize=9)
        axis.axis("off")
        figure.colorbar(shown, ax=axis, orientation="horizontal", shrink=0.9).ax.tick_params(
            labelsize=7
        )
    figure.savefig(options.output, dpi=100)
