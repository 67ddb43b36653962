"""Masks of scratches: thin lines of one colour, lighter or darker than what they cross."""

import numpy as np
from jaxtyping import Float

from npfill.mask.painted import Levels, Selected, levels_of
from npfill.mask.planes import (
    Pieces,
    Plane,
    above_surroundings,
    box_mean,
    extreme,
    grown,
    lines,
)
from npfill.mask.shades import Shade, shades

_DIRECTIONS = 24
_LONG, _SHORT = 64, 32  # pixels, powers of two, of straight pieces
_FAINT = 10.0  # levels by which a line differs from its sides at least
_ELSE = 28.0  # levels by which a line may differ from a mixture of its colour and the background
_STEADY = 0.13  # the standard deviation along a line of how much it covers
_LINE, _ABOVE = 0.5, 0.35  # how much it covers at least, and by how much more than its sides
_COVERED = 0.3
_AS_GOOD = 0.25  # of the weight of the first colour


def scratches(picture: object, *, strength: float = 1.0, grow: int = 1) -> Selected:
    """Select scratches: long thin lines, light or dark, of a colour that most of them share.

    The colour is found first, from lines that stand out for `_LONG` pixels; then all lines that
    this colour explains are taken, as mixtures of it with what is around them.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        strength: More than 1 finds fainter lines, and more that are none.
        grow: Pixels by which the mask grows at the end.

    Returns:
        True on scratches, "height width".
    """
    _, levels = levels_of(picture)
    return grown(find_scratches(levels, strength)[0], grow)


def find_scratches(levels: Levels, strength: float = 1.0) -> tuple[Selected, Shade | None]:
    """The lines of the colour that most share, and that colour; None if there are none."""
    widest = max(5, round(max(levels.shape[:2]) / 128))
    heights, found = [], []
    for light in (True, False):
        plane = levels.min(-1) if light else 255 - levels.max(-1)
        height = above_surroundings(plane, round(1.5 * widest) + 1) * strength
        heights.append(height)
        found += shades(levels, *_sure_and_possible(height, widest), light=light)
    result = np.zeros(levels.shape[:2], dtype=bool)
    if not found:
        return result, None
    found.sort(key=lambda each: each.weight, reverse=True)
    is_thin = np.maximum(*heights) > _FAINT
    planes = np.moveaxis(levels, -1, 0)
    background = np.stack([box_mean(each, 2 * widest) for each in planes], axis=-1)
    for each in found:
        if each is found[0] or (
            each.share > _COVERED + 0.15 and each.weight > _AS_GOOD * found[0].weight
        ):
            covered = np.where(is_thin, _covered(levels, background, each.colour), 0)
            steady = (covered > _COVERED) & lines(
                extreme(covered, 3, np.maximum),
                _SHORT,
                least=_LINE,
                above_sides=_ABOVE,
                side=widest + 3,
                directions=_DIRECTIONS,
                spread=_STEADY,
            )
            pieces = Pieces.of(steady)
            result |= pieces.chosen(pieces.length >= 20)
    return result, found[0]


def _sure_and_possible(height: Plane, widest: int) -> tuple[Selected, Selected]:
    """Lines that stand out from busy surroundings, too, and all that may be one."""
    usual = box_mean(np.minimum(height, 40), 4 * widest)
    clear = np.clip(2 * height / (14 + 1.2 * usual) - 1, 0, 1)
    side = widest + 3
    sure = (clear > 0.9) & lines(
        clear, _LONG, least=0.75, above_sides=0.5, side=side, directions=_DIRECTIONS
    )
    pieces = Pieces.of(sure)
    evident = np.clip(height / 12 - 0.5, 0, 1)
    possible = (height > 8) & lines(
        evident, 16, least=0.6, above_sides=0.15, side=side, directions=_DIRECTIONS // 2
    )
    return pieces.chosen(pieces.length >= 48), possible


def _covered(levels: Levels, background: Levels, colour: Float[np.ndarray, " channel"]) -> Plane:
    """The share of a colour over the background, 0 to 1; 0 where both do not explain what is."""
    towards = colour - background
    least = 900.0  # of the squared distance, where paint and background are alike
    share = ((levels - background) * towards).sum(-1) / np.maximum((towards**2).sum(-1), least)
    rest = levels - background - np.clip(share, 0, 1)[..., None] * towards
    explained = np.abs(rest).max(-1) < _ELSE
    return np.where(explained, np.clip(share, -0.5, 1.3), 0).astype(np.float32)
