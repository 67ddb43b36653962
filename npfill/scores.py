"""Scores: functions of predictions and truth, one number for each picture of a batch.

A prediction is a mixture of equal parts along a leading axis, one for each draw of z; a
conditional variant has one part. Scores are means over the targets asked for, and NaN for a
picture without any.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.gaussian import Gaussian


def over(
    values: Float[Tensor, "batch target"], asked: Bool[Tensor, "batch target"]
) -> Float[Tensor, " batch"]:
    """The mean over the targets asked for; NaN where there are none."""
    return torch.where(asked, values, 0.0).sum(-1) / asked.sum(-1)


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
    return joint / asked.sum(-1)


def pointwise_log_likelihood(
    predicted: Gaussian,
    truth: Float[Tensor, "batch target channel"],
    asked: Bool[Tensor, "batch target"],
) -> Float[Tensor, " batch"]:
    """Mean over targets of log (1/K) Σ_k p(y_t | z_k), in nats per target pixel.

    The density of a pixel is that of its channels together. For one draw it is the joint one.
    """
    each = predicted.log_prob(truth).sum(-1)
    return over(each.logsumexp(0) - math.log(len(each)), asked)


def squared_error(
    mean: Float[Tensor, "batch target channel"],
    truth: Float[Tensor, "batch target channel"],
    asked: Bool[Tensor, "batch target"],
) -> Float[Tensor, " batch"]:
    """Mean squared error of the predictive mean."""
    return over((mean - truth).square().mean(-1), asked)


def z_squared(
    moments: Gaussian,
    truth: Float[Tensor, "batch target channel"],
    asked: Bool[Tensor, "batch target"],
) -> Float[Tensor, " batch"]:
    """Mean standardised squared error, for the predictive mean and std; 1 is calibrated."""
    return over(((truth - moments.mean) / moments.scale).square().mean(-1), asked)


def centrality(
    predicted: Gaussian, truth: Float[Tensor, "batch target channel"]
) -> Float[Tensor, "batch target channel"]:
    """The probability of the smallest central interval of the mixture that holds the truth.

    |2 F(y) - 1|, with F the mixture's cumulative distribution: a truth lies in the central
    interval of probability p where this is at most p. Exact, without the mixture's quantiles.
    """
    below = torch.special.ndtr((truth - predicted.mean) / predicted.scale).mean(0)
    return (2.0 * below - 1.0).abs()


def coverage(
    centrality: Float[Tensor, "batch target channel"],
    asked: Bool[Tensor, "batch target channel"],
    level: float,
) -> Float[Tensor, " batch"]:
    """Share of the intensities asked for that lie in the central interval of a probability."""
    return over((centrality <= level).to(centrality.dtype).flatten(1), asked.flatten(1))
