"""The measurement of tools on random fields of known law and on real grids, cell by cell."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from npfill.data.gaps import draw_gap
from npfill.errors import NpfillError
from npfill.evaluate.fields import grids, known, tools
from npfill.evaluate.fields.held_out import WITHIN
from npfill.evaluate.fields.tools import Filled
from npfill.gaussian import Gaussian
from npfill.seeds import array_generator

LENGTHS = (2, 4, 8, 16)
# Gaps of random fields and of real ones: shares of scattered pixels that are seen, and kinds.
KNOWN_GAPS: tuple[float | str, ...] = (0.01, 0.05, 0.2, 0.5, "void")
REAL_GAPS: tuple[float | str, ...] = (0.5, 0.2, 0.05, 0.01, "clouds", "stripes", "void", "noisy")
EXACT = "exact"
# Noise of the noisy gap in standard deviations of the grid, and what of it is seen.
_NOISE, _NOISY = 0.2, 0.2
# The most pixels of a gap that are scored, so that the exact posterior takes seconds.
_SCORED = 1000


@dataclass(frozen=True)
class Cell:
    """The scores of a tool on a field or grid with a gap.

    Attributes:
        field: The kernel, or the name of the grid.
        length: The length of the kernel in pixels; 0 of a grid.
        gap: The kind of gap, or the share of scattered pixels that are seen.
        number: The number of the field or gap among those that are alike.
        tool: Its name.
        rmse: Root of the mean square error, in standard deviations of the field.
        crps: Continuous ranked probability score in that unit; without a std, the mean absolute
            error.
        z_squared: Mean square of the error in standard deviations of the tool; None without any.
        coverage_90: Share of the truth in the interval of 90 %, as the tool has it; None without.
        seconds: Seconds of the process.
    """

    field: str
    length: int
    gap: str
    number: int
    tool: str
    rmse: float
    crps: float
    z_squared: float | None
    coverage_90: float | None
    seconds: float


Fill = Callable[[np.ndarray, np.ndarray], Filled]
Done = Callable[[str, str], None]


def on_known(
    fills: dict[str, Fill], side: int, count: int, seed: int, lengths: Sequence[int], done: Done
) -> Iterator[Cell]:
    """Cells of random fields, the exact posterior among the tools; fields share their gaps."""
    for kernel in known.KERNELS:
        for length in lengths:
            random = array_generator(seed, "known", kernel, length)
            fields = known.draw(kernel, float(length), side, count, random)
            for gap in KNOWN_GAPS:
                hole, name = _gap(gap, side, array_generator(seed, "known", f"{gap}")), f"{gap}"
                asked = _asked(hole, array_generator(seed, "asked", f"{gap}"))
                means, std = known.posterior(kernel, float(length), fields, hole, asked)
                for number, (values, mean) in enumerate(zip(fields, means, strict=True)):
                    truth = values[asked]
                    exact = mean, std, WITHIN
                    yield _cell(kernel, length, name, number, EXACT, truth, exact, 0.0)
                    for tool, fill in fills.items():
                        done(tool, f"{kernel} {length} {name}")
                        found = _filled(fill, values, hole, asked)
                        if found is not None:
                            yield _cell(kernel, length, name, number, tool, truth, *found)


def on_real(
    fills: dict[str, Fill], side: int, seed: int, done: Done, names: Iterable[str] = grids.GRIDS
) -> Iterator[Cell]:
    """Cells of real grids, each in standard deviations of its own."""
    for name in names:
        grid = grids.read(name, side)
        grid = (grid - np.nanmean(grid)) / np.nanstd(grid)
        for gap in REAL_GAPS:
            random = array_generator(seed, "real", name, f"{gap}")
            values, share = grid, _NOISY if gap == "noisy" else gap
            if gap == "noisy":
                values = grid + _NOISE * random.standard_normal(grid.shape)
            drawn = _gap(share, side, random)[: grid.shape[0], : grid.shape[1]]
            hole, asked = drawn | np.isnan(grid), drawn & ~np.isnan(grid)
            for tool, fill in fills.items() if asked.any() else ():
                done(tool, f"{name} {gap}")
                found = _filled(fill, values, hole, asked)
                if found is not None:
                    yield _cell(name, 0, f"{gap}", 0, tool, values[asked], *found)


def _gap(gap: float | str, side: int, random: np.random.Generator) -> Bool[np.ndarray, "side side"]:
    """A gap; a void is a disc in the middle, of two fifths of the side."""
    if gap != "void":
        return draw_gap((side, side), random, gap)
    away = np.arange(side) - (side - 1) / 2
    return np.asarray(np.hypot(away[:, None], away) < side / 5)


def _asked(
    hole: Bool[np.ndarray, "side side"], random: np.random.Generator
) -> Bool[np.ndarray, "side side"]:
    """Some pixels of a hole."""
    missing = np.flatnonzero(hole)
    asked = np.zeros(hole.size, dtype=bool)
    asked[random.choice(missing, min(_SCORED, len(missing)), replace=False)] = True
    return asked.reshape(hole.shape)


def _filled(
    fill: Fill, values: np.ndarray, hole: np.ndarray, asked: np.ndarray
) -> tuple[Filled, float] | None:
    """The prediction of the asked pixels by a tool, and its seconds; None where it cannot."""
    try:
        (mean, std, half_width), seconds = tools.timed(fill, values, hole)
    except NpfillError:
        return None
    some = asked[hole]
    return (mean[some], None if std is None else std[some], half_width), seconds


def _cell(
    field: str,
    length: int,
    gap: str,
    number: int,
    tool: str,
    truth: Float[np.ndarray, " pixel"],
    found: Filled,
    seconds: float,
) -> Cell:
    mean, std, half_width = found
    error = np.asarray(mean, dtype=np.float64) - truth
    rmse, z_squared, coverage = float(np.sqrt(np.square(error).mean())), None, None
    crps = float(np.abs(error).mean())
    if std is not None:
        sure = np.maximum(np.asarray(std, dtype=np.float64), 1e-9)
        z = error / sure
        off = Gaussian(torch.from_numpy(error), torch.from_numpy(sure))
        crps = float(off.crps(torch.zeros(())).mean())
        z_squared, coverage = float(np.square(z).mean()), float((np.abs(z) <= half_width).mean())
    return Cell(field, length, gap, number, tool, rmse, crps, z_squared, coverage, seconds)
