"""Completing a picture: a picture, a hole and a model become a `Completion`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Num
from PIL import Image
from torch import Tensor

from npfill import baselines, devices, zoo
from npfill.baselines import Baseline
from npfill.errors import InputError, UsageError
from npfill.filling import Array, Prediction, by_baseline, by_model
from npfill.models import NeuralProcess
from npfill.pictures.picture import intensities
from npfill.sampling import sampler_for

Part = tuple[slice, np.ndarray]


@dataclass(frozen=True)
class Completion:
    """A completed picture, in the shape that the picture came in, in [0, 1].

    Attributes:
        mean: The mean of the predictive distribution in the hole, the picture outside.
        std: Its standard deviation in the hole, 0 outside; None where the model gives none, as
            most baselines.
        samples: Pictures drawn from it, along a first axis; none where a baseline gives no joint
            distribution.
        notes: What the user should know of how it was made.
    """

    mean: Float[np.ndarray, "..."]
    std: Float[np.ndarray, "..."] | None
    samples: Float[np.ndarray, "sample ..."]
    notes: tuple[str, ...] = ()


def complete(
    picture: Image.Image | Num[np.ndarray, "..."] | Num[Tensor, "..."],
    hole: Bool[np.ndarray, "height width *channel"] | Bool[Tensor, "height width *channel"],
    model: str | NeuralProcess[Any] | Baseline = zoo.AUTO,
    samples: int = 3,
    seed: int = 0,
    device: str = "cpu",
    sampler: str = "auto",
    rounds: int | None = None,
    noise: bool = False,
) -> Completion:
    """Complete the missing pixels of a picture.

    Args:
        picture: A PIL image; an array "height width" or "height width channel"; or a tensor
            "height width" or "channel height width". Bytes, or floats in [0, 1]. One or three
            channels; what stands under the hole is never read and may be NaN.
        hole: True where the picture is missing. With a last axis for the channels, of which there
            may be any number then, each is completed by itself.
        model: A name that `npfill models` lists, a path to a weight file, the name of a baseline
            (`npfill.baselines.NAMES`), or a model or baseline itself; `auto` is the model for
            photographs, whatever the picture.
        samples: How many samples to draw.
        seed: Sample k depends on the seed and k alone.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`. Baselines run on the CPU.
        sampler: How a model draws samples: `latent`, `autoregressive`, `independent`, or `auto`,
            which is autoregressive. See `npfill.sampling.Sampler`.
        rounds: How many rounds `autoregressive` draws pixels in; None for 16.
        noise: Draw the pixels of samples where they would be means.

    Raises:
        InputError: Picture and hole do not fit, nothing is missing, values are out of range, or
            the baseline is not for such a picture.
        ModelError: The model is unknown, its file fails verification, it predicts no numbers, or
            a package that a baseline needs is not installed.
        UsageError: The device is not there, the number of samples is negative, or the sampler is
            not for this model and hole.
    """
    if samples < 0:
        raise UsageError(f"{samples} samples", "0 or more can be drawn")
    selected = _array(hole)
    pixels = _pixels(picture, selected)
    where = devices.resolve(device)
    source = _resolved(model)
    parts = _parts(pixels, selected)
    fewest = min(int(missing.sum()) for _, missing in parts)
    if isinstance(source, Baseline):
        if (sampler, rounds, noise) != ("auto", None, False):
            raise UsageError(
                f"{source.name} is a baseline: its samples are drawn in one way",
                "leave sampler, rounds and noise out, or name a model",
            )
        fill = partial(by_baseline, source, samples=samples, seed=seed)
    else:
        how = sampler_for(source, sampler, rounds, noise=noise)
        if rounds is not None and rounds > fewest:
            raise UsageError(
                f"{rounds} rounds: the hole has {fewest:,} pixels", "no more than pixels"
            )
        fill = partial(by_model, source.to(where), samples=samples, seed=seed, sampler=how)
    mean, std, drawn, notes = _filled(pixels, parts, fill)
    return Completion(
        mean=_like(picture, mean),
        std=None if std is None else _like(picture, std),
        samples=_like(picture, drawn),
        notes=notes,
    )


def _parts(pixels: Array, hole: np.ndarray) -> list[Part]:
    """The channels that are completed together, each with where it is missing."""
    if hole.ndim == 2:
        return [(slice(None), hole)]
    channels = range(pixels.shape[-1])
    return [(slice(c, c + 1), hole[..., c]) for c in channels if hole[..., c].any()]


def _filled(
    pixels: Array, parts: list[Part], fill: Callable[[Array, np.ndarray], Prediction]
) -> tuple[Array, Array | None, np.ndarray, tuple[str, ...]]:
    """Mean, std, samples and notes, completed one part after another."""
    mean, std = pixels.copy(), np.zeros_like(pixels)
    drawn = pixels[None][:0]
    has_std = True
    notes = [f"{len(parts)} channels: each is completed by itself"] if len(parts) > 1 else []
    for channels, missing in parts:
        predicted = fill(np.ascontiguousarray(pixels[..., channels]), missing)
        if len(drawn) < len(predicted.samples):
            drawn = pixels[None].repeat(len(predicted.samples), axis=0)
        mean[missing, channels] = predicted.mean
        has_std = predicted.std is not None
        if predicted.std is not None:
            std[missing, channels] = predicted.std
        for picture, values in zip(drawn, predicted.samples, strict=True):
            picture[missing, channels] = values
        notes += predicted.notes
    return mean, std if has_std else None, drawn, tuple(dict.fromkeys(notes))


def _resolved(model: str | NeuralProcess[Any] | Baseline) -> NeuralProcess[Any] | Baseline:
    """What a name or path stands for."""
    if not isinstance(model, str):
        return model
    return baselines.build(model) if model in baselines.NAMES else zoo.load(model)


def _pixels(picture: Any, hole: np.ndarray) -> Array:
    """The picture as floats in [0, 1], zero in the hole."""
    values = intensities(picture) if isinstance(picture, Image.Image) else _array(picture)
    if isinstance(picture, Tensor) and values.ndim == 3:
        values = np.moveaxis(values, 0, -1)
    fits = hole.dtype == np.bool_ and hole.shape in {values.shape, values.shape[:2]}
    values = values[..., None] if values.ndim == 2 else values
    if values.ndim != 3 or (hole.ndim == 2 and values.shape[-1] not in {1, 3}):
        raise InputError(
            f"a picture of shape {values.shape}",
            "one or three channels are completed; with a hole for each channel, any number",
        )
    if not fits:
        raise InputError(
            f"the hole is {hole.dtype} of shape {hole.shape}, the picture {values.shape[:2]}",
            "the hole is boolean and has the picture's height and width",
        )
    if not hole.any():
        raise InputError("the hole selects no pixel", "True marks what is missing")
    if values.dtype == np.uint8:
        values = values / np.float32(255)
    values = np.where(hole if hole.ndim == 3 else hole[..., None], np.float32(0), values)
    with np.errstate(over="ignore"):
        values = values.astype(np.float32, copy=False)
    if not (values.min() >= 0 and values.max() <= 1):  # not so for NaN either
        raise InputError("observed values lie outside [0, 1]", "scale them, or mark them as hole")
    return values


def _array(values: np.ndarray | Tensor) -> np.ndarray:
    """An array of what may be a tensor of any device and dtype."""
    if not isinstance(values, Tensor):
        return np.asarray(values)
    values = values.detach().cpu()
    return (values.float() if values.is_floating_point() else values).numpy()


def _like(picture: Any, values: Float[np.ndarray, "*sample height width channel"]) -> np.ndarray:
    """Pictures in the shape that the picture came in."""
    if isinstance(picture, Tensor) and picture.ndim == 3:
        return np.ascontiguousarray(np.moveaxis(values, -1, -3))
    grey = values.shape[-1] == 1
    if grey and (isinstance(picture, Image.Image) or picture.ndim == 2):
        return values[..., 0]
    return values
