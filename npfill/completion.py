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
from npfill.errors import InputError
from npfill.images.files import intensities
from npfill.images.fitting import match_channels, observed_average
from npfill.models import NeuralProcess
from npfill.sampling import draws
from npfill.seeds import generator

# Mean and std are moments over this many draws of z, whatever number of samples is asked for.
MOMENT_DRAWS = 64
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
        ModelError: The model is unknown, or its file fails verification.
        UsageError: The device is not there.
    """
    selected = np.asarray(hole)
    pixels = _pixels(picture, selected)
    if not selected.any():
        raise InputError("the hole selects no pixel", "True marks what is missing")
    where = devices.resolve(device)
    network = (zoo.load(model) if isinstance(model, str) else model).to(where)
    notes = _notes(network, pixels, selected)
    mean, std, drawn = _fill(network, pixels, selected, samples, seed)
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
    positions = np.flatnonzero(hole.reshape(-1))
    moments, drawn = [], []
    with torch.no_grad():
        latent, encoded = model.infer(context), model.encode(context)
        passes = 1 if latent is None else MOMENT_DRAWS + samples
        z = None
        if latent is not None:
            own = draws(latent, seed, "moments", MOMENT_DRAWS)
            z = torch.cat([own, draws(latent, seed, "sample", samples)]) if samples else own
        for index in _chunks(positions, max(1, _CHUNK // passes)):
            targets = Targets(torch.from_numpy(index).to(context.pixels.device), hole.shape)
            predicted = model.predict(encoded, z, targets)
            if z is None:
                moments.append((predicted.mean, predicted.scale))
                continue
            means, scales = predicted.mean[:MOMENT_DRAWS], predicted.scale[:MOMENT_DRAWS]
            # The law of total variance over z.
            variance = scales.square().mean(0) + means.var(0, unbiased=False)
            moments.append((means.mean(0), variance.sqrt()))
            drawn.append(predicted.mean[MOMENT_DRAWS:])
    mean, std = (torch.cat(parts, dim=1) for parts in zip(*moments, strict=True))
    if latent is None:
        pictures = [_independent(mean, std, seed, number) for number in range(samples)]
    else:
        pictures = list(torch.cat(drawn, dim=2))
    channels = pixels.shape[-1]
    flat = [_channels_last(tensor, channels) for tensor in (mean, std, *pictures)]
    return flat[0].clip(0, 1), flat[1], [sample.clip(0, 1) for sample in flat[2:]]


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
    device = next(model.parameters()).device
    seen = torch.from_numpy(observed).expand(len(batch), 1, -1, -1)
    return Context(batch.to(device), seen.to(device), frame=frame)


def _independent(
    mean: Float[Tensor, "batch target channel"],
    std: Float[Tensor, "batch target channel"],
    seed: int,
    number: int,
) -> Float[Tensor, "batch target channel"]:
    """A draw with noise of its own in every pixel: what a conditional variant has of a sample."""
    noise = torch.randn(mean.shape, generator=generator(seed, "sample", number))
    return mean + std * noise.to(mean)


def _channels_last(tensor: Float[Tensor, "batch target channel"], channels: int) -> np.ndarray:
    """Predictions as "target channel" with the picture's channels."""
    array = tensor.cpu().numpy()
    if array.shape[-1] == 1:
        return np.ascontiguousarray(array[..., 0].T)
    return match_channels(array[0][None], channels)[0]


def _chunks(index: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(index), size):
        yield index[start : start + size]


def _in_hole(pixels: Array, hole: Bool[np.ndarray, "height width"], values: np.ndarray) -> Array:
    result = pixels.copy()
    result[hole] = values
    return result


def _pixels(picture: Any, hole: np.ndarray) -> Array:
    """The picture as floats in [0, 1], zero in the hole."""
    if isinstance(picture, Image.Image):
        values = intensities(picture)
    else:
        values = picture.cpu().numpy() if isinstance(picture, Tensor) else picture
        if isinstance(picture, Tensor) and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
        values = values[..., None] if values.ndim == 2 else values
        if values.dtype == np.uint8:
            values = values / np.float32(255)
    if values.ndim != 3 or values.shape[-1] not in {1, 3}:
        raise InputError(
            f"a picture of shape {values.shape}", "one or three channels are completed"
        )
    if hole.dtype != np.bool_ or hole.shape != values.shape[:2]:
        raise InputError(
            f"the hole is {hole.dtype} of shape {hole.shape}, the picture {values.shape[:2]}",
            "the hole is boolean and has the picture's height and width",
        )
    values = np.where(hole[..., None], np.float32(0), values).astype(np.float32)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise InputError("observed values lie outside [0, 1]", "scale them, or mark them as hole")
    return values


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
