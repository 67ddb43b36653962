"""The check on the picture itself: some of what is visible is hidden, predicted and compared.

What is hidden is like the hole: shifted and mirrored copies of its own pieces, or scattered pixels,
whichever has surroundings that resemble the hole's the most. The standard deviation is then rescaled
by what was found, as a function of the surroundings and shrunk towards what the model says by itself
where little was checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

Hole = Bool[np.ndarray, "height width"]

# Surroundings of a pixel: at least 6, 3 and 1 of its 8 neighbours are visible, then the radius of the
# least square around it that holds a visible pixel is at most 2, 4 ..., and beyond.
_NEIGHBOURS, _RADII = (6, 3), (1, 2, 4, 8, 16, 32)
CLASSES = len(_NEIGHBOURS) + len(_RADII) + 1
# Errors go together over about so many pixels of a class: as many count as one.
_TOGETHER = np.array([1.0, 1.0, 1.5, 3.0, 8.0, 24.0, 80.0, 250.0, 1000.0])
# The prior of the logarithm of the factor: its standard deviation, that of what all surroundings
# share, and how closely neighbouring classes go together.
_SPREAD, _ALIKE = 0.7, 0.8
# An estimate from n independent pixels has the variance _NOISE / n: tails are heavier than a normal's.
_NOISE = 1.5
# The fewest pixels that make a check, the share of what is visible that is hidden, and the number of
# scattered pixels that is aimed at.
LEAST, _SHARE, _MOST, _ENOUGH = 200, 0.1, 0.25, 400
_CANDIDATES = 12
_CENTRAL, _QUANTILE = 0.9, 1.6448536269514722


def surroundings(hole: Hole) -> Int[np.ndarray, "height width"]:
    """The class of every pixel, 0 to `CLASSES` - 1, by what is visible around it."""
    visible = np.zeros((hole.shape[0] + 1, hole.shape[1] + 1), dtype=np.int64)
    np.cumsum(np.cumsum(~hole, axis=0), axis=1, out=visible[1:, 1:])
    found = np.full(hole.shape, CLASSES - 1, dtype=np.int8)
    for number, radius in reversed([*enumerate(_RADII)]):
        found[_around(visible, radius) > 0] = number + len(_NEIGHBOURS)
    near = _around(visible, 1) - ~hole
    for number, least in reversed([*enumerate(_NEIGHBOURS)]):
        found[near >= least] = number
    return found


def _around(sums: Int[np.ndarray, "rows columns"], radius: int) -> Int[np.ndarray, "height width"]:
    """The sum in the square around every pixel, from sums over all above and to the left."""
    ends = []
    for length in (sums.shape[0] - 1, sums.shape[1] - 1):
        at = np.arange(length)
        ends.append((np.maximum(at - radius, 0), np.minimum(at + radius + 1, length)))
    (top, bottom), (left, right) = ends
    rows: NDArray[np.int64] = sums[bottom] - sums[top]
    return rows[:, right] - rows[:, left]


def hidden_like(hole: Hole, random: np.random.Generator) -> Hole:
    """Visible pixels to hide, whose surroundings resemble those of the hole; perhaps none."""
    wanted = _shares(surroundings(hole)[hole])
    best, chosen = np.inf, np.zeros_like(hole)
    for candidate in _candidates(hole, random):
        count = int(candidate.sum())
        if count < LEAST:
            continue
        found = _shares(surroundings(hole | candidate)[candidate])
        distance = float(np.abs(np.cumsum(found - wanted)).sum())
        if distance < best:
            best, chosen = distance, candidate
    return chosen


def _candidates(hole: Hole, random: np.random.Generator) -> Iterator[Hole]:
    """Scattered pixels, and shifted and mirrored copies of the hole, where the picture is visible."""
    visible = ~hole
    total = int(visible.sum())
    share = min(max(_SHARE, _ENOUGH / max(total, 1)), _MOST)
    yield visible & (random.random(hole.shape) < share)
    for _ in range(_CANDIDATES):
        copy = hole[:: random.choice((1, -1)), :: random.choice((1, -1))]
        shift = [int(random.integers(length)) for length in hole.shape]
        copy = np.roll(copy, shift, axis=(0, 1)) & visible
        excess = copy.sum() / max(total, 1) / _MOST
        if excess > 1:  # a part of it
            copy &= _rectangle(hole.shape, 1 / excess, random)
        yield copy


def _rectangle(shape: tuple[int, ...], share: float, random: np.random.Generator) -> Hole:
    """A rectangle of the picture's proportions that covers a share of it."""
    inside = np.zeros(shape, dtype=bool)
    sides = [max(1, round(length * share**0.5)) for length in shape]
    top, left = (int(random.integers(n - m + 1)) for n, m in zip(shape, sides, strict=True))
    inside[top : top + sides[0], left : left + sides[1]] = True
    return inside


def _shares(classes: Int[np.ndarray, " pixel"]) -> Float[np.ndarray, " class"]:
    return np.bincount(classes, minlength=CLASSES) / max(1, len(classes))


@dataclass(frozen=True)
class Checked:
    """What a check has found, pixel by pixel.

    Attributes:
        z: The errors in standard deviations.
        classes: The surroundings of each pixel.
    """

    z: Float[np.ndarray, "pixel channel"]
    classes: Int[np.ndarray, " pixel"]

    def factors(self) -> Float[np.ndarray, " class"]:
        """The factor of the standard deviation of each class; 1 where nothing is known."""
        logs, weights = np.zeros(CLASSES), np.zeros(CLASSES)
        for number in range(CLASSES):
            z = np.abs(self.z[self.classes == number])
            if len(z):
                weights[number] = len(z) / _TOGETHER[number]
                logs[number] = _log_scale(z)
        known = weights >= 1
        if not known.any():
            return np.ones(CLASSES)
        apart = np.abs(np.subtract.outer(np.arange(CLASSES), np.arange(CLASSES)))
        prior = _SPREAD**2 * _ALIKE**apart
        within = prior[np.ix_(known, known)] + np.diag(_NOISE / weights[known])
        found = prior[:, known] @ np.linalg.solve(within, logs[known])
        farthest = np.flatnonzero(known)[-1]
        found[farthest + 1 :] = np.minimum(found[farthest + 1 :], 0)  # never stretched unseen
        return np.exp(found)


def _log_scale(z: Float[np.ndarray, "pixel channel"]) -> float:
    """The logarithm of the factor that would have been right: midway between two rules.

    One makes the mean square of z one, the other brings nine tenths of it into their interval.
    """
    square, tenth = np.sqrt(np.square(z).mean()), np.quantile(z, _CENTRAL) / _QUANTILE
    return float(0.5 * np.log(max(square, 1e-3) * max(tenth, 1e-3)))
