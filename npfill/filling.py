"""The pixels of a hole, as a neural process or a baseline predicts them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.baselines import Baseline
from npfill.context import Context, Targets
from npfill.errors import ModelError
from npfill.gaussian import Gaussian, mixture_moments
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
Hole = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class Prediction:
    """What is said of the pixels of a hole, in row-major order, clipped to [0, 1] but for the std.

    Attributes:
        mean: The mean of the predictive distribution.
        std: Its standard deviation; None where there is none.
        samples: Draws from it; none where there is no joint distribution.
        notes: What the user should know of how it was made.
    """

    mean: Float[np.ndarray, "pixel channel"]
    std: Float[np.ndarray, "pixel channel"] | None
    samples: list[Float[np.ndarray, "pixel channel"]]
    notes: tuple[str, ...]


def by_baseline(
    baseline: Baseline, pixels: Array, hole: Hole, samples: int, seed: int
) -> Prediction:
    """The hole as a baseline fills it.

    Raises:
        InputError: The baseline cannot be used for this picture and hole.
        ModelError: A package or file that it needs is not there.
    """
    filled = baseline.fill(pixels, hole)
    count = 0 if filled.factors is None else samples
    noises = _noises(len(filled.mean), filled.mean.shape[1], seed, count)
    drawn = [filled.sample(noise) for noise in noises]
    clipped = [values.clip(0, 1) for values in (filled.mean, *drawn)]
    return Prediction(clipped[0], filled.std, clipped[1:], filled.notes)


def by_model(
    model: NeuralProcess[Any], pixels: Array, hole: Hole, samples: int, seed: int
) -> Prediction:
    """The hole as a neural process fills it, on the model's device.

    Raises:
        ModelError: The model is for pictures of neither one nor three channels, or what it
            predicts is not finite.
    """
    if model.config.channels not in {1, 3}:
        raise ModelError(
            f"the model is for pictures of {model.config.channels} channels",
            "models of one or three channels complete pictures",
        )
    mean, std, drawn = _moments_and_draws(model, pixels, hole, samples, seed)
    if not all(np.isfinite(values).all() for values in (mean, std)):
        raise ModelError(
            "the model's predictions are not finite", "its weights are damaged: fetch them again"
        )
    clipped = [values.clip(0, 1) for values in (mean, *drawn)]
    return Prediction(clipped[0], std, clipped[1:], _notes(model, pixels, hole))


def _moments_and_draws(
    model: NeuralProcess[Any], pixels: Array, hole: Hole, samples: int, seed: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Mean, std and samples of the hole's pixels, each "pixel channel"."""
    context = _context(model, pixels, hole)
    channels = pixels.shape[-1]
    positions = torch.from_numpy(np.flatnonzero(hole)).to(context.pixels.device)
    with torch.no_grad():
        given = model.condition(context)

        def predictions(z: Tensor | None) -> Iterator[Gaussian]:
            draw_count = 1 if z is None else len(z)
            for index in positions.split(max(1, _CHUNK // draw_count)):
                yield given.predict(z, Targets(index, (hole.shape[0], hole.shape[1])))

        latent = given.latent
        own = None if latent is None else draws(latent, seed, "moments", MOMENT_DRAWS)
        moments = [over_draws(predicted) for predicted in predictions(own)]
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
    return mean, std, pictures[:samples]


def over_draws(predicted: Gaussian) -> tuple[Tensor, Tensor]:
    """Mean and std of a prediction, each "batch target channel", over its draws of z if any."""
    mixed = predicted if predicted.mean.ndim == 3 else mixture_moments(predicted)
    return mixed.mean, mixed.scale


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


def _context(model: NeuralProcess[Any], pixels: Array, hole: Hole) -> Context:
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


def _notes(model: NeuralProcess[Any], pixels: Array, hole: Hole) -> tuple[str, ...]:
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
