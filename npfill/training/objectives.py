"""What training minimises: functions of a model and a batch."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.training.batches import Batch


@dataclass(frozen=True)
class Loss:
    """The scalar to minimise, in nats per target pixel, and the KL in nats per picture."""

    total: Float[Tensor, ""]
    kl: Float[Tensor, ""]


def loss(
    model: NeuralProcess[Any],
    batch: Batch,
    beta: float,
    kl_weight: float,
    noise: torch.Generator,
) -> Loss:
    """The negative log-likelihood of a conditional variant, the negative ELBO of a latent one.

    E_{q(z|C,T)} log p(y_T | x_T, z) - KL(q(z|C,T) || q(z|C)), with the conditional prior (Garnelo
    et al. 2018b, equation 9), one z, and T all that is not observed. Where a step scores only some
    of T, their mean log-likelihood stands for that of all, so the bound is unbiased.

    Args:
        model: The model in training.
        batch: Contexts, targets and truth.
        beta: Each pixel's likelihood is weighted by scale^beta, as in `weighted_log_likelihood`.
        kl_weight: Factor of the KL; 1 is the ELBO.
        noise: Where the noise of z comes from.
    """
    encoded = model.encode(batch.context)
    prior, posterior = model.infer(batch.context), model.infer(batch.whole)
    z, kl = None, torch.zeros((), device=batch.truth.device)
    per_target = batch.asked.sum(1).clamp(min=1)
    penalty = torch.zeros((), device=batch.truth.device)
    if prior is not None and posterior is not None:
        draws = torch.randn(posterior.mean.shape, generator=noise, device=noise.device)
        z = posterior.rsample(draws).unsqueeze(0)
        each = posterior.kl(prior).sum(-1)
        kl, penalty = each.mean(), each / (~batch.context.mask()).sum(1).clamp(min=1)
    predicted = model.predict(encoded, z, batch.targets)
    likelihood = weighted_log_likelihood(predicted, batch, beta)
    fit = (likelihood * batch.asked).sum(-1) / per_target
    return Loss((kl_weight * penalty - fit).mean(), kl.detach())


def weighted_log_likelihood(
    predicted: Gaussian, batch: Batch, beta: float
) -> Float[Tensor, "*sample batch target"]:
    """log p(y) of each target, summed over channels, times scale^beta with its gradient stopped.

    β-NLL (Seitzer et al. 2022, "On the Pitfalls of Heteroscedastic Uncertainty Estimation with
    Probabilistic Neural Networks", equation 5; our beta is twice theirs, which weights by
    variance). The weights are normalised to a mean of 1 over the targets that count, so that a KL
    beside them keeps its share.
    """
    log_prob = predicted.log_prob(batch.truth)
    if beta:
        weights = predicted.scale.detach() ** beta
        counted = batch.asked.unsqueeze(-1).expand_as(weights)
        log_prob = log_prob * weights * (counted.sum() / (weights * counted).sum())
    return log_prob.sum(-1)
