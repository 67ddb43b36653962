"""Points that are evenly spread over a grid, and how far each pixel is from what is measured."""

import numpy as np
from jaxtyping import Bool, Float, Int

from npfill.seeds import array_generator

Mask = Bool[np.ndarray, "height width"]
Index = Int[np.ndarray, " point"]
# The root of x³ = x + 1, the plastic number.
_PLASTIC = 1.32471795724474602596
_CHUNK, _REPEATS = 4096, 8
# The side of the squares of a lattice: a power of two, so that halving it stays on pixels.
_SQUARE = 8


def low_discrepancy(free: Mask, count: int, seed: int) -> Index:
    """The first free pixels of the additive recurrence R2, as row-major numbers.

    x_n = s + n (1/φ, 1/φ²) mod 1 with the plastic number φ (Roberts 2018, "The unreasonable
    effectiveness of quasirandom sequences"), s drawn from the seed.

    Args:
        free: True where there may be a point.
        count: The number of points; fewer where fewer are free.
        seed: The seed of where the sequence starts.
    """
    height, width = free.shape
    left, chosen = free.copy().ravel(), list[Index]()
    wanted = min(count, int(left.sum()))
    start = array_generator(seed, "low discrepancy").random(2)
    first = 1
    while wanted and first < _REPEATS * free.size:
        numbers = np.arange(first, first + _CHUNK)[:, None]
        first += _CHUNK
        place = (start + numbers * np.array([1 / _PLASTIC, 1 / _PLASTIC**2])) % 1
        index = (place[:, 0] * height).astype(int) * width + (place[:, 1] * width).astype(int)
        index = index[left[index]]
        _, once = np.unique(index, return_index=True)
        found = index[np.sort(once)][:wanted]
        left[found] = False
        wanted -= len(found)
        chosen.append(found)
    # What the sequence has not met for long is the rest of a grid that is nearly full.
    chosen.append(np.flatnonzero(left)[:wanted])
    return np.concatenate(chosen)


def lattice(seed: int) -> tuple[slice, slice]:
    """The rows and columns of the corners of squares of 8x8 pixels, shifted by the seed.

    Pixels that are added in the middle of the largest gaps, again and again, keep the spacing of a
    lattice, which irregular first points would not have.
    """
    top, left = array_generator(seed, "lattice").integers(_SQUARE, size=2).tolist()
    return slice(top, None, _SQUARE), slice(left, None, _SQUARE)


def distances(measured: Mask) -> Float[np.ndarray, "height width"]:
    """The distance of each pixel to the nearest measured one; the diagonal where there is none.

    Exact, in two passes: down and up each column, then along each row.
    """
    height, width = measured.shape
    far = np.hypot(height, width)
    along = np.where(measured, np.float32(0), np.float32(far))
    for row in range(1, height):
        np.minimum(along[row], along[row - 1] + 1, out=along[row])
    for row in range(height - 2, -1, -1):
        np.minimum(along[row], along[row + 1] + 1, out=along[row])
    squares = along**2
    found, aside = squares.copy(), np.empty_like(squares)
    for step in range(1, width):
        if step**2 >= found.max():
            break
        np.add(squares, np.float32(step**2), out=aside)
        np.minimum(found[:, step:], aside[:, :-step], out=found[:, step:])
        np.minimum(found[:, :-step], aside[:, step:], out=found[:, :-step])
    return np.minimum(np.sqrt(found, dtype=np.float64), far)
