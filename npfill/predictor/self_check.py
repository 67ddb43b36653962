"""The check on the picture itself: some of what is visible is hidden, predicted and compared.

What is hidden is like the hole: shifted and mirrored copies of its pieces, or scattered pixels,
whichever has surroundings that resemble the hole's the most. What is found rescales the standard
deviation, so that the mean square of errors is its own, and says how many of it an interval takes:
where most errors are small and a few are large, fewer than of a Gaussian's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import torch
from jaxtyping import Float, Int

from npfill.gaussian import Gaussian
from npfill.models.lawful import LARGEST, network_alone
from npfill.predictor.contrast import contrast
from npfill.predictor.hidden import (
    BESIDE,
    LEAST,
    MOST,
    OF_LARGE,
    Hidden,
    Place,
    around_hole,
    hidden_like,
    places,
    shares,
    surroundings,
)
from npfill.predictor.neural import Array, HoleArray, NeuralPredictor, Predictor
from npfill.predictor.rescaled import Rescaling, evidence, rescaling
from npfill.seeds import array_generator

# Errors, standard deviations, surroundings, rows and columns of what was hidden.
Compared = tuple[
    Float[np.ndarray, "pixel channel"],
    Float[np.ndarray, "pixel channel"],
    Float[np.ndarray, " pixel"],
    Int[np.ndarray, "pixel 2"],
]

LEVEL = 0.9
# Independent errors that the prior of an interval's width is worth: the width of a Gaussian's.
_PRIOR = 3.0
# Channels are not known to go together closer than this; squares of errors that go alone, for
# channels without any.
_CLOSEST, _ALONE = 0.999, 1e-6
# Of pictures of one size, such as faces, each part is of its own kind: the share of a factor's
# logarithm that counts in holes whose pixels have no visible neighbour (docs/notes/check.md).
_OTHER_PART = 0.25
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
        rescaling: The rescaling of the standard deviation that follows; None without a check.
        hole: The surroundings of the pixels of the hole.
        errors: What errors in rescaled standard deviations are at most, in order.
        evidence: The number of independent errors that they are worth.
        crps: Their mean continuous ranked probability score, before rescaling.
        correlation: That of the errors of a pixel's channels; None of one channel.
    """

    pixels: int
    coverage: float = np.nan
    z_squared: float = np.nan
    grain: float | None = None
    rescaling: Rescaling | None = None
    hole: Float[np.ndarray, " pixel"] | None = None
    errors: Float[np.ndarray, " value"] | None = None
    evidence: float = 0.0
    crps: float = np.nan
    correlation: Float[np.ndarray, "channel channel"] | None = None

    def rescaled(
        self, std: Float[np.ndarray, "*batch pixel channel"]
    ) -> Float[np.ndarray, "*batch pixel channel"]:
        """The standard deviation of the pixels of the hole, rescaled where there was a check."""
        if self.rescaling is None or self.hole is None:
            return std
        return self.rescaling(std, self.hole)

    def half_width(self, probability: float) -> float:
        """Rescaled standard deviations on each side of the mean in an interval of a probability.

        That which holds such a share of the errors, drawn to a Gaussian's where they are few. Of
        intervals that hold all but what one error weighs, its ratio to the Gaussian's is kept.
        """
        own = half_width(probability)
        if self.errors is None:
            return own
        known = min(probability, 1 - 1 / max(2.0, self.evidence))
        ratio = np.quantile(self.errors, known) / half_width(known)
        weight = self.evidence / (self.evidence + _PRIOR)
        return own * float(max(ratio, 1e-3) ** weight)


def half_width(probability: float) -> float:
    """Standard deviations on each side of the mean in a Gaussian's interval of a probability."""
    return NormalDist().inv_cdf(0.5 + probability / 2)


def self_check(
    predictor: Predictor,
    picture: Array,
    hole: HoleArray,
    seed: int,
    wanted: HoleArray | None = None,
    *,
    bounded: bool = True,
) -> SelfCheck:
    """Hide some of what is visible, predict it from the rest, and compare.

    Args:
        predictor: What completes the picture; one without a standard deviation finds nothing.
        picture: Intensities in [0, 1]; unread where the hole is.
        hole: True where the picture is missing.
        seed: What is hidden depends on it, the hole and nothing else.
        wanted: True in the part of the hole that is asked for: what is hidden is like it.
        bounded: Nothing is predicted beyond 0 and 1.
    """
    hidden, of_hole = hide(hole, seed, wanted)
    errors = compared(predictor, picture, hole, hidden, seed, bounded=bounded)
    if errors is None:
        return SelfCheck(0)
    share = 1.0
    if isinstance(predictor, NeuralPredictor) and not predictor.model.any_size:
        share = float(np.interp(of_hole, (BESIDE, BESIDE + 1), (1.0, _OTHER_PART)).mean())
    return found(*errors, of_hole, contrast(picture, hole, hidden), share)


def hide(
    hole: HoleArray, seed: int, wanted: HoleArray | None = None, share: float = OF_LARGE
) -> tuple[list[tuple[Place, Hidden]], Float[np.ndarray, " pixel"]]:
    """Visible pixels in a share of the picture, like those of the hole, and its surroundings."""
    random = array_generator(seed, "check")
    tiles, of_hole = places(hole, random, share), around_hole(hole)
    if (~hole).sum() * MOST < LEAST:
        return [], of_hole
    alike = shares(of_hole if wanted is None else of_hole[wanted[hole]])
    least = LEAST // max(1, len(tiles))
    found = [(place, hidden_like(hole, place, alike, least, random)) for place in tiles]
    return [(place, hidden) for place, hidden in found if hidden.any()], of_hole


def compared(
    predictor: Predictor,
    picture: Array,
    hole: HoleArray,
    hidden: Sequence[tuple[Place, Hidden]],
    seed: int,
    *,
    bounded: bool = True,
) -> Compared | None:
    """Predict what is hidden: errors, standard deviations and surroundings; None of too little."""
    errors, stds, near, at = [], [], [], []
    for place, here in hidden:
        missing, whole = hole[place] | here, picture[place]
        seen = np.where(missing[..., None], np.float32(0), whole)
        with network_alone(hole.size > LARGEST):  # as in the picture that the tile is of
            predicted = predictor.predict(seen, missing, seed=seed, bounded=bounded)
        if predicted.std is None:
            return None
        asked = here[missing]
        errors.append(whole[here] - predicted.mean[asked])
        stds.append(predicted.std[asked])
        near.append(surroundings(missing, here))
        at.append(np.argwhere(here) + [side.start or 0 for side in place])
    if sum(map(len, near)) < LEAST:
        return None
    every = [np.concatenate(each) for each in (errors, stds, near, at)]
    return every[0], every[1], every[2], every[3]


def found(
    errors: Float[np.ndarray, "pixel channel"],
    stds: Float[np.ndarray, "pixel channel"],
    near: Float[np.ndarray, " pixel"],
    at: Int[np.ndarray, "pixel 2"],
    hole: Float[np.ndarray, " hole"],
    rougher: float = 1.0,
    share: float = 1.0,
) -> SelfCheck:
    """The findings from errors, stds, surroundings and places.

    Beside them the surroundings of the hole, how much rougher it is there (`contrast`), and the
    share of what is found that counts.
    """
    z = np.abs(errors / stds).astype(np.float64)
    beside = near < BESIDE
    grain = None
    if beside.sum() >= LEAST // 2:
        rough = stds[beside].mean(-1)
        flat = errors[beside][rough <= np.quantile(rough, 0.25)]
        grain = float(_MEDIAN * np.median(np.abs(flat)) / _OF_MEAN**0.5)
    rescale = rescaling(errors, stds, near, at)
    standardised = errors / rescale(stds, near)
    sizes = np.abs(standardised)
    return SelfCheck(
        len(z),
        float((z <= half_width(LEVEL)).mean()),
        float(np.square(z).mean()),
        grain,
        replace(rescale, contrast=rougher, share=share),
        hole,
        np.sort(sizes, axis=None),
        evidence(sizes <= np.quantile(sizes, LEVEL), at, LEVEL),
        float(Gaussian(*map(torch.from_numpy, (errors, stds))).crps(torch.zeros(())).mean()),
        None if errors.shape[1] == 1 else _correlation(standardised.astype(np.float64)),
    )


def _correlation(
    errors: Float[np.ndarray, "pixel channel"],
) -> Float[np.ndarray, "channel channel"]:
    """The correlation of the channels, positive definite; 0 of a channel without an error."""
    alone = np.eye(errors.shape[1])
    products = errors.T @ errors + _ALONE * alone
    sizes = np.sqrt(np.diag(products))
    return _CLOSEST * products / np.outer(sizes, sizes) + (1 - _CLOSEST) * alone
