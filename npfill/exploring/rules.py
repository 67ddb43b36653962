"""Rules: which pixels to measure next, given what a model is unsure of.

A rule is a function of a `Scene`, entered into `RULES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from npfill.exploring.spacing import distances, lattice, low_discrepancy
from npfill.seeds import array_generator

Index = Int[np.ndarray, " point"]

# The exponents of the standard deviation and of the distance to what is measured, see `_doubtful`.
_OF_STD, _OF_DISTANCE = 24.0, 48.0
# The fewest pixels that are measured before a model is asked, and the share of a picture in colour.
_FEWEST, _FIRST = 4, 0.01
# The standard deviation grows with the distance by about this power of it.
GROWTH = 0.5


@dataclass(frozen=True)
class Scene:
    """All that a rule may look at.

    Attributes:
        free: True where a pixel may be measured.
        measured: True where one has been.
        seed: The seed of the explorer.
        round: The number of the decision, from which draws derive.
        std: The standard deviation of each pixel; None to a rule that asks no model.
    """

    free: Bool[np.ndarray, "height width"]
    measured: Bool[np.ndarray, "height width"]
    seed: int
    round: int
    std: Float[np.ndarray, "height width"] | None = None


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        choose: Chooses as many free pixels of a scene as asked for, or all that there are.
        meaning: What it does, in words.
        asks: It needs the standard deviation of a model.
    """

    choose: Callable[[Scene, int], Index]
    meaning: str
    asks: bool = False


def _raster(scene: Scene, count: int) -> Index:
    return np.flatnonzero(scene.free)[:count]


def _random(scene: Scene, count: int) -> Index:
    random = array_generator(scene.seed, "random", scene.round)
    return random.permutation(np.flatnonzero(scene.free))[:count]


def _low_discrepancy(scene: Scene, count: int) -> Index:
    return low_discrepancy(scene.free, count, scene.seed)


def _highest(scene: Scene, count: int) -> Index:
    assert scene.std is not None
    std = np.where(scene.free, scene.std, -np.inf).ravel()
    return np.argsort(-std, kind="stable")[: min(count, int(scene.free.sum()))]


def _doubtful(scene: Scene, count: int) -> Index:
    """Pixels drawn with weights (std d²)²⁴, one after another.

    The maximum of log-weights with Gumbel noise is a draw in proportion to the weights. d is the
    distance to the nearest measured or chosen pixel: where a pixel is chosen, that of those around
    it shrinks, and the standard deviation with it.
    """
    assert scene.std is not None
    width = scene.free.shape[1]
    distance = distances(scene.measured)
    noise = array_generator(scene.seed, "next", scene.round).gumbel(size=scene.free.shape)
    tiny = np.finfo(np.float64).tiny
    weights = _OF_STD * np.log(scene.std + tiny) + _OF_DISTANCE * np.log(distance + tiny)
    scores = np.where(scene.free, weights + noise, -np.inf)
    reach, power = int(distance.max()) + 1, _OF_DISTANCE + _OF_STD * GROWTH
    chosen = []
    for _ in range(min(count, int(scene.free.sum()))):
        index = int(scores.argmax())
        chosen.append(index)
        row, column = divmod(index, width)
        top, left = max(0, row - reach), max(0, column - reach)
        window = np.s_[top : row + reach + 1, left : column + reach + 1]
        before = distance[window]
        rows, columns = np.ogrid[top : top + before.shape[0], left : left + before.shape[1]]
        after = np.minimum(before, np.hypot(rows - row, columns - column))
        scores[window] += power * (np.log(after + tiny) - np.log(before + tiny))
        distance[window] = after
        scores[row, column] = -np.inf
    return np.array(chosen, dtype=int)


def fewest(within: Bool[np.ndarray, "height width"], seed: int, channels: int) -> float:
    """The number of pixels that are measured evenly spread before a model is asked."""
    return max(_FEWEST, within[lattice(seed)].sum() if channels == 1 else _FIRST * within.sum())


def evenly(scene: Scene, count: int, channels: int) -> Index:
    """The first pixels of a grid: those of a lattice, then the middles of the largest gaps.

    Photographs, which a lattice does not do justice, begin with a sequence of low discrepancy.
    """
    if channels > 1:
        return _low_discrepancy(scene, count)
    places, chosen = lattice(scene.seed), np.zeros_like(scene.free)
    numbers = np.arange(chosen.size).reshape(chosen.shape)[places].ravel()
    first = numbers[low_discrepancy(scene.free[places], count, scene.seed)]
    chosen.ravel()[first] = True
    free, measured = scene.free & ~chosen, scene.measured | chosen
    rest = replace(scene, free=free, measured=measured, std=np.ones(free.shape))
    return np.concatenate([first, _doubtful(rest, count - len(first))])


RULES: Mapping[str, Rule] = {
    "raster": Rule(_raster, "row by row"),
    "random": Rule(_random, "uniformly at random"),
    "low-discrepancy": Rule(_low_discrepancy, "evenly spread, by the sequence R2"),
    "highest": Rule(_highest, "where the std is highest", asks=True),
    "next": Rule(_doubtful, "drawn by the std and the distance to what is measured", asks=True),
}
