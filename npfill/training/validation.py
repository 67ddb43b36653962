"""Scores on held-out pictures while a model trains."""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from npfill.context import Context, Targets
from npfill.data.holes import random_pixels
from npfill.models import NeuralProcess
from npfill.scores import counts_for, log_likelihood, predictive, squared_error
from npfill.seeds import generator

_BATCH = 50
_SEED = 0


@torch.no_grad()
def validate(
    model: NeuralProcess[Any],
    images: UInt8[Tensor, "image channel size size"],
    draws: int,
) -> dict[str, Any]:
    """Scores at each number of random context pixels, over all other pixels.

    Args:
        model: The model, in evaluation mode.
        images: Held-out pictures, bytes.
        draws: Draws of z from the context, for latent variants.

    Returns:
        `counts`, and for each of them `mse` and `log_likelihood` (joint, nats per target pixel,
        with the model's own floor), and the mean of the latter as `mean_log_likelihood`.
    """
    counts = counts_for(images.shape[-1])
    scores = [_at(model, images, count, draws) for count in counts]
    likelihoods = [likelihood for _, likelihood in scores]
    return {
        "counts": list(counts),
        "mse": [error for error, _ in scores],
        "log_likelihood": likelihoods,
        "mean_log_likelihood": sum(likelihoods) / len(likelihoods),
    }


def _at(
    model: NeuralProcess[Any], images: UInt8[Tensor, "image channel size size"], count: int, draws: int
) -> tuple[float, float]:
    size = images.shape[-1]
    targets = Targets.every((size, size), images.device)
    errors, likelihoods = [], []
    for number, pixels in enumerate(_batches(images)):
        observed = random_pixels(len(pixels), size, count, generator(_SEED, "mask", count, number))
        context = Context(pixels, observed.to(pixels.device), at_most=count)
        predicted = predictive(model, context, targets, draws, _SEED)
        truth, mask = targets.values(pixels), ~context.mask()
        errors.append(squared_error(predicted, truth, mask))
        likelihoods.append(log_likelihood(predicted, truth, mask))
    return torch.cat(errors).mean().item(), torch.cat(likelihoods).mean().item()


def _batches(images: UInt8[Tensor, "image channel size size"]) -> Iterator[Tensor]:
    for chunk in images.split(_BATCH):
        yield chunk.float() / 255.0
