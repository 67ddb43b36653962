"""A neural process with one of its samplers: what its samples are like, and their density."""

import math
import time
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Context, Targets
from npfill.evaluate.answers import Answer, ModelCompleter
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.sampling import Sampler, samples
from npfill.sampling.autoregressive import Index, Values, revealed
from npfill.sampling.latents import has_latent, latent_noise
from npfill.sampling.rounds import order, round_sizes
from npfill.scores import floored, pointwise_log_likelihood

_SAMPLES = 10
# The joint density of an autoregressive path is that of blocks, and not of one pixel at a time,
# which would be dear; over so many orders, and for a latent variant so many z for each.
BLOCKS, ORDERS, LATENTS = 32, 2, 4


class SamplerCompleter(ModelCompleter):
    """A neural process whose samples and joint likelihood are those of a sampler.

    Args:
        model: The model, in evaluation mode.
        sampler: How samples are drawn.
        latents: Draws of z for all else.
        seed: Of the draws.
    """

    def __init__(
        self, model: NeuralProcess[Any], sampler: Sampler, latents: int, seed: int
    ) -> None:
        super().__init__(model, latents, seed)
        self.sampler = sampler

    def answer(
        self,
        pixels: Float[Tensor, "batch channel height width"],
        observed: Bool[Tensor, "batch 1 height width"],
    ) -> Answer:
        """That of the model, but for samples and joint likelihoods; samples are timed."""
        answer, context = super().answer(pixels, observed), Context(pixels, observed)
        targets = Targets.every(context.size, pixels.device)
        started = time.perf_counter()
        drawn = samples(self.model, context, targets, self.sampler, self.seed, _SAMPLES)
        seconds = (time.perf_counter() - started) / (_SAMPLES * len(pixels))
        likelihoods = answer.likelihoods
        if self.sampler.kind == "autoregressive":
            likelihoods = path_likelihoods(self.model, context, self.seed)
        elif self.sampler.kind == "independent" and answer.components is not None:
            truth, hole = targets.values(pixels), ~context.mask()
            own, least = (
                pointwise_log_likelihood(parts, truth, hole)
                for parts in (answer.components, floored(answer.components))
            )
            likelihoods = own, least
        return replace(
            answer,
            samples=drawn.clamp(0.0, 1.0),
            likelihoods=likelihoods,
            seconds=torch.full((len(pixels),), seconds),
        )

    def chunk(self, pixels: int) -> int:
        """One, so that samples are timed as they are drawn for a user."""
        return 1


def path_likelihoods(
    model: NeuralProcess[Any], context: Context, seed: int
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Joint log-likelihood of the holes along autoregressive paths, plain and floored.

    Mean over orders of log (1/K) Σ_z Π_k p(y_k | C, y_1 .. y_(k-1), z) over the blocks k, in nats
    per target pixel, with the noise of z held for a path: a density of the truth, as each term
    is one. An estimate that is biased low for few z.

    Args:
        model: The model.
        context: Pictures of which all pixels are known; holes of one size.
        seed: Of orders and z.
    """
    each = [_along(model, context, seed, number) for number in range(ORDERS)]
    own, least = (torch.stack(values).mean(0) for values in zip(*each, strict=True))
    return own, least


def _along(
    model: NeuralProcess[Any], context: Context, seed: int, number: int
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """The same for one order."""
    latents, batch = LATENTS if has_latent(model) else 1, len(context.pixels)
    repeated = replace(
        context,
        pixels=context.pixels.repeat(latents, 1, 1, 1),
        observed=context.observed.repeat(latents, 1, 1, 1),
    )
    truth = repeated.pixels.flatten(2).mT
    sums = truth.new_zeros(2, len(truth))

    def known(predicted: Gaussian, index: Index) -> Values:
        values = truth.gather(1, index.unsqueeze(-1).expand(-1, -1, truth.shape[-1]))
        both = predicted, floored(predicted)
        sums.add_(torch.stack([parts.log_prob(values).sum((1, 2)) for parts in both]))
        return values

    held = None
    if has_latent(model):
        width, numbers = model.config.latent, range(number * latents, (number + 1) * latents)
        noise = latent_noise(width, seed, "scores", numbers).to(truth)
        held = noise.repeat_interleave(batch, dim=0)
    indices = order(~context.mask(), context.size, seed, number).repeat(latents, 1)
    sizes = round_sizes(indices.shape[1], BLOCKS)
    revealed(model, repeated, indices, sizes, held, known)
    joint = sums.unflatten(1, (latents, batch)).logsumexp(1) - math.log(latents)
    own, least = joint / indices.shape[1]
    return own, least
