"""The rescaling of a standard deviation by errors that were found beside it."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from npfill.predictor.hidden import CLASSES

# Errors go together over about so many pixels of a class: these count as one.
_TOGETHER = np.array([1.0, 1.0, 1.5, 3.0, 24.0, 72.0, 240.0, 750.0, 3000.0])
# The prior of the logarithms of factors around 0: the standard deviation of a class, its
# correlation with the next, and the standard deviation of the slope.
_SPREAD, _ALIKE, _SLOPE = 0.7, 0.8, 0.5
# The least and the greatest slope: the least std may all become one, and none is made smaller than
# the greatest are, as a rare large error among them has weighed on nothing yet.
_SLOPES = (-1.0, 0.0)
# The variance of z² over its squared mean is twice that of a Gaussian at least; the greatest that
# is believed. The share of stds at either end that the slope goes no further than.
_DISPERSIONS, _ENDS = (2.0, 200.0), 0.02
_STEPS, _CLOSE = 25, 1e-3
# No values in [0, 1] have a greater standard deviation.
_WIDEST = 0.5


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
    """

    levels: Float[np.ndarray, " class"]
    slope: float
    centre: float
    ends: tuple[float, float]

    def __call__(
        self, std: Float[np.ndarray, "*batch pixel channel"], classes: Int[np.ndarray, " pixel"]
    ) -> Float[np.ndarray, "*batch pixel channel"]:
        """The standard deviation rescaled, for pixels with such surroundings."""
        away = np.clip(np.log(std) - self.centre, *self.ends)
        factors = np.exp(self.levels[classes][:, None] + self.slope * away)
        rescaled: np.ndarray = np.minimum(std * factors, np.maximum(std, _WIDEST)).astype(std.dtype)
        return rescaled


def rescaling(
    errors: Float[np.ndarray, "pixel channel"],
    stds: Float[np.ndarray, "pixel channel"],
    classes: Int[np.ndarray, " pixel"],
) -> Rescaling:
    """The rescaling after which the mean square of errors in standard deviations is one.

    log E z² = 2 (level of the class + slope · log std) is fitted by quasi-likelihood (a gamma
    regression; McCullagh and Nelder 1989, chapter 8), with a Gaussian prior in which neighbouring
    classes go together, and one error of the size that was predicted in each class. As the tails
    of errors are heavy, a factor from few of them is rather too small than too large by itself; so
    twice the variance of its logarithm is added. A class farther from what is visible than any that
    was checked is not stretched.
    """
    channels = errors.shape[1]
    squares = np.square(errors / stds, dtype=np.float64).ravel()
    repeated = np.repeat(classes, channels)
    weights, logs = 1 / _TOGETHER[repeated], np.log(stds, dtype=np.float64).ravel()
    centre = float(np.average(logs, weights=weights))
    low, high = np.quantile(logs - centre, (_ENDS, 1 - _ENDS))
    # The error of the predicted size in each class comes last.
    squares = np.append(squares, np.ones(CLASSES))
    design = np.eye(CLASSES)[np.append(repeated, np.arange(CLASSES))]
    weights = np.append(weights, np.ones(CLASSES))
    away = np.append(np.clip(logs - centre, low, high), np.zeros(CLASSES))
    apart = np.abs(np.subtract.outer(np.arange(CLASSES), np.arange(CLASSES)))
    prior = np.zeros((CLASSES + 1, CLASSES + 1))
    prior[:-1, :-1], prior[-1, -1] = _SPREAD**2 * _ALIKE**apart, _SLOPE**2
    found, _ = _fitted(squares, np.column_stack([design, away]), weights, prior)
    slope = float(np.clip(found[-1], *_SLOPES))
    levels, variance = _fitted(
        squares * np.exp(-2 * slope * away), design, weights, prior[:-1, :-1]
    )
    levels += 2 * variance
    known = np.bincount(repeated, minlength=CLASSES) >= _TOGETHER
    beyond = np.flatnonzero(known)[-1] + 1 if known.any() else 0
    levels[beyond:] = np.minimum(levels[beyond:], 0)
    return Rescaling(levels, slope, centre, (float(low), float(high)))


def evidence(classes: Int[np.ndarray, " pixel"]) -> float:
    """The number of independent errors that those of pixels of some surroundings are worth."""
    return float((1 / _TOGETHER[classes]).sum())


def _fitted(
    squares: Float[np.ndarray, " value"],
    design: Float[np.ndarray, "value term"],
    weights: Float[np.ndarray, " value"],
    prior: Float[np.ndarray, "term term"],
) -> tuple[Float[np.ndarray, " term"], Float[np.ndarray, " term"]]:
    """The terms of half the logarithm of the mean square and their variances, by Fisher scoring."""
    precision, information = np.linalg.inv(prior), 4 * (design.T * weights) @ design
    terms = np.zeros(len(prior))
    terms[:CLASSES], dispersion = 0.5 * np.log(np.average(squares, weights=weights)), np.inf
    for _ in range(_STEPS):
        ratio = squares * np.exp(-2 * np.clip(design @ terms, -15, 15))
        dispersion = np.average(np.square(ratio - 1), weights=weights).clip(*_DISPERSIONS)
        slope = design.T @ (2 / dispersion * weights * (1 - ratio)) + precision @ terms
        step = np.linalg.solve(information / dispersion + precision, slope)
        terms -= step / max(1.0, np.abs(step).max())
        if np.abs(step).max() < _CLOSE:
            break
    return terms, np.diag(np.linalg.inv(information / dispersion + precision))
