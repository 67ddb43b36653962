"""Gaps as maps, scans and measurements have them, True where values are missing."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

from npfill.data.holes import FAMILIES, Hole, Size, scattered

# Shares of pixels that are seen where they are scattered, and shares of gaps: scattered pixels,
# others alone, others and scattered pixels; pixels that are seen at the least.
_SEEN, _GAPS, _FEWEST = (0.005, 0.95), (0.5, 0.3, 0.2), 4
# Share of those that are log-uniform; the others are uniform.
_LOGARITHMIC = 0.7


def draw_gap(size: Size, random: np.random.Generator, wanted: "str | float | None" = None) -> Hole:
    """Draw a gap, True where values are missing; some are always seen.

    Args:
        size: Height and width.
        random: Generator of every draw.
        wanted: A key of `GAPS`, or the share of scattered pixels that are seen; None for any.
    """
    kind, names = random.random(), list(GAPS)
    name, seen = names[int(random.integers(len(names)))], random.uniform(*_SEEN)
    if random.random() < _LOGARITHMIC:
        seen = float(np.exp(random.uniform(*np.log(_SEEN))))
    gap = np.zeros(size, dtype=bool)
    if isinstance(wanted, float) or (wanted is None and not _GAPS[0] <= kind < 1.0 - _GAPS[2]):
        gap |= scattered(size, random, wanted if isinstance(wanted, float) else seen)
    if isinstance(wanted, str) or (wanted is None and kind >= _GAPS[0]):
        gap |= GAPS[wanted if isinstance(wanted, str) else name](size, random)
    flat = gap.reshape(-1)
    if (~flat).sum() < _FEWEST:
        flat[random.choice(flat.size, _FEWEST, replace=False)] = False
    return gap


def _clouds(size: Size, random: np.random.Generator) -> Hole:
    """Clouds, where a smooth random field is high: 10 to 80 %."""
    coarse = random.standard_normal(
        (1, 1, *(2 + side // int(random.integers(4, 25)) for side in size))
    )
    smooth = F.interpolate(torch.from_numpy(coarse), size=size, mode="bicubic")[0, 0].numpy()
    return np.asarray(smooth > np.quantile(smooth, random.uniform(0.2, 0.9)))


def _stripes(size: Size, random: np.random.Generator) -> Hole:
    """Parallel stripes of any direction, some of them wedges."""
    angle, period = random.uniform(0, np.pi), random.uniform(6, 40)
    rows, columns = np.ogrid[: size[0], : size[1]]
    across = rows * np.cos(angle) + columns * np.sin(angle)
    along = (columns * np.cos(angle) - rows * np.sin(angle)) / max(size)
    width = random.uniform(0.1, 0.7) * (1 + random.uniform(-1, 1) * along)
    return np.asarray((across / period + random.random()) % 1 < width)


def _void(size: Size, random: np.random.Generator) -> Hole:
    """A round void, or an oval one, of up to half the width."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    radius = random.uniform(0.06, 0.35, 2) * min(size)
    middle = random.uniform(0.1, 0.9, 2) * size
    return np.asarray(
        ((rows - middle[0]) / radius[0]) ** 2 + ((columns - middle[1]) / radius[1]) ** 2 < 1
    )


def _tracks(size: Size, random: np.random.Generator) -> Hole:
    """All but a few straight tracks, 1 to 3 pixels wide, as of a ship or a satellite."""
    seen = np.zeros(size, dtype=bool)
    rows, columns = np.ogrid[: size[0], : size[1]]
    for _ in range(int(random.integers(2, 14))):
        angle = random.uniform(0, np.pi)
        middle = random.uniform(0, 1, 2) * size
        away = (rows - middle[0]) * np.cos(angle) + (columns - middle[1]) * np.sin(angle)
        seen |= np.abs(away) < random.uniform(0.5, 1.5)
    return ~seen


GAPS: dict[str, Callable[[Size, np.random.Generator], Hole]] = {
    "clouds": _clouds,
    "stripes": _stripes,
    "void": _void,
    "borders": FAMILIES["borders"],
    "tracks": _tracks,
    "lines": FAMILIES["lines"],
    "boxes": FAMILIES["boxes"],
}
