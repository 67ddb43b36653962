"""Prediction of what is no number on a line: classes, angles, and grids whose columns close.

Each is completed by the predictor of intensities as it is: a class as the share that it has, an
angle as its sine and cosine, a closed grid cut open where most is observed.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from npfill.completion.parameters import SamplingOptions
from npfill.pictures.picture import ANGLE, AUTO, CLASSES, Picture

if TYPE_CHECKING:
    from npfill.predictor import Prediction

    Predict = Callable[[np.ndarray, np.ndarray, int], Prediction]
    Apart = Callable[[np.ndarray, np.ndarray], np.ndarray]

_Draws = tuple[SamplingOptions, int, int]  # with the numbers of samples and of the plane
_MIDDLE = 0.5  # the intensity of the one value that a channel has
_WIDEST = 1 / np.sqrt(12)  # the standard deviation of an angle of which nothing is known, in turns
# Distances at which values are compared, and the correlation below which they are no further.
_LAGS, _ALIKE = (1, 2, 4, 8, 16, 32), 0.5
# Of samples of a sampler that is named.
_NO_DRAWS = "samples are of shares, or sines and cosines: they do not differ as the std says"


def predict_kind(
    predict: "Predict", of: Picture, pixels: np.ndarray, hole: np.ndarray, draws: _Draws
) -> "Prediction":
    """Predict the hole of a picture by what its values are.

    Args:
        predict: Predicts the hole of intensities, and draws a number of samples.
        of: The picture, which says what its values are.
        pixels: Intensities "height width channel" of one or three channels: ranks of classes, and
            shares of a turn.
        hole: True "height width" where they are missing.
        draws: The options of samples, their number, and the number of the plane. Those of classes
            and angles are drawn by mean and std, unless a sampler is named.

    Returns:
        The mean, of classes the most probable one; the standard deviation, of classes the
        probability of being wrong, and of angles in turns; and samples.
    """
    if of.wraps:
        return _closed(predict, of, pixels, hole, draws)
    if of.measure == CLASSES:
        return _classes(predict, pixels, hole, draws)
    if of.measure == ANGLE:
        return _angles(predict, pixels, hole, draws)
    found = predict(pixels, hole, draws[1])
    if not of.is_data or hole.all() or (pixels[~hole] != _MIDDLE).any():
        return found
    # Data of one value have no range: the mean is that value, and samples lie about it.
    mean = np.full_like(found.mean, _MIDDLE)
    return replace(found, mean=mean, samples=[each - found.mean + mean for each in found.samples])


def _classes(
    predict: "Predict", pixels: np.ndarray, hole: np.ndarray, draws: _Draws
) -> "Prediction":
    """Each class by its own picture of ones and zeros; of two, the second is the rest."""
    import torch  # noqa: PLC0415 - loaded by the predictor

    count, own = _shared(draws)
    labels, which = np.unique(pixels[~hole], axis=0, return_inverse=True)
    share = np.zeros((*hole.shape, 1), dtype=np.float32)
    found = []
    for number in range(max(1, len(labels) - (len(labels) == 2))):
        share[~hole, 0] = which.ravel() == number
        found.append(predict(share, hole, count))
    shares = _shares([each.mean for each in found], len(labels))
    total = shares.sum(axis=0)
    shares = np.where(total > 0, shares / np.where(total > 0, total, 1), 1 / len(labels))
    chosen = shares.argmax(axis=0)
    drawn = [
        labels[_shares(list(each), len(labels)).argmax(axis=0)]
        for each in zip(*(each.samples for each in found), strict=True)
    ]
    wrong, notes = None, [*found[0].notes] + [_NO_DRAWS] * bool(drawn)
    if found[0].std is not None:
        wrong = np.repeat(1 - shares.max(axis=0)[:, None], pixels.shape[-1], axis=1)
        wrong = wrong.astype(np.float32)
        ranks = np.zeros(hole.shape, dtype=int)
        ranks[~hole], below = which.ravel(), shares.cumsum(axis=0)[:-1]
        for noise in _noises(ranks, np.not_equal, hole, own):
            quantile = torch.special.ndtr(torch.from_numpy(noise)).numpy()
            drawn.append(labels[(quantile > below).sum(axis=0)])
    return replace(found[0], mean=labels[chosen], std=wrong, samples=drawn, notes=tuple(notes))


def _shares(predicted: list[np.ndarray], classes: int) -> np.ndarray:
    """The shares "class pixel" of all classes, of which those of the second of two are the rest."""
    shares = np.stack([each[:, 0] for each in predicted]).clip(0, 1)
    return np.concatenate([shares, 1 - shares]) if classes == 2 else shares


def _angles(
    predict: "Predict", pixels: np.ndarray, hole: np.ndarray, draws: _Draws
) -> "Prediction":
    """Each channel as sine and cosine; its deviation is that along the circle."""
    means, deviations, drawn, parts = [], [], [], []
    count, own = _shared(draws)
    for channel in range(pixels.shape[-1]):
        turned = 2 * np.pi * pixels[..., channel : channel + 1]
        parts = [
            predict(((1 + wave(turned)) / 2).astype(np.float32), hole, count)
            for wave in (np.sin, np.cos)
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
            for noise in _noises(turned[..., 0], _turned, hole, own, channel):
                turns = means[-1] + deviations[-1] * noise[:, None]
                drawn[-1].append(_in_turns(*(wave(2 * np.pi * turns) for wave in (np.sin, np.cos))))
    return replace(
        parts[0],
        mean=np.concatenate(means, axis=-1),
        std=np.concatenate(deviations, axis=-1) if deviations else None,
        samples=[np.concatenate(each, axis=-1) for each in zip(*drawn, strict=True)],
        notes=(*parts[0].notes, *[_NO_DRAWS] * bool(parts[0].samples)),
    )


def _shared(draws: _Draws) -> tuple[int, _Draws]:
    """The number of samples of the predictor; and, of the same options, those that are drawn here.

    Those of the predictor follow shares, sines and cosines, and hardly differ: none are drawn
    unless a sampler is named.
    """
    how, samples, plane = draws
    named = (how.sampler, how.rounds, how.noise, how.draw_from) != (AUTO, None, False, None)
    return (samples, (how, 0, plane)) if named else (0, draws)


def _turned(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The distances of angles in radians, as chords."""
    return np.abs(np.sin((one - other) / 2))


def _noises(
    values: np.ndarray, apart: "Apart", hole: np.ndarray, draws: _Draws, channel: int = 0
) -> Iterator[Float[np.ndarray, " pixel"]]:
    """Standard normal noise of the hole for each sample, which goes together as errors may.

    It is white noise, blurred as far as visible values go together, but not beyond the depth of
    the hole.

    Args:
        values: The values "height width", unread where the hole is.
        apart: The distances of values.
        hole: True "height width" where values are missing.
        draws: As of `predict_kind`.
        channel: The number of the channel.
    """
    from npfill.seeds import array_generator  # noqa: PLC0415 - loads torch

    how, samples, plane = draws
    if not samples:
        return
    depth, left, reach = 0.0, hole, _reach(values, apart, ~hole)
    while left.any() and depth < reach:
        depth += left.sum() / hole.sum()
        wide = np.pad(left, 1, constant_values=True)
        left = left & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    spread = min(reach, depth)
    # With a margin, beyond which one side does not go together with the other.
    sides = [side + int(np.ceil(4 * spread)) for side in hole.shape]
    rows, columns = np.fft.fftfreq(sides[0])[:, None], np.fft.rfftfreq(sides[1])
    blur = np.exp(-2 * (np.pi * spread) ** 2 * (rows**2 + columns**2))
    size = np.sqrt(np.square(np.fft.irfft2(blur, s=sides)).sum())
    within = np.nonzero(hole)
    for number in range(samples):
        white = array_generator(how.seed, "kind", plane + channel, number).standard_normal(sides)
        yield np.fft.irfft2(np.fft.rfft2(white) * blur, s=sides)[within] / size


def _reach(values: np.ndarray, apart: "Apart", seen: np.ndarray) -> float:
    """The deviation of the kernel, in pixels, that makes noise go together as values do."""
    every, reach = values[seen], 0.0
    any_two = apart(every, np.roll(every, len(every) // 2)).mean() if len(every) else 0.0
    for lag in _LAGS:
        both = np.concatenate(
            [
                apart(each[lag:], each[:-lag])[at[lag:] & at[:-lag]]
                for each, at in ((values, seen), (values.T, seen.T))
            ]
        )
        if len(both) and any_two:
            # Of two values of a Gaussian, by the share of pairs that are on both sides of its mean.
            alike = np.cos(np.pi / 2 * min(1.0, both.mean() / any_two)).clip(0.01, 0.99)
            reach = float(0.5 * lag / np.sqrt(-np.log(alike)))
            if alike < _ALIKE:
                break
    return reach


def _in_turns(sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """The angle of a sine and a cosine, of any common length, as a share of a turn in [0, 1)."""
    share = (np.arctan2(sine, cosine) / (2 * np.pi) % 1).astype(np.float32)
    return np.where(share < 1, share, 0)


def _closed(
    predict: "Predict", of: Picture, pixels: np.ndarray, hole: np.ndarray, draws: _Draws
) -> "Prediction":
    """A grid cut open where the most is observed, far and wide."""
    width = hole.shape[1]
    missing = np.tile(hole.sum(axis=0).astype(float), 3)
    near = np.convolve(missing, np.ones(2 * (width // 4) + 1), mode="same")[width : 2 * width]
    order = (int(near.argmin()) + np.arange(width)) % width
    opened = hole[:, order]
    flat = replace(of, wraps=False)
    found = predict_kind(predict, flat, pixels[:, order], opened, draws)
    at = np.zeros(hole.shape, dtype=int)  # the number of each pixel among those predicted
    at[:, order] = (opened.cumsum() - 1).reshape(hole.shape)
    own = at[hole]
    return replace(
        found,
        mean=found.mean[own],
        std=None if found.std is None else found.std[own],
        samples=[each[own] for each in found.samples],
    )
