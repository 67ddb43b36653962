"""Prediction of what is no number on a line: classes, angles, and grids whose columns close.

Each is completed by the predictor of intensities as it is: a class as the share that it has, an
angle as its sine and cosine, a closed grid cut open where most is observed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from npfill.pictures.picture import ANGLE, CLASSES, Picture

if TYPE_CHECKING:
    from npfill.predictor import Prediction

    Predict = Callable[[np.ndarray, np.ndarray], Prediction]

_MIDDLE = 0.5  # the intensity of the one value that a channel has
_WIDEST = 1 / np.sqrt(12)  # the standard deviation of an angle of which nothing is known, in turns


def predict_kind(
    predict: "Predict", of: Picture, pixels: np.ndarray, hole: np.ndarray
) -> "Prediction":
    """Predict the hole of a picture by what its values are.

    Args:
        predict: Predicts the hole of intensities.
        of: The picture, which says what its values are.
        pixels: Intensities "height width channel" of one or three channels: ranks of classes, and
            shares of a turn.
        hole: True "height width" where they are missing.

    Returns:
        The mean, of classes the most probable one; the standard deviation, of classes the
        probability of being wrong, and of angles in turns; and samples.
    """
    if of.wraps:
        return _closed(predict, of, pixels, hole)
    if of.measure == CLASSES:
        return _classes(predict, pixels, hole)
    if of.measure == ANGLE:
        return _angles(predict, pixels, hole)
    found = predict(pixels, hole)
    if not of.is_data or hole.all() or (pixels[~hole] != _MIDDLE).any():
        return found
    # Data of one value have no range: the mean is that value, and samples lie about it.
    mean = np.full_like(found.mean, _MIDDLE)
    return replace(found, mean=mean, samples=[each - found.mean + mean for each in found.samples])


def _classes(predict: "Predict", pixels: np.ndarray, hole: np.ndarray) -> "Prediction":
    """Each class by its own picture of ones and zeros; of two, the second is the rest."""
    labels, which = np.unique(pixels[~hole], axis=0, return_inverse=True)
    share = np.zeros((*hole.shape, 1), dtype=np.float32)
    found = []
    for number in range(max(1, len(labels) - (len(labels) == 2))):
        share[~hole, 0] = which.ravel() == number
        found.append(predict(share, hole))
    means = _shares([each.mean for each in found], len(labels))
    samples = [
        labels[_shares(list(drawn), len(labels)).argmax(axis=0)]
        for drawn in zip(*(each.samples for each in found), strict=True)
    ]
    chosen, total = means.argmax(axis=0), means.sum(axis=0)
    sure = np.where(total > 0, means.max(axis=0) / np.where(total > 0, total, 1), 1 / len(labels))
    wrong = None
    if found[0].std is not None:
        wrong = np.repeat(1 - sure[:, None], pixels.shape[-1], axis=1).astype(np.float32)
    return replace(found[0], mean=labels[chosen], std=wrong, samples=samples)


def _shares(predicted: list[np.ndarray], classes: int) -> np.ndarray:
    """The shares "class pixel" of all classes, of which those of the second of two are the rest."""
    shares = np.stack([each[:, 0] for each in predicted]).clip(0, 1)
    return np.concatenate([shares, 1 - shares]) if classes == 2 else shares


def _angles(predict: "Predict", pixels: np.ndarray, hole: np.ndarray) -> "Prediction":
    """Each channel as sine and cosine; its deviation is that along the circle."""
    means, deviations, drawn, parts = [], [], [], []
    for channel in range(pixels.shape[-1]):
        turned = 2 * np.pi * pixels[..., channel : channel + 1]
        parts = [
            predict(((1 + wave(turned)) / 2).astype(np.float32), hole) for wave in (np.sin, np.cos)
        ]
        sine, cosine = (2 * each.mean.astype(np.float64) - 1 for each in parts)
        means.append(_in_turns(sine, cosine))
        drawn.append(
            [
                _in_turns(2 * s - 1, 2 * c - 1)
                for s, c in zip(*(p.samples for p in parts), strict=True)
            ]
        )
        of_sine, of_cosine = (each.std for each in parts)
        if of_sine is not None and of_cosine is not None:
            squared = np.maximum(sine**2 + cosine**2, np.finfo(np.float64).tiny)
            along = 2 * np.hypot(cosine * of_sine, sine * of_cosine) / squared / (2 * np.pi)
            deviations.append(np.minimum(along, _WIDEST).astype(np.float32))
    return replace(
        parts[0],
        mean=np.concatenate(means, axis=-1),
        std=np.concatenate(deviations, axis=-1) if deviations else None,
        samples=[np.concatenate(each, axis=-1) for each in zip(*drawn, strict=True)],
    )


def _in_turns(sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """The angle of a sine and a cosine, of any common length, as a share of a turn in [0, 1)."""
    share = (np.arctan2(sine, cosine) / (2 * np.pi) % 1).astype(np.float32)
    return np.where(share < 1, share, 0)


def _closed(predict: "Predict", of: Picture, pixels: np.ndarray, hole: np.ndarray) -> "Prediction":
    """A grid cut open where the most is observed, far and wide."""
    width = hole.shape[1]
    missing = np.tile(hole.sum(axis=0).astype(float), 3)
    near = np.convolve(missing, np.ones(2 * (width // 4) + 1), mode="same")[width : 2 * width]
    order = (int(near.argmin()) + np.arange(width)) % width
    opened = hole[:, order]
    found = predict_kind(predict, replace(of, wraps=False), pixels[:, order], opened)
    at = np.zeros(hole.shape, dtype=int)  # the number of each pixel among those predicted
    at[:, order] = (opened.cumsum() - 1).reshape(hole.shape)
    own = at[hole]
    return replace(
        found,
        mean=found.mean[own],
        std=None if found.std is None else found.std[own],
        samples=[each[own] for each in found.samples],
    )
