"""Scores of predictions against the truth."""

import math
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.seeds import generator

# The numbers of random context pixels that scores are reported at, by side of the grid.
PROTOCOL_COUNTS = {28: (10, 50, 100, 300), 32: (10, 100, 1000), 64: (50, 200, 500, 1000)}


def counts_for(size: int) -> tuple[int, ...]:
    """Numbers of random context pixels for a grid: the protocol's, or 1, 5, 10 and 40 % of it."""
    shares = tuple(max(1, round(share * size * size)) for share in (0.01, 0.05, 0.1, 0.4))
    return PROTOCOL_COUNTS.get(size, shares)


def predictive(
    model: NeuralProcess[Any], context: Context, targets: Targets, draws: int, seed: int
) -> Gaussian:
    """The predictive distribution for each of `draws` draws of z from q(z | C).

    Returns:
        Gaussians "draw batch target channel"; one draw for a conditional variant.
    """
    prior = model.infer(context)
    encoded = model.encode(context)
    if prior is None:
        answer = model.predict(encoded, None, targets)
        return Gaussian(answer.mean.unsqueeze(0), answer.scale.unsqueeze(0))
    noise = torch.stack(
        [torch.randn(prior.mean.shape, generator=generator(seed, "z", k)) for k in range(draws)]
    )
    return model.predict(encoded, prior.rsample(noise.to(prior.mean)), targets)


def log_likelihood(
    predicted: Gaussian, truth: Float[Tensor, "batch target channel"], mask: Bool[Tensor, "batch target"]
) -> Float[Tensor, " batch"]:
    """Joint log-likelihood of each picture's masked targets, in nats per target pixel.

    log (1/K) Σ_k Π_t p(y_t | z_k), summed over channels, over the number of targets: an estimate
    that is biased low for few draws.
    """
    per_draw = (predicted.log_prob(truth).sum(-1) * mask).sum(-1)
    joint = per_draw.logsumexp(0) - math.log(len(per_draw))
    return joint / mask.sum(-1).clamp(min=1)


def squared_error(
    predicted: Gaussian, truth: Float[Tensor, "batch target channel"], mask: Bool[Tensor, "batch target"]
) -> Float[Tensor, " batch"]:
    """Mean squared error of the predictive mean over each picture's masked targets."""
    error = (predicted.mean.mean(0) - truth).square().mean(-1)
    return (error * mask).sum(-1) / mask.sum(-1).clamp(min=1)
