"""The pixels of a hole, as a neural process or a baseline predicts them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.baselines import Baseline
from npfill.context import Context, Targets
from npfill.devices import is_out_of_memory
from npfill.errors import InputError, ModelError
from npfill.models import NeuralProcess
from npfill.pictures.grid import match_channels, observed_average
from npfill.sampling import Kind, Sampler, has_latent, moments
from npfill.sampling import samples as samples_of
from npfill.sampling.mixture import smaller_chunks
from npfill.seeds import generator

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
    model: NeuralProcess[Any],
    pixels: Array,
    hole: Hole,
    samples: int,
    seed: int,
    sampler: Sampler,
) -> Prediction:
    """The hole as a neural process fills it, on the model's device.

    Mean and std are those of the predictive distribution, and not of the samples.

    Args:
        model: The model.
        pixels: The picture, in [0, 1].
        hole: Where it is missing.
        samples: How many samples are drawn.
        seed: Sample k depends on the seed and k alone.
        sampler: How samples are drawn.

    Raises:
        ModelError: The model is for pictures of neither one nor three channels, or what it
            predicts is not finite.
        InputError: The device has too little memory, in smaller parts, too.
    """
    try:
        return _by_model(model, pixels, hole, samples, seed, sampler)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    try:  # outside of `except`, where the error would hold what is in memory
        with smaller_chunks():
            predicted = _by_model(model, pixels, hole, samples, seed, sampler)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise InputError(
            f"a picture of {hole.shape[1]}x{hole.shape[0]} needs more memory than "
            f"{next(model.parameters()).device} has left",
            "--device cpu, fewer --samples, or a smaller picture",
        ) from None
    note = "the device ran out of memory: done again in smaller parts"
    return replace(predicted, notes=(*predicted.notes, note))


def _by_model(
    model: NeuralProcess[Any],
    pixels: Array,
    hole: Hole,
    samples: int,
    seed: int,
    sampler: Sampler,
) -> Prediction:
    if model.config.channels not in {1, 3}:
        raise ModelError(
            f"the model is for pictures of {model.config.channels} channels",
            "models of one or three channels complete pictures",
        )
    context = _context(model, pixels, hole)
    sampler, notes = _possible(sampler, model, context, hole)
    positions = torch.from_numpy(np.flatnonzero(hole)).to(context.pixels.device)
    targets = Targets(positions, (hole.shape[0], hole.shape[1]))
    channels = pixels.shape[-1]
    with torch.no_grad():
        predicted = moments(model.condition(context), targets, seed)
        mean, std = (_channels_last(part, channels) for part in (predicted.mean, predicted.scale))
        drawn = samples_of(model, context, targets, sampler, seed, samples) if samples else ()
        pictures = [_channels_last(values, channels) for values in drawn]
    if not all(np.isfinite(values).all() for values in (mean, std)):
        raise ModelError(
            "the model's predictions are not finite", "its weights are damaged: fetch them again"
        )
    for values in (mean, *pictures):
        values.clip(0, 1, out=values)
    return Prediction(mean, std, pictures, (*_notes(model, pixels, hole), *notes[:samples]))


def _possible(
    sampler: Sampler, model: NeuralProcess[Any], context: Context, hole: Hole
) -> tuple[Sampler, tuple[str, ...]]:
    """The sampler, or the one that stands for it where no cell of a coarser grid is empty."""
    if sampler.kind != "autoregressive" or context.size == hole.shape:
        return sampler, ()
    if not context.mask().all():
        return sampler, ()
    kind: Kind = "latent" if has_latent(model) else "independent"
    note = f"every cell of the coarser grid is observed in part: samples are {kind}"
    return replace(sampler, kind=kind), (note,)


def _noises(
    targets: int, channels: int, seed: int, samples: int
) -> Iterator[Float[np.ndarray, "target channel"]]:
    """The standard normal noise that a baseline's samples are made from."""
    for number in range(samples):
        yield torch.randn(targets, channels, generator=generator(seed, "sample", number)).numpy()


def _context(model: NeuralProcess[Any], pixels: Array, hole: Hole) -> Context:
    """What the model sees; a colour picture becomes a batch of channels for a grey model."""
    frame = hole.shape[0], hole.shape[1]
    values, observed = pixels, ~hole
    if not model.any_size:
        values, observed = observed_average(values, observed, model.config.size)
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
    if longer > config.size and not model.any_size:
        notes.append(
            f"the picture is {hole.shape[1]}x{hole.shape[0]} and the model was made for "
            f"{config.size}x{config.size}: the observed pixels are averaged onto a coarser grid, "
            "and the hole is filled smoothly"
        )
    if pixels.shape[-1] > config.channels:
        notes.append("the model is for grey pictures: each colour channel is completed by itself")
    if pixels.shape[-1] < config.channels and not model.any_size:
        notes.append("the model is for RGB pictures: the grey picture is completed as RGB")
    return tuple(notes)
