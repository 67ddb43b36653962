"""Masks of small marks: dust, and the date that a camera has stamped into a corner."""

import numpy as np

from npfill.mask.painted import Levels, Selected, levels_of
from npfill.mask.planes import Pieces, above_surroundings, box_mean, extreme, grown
from npfill.mask.shades import Shade, shades

_ROOM = (0.22, 0.5)  # of a corner box for a date: shares of height and width
_FAINT = 8.0  # levels
_TIMES = 2.5  # what stands out around a speck usually, it does
_BUSY = 0.2  # of the surroundings of a speck that stand out, too, at most
_RED = 160.0  # levels that a stamp has at least
_ALIKE = 50.0  # levels by which its letters differ
_WARM = 40.0  # levels by which the colour of a stamp is stronger than what is around it


def dust(picture: object, *, strength: float = 1.0, grow: int = 0) -> Selected:
    """Select specks of dust: small light or dark marks of one colour, all over the picture.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        strength: More than 1 finds fainter specks, and more that are none.
        grow: Pixels by which the mask grows at the end.

    Returns:
        True on specks, "height width".
    """
    _, levels = levels_of(picture)
    return grown(find_dust(levels, strength)[0], grow)


def text(picture: object, *, strength: float = 1.0, grow: int = 1) -> Selected:
    """Select the date that a camera has stamped into a corner: thin strokes of a strong colour.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        strength: More than 1 finds paler letters, and more that are none.
        grow: Pixels by which the mask grows at the end.

    Returns:
        True on letters, "height width".
    """
    _, levels = levels_of(picture)
    return grown(find_text(levels, strength)[0], grow)


def find_dust(levels: Levels, strength: float = 1.0) -> tuple[Selected, Shade | None]:
    """The specks of the colour that most of them share, and that colour; None if there is none."""
    size = max(9, round(max(levels.shape[:2]) / 70))
    heights, quiet, sure, found = [], [], [], []
    for light in (True, False):
        plane = levels.min(-1) if light else 255 - levels.max(-1)
        height = above_surroundings(plane, size) * strength
        heights.append(height)
        busy = box_mean(height > _FAINT, 2 * size)
        quiet.append(height > 12 + _TIMES * box_mean(np.minimum(height, 40), 2 * size))
        sure.append(_specks((height > 24) & (busy < _BUSY), size))
        found += shades(levels, sure[-1], height > _FAINT, light=light, within=1)
    if not found:
        return np.zeros(levels.shape[:2], dtype=bool), None
    best = max(found, key=lambda each: each.weight)
    which = 0 if best.light else 1
    height = heights[which]
    away = np.abs(levels - best.colour).max(-1)
    usual = np.median(away[sure[which] & (away <= 44)])
    near = away <= np.clip(3 * usual, 16, 40)
    return _with_rims(_specks(near & quiet[which], 2 * size), height), best


def _specks(selected: Selected, size: int) -> Selected:
    """The pieces that are small and round."""
    pieces = Pieces.of(selected)
    height, width = pieces.bottom - pieces.top, pieces.right - pieces.left
    is_round = pieces.size > 0.3 * height * width
    return pieces.chosen((pieces.size >= 3) & (np.maximum(height, width) <= size) & is_round)


def find_text(levels: Levels, strength: float = 1.0) -> tuple[Selected, Shade | None]:
    """The letters in the corner that has most of them, and their colour; None if there are none."""
    rows, columns = levels.shape[:2]
    nothing = np.zeros((rows, columns), dtype=bool)
    if levels.shape[-1] != 3:
        return nothing, None
    size = max(9, round(max(rows, columns) / 60))
    red, blue = levels[..., 0], levels[..., 2]
    warmth = above_surroundings(red - blue, size) * strength
    is_warm = (warmth > _WARM) & (red > _RED) & (red - blue > 2 * _WARM)
    tall, wide = round(_ROOM[0] * rows), round(_ROOM[1] * columns)
    best: tuple[float, Selected, Shade | None] = (0.0, nothing, None)
    for down in (slice(0, tall), slice(rows - tall, rows)):
        for across in (slice(0, wide), slice(columns - wide, columns)):
            corner = nothing.copy()
            corner[down, across] = True
            corner &= is_warm
            for each in shades(levels, corner, is_warm, light=True):
                near = np.abs(levels - each.colour).max(-1) <= _ALIKE
                letters = _in_line(corner & near, size)
                count = int(letters.sum())
                weight = count * count / max(int(corner.sum()), 1) * each.share
                best = max(best, (weight, letters, each), key=lambda one: one[0])
    return _with_rims(best[1], warmth), best[2]


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
