"""Predictions of a batch beside the truth: what metrics are computed from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill import scores
from npfill.evaluate import classifier
from npfill.evaluate.predictions import BatchPrediction
from npfill.gaussian import Gaussian, mixture_moments

# Probabilities between which those of intervals are interpolated.
_LEVELS = np.linspace(0, 1, 401)[1:-1]


@dataclass(frozen=True)
class Case:
    """A batch of predictions beside the truth: all that a metric is computed from.

    Attributes:
        prediction: The prediction of every pixel.
        pictures: The truth.
        observed: True where the pictures are observed.
    """

    prediction: BatchPrediction
    pictures: Float[Tensor, "batch channel height width"]
    observed: Bool[Tensor, "batch 1 height width"]

    @cached_property
    def truth(self) -> Float[Tensor, "batch pixel channel"]:
        """The truth, pixel by pixel."""
        return self.pictures.flatten(2).mT

    @cached_property
    def target(self) -> Bool[Tensor, "batch pixel"]:
        """True at the pixels to predict."""
        return ~self.observed.flatten(1)

    @cached_property
    def mean(self) -> Float[Tensor, "batch channel height width"]:
        """The predictive mean as pictures."""
        return self._pictures(self.prediction.mean)

    @cached_property
    def moments(self) -> Gaussian | None:
        """Mean and std of the predictive distribution; None without one."""
        parts = self.prediction.components
        return None if parts is None else mixture_moments(parts)

    @cached_property
    def samples(self) -> Float[Tensor, "sample batch channel height width"] | None:
        """Samples as pictures; None without any."""
        drawn = self.prediction.samples
        return None if drawn is None else torch.stack([self._pictures(each) for each in drawn])

    @cached_property
    def digits(self) -> Float[Tensor, "sample batch 1 28 28"] | None:
        """Pictures of a digit's size completed by each sample; None of other pictures."""
        if self.samples is None or self.pictures.shape[1:] != (1, *[classifier.SIZE] * 2):
            return None
        return torch.where(~self.observed, self.samples, self.pictures)

    @cached_property
    def uncalibrated_moments(self) -> Gaussian | None:
        """`moments` before the calibration of the scale, or the check on the picture."""
        parts = self.prediction.uncalibrated
        return None if parts is None else mixture_moments(parts)

    def centrality(self, *, calibrated: bool) -> Float[Tensor, "batch pixel channel"] | None:
        """See `scores.centrality`; None without a predictive distribution."""
        return self._centralities[calibrated]

    @cached_property
    def _centralities(self) -> tuple[Tensor | None, Tensor | None]:
        parts = self.prediction.uncalibrated, self.prediction.components
        before, after = (p if p is None else scores.centrality(p, self.truth) for p in parts)
        if self.prediction.half_width is not None and self.moments is not None:
            distance = ((self.truth - self.moments.mean) / self.moments.scale).abs()
            widths = [self.prediction.half_width(level) for level in _LEVELS]
            after = torch.from_numpy(np.interp(distance.cpu(), widths, _LEVELS)).to(distance)
        return before, after

    def _pictures(self, values: Float[Tensor, "batch pixel channel"]) -> Tensor:
        return values.mT.reshape(self.pictures.shape)
