"""Masks of the date that a camera has stamped into a corner."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from npfill.mask.painted import Levels, levels_of
from npfill.pictures.planes import Selected, above_surroundings, extreme, grown

_ROOM = (0.22, 0.5)  # of a corner box for a date: shares of height and width
_FAINT = 8.0  # levels
_RED = 160.0  # levels that a stamp has at least
_ALIKE = 50.0  # levels by which its letters differ
_CELLS = 16  # of colours, in each channel
_WITHIN = 2  # cells on either side that count as one colour
_NEAR = 44.0  # levels
_WARM = 40.0  # levels by which the colour of a stamp is stronger than what is around it


def text(picture: object, *, strength: float = 1.0, grow: int = 1) -> Selected:
    """Select the date that a camera has stamped into a corner: thin strokes of a strong colour.

    The arguments are those of `npfill.mask.scratches`.
    """
    _, levels = levels_of(picture)
    return grown(_letters(levels, strength), grow)


def _letters(levels: Levels, strength: float) -> Selected:
    """The letters of one colour in the corner that has most of them."""
    rows, columns = levels.shape[:2]
    nothing = np.zeros((rows, columns), dtype=bool)
    if levels.shape[-1] != 3:
        return nothing
    size = max(9, round(max(rows, columns) / 60))
    red, blue = levels[..., 0], levels[..., 2]
    warmth = above_surroundings(red - blue, size) * strength
    is_warm = (warmth > _WARM) & (red > _RED) & (red - blue > 2 * _WARM)
    tall, wide = round(_ROOM[0] * rows), round(_ROOM[1] * columns)
    best: tuple[float, Selected] = (0.0, nothing)
    for down in (slice(0, tall), slice(rows - tall, rows)):
        for across in (slice(0, wide), slice(columns - wide, columns)):
            corner = nothing.copy()
            corner[down, across] = True
            corner &= is_warm
            for colour, share in _shades(levels, corner, is_warm):
                near = np.abs(levels - colour).max(-1) <= _ALIKE
                letters = _in_line(corner & near, size)
                count = int(letters.sum())
                weight = count * count / max(int(corner.sum()), 1) * share
                best = max(best, (weight, letters), key=lambda one: one[0])
    return _with_rims(best[1], warmth)


def _shades(
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


def _in_line(strokes: Selected, size: int) -> Selected:
    """The strokes of the fullest line of letters; what is far above or below it is none of them."""
    counts = np.convolve(strokes.sum(axis=1), np.ones(3 * size), mode="same")
    row = int(counts.argmax())
    within = np.zeros_like(strokes)
    within[max(0, row - 2 * size) : row + 2 * size] = True
    return strokes & within


def _with_rims(marks: Selected, height: np.ndarray) -> Selected:
    """Marks, and around them what is higher than a quarter of their height."""
    for _ in range(2):
        peak = extreme(np.where(marks, height, 0), 3, np.maximum)
        marks = marks | ((peak > 0) & (height > np.maximum(peak / 4, _FAINT / 2)))
    return marks
