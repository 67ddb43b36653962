"""The check on the picture itself: some of what is visible is hidden, predicted and compared.

What is hidden is like the hole: shifted and mirrored copies of its pieces, or scattered pixels,
whichever has surroundings that resemble the hole's the most. What is found rescales the standard
deviation by its surroundings, shrunk towards the model's own where little was checked.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from npfill.predictor.hidden import (
    BESIDE,
    CLASSES,
    LEAST,
    MOST,
    classes_of,
    hidden_like,
    places,
    shares,
    surroundings,
)
from npfill.predictor.neural import Array, HoleArray, Predictor
from npfill.seeds import array_generator

# Errors go together over about so many pixels of a class: these count as one.
_TOGETHER = np.array([1.0, 1.0, 1.5, 3.0, 24.0, 72.0, 240.0, 750.0, 3000.0])
# The prior of the factors' logarithms: its standard deviation, the correlation of one class and
# the next. What is found from n independent pixels has the variance _NOISE / n: tails are heavy.
_SPREAD, _ALIKE, _NOISE = 0.5, 0.8, 1.5
_LEVEL, _QUANTILE = 0.9, 1.6448536269514722
# A normal's standard deviation over its median absolute value; what the mean of about four
# neighbours adds to the variance of noise.
_MEDIAN, _OF_MEAN = 1.4826, 1.25


@dataclass(frozen=True)
class SelfCheck:
    """The findings of a check.

    Attributes:
        pixels: The number of pixels that were hidden and compared; 0 if there were too few.
        coverage: The share of their values within the model's central interval of 90 %.
        z_squared: The mean square of their errors in standard deviations of the model.
        grain: The standard deviation of what differs from one pixel to the next where the picture
            is the smoothest: noise, or the finest texture. None where too few pixels lie beside
            visible ones.
        factors: The factor of the standard deviation by class of surroundings.
    """

    pixels: int
    coverage: float = np.nan
    z_squared: float = np.nan
    grain: float | None = None
    factors: Float[np.ndarray, " class"] | None = None

    def spread(self, hole: HoleArray) -> Float[np.ndarray, " pixel"] | None:
        """The factor of each pixel of a hole; None where nothing was checked."""
        return None if self.factors is None else self.factors[classes_of(hole)]


def self_check(predictor: Predictor, picture: Array, hole: HoleArray, seed: int) -> SelfCheck:
    """Hide some of what is visible, predict it from the rest, and compare.

    Args:
        predictor: What completes the picture; one without a standard deviation finds nothing.
        picture: Intensities in [0, 1]; unread where the hole is.
        hole: True where the picture is missing.
        seed: What is hidden depends on it, the hole and nothing else.
    """
    if (~hole).sum() * MOST < LEAST:
        return SelfCheck(0)
    random = array_generator(seed, "check")
    tiles = places(hole, random)
    wanted = shares(classes_of(hole))
    errors, stds, classes = [], [], []
    for place in tiles:
        hidden = hidden_like(hole, place, wanted, LEAST // len(tiles), random)
        if not hidden.any():
            continue
        missing, whole = hole[place] | hidden, picture[place]
        seen = np.where(missing[..., None], np.float32(0), whole)
        predicted = predictor.predict(seen, missing, seed=seed)
        if predicted.std is None:
            return SelfCheck(0)
        asked = hidden[missing]
        errors.append(whole[hidden] - predicted.mean[asked])
        stds.append(predicted.std[asked])
        classes.append(surroundings(missing)[hidden])
    if sum(map(len, classes)) < LEAST:
        return SelfCheck(0)
    return found(*map(np.concatenate, (errors, stds, classes)))


def found(
    errors: Float[np.ndarray, "pixel channel"],
    stds: Float[np.ndarray, "pixel channel"],
    classes: Int[np.ndarray, " pixel"],
) -> SelfCheck:
    """The findings from errors, standard deviations and surroundings of pixels."""
    z = np.abs(errors / stds).astype(np.float64)
    beside = classes < BESIDE
    grain = None
    if beside.sum() >= LEAST // 2:
        rough = stds[beside].mean(-1)
        flat = errors[beside][rough <= np.quantile(rough, 0.25)]
        grain = float(_MEDIAN * np.median(np.abs(flat)) / _OF_MEAN**0.5)
    return SelfCheck(
        len(z),
        float((z <= _QUANTILE).mean()),
        float(np.square(z).mean()),
        grain,
        _factors(z, classes),
    )


def _factors(
    z: Float[np.ndarray, "pixel channel"], classes: Int[np.ndarray, " pixel"]
) -> Float[np.ndarray, " class"]:
    """The posterior of the factors, given errors in standard deviations; 1 without any.

    The logarithms have a Gaussian prior around 0, in which neighbouring classes go together. A
    class farther from what is visible than any that was checked is not stretched.
    """
    logs, weights = np.zeros(CLASSES), np.zeros(CLASSES)
    for number in np.unique(classes):
        each = z[classes == number]
        weights[number] = len(each) / _TOGETHER[number]
        logs[number] = _log_scale(each)
    known = weights >= 1
    if not known.any():
        return np.ones(CLASSES)
    apart = np.abs(np.subtract.outer(np.arange(CLASSES), np.arange(CLASSES)))
    prior = _SPREAD**2 * _ALIKE**apart
    gain = prior[:, known] @ np.linalg.inv(
        prior[np.ix_(known, known)] + np.diag(_NOISE / weights[known])
    )
    # The mean of a log-normal's square is its median's by the exponential of twice the variance.
    left = np.diag(prior) - np.einsum("ij,ij->i", gain, prior[:, known])
    logs = gain @ logs[known] + left
    beyond = np.flatnonzero(known)[-1] + 1
    logs[beyond:] = np.minimum(logs[beyond:], 0)
    return np.exp(logs)


def _log_scale(z: Float[np.ndarray, "pixel channel"]) -> float:
    """The logarithm of the factor that would have been right, midway between two rules.

    One makes the mean square of z one, the other brings nine tenths of it into their interval.
    """
    square, tenth = np.sqrt(np.square(z).mean()), np.quantile(z, _LEVEL) / _QUANTILE
    return float(0.5 * np.log(max(square, 1e-3) * max(tenth, 1e-3)))
