"""Photographs under evaluation: pictures of any size, completed as for a user."""

import time
from dataclasses import dataclass, replace

import numpy as np
import torch

from npfill.evaluate.predictions import (
    BatchPrediction,
    BatchPredictor,
    Mask,
    Pixels,
    in_hole,
    one,
    pasted,
)
from npfill.predictor import NeuralPredictor, Predictor, self_check
from npfill.predictor.best import BestPredictor

# Samples of a photograph, where nobody says how many.
OF_PHOTOGRAPHS = 3


@dataclass(eq=False)
class AtOwnSize(BatchPredictor):
    """A predictor on pictures of any size, one at a time, timed: mean and checked std.

    Attributes:
        predictor: The predictor.
        seed: The seed.
        sampler: Draws samples, by its name; None to draw none.
        samples: The number of samples.
    """

    predictor: Predictor
    seed: int
    sampler: str | None = None
    samples: int = OF_PHOTOGRAPHS

    def predict(self, pixels: Pixels, observed: Mask) -> BatchPrediction:
        """Predict one picture: a Gaussian in each pixel, with what is known of its channels."""
        picture, hole = one(pixels, observed)
        whole = picture.astype(np.float64).reshape(-1, picture.shape[-1])
        if not hole.any():
            return BatchPrediction(torch.from_numpy(whole).unsqueeze(0))
        started, selected, check = time.perf_counter(), hole.reshape(-1), None
        predictor = self.predictor
        if isinstance(predictor, BestPredictor):
            predictor, check, _ = predictor.chosen(picture, hole, self.seed)
        elif isinstance(predictor, NeuralPredictor):
            check = self_check(predictor, picture, hole, self.seed)
        checked = time.perf_counter()
        predicted = predictor.predict(picture, hole, seed=self.seed, check=check)
        ended = time.perf_counter()
        seconds = torch.tensor([ended - started])
        prediction = replace(in_hole(whole, selected, predicted), seconds=seconds)
        if check is not None and predicted.own_std is not None:
            before = in_hole(whole, selected, replace(predicted, std=predicted.own_std)).components
            prediction = replace(prediction, uncalibrated=before, half_width=check.half_width)
        if self.sampler is None:
            return prediction
        alone, started, count = ended - checked, time.perf_counter(), self.samples
        drawn = predictor.predict(
            picture, hole, samples=count, seed=self.seed, sampler=self.sampler, check=check
        ).samples
        each = torch.tensor([max(0.0, time.perf_counter() - started - alone) / count])
        samples = [pasted(whole, selected, values) for values in drawn]
        return replace(prediction, samples=torch.stack(samples), sample_seconds=each)
