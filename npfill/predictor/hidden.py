"""Visible pixels to hide from a model: those whose surroundings are like those of the hole."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from npfill.pictures.planes import around

Place = tuple[slice, slice]
Hidden = Bool[np.ndarray, "rows columns"]

# Surroundings of a missing pixel: 0 or 1 where at least 6 or 3 of its 8 neighbours are visible, 2
# where fewer are; else 3, 4 and so on where the least square around it that holds a visible pixel
# reaches so many pixels from it, and between them what lies between.
_NEIGHBOURS, _RADII = (6, 3), (2, 3.5, 6.5, 12.5, 24.5, 48)
BESIDE, CLASSES = len(_NEIGHBOURS), len(_NEIGHBOURS) + 1 + len(_RADII)
# The fewest pixels that make a check.
LEAST = 200
# Of scattered pixels the number that is aimed at, the least share of what is visible, and the most
# that is hidden in any way; copies of the hole to choose from.
_ENOUGH, _SHARE, MOST, _COPIES = 400, 0.1, 0.25, 12
# Up to so many pixels the whole picture is predicted once more; of a larger one, tiles that have
# this share of its pixels unless another is asked for, but not more than so many.
_TILE, _WHOLE, OF_LARGE, _TILES = 160, 75_000, 0.13, 12


def surroundings(hole: Hidden, asked: Hidden) -> Float[np.ndarray, " pixel"]:
    """The surroundings of some missing pixels: from 0, the next are visible, to `CLASSES` - 1.

    The nearest whole number is the class of a pixel.
    """
    sums = np.zeros((hole.shape[0] + 1, hole.shape[1] + 1), dtype=np.int32)
    np.cumsum(np.cumsum(~hole, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
    rows, columns = np.nonzero(asked)
    near = _around(sums, (rows, columns), np.ones((), dtype=np.int32))
    found = np.digitize(near, _NEIGHBOURS[::-1])
    found = (BESIDE - found).astype(np.float32)
    alone = np.flatnonzero(near == 0)
    at = rows[alone], columns[alone]
    low, high = (np.full(len(alone), radius, dtype=np.int32) for radius in (1, _RADII[-1]))
    while (high - low > 1).any():
        middle = (low + high) // 2
        some = _around(sums, at, middle) > 0
        low, high = np.where(some, low, middle), np.where(some, middle, high)
    found[alone] = np.interp(np.log2(high), np.log2(_RADII), np.arange(BESIDE + 1, CLASSES))
    return found


def around_hole(hole: Hidden) -> Float[np.ndarray, " pixel"]:
    """The surroundings of the pixels of a hole, from what of the picture they depend on."""
    near = hole[around(hole, _RADII[-1])]
    return surroundings(near, near)


def _around(
    sums: Int[np.ndarray, "rows columns"],
    at: tuple[Int[np.ndarray, " pixel"], Int[np.ndarray, " pixel"]],
    radius: Int[np.ndarray, "*pixel"],
) -> Int[np.ndarray, " pixel"]:
    """The sum in the square around some pixels, from sums over all above and to the left."""
    (top, bottom), (left, right) = (
        (np.maximum(one - radius, 0), np.minimum(one + radius + 1, length - 1))
        for one, length in zip(at, sums.shape, strict=True)
    )
    found: NDArray[np.int32] = sums[bottom, right] - sums[top, right]
    found -= sums[bottom, left] - sums[top, left]
    return found


def shares(near: Float[np.ndarray, " pixel"]) -> Float[np.ndarray, " class"]:
    """The share of each class of surroundings."""
    return np.bincount(classes_of(near), minlength=CLASSES) / max(1, len(near))


def classes_of(near: Float[np.ndarray, " pixel"]) -> Int[np.ndarray, " pixel"]:
    """The class of each pixel by its surroundings."""
    return np.rint(near).astype(np.int64)


def places(hole: Hidden, random: np.random.Generator, share: float = OF_LARGE) -> list[Place]:
    """The whole of a small picture; of a larger one a share in tiles, those with holes first."""
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
    count = min(_TILES, max(2, round(share * hole.size / (sides[0] * sides[1]))))
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
        has = shares(surroundings(here | candidate, candidate))
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
