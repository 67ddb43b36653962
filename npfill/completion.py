"""Completing a picture: a picture, a hole and a model become a `Completion`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Num
from PIL import Image
from torch import Tensor

from npfill import devices, zoo
from npfill.context import Context, Targets
from npfill.errors import InputError, ModelError, UsageError
from npfill.gaussian import Gaussian
from npfill.images.files import intensities
from npfill.images.fitting import match_channels, observed_average
from npfill.models import NeuralProcess
from npfill.sampling import draws
from npfill.seeds import generator

# Mean and std are moments over this many draws of z, whatever number of samples is asked for.
MOMENT_DRAWS = 64
# Samples are drawn this many at a time, whatever number is asked for: matrix products of another
# shape round in another way, and sample k would not be the same to the last bit.
_TOGETHER = 8
# Targets times draws in one pass: what bounds the memory.
_CHUNK = 2**15

Array = Float[np.ndarray, "height width channel"]


@dataclass(frozen=True)
class Completion:
    """A completed picture, in the shape that the picture came in, in [0, 1].

    Attributes:
        mean: The mean of the predictive distribution in the hole, the picture outside.
        std: Its standard deviation in the hole, 0 outside.
        samples: Pictures drawn from it, along a first axis.
        notes: What the user should know of how it was made.
    """

    mean: Float[np.ndarray, "..."]
    std: Float[np.ndarray, "..."]
    samples: Float[np.ndarray, "sample ..."]
    notes: tuple[str, ...] = ()


def complete(
    picture: Image.Image | Num[np.ndarray, "..."] | Num[Tensor, "..."],
    hole: Bool[np.ndarray, "height width"] | Bool[Tensor, "height width"],
    model: str | NeuralProcess[Any] = zoo.DEFAULT,
    samples: int = 3,
    seed: int = 0,
    device: str = "cpu",
) -> Completion:
    """Complete the missing pixels of a picture.

    Args:
        picture: A PIL image; an array "height width" or "height width channel"; or a tensor
            "height width" or "channel height width". Bytes, or floats in [0, 1]. One or three
            channels; what stands under the hole is never read and may be NaN.
        hole: True where the picture is missing.
        model: A name that `npfill models` lists, a path to a weight file, or a model.
        samples: How many samples to draw.
        seed: Sample k depends on the seed and k alone.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        InputError: Picture and hole do not fit, nothing is missing, or values are out of range.
        ModelError: The model is unknown, its file fails verification, or it predicts no numbers.
        UsageError: The device is not there, or the number of samples is negative.
    """
    if samples < 0:
        raise UsageError(f"{samples} samples", "0 or more can be drawn")
    selected = _array(hole)
    pixels = _pixels(picture, selected)
    where = devices.resolve(device)
    network = (zoo.load(model) if isinstance(model, str) else model).to(where)
    if network.config.channels not in {1, 3}:
        raise ModelError(
            f"the model is for pictures of {network.config.channels} channels",
            "models of one or three channels complete pictures",
        )
    notes = _notes(network, pixels, selected)
    mean, std, drawn = _fill(network, pixels, selected, samples, seed)
    if not all(np.isfinite(values).all() for values in (mean, std)):
        raise ModelError(
            "the model's predictions are not finite", "its weights are damaged: fetch them again"
        )
    completed = [_in_hole(pixels, selected, values) for values in (mean, *drawn)]
    return Completion(
        mean=_like(picture, completed[0]),
        std=_like(picture, _in_hole(np.zeros_like(pixels), selected, std)),
        samples=np.stack([_like(picture, sample) for sample in completed[1:]])
        if samples
        else np.zeros((0, *_like(picture, pixels).shape), np.float32),
        notes=notes,
    )


def _fill(
    model: NeuralProcess[Any],
    pixels: Array,
    hole: Bool[np.ndarray, "height width"],
    samples: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Mean, std and samples of the hole's pixels, each "pixel channel"."""
    context = _context(model, pixels, hole)
    channels = pixels.shape[-1]
    positions = torch.from_numpy(np.flatnonzero(hole)).to(context.pixels.device)
    with torch.no_grad():
        latent, encoded = model.infer(context), model.encode(context)

        def predictions(z: Tensor | None) -> Iterator[Gaussian]:
            draw_count = 1 if z is None else len(z)
            for index in positions.split(max(1, _CHUNK // draw_count)):
                yield model.predict(encoded, z, Targets(index, (hole.shape[0], hole.shape[1])))

        own = None if latent is None else draws(latent, seed, "moments", MOMENT_DRAWS)
        moments = [_moments(predicted) for predicted in predictions(own)]
        mean, std = (
            _channels_last(torch.cat(parts, dim=1), channels)
            for parts in zip(*moments, strict=True)
        )
        if latent is None:
            noises = _noises(len(positions), min(channels, model.config.channels), seed, samples)
            pictures = [mean + std * noise for noise in noises]
        else:
            pictures = []
            for z in _draws_together(latent, seed, samples):
                drawn = torch.cat([predicted.mean for predicted in predictions(z)], dim=2)
                pictures += [_channels_last(values, channels) for values in drawn]
    return mean.clip(0, 1), std, [values.clip(0, 1) for values in pictures[:samples]]


def _moments(
    predicted: Gaussian,
) -> tuple[Float[Tensor, "batch target channel"], Float[Tensor, "batch target channel"]]:
    """Mean and std of a prediction, by the law of total variance where there are draws of z."""
    if predicted.mean.ndim == 3:
        return predicted.mean, predicted.scale
    variance = predicted.scale.square().mean(0) + predicted.mean.var(0, unbiased=False)
    return predicted.mean.mean(0), variance.sqrt()


def _draws_together(
    latent: Gaussian, seed: int, samples: int
) -> Iterator[Float[Tensor, "sample batch latent"]]:
    """Draws of z for at least as many samples as are asked for."""
    if samples:
        passes = -(-samples // _TOGETHER)
        yield from draws(latent, seed, "sample", passes * _TOGETHER).split(_TOGETHER)


def _noises(
    targets: int, channels: int, seed: int, samples: int
) -> Iterator[Float[np.ndarray, "target channel"]]:
    """Noise of its own for every pixel: all that a conditional variant has to draw samples with.

    Where the channels of model and picture differ, there is one channel of it for all.
    """
    for number in range(samples):
        yield torch.randn(targets, channels, generator=generator(seed, "sample", number)).numpy()


def _context(
    model: NeuralProcess[Any], pixels: Array, hole: Bool[np.ndarray, "height width"]
) -> Context:
    """What the model sees; a colour picture becomes a batch of channels for a grey model."""
    frame = hole.shape[0], hole.shape[1]
    values, observed = observed_average(pixels, ~hole, model.config.size)
    if model.config.channels != 1:
        values = match_channels(values, model.config.channels)
    tensor = torch.from_numpy(np.ascontiguousarray(values)).permute(2, 0, 1)
    batch = tensor.unsqueeze(1) if model.config.channels == 1 else tensor.unsqueeze(0)
    weight = next(model.parameters())
    seen = torch.from_numpy(observed).expand(len(batch), 1, -1, -1)
    return Context(batch.to(weight), seen.to(weight.device), frame=frame)


def _channels_last(tensor: Float[Tensor, "batch target channel"], channels: int) -> np.ndarray:
    """Predictions as "target channel" with the picture's channels."""
    array = tensor.cpu().numpy()
    if array.shape[-1] == 1:
        return np.ascontiguousarray(array[..., 0].T)
    return match_channels(array[0][None], channels)[0]


def _in_hole(pixels: Array, hole: Bool[np.ndarray, "height width"], values: np.ndarray) -> Array:
    result = pixels.copy()
    result[hole] = values
    return result


def _pixels(picture: Any, hole: np.ndarray) -> Array:
    """The picture as floats in [0, 1], zero in the hole."""
    values = intensities(picture) if isinstance(picture, Image.Image) else _array(picture)
    if isinstance(picture, Tensor) and values.ndim == 3:
        values = np.moveaxis(values, 0, -1)
    values = values[..., None] if values.ndim == 2 else values
    if values.ndim != 3 or values.shape[-1] not in {1, 3}:
        raise InputError(
            f"a picture of shape {values.shape}", "one or three channels are completed"
        )
    if hole.dtype != np.bool_ or hole.shape != values.shape[:2]:
        raise InputError(
            f"the hole is {hole.dtype} of shape {hole.shape}, the picture {values.shape[:2]}",
            "the hole is boolean and has the picture's height and width",
        )
    if not hole.any():
        raise InputError("the hole selects no pixel", "True marks what is missing")
    if values.dtype == np.uint8:
        values = values / np.float32(255)
    values = np.where(hole[..., None], np.float32(0), values)
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


def _like(picture: Any, values: Array) -> np.ndarray:
    """An array in the shape that the picture came in."""
    if isinstance(picture, Tensor) and picture.ndim == 3:
        return np.ascontiguousarray(np.moveaxis(values, -1, 0))
    grey = values.shape[-1] == 1
    if grey and (isinstance(picture, Image.Image) or picture.ndim == 2):
        return values[..., 0]
    return values


def _notes(model: NeuralProcess[Any], pixels: Array, hole: np.ndarray) -> tuple[str, ...]:
    """What the model was not made for, said aloud."""
    config, notes = model.config, []
    longer = max(hole.shape)
    if longer > config.size:
        notes.append(
            f"the picture is {hole.shape[1]}x{hole.shape[0]} and the model was made for "
            f"{config.size}x{config.size}: the observed pixels are averaged onto a coarser grid, "
            "and the hole is filled smoothly"
        )
    if pixels.shape[-1] > config.channels:
        notes.append("the model is for grey pictures: each colour channel is completed by itself")
    if pixels.shape[-1] < config.channels:
        notes.append("the model is for RGB pictures: the grey picture is completed as RGB")
    return tuple(notes)
