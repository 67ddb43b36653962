"""Visible pixels to hide from a model: those whose surroundings are like those of the hole."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from npfill.pictures.planes import around

Place = tuple[slice, slice]
Hidden = Bool[np.ndarray, "rows columns"]

# Surroundings of a pixel: at least 6 or 3 of its 8 neighbours are visible; else the radius of the
# least square around it that holds a visible pixel is at most 1, 2, 4 ...; else nothing is near.
_NEIGHBOURS, _RADII = (6, 3), (1, 2, 4, 8, 16, 32)
BESIDE, CLASSES = len(_NEIGHBOURS), len(_NEIGHBOURS) + len(_RADII) + 1
# The fewest pixels that make a check.
LEAST = 200
# Of scattered pixels the number that is aimed at, the least share of what is visible, and the most
# that is hidden in any way; copies of the hole to choose from.
_ENOUGH, _SHARE, MOST, _COPIES = 400, 0.1, 0.25, 12
# Up to so many pixels the whole picture is predicted once more; of a larger one, tiles that have
# this share of its pixels, but not more than so many.
_TILE, _WHOLE, _OF_LARGE, _TILES = 160, 75_000, 0.13, 12


def surroundings(hole: Hidden) -> Int[np.ndarray, "height width"]:
    """The class of every pixel, 0 to `CLASSES` - 1, by what is visible around it."""
    sums = np.zeros((hole.shape[0] + 1, hole.shape[1] + 1), dtype=np.int32)
    np.cumsum(np.cumsum(~hole, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
    classes = np.full(hole.shape, CLASSES - 1, dtype=np.int8)
    for number, radius in reversed([*enumerate(_RADII)]):
        classes[_around(sums, radius) > 0] = number + BESIDE
    near = _around(sums, 1) - ~hole
    for number, least in reversed([*enumerate(_NEIGHBOURS)]):
        classes[near >= least] = number
    return classes


def classes_of(hole: Hidden) -> Int[np.ndarray, " pixel"]:
    """The surroundings of the pixels of a hole, from what of the picture they depend on."""
    near = hole[around(hole, _RADII[-1])]
    found: NDArray[np.int8] = surroundings(near)[near]
    return found


def _around(sums: Int[np.ndarray, "rows columns"], radius: int) -> Int[np.ndarray, "height width"]:
    """The sum in the square around every pixel, from sums over all above and to the left."""
    ends = []
    for length in (sums.shape[0] - 1, sums.shape[1] - 1):
        at = np.arange(length)
        ends.append((np.maximum(at - radius, 0), np.minimum(at + radius + 1, length)))
    (top, bottom), (left, right) = ends
    rows: NDArray[np.int32] = sums[bottom] - sums[top]
    return rows[:, right] - rows[:, left]


def shares(classes: Int[np.ndarray, " pixel"]) -> Float[np.ndarray, " class"]:
    """The share of each class."""
    return np.bincount(classes, minlength=CLASSES) / max(1, len(classes))


def places(hole: Hidden, random: np.random.Generator) -> list[Place]:
    """The whole of a small picture; of a larger one some tiles, those in which holes are first."""
    if hole.size <= _WHOLE:
        return [(slice(None), slice(None))]
    sides = [min(_TILE, length) for length in hole.shape]
    tiles = []
    for top in range(0, hole.shape[0] - sides[0] + 1, sides[0]):
        for left in range(0, hole.shape[1] - sides[1] + 1, sides[1]):
            place = slice(top, top + sides[0]), slice(left, left + sides[1])
            visible = float(1 - hole[place].mean())
            if visible * sides[0] * sides[1] >= LEAST:
                tiles.append((visible == 1, random.random(), place))
    count = min(_TILES, max(2, round(_OF_LARGE * hole.size / (sides[0] * sides[1]))))
    return [place for *_, place in sorted(tiles, key=lambda tile: tile[:2])[:count]]


def hidden_like(
    hole: Bool[np.ndarray, "_ _"],
    place: Place,
    wanted: Float[np.ndarray, " class"],
    least: int,
    random: np.random.Generator,
) -> Bool[np.ndarray, "_ _"]:
    """Visible pixels of a place to hide, whose surroundings resemble the hole's; perhaps none."""
    here = hole[place]
    best, chosen = np.inf, np.zeros_like(here)
    for candidate in _candidates(hole, here, random):
        if candidate.sum() < least:
            continue
        has = shares(surroundings(here | candidate)[candidate])
        distance = float(np.abs(np.cumsum(has - wanted)).sum())
        if distance < best:
            best, chosen = distance, candidate
    return chosen


def _candidates(
    hole: Bool[np.ndarray, "_ _"], here: Hidden, random: np.random.Generator
) -> Iterator[Hidden]:
    """Scattered pixels; and parts of the hole, mirrored and shifted to where much is visible."""
    visible, (height, width) = ~here, here.shape
    total = max(1, int(visible.sum()))
    share = min(max(_SHARE, _ENOUGH / total), MOST)
    yield visible & (random.random(here.shape) < share)
    missing, free = np.flatnonzero(hole), np.flatnonzero(visible)
    for _ in range(_COPIES if len(free) else 0):
        pixel = divmod(int(random.choice(missing)), hole.shape[1])
        target = divmod(int(random.choice(free)), width)
        turns = random.choice((1, -1), 2)
        rows, columns = (
            (at + turn * (np.arange(length) - to)) % side
            for at, to, turn, length, side in zip(
                pixel, target, turns, (height, width), hole.shape, strict=True
            )
        )
        copy = hole[np.ix_(rows, columns)] & visible
        excess = copy.sum() / total / MOST
        if excess > 1:
            copy &= _rectangle(here.shape, 1 / excess, random)
        yield copy


def _rectangle(shape: tuple[int, ...], share: float, random: np.random.Generator) -> Hidden:
    """A rectangle of the picture's proportions that covers a share of it."""
    inside = np.zeros(shape, dtype=bool)
    sides = [max(1, round(length * share**0.5)) for length in shape]
    top, left = (int(random.integers(n - m + 1)) for n, m in zip(shape, sides, strict=True))
    inside[top : top + sides[0], left : left + sides[1]] = True
    return inside
