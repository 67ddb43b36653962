"""Objectives of training: losses of a model and a batch."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.training.batch import Batch
from npfill.training.distributed import all_reduce_sum
from npfill.training.tables import Objective

# Least sum of weights: a step may have no scored target.
_TINY = 1e-12


@dataclass(frozen=True)
class Loss:
    """Scalar to minimise, in nats per target pixel, and the KL in nats per picture."""

    total: Float[Tensor, ""]
    kl: Float[Tensor, ""]


def loss(model: NeuralProcess, batch: Batch, objective: Objective, kl_weight: float) -> Loss:
    """Compute the loss: `nll` for a conditional variant, else `elbo`.

    Args:
        model: The model in training.
        batch: Contexts, targets and truth.
        objective: The recipe's objective.
        kl_weight: Factor of the ELBO's KL; 1 is the ELBO.
    """
    beta = objective.beta
    if batch.noise is None:
        return decibels(model, batch) if objective.decibels else nll(model, batch, beta)
    return elbo(model, batch, beta, kl_weight, objective.from_context)


def nll(model: NeuralProcess, batch: Batch, beta: float) -> Loss:
    """-log p(y_T | x_T, C) (Garnelo et al. 2018a, equation 4)."""
    predicted = model.predict(model.encode(batch.context), None, batch.targets)
    fit = per_target(weighted_log_likelihood(predicted, batch, beta), batch)
    return Loss(-fit.mean(), torch.zeros_like(fit[0]))


def decibels(model: NeuralProcess, batch: Batch) -> Loss:
    """The log of each picture's mean squared error, halved, and the NLL of the scale alone.

    A hole counts by what it gains in dB, not by how hard it is, up to 50 dB (1e-5).
    """
    predicted = model.predict(model.encode(batch.context), None, batch.targets)
    error = per_target((predicted.mean - batch.truth).square().mean(-1), batch)
    centred = Gaussian(predicted.mean.detach(), predicted.scale)
    fit = per_target(centred.log_prob(batch.truth).sum(-1), batch)
    total = 0.5 * (error + 1e-5).log().mean() - fit.mean()
    return Loss(total, torch.zeros_like(total))


def elbo(
    model: NeuralProcess, batch: Batch, beta: float, kl_weight: float, from_context: float
) -> Loss:
    """Negative evidence lower bound, with the conditional prior and one z.

    E_{q(z|C,T)} log p(y_T | x_T, z) - KL(q(z|C,T) || q(z|C)) (Garnelo et al. 2018b, equation 9),
    with T all that is known and not observed. Where a step scores only some of T, their mean
    log-likelihood stands for that of all, so the bound is unbiased; where it scores observed pixels
    too (`objective.observed`), the mean is over those as well, and the KL counts for more.

    A fraction `from_context` of the loss is instead `npml`, with z drawn from q(z | C), as in use.
    With one draw that is the hybrid objective of Sohn et al. 2015, "Learning Structured Output
    Representation using Deep Conditional Generative Models", equation 6.
    """
    assert batch.noise is not None
    masks = torch.stack([batch.context.observed, batch.whole.observed])
    prior, posterior = model.infer_each(batch.whole.pixels, masks)
    z = posterior.rsample(batch.noise[:1])
    if from_context:
        z = torch.cat([z, prior.rsample(batch.noise[1:])])
    predicted = model.predict(model.encode(batch.context), z, batch.targets)
    fit = per_target(weighted_log_likelihood(predicted, batch, beta), batch)
    kl = posterior.kl(prior).sum(-1)
    penalty = kl / (batch.whole.mask() & ~batch.context.mask()).sum(1).clamp(min=1)
    total = (1.0 - from_context) * (fit[0] - kl_weight * penalty).mean()
    if from_context:
        joint = (predicted.log_prob(batch.truth).sum(-1) * batch.target_mask).sum(-1)
        total = total + from_context * npml(joint[1:], fit[1:]).mean()
    return Loss(-total, kl.mean().detach())


def npml(
    joint: Float[Tensor, "draw batch"], fit: Float[Tensor, "draw batch"]
) -> Float[Tensor, " batch"]:
    """Surrogate with the gradient of log (1/K) Σ_k p(y_T | x_T, z_k), z_k ~ q(z | C).

    Foong et al. 2020, "Meta-Learning Stationary Stochastic Process Prediction with Convolutional
    Neural Processes", equation 8. The gradient is that of the log-likelihoods, each weighted by
    its fraction of the sum; so written, they can be weighted by scale while the fractions stay.

    Args:
        joint: log p(y_T | x_T, z_k).
        fit: The same in any weighting, which is differentiated.
    """
    return (joint.detach().softmax(0) * fit).sum(0)


def per_target(
    likelihood: Float[Tensor, "*sample batch target"], batch: Batch
) -> Float[Tensor, "*sample batch"]:
    """Average over the scored targets of each picture."""
    return (likelihood * batch.target_mask).sum(-1) / batch.target_mask.sum(-1).clamp(min=1)


def weighted_log_likelihood(
    predicted: Gaussian, batch: Batch, beta: float
) -> Float[Tensor, "*sample batch target"]:
    """Weight log p(y) of each target, summed over channels, by scale^beta, its gradient stopped.

    β-NLL (Seitzer et al. 2022, "On the Pitfalls of Heteroscedastic Uncertainty Estimation with
    Probabilistic Neural Networks", equation 5; our beta is twice theirs, which weights by
    variance). The weights are normalised to a mean of 1 over the scored targets of all
    processes, so that a KL beside them keeps its proportion.
    """
    log_prob = predicted.log_prob(batch.truth)
    if beta:
        weights = predicted.scale.detach() ** beta
        counted = batch.target_mask.unsqueeze(-1).expand_as(weights)
        count, weight = all_reduce_sum(torch.stack([counted.sum(), (weights * counted).sum()]))
        log_prob = log_prob * weights * (count / weight.clamp(min=_TINY))
    return log_prob.sum(-1)
