"""The colour that marks of damage share: many of them have it, and little else does."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int

_CELLS = 16  # in each channel
_WITHIN = 2  # cells on either side that count as one colour
_NEAR = 44.0  # levels

Levels = Float[np.ndarray, "height width 3"]
Selected = Bool[np.ndarray, "height width"]


def shades(
    levels: Levels, sure: Selected, may_be: Selected
) -> Iterator[tuple[Float[np.ndarray, "3"], float]]:
    """The two colours that most of what is surely damage has, and least of what may be.

    Args:
        levels: The picture, 0 to 255.
        sure: True where it surely is damaged.
        may_be: True where it may be.

    Yields:
        The levels of a colour, and the part of what may be damage and has about this colour that
        surely is.
    """
    cells = np.minimum(levels.astype(np.int32) * _CELLS // 256, _CELLS - 1)
    cell = (cells[..., 0] * _CELLS + cells[..., 1]) * _CELLS + cells[..., 2]
    surely, all_of_it = (_counts(cell[each]) for each in (sure, may_be | sure))
    for _ in range(2):
        weight = surely**2 / np.maximum(all_of_it, 1)
        at = np.unravel_index(weight.argmax(), weight.shape)
        if not surely[at]:
            return
        middle = (np.array(at) + 0.5) * 256 / _CELLS
        near = sure & (np.abs(levels - middle).max(-1) <= _NEAR)
        colour = np.median(levels[near], axis=0) if near.any() else middle
        yield colour, float(surely[at] / max(all_of_it[at], 1))
        surely[tuple(slice(max(0, k - 2 * _WITHIN), k + 2 * _WITHIN + 1) for k in at)] = 0


def _counts(cells: Int[np.ndarray, " pixel"]) -> Float[np.ndarray, "red green blue"]:
    """The number of pixels that have about each colour."""
    counts = np.bincount(cells, minlength=_CELLS**3).reshape((_CELLS,) * 3).astype(np.float64)
    for axis in range(3):
        margins = [(0, 0)] * 3
        margins[axis] = (_WITHIN, _WITHIN)
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(counts, margins), 2 * _WITHIN + 1, axis=axis
        )
        counts = windows.sum(-1)
    return counts
