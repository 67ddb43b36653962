"""Scores: functions of predictions and truth."""

import math

from jaxtyping import Bool, Float
from torch import Tensor

from npfill.gaussian import Gaussian


def log_likelihood(
    predicted: Gaussian,
    truth: Float[Tensor, "batch target channel"],
    asked: Bool[Tensor, "batch target"],
) -> Float[Tensor, " batch"]:
    """Joint log-likelihood of each picture's targets, in nats per target pixel.

    log (1/K) Σ_k Π_t p(y_t | z_k), summed over channels, over the number of targets asked for: an
    estimate that is biased low for few draws.
    """
    each = (predicted.log_prob(truth).sum(-1) * asked).sum(-1)
    joint = each.logsumexp(0) - math.log(len(each))
    return joint / asked.sum(-1).clamp(min=1)


def squared_error(
    predicted: Gaussian,
    truth: Float[Tensor, "batch target channel"],
    asked: Bool[Tensor, "batch target"],
) -> Float[Tensor, " batch"]:
    """Mean squared error of the predictive mean over each picture's targets."""
    error = (predicted.mean.mean(0) - truth).square().mean(-1)
    return (error * asked).sum(-1) / asked.sum(-1).clamp(min=1)
