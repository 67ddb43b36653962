"""The protocol that every reported number follows."""

from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from npfill.context import Context, Targets
from npfill.data.holes import random_pixels
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.sampling import draws
from npfill.scores import log_likelihood, squared_error
from npfill.seeds import generator

# The numbers of random context pixels that scores are reported at, by side of the grid.
_PROTOCOL_COUNTS = {28: (10, 50, 100, 300), 32: (10, 100, 1000), 64: (50, 200, 500, 1000)}
_SHARES = (0.01, 0.05, 0.1, 0.4)
_SCORES = ("mse", "log_likelihood", "floored_log_likelihood", "kl")
# The floor under the scale that likelihoods are compared with published ones at.
COMMON_FLOOR = 0.1
_SEED = 0
# Pictures times draws in one batch: what bounds the memory.
_BATCH = 400


def counts_for(size: int) -> tuple[int, ...]:
    """Numbers of random context pixels for a grid: the protocol's, or shares of its pixels."""
    shares = tuple(max(1, round(share * size * size)) for share in _SHARES)
    return _PROTOCOL_COUNTS.get(size, shares)


@torch.no_grad()
def at_random_counts(
    model: NeuralProcess[Any], images: UInt8[Tensor, "image channel size size"], latents: int
) -> dict[str, Any]:
    """Scores at each number of random context pixels, over all other pixels.

    The masks depend on the number and the picture's place in the set alone, so that every model
    sees the same.

    Args:
        model: The model, in evaluation mode.
        images: Held-out pictures, bytes, on the model's device.
        latents: Draws of z from q(z | C), for a latent variant.

    Returns:
        `counts`, and for each of them `mse`; `log_likelihood`, joint, in nats per target pixel,
        with the model's own floor under the scale; `floored_log_likelihood`, the same with a floor
        of 0.1; `kl`, of q(z | all pixels) from q(z | C) in nats per picture, 0 for a conditional
        variant.
    """
    counts = counts_for(images.shape[-1])
    rows = [_at_count(model, images, count, latents) for count in counts]
    columns = zip(*rows, strict=True)
    return {"counts": list(counts)} | dict(zip(_SCORES, map(list, columns), strict=True))


def predictive(
    model: NeuralProcess[Any], context: Context, targets: Targets, latents: int, seed: int
) -> Gaussian:
    """The predictive distribution for each of `latents` draws of z from q(z | C).

    Returns:
        Gaussians "draw batch target channel"; one draw for a conditional variant.
    """
    latent = model.infer(context)
    encoded = model.encode(context)
    if latent is None:
        answer = model.predict(encoded, None, targets)
        return Gaussian(answer.mean.unsqueeze(0), answer.scale.unsqueeze(0))
    return model.predict(encoded, draws(latent, seed, "scores", latents), targets)


def _at_count(
    model: NeuralProcess[Any],
    images: UInt8[Tensor, "image channel size size"],
    count: int,
    latents: int,
) -> list[float]:
    """The scores at one number of context pixels, in the order of `_SCORES`."""
    size = images.shape[-1]
    targets = Targets.every((size, size), images.device)
    observed = random_pixels(len(images), size, count, generator(_SEED, "mask", count))
    rows = []
    chunk = max(1, _BATCH // latents)
    for some, seen in zip(images.split(chunk), observed.split(chunk), strict=True):
        pixels = some.float() / 255.0
        context = Context(pixels, seen.to(pixels.device), at_most=count)
        predicted = predictive(model, context, targets, latents, _SEED)
        floored = Gaussian(predicted.mean, predicted.scale.clamp(min=COMMON_FLOOR))
        truth, asked = targets.values(pixels), ~context.mask()
        scores = [
            squared_error(predicted, truth, asked),
            log_likelihood(predicted, truth, asked),
            log_likelihood(floored, truth, asked),
            _kl_of_whole(model, context),
        ]
        rows.append(torch.stack(scores))
    return torch.cat(rows, dim=1).mean(1).tolist()


def _kl_of_whole(model: NeuralProcess[Any], context: Context) -> Float[Tensor, " batch"]:
    """KL(q(z | all pixels) || q(z | C)): what the rest of the picture would tell of z."""
    prior = model.infer(context)
    whole = model.infer(Context(context.pixels, torch.ones_like(context.observed)))
    if prior is None or whole is None:
        return torch.zeros(len(context.pixels), device=context.pixels.device)
    return whole.kl(prior).sum(-1)
