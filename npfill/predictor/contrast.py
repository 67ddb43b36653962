"""The roughness of a picture around the hole, beside that of where the check looked."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from npfill.pictures.planes import around
from npfill.predictor.hidden import Hidden, Place

# The side of the blocks in which differences are averaged; a ratio that chance may bring.
_BLOCK, _CHANCE = 32, 1.2


def contrast(
    picture: Float[np.ndarray, "height width channel"],
    hole: Bool[np.ndarray, "height width"],
    hidden: Sequence[tuple[Place, Hidden]],
) -> float:
    """The ratio by which visible pixels differ more around the hole than around what was hidden.

    A check of some places says little of a hole in rougher ones: errors are about as large as the
    differences of neighbours. Root mean squares of these are compared, each block counted by the
    pixels of the hole in it, or by those that were hidden. 1 up to what chance may bring.

    Args:
        picture: Intensities; unread where the hole is.
        hole: True where the picture is missing.
        hidden: The places of a check, and what was hidden there.
    """
    near = around(hole, _BLOCK)
    around_hole = _weighed(picture[near], hole[near], hole[near])
    weighed = [_weighed(picture[at], hole[at], here) for at, here in hidden]
    size, weight = (sum(each) for each in zip((0.0, 0.0), *weighed, strict=True))
    if not (around_hole[1] and size and weight):
        return 1.0
    ratio = (around_hole[0] / around_hole[1]) / (size / weight)
    return max(1.0, float(ratio) ** 0.5 / _CHANCE)


def _weighed(
    picture: Float[np.ndarray, "height width channel"],
    hole: Bool[np.ndarray, "height width"],
    where: Bool[np.ndarray, "height width"],
) -> tuple[float, float]:
    """The sum of the mean squared differences of blocks by how much of `where` they hold, and that.

    Blocks without two neighbours that are visible do not count.
    """
    squares, pairs = np.zeros(hole.shape, dtype=np.float32), np.zeros(hole.shape, dtype=np.float32)
    for first, second in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        both = ~(hole[first] | hole[second])
        apart = np.square(picture[second] - picture[first]).mean(axis=-1)
        squares[first] += np.where(both, apart, 0)
        pairs[first] += both
    rows, columns = (np.arange(0, length, _BLOCK) for length in hole.shape)
    every = np.stack([squares, pairs, where.astype(np.float32)])
    down = np.add.reduceat(every, rows, axis=1, dtype=np.float64)
    square, known, weight = np.add.reduceat(down, columns, axis=2)
    weight *= known > 0
    return float((weight * square / np.maximum(known, 1)).sum()), float(weight.sum())
