"""The rescaling of a standard deviation by errors that were found beside it."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from npfill.predictor.hidden import CLASSES, classes_of
from npfill.predictor.together import independent

# The prior of the logarithms of factors around 0: the standard deviation of a class, its
# correlation with the next, and the standard deviation of the slope.
_SPREAD, _ALIKE, _SLOPE = 0.7, 0.8, 0.5
# The least and the greatest slope: the least std may all become one, and none is made smaller than
# the greatest are, as a rare large error among them has weighed on nothing yet.
_SLOPES = (-1.0, 0.0)
# The variance of z² over its squared mean is that of a Gaussian at least; the greatest that is
# believed. The share of stds at either end that the slope goes no further than.
_DISPERSIONS, _ENDS = (2.0, 1000.0), 0.02
# Rare large errors lie together, as along an edge: in squares of so many pixels they are one.
_PIECE = 48
# As many independent errors make a class known.
_KNOWN = 2.0
_STEPS, _CLOSE = 25, 1e-3
# The least factor, as the hole may differ from all that was checked; the widest std in [0, 1].
_LEAST, _WIDEST = 0.2, 0.5
# The share of the errors' root mean square that is added to every std, in squares: what is rare,
# as an edge, may lie anywhere in the hole, and where a std is next to nothing it makes all of z².
_ANYWHERE = 0.2
_EVERY = np.arange(CLASSES)


@runtime_checkable
class Findings(Protocol):
    """The findings of a check on the picture, which a prediction follows."""

    @property
    def correlation(self) -> Float[np.ndarray, "channel channel"] | None:
        """That of the errors of a pixel's channels; None where it was not found."""

    def rescaled(
        self, std: Float[np.ndarray, "*batch pixel channel"]
    ) -> Float[np.ndarray, "*batch pixel channel"]:
        """Standard deviations of the pixels of the hole, rescaled."""


@dataclass(frozen=True)
class Rescaling:
    """Factors of a standard deviation by what is around a pixel, and by the std itself.

    Attributes:
        levels: The logarithm of the factor of each class of surroundings.
        slope: The change of that logarithm with the logarithm of the std.
        centre: The logarithm of the std at which the factor is that of the level.
        ends: The least and the greatest distance from the centre that the slope goes on to.
        floors: The standard deviation that is added first in each class, in squares.
        contrast: How much rougher it is around the hole than where errors were found: a std that
            is made smaller grows by that, but not beyond what it was.
        share: The share of a factor's logarithm that counts.
    """

    levels: Float[np.ndarray, " class"]
    slope: float
    centre: float
    ends: tuple[float, float]
    floors: Float[np.ndarray, " class"]
    contrast: float = 1.0
    share: float = 1.0

    def __call__(
        self, std: Float[np.ndarray, "*batch pixel channel"], near: Float[np.ndarray, " pixel"]
    ) -> Float[np.ndarray, "*batch pixel channel"]:
        """The standard deviation rescaled, for pixels with such surroundings; without steps."""
        level, floor = (np.interp(near, _EVERY, of)[:, None] for of in (self.levels, self.floors))
        widened = np.log(np.hypot(std, floor))
        away = np.clip(widened - self.centre, *self.ends)
        factors = np.exp(self.share * (widened - np.log(std) + level + self.slope * away))
        factors = np.maximum(factors, np.minimum(factors * self.contrast, 1.0)).clip(min=_LEAST)
        return np.minimum(std * factors, np.maximum(std, _WIDEST)).astype(std.dtype)


def rescaling(
    errors: Float[np.ndarray, "pixel channel"],
    stds: Float[np.ndarray, "pixel channel"],
    near: Float[np.ndarray, " pixel"],
    at: Int[np.ndarray, "pixel 2"],
) -> Rescaling:
    """The rescaling after which the mean square of errors in standard deviations is one.

    To every std a part of the errors' root mean square is added, in squares. Then
    log E z² = 2 (level of the class + slope · log std) is fitted by quasi-likelihood (a gamma
    regression; McCullagh and Nelder 1989, chapter 8), with a Gaussian prior in which neighbouring
    classes go together, and one error of the size that was predicted in each class. The errors of
    a class weigh as much as independent ones that they are worth. As the tails of errors are
    heavy, a factor from few of them is rather too small than too large by itself; so the
    variance of its logarithm is added. A class farther from what is visible than any that was
    checked is not stretched.

    Args:
        errors: Errors of pixels that were hidden.
        stds: Their standard deviations.
        near: Their surroundings.
        at: Their rows and columns.
    """
    channels, classes = errors.shape[1], classes_of(near)
    floor = _ANYWHERE * float(np.sqrt(np.square(errors, dtype=np.float64).mean()))
    stds = np.hypot(stds, floor)
    standardised = (errors / stds).astype(np.float64)
    numbers = independent(standardised, at, classes, CLASSES)
    of_class = numbers / np.maximum(1, np.bincount(classes, minlength=CLASSES))
    repeated = np.repeat(classes, channels)
    weights, logs = of_class[repeated] / channels, np.log(stds, dtype=np.float64).ravel()
    centre = float(np.average(logs, weights=weights))
    low, high = np.quantile(logs - centre, (_ENDS, 1 - _ENDS))
    # The error of the predicted size in each class comes last, each a piece of its own.
    pieces = np.append(np.repeat(pieces_of(at), channels) + CLASSES, _EVERY)
    squares = np.append(np.square(standardised).ravel(), np.ones(CLASSES))
    design = np.eye(CLASSES)[np.append(repeated, _EVERY)]
    weights = np.append(weights, np.ones(CLASSES))
    away = np.append(np.clip(logs - centre, low, high), np.zeros(CLASSES))
    prior = np.zeros((CLASSES + 1, CLASSES + 1))
    prior[:-1, :-1] = _SPREAD**2 * _ALIKE ** np.abs(np.subtract.outer(_EVERY, _EVERY))
    prior[-1, -1] = _SLOPE**2
    sloping = np.column_stack([design, away])
    slope = float(np.clip(_fitted(squares, sloping, weights, pieces, prior)[0][-1], *_SLOPES))
    squares *= np.exp(-2 * slope * away)
    levels, variance = _fitted(squares, design, weights, pieces, prior[:-1, :-1])
    levels += variance
    known = np.flatnonzero(numbers >= _KNOWN)
    beyond = known[-1] + 1 if len(known) else 0
    levels[beyond:] = np.minimum(levels[beyond:], 0)
    return Rescaling(levels, slope, centre, (float(low), float(high)), floor * (beyond > _EVERY))


def evidence(
    inside: Bool[np.ndarray, "pixel channel"], at: Int[np.ndarray, "pixel 2"], share: float
) -> float:
    """The number of independent errors by which the share of those inside is as well known.

    It is taken from how far the number inside each piece of the picture is from what is expected.
    """
    excess = inside - share
    summed = np.bincount(pieces_of(at), excess.sum(-1))
    return float(excess.size * min(1.0, np.square(excess).sum() / np.square(summed).sum()))


def pieces_of(at: Int[np.ndarray, "pixel 2"]) -> Int[np.ndarray, " pixel"]:
    """The numbers of the pieces of the picture in which pixels lie."""
    return np.unique(at // _PIECE, axis=0, return_inverse=True)[1].ravel()


def _fitted(
    squares: Float[np.ndarray, " value"],
    design: Float[np.ndarray, "value term"],
    weights: Float[np.ndarray, " value"],
    pieces: Int[np.ndarray, " value"],
    prior: Float[np.ndarray, "term term"],
) -> tuple[Float[np.ndarray, " term"], Float[np.ndarray, " term"]]:
    """The terms of half the logarithm of the mean square and their variances, by Fisher scoring.

    The dispersion is that of single values, or that of sums over pieces where it is greater.
    """
    precision, information = np.linalg.inv(prior), 4 * (design.T * weights) @ design
    terms = np.zeros(len(prior))
    terms[:CLASSES], dispersion = 0.5 * np.log(np.average(squares, weights=weights)), np.inf
    for _ in range(_STEPS):
        excess = squares * np.exp(-2 * np.clip(design @ terms, -15, 15)) - 1
        single = weights @ np.square(excess)
        summed = np.square(np.bincount(pieces, weights * excess)).sum()
        dispersion = (max(single, summed) / weights.sum()).clip(*_DISPERSIONS)
        slope = precision @ terms - design.T @ (2 / dispersion * weights * excess)
        step = np.linalg.solve(information / dispersion + precision, slope)
        terms -= step / max(1.0, np.abs(step).max())
        if np.abs(step).max() < _CLOSE:
            break
    return terms, np.diag(np.linalg.inv(information / dispersion + precision))
