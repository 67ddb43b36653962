"""A neural process with one of its samplers: what its samples are like, and their density."""

import time
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Context, Targets
from npfill.evaluate.answers import Answer, ModelCompleter
from npfill.models import NeuralProcess
from npfill.sampling import Sampler

_SAMPLES = 10


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
        given = self.model.condition(context)
        drawn = self.sampler.sample(given, targets, self.seed, _SAMPLES)
        seconds = (time.perf_counter() - started) / (_SAMPLES * len(pixels))
        truth, hole = targets.values(pixels), ~context.mask()
        likelihoods = self.sampler.log_likelihood(given, truth, hole, self.seed, self.latents)
        return replace(
            answer,
            samples=drawn.clamp(0.0, 1.0),
            likelihoods=likelihoods,
            seconds=torch.full((len(pixels),), seconds),
        )

    def chunk(self, pixels: int) -> int:
        """One, so that samples are timed as they are drawn for a user."""
        return 1
