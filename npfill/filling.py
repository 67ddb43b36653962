"""Predictions with a model or baseline at hand, until their callers use `npfill.predictor`."""

from npfill.baselines import Baseline
from npfill.predictor import Array, BaselinePredictor, HoleArray, Prediction
from npfill.predictor.neural import predict_with as by_model

__all__ = ["Array", "Prediction", "by_baseline", "by_model"]


def by_baseline(
    baseline: Baseline, pixels: Array, hole: HoleArray, samples: int, seed: int
) -> Prediction:
    """Predict a hole by a baseline."""
    predictor = BaselinePredictor(baseline, baseline.name, baseline.name)
    return predictor.predict(pixels, hole, samples=samples, seed=seed)
