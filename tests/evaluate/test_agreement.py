"""Samples beside what is predicted and what was there."""

import torch
from torch import Tensor

from npfill.evaluate import AGREEMENT
from npfill.evaluate.case import Case
from npfill.evaluate.metrics import METRICS
from npfill.evaluate.predictions import BatchPrediction
from npfill.seeds import generator

SHAPE = (1, 1, 40, 40)
HOLE = torch.zeros(SHAPE, dtype=torch.bool)
HOLE[..., 8:32, 8:32] = True


def score(name: str, truth: Tensor, samples: Tensor, mean: Tensor) -> float:
    drawn = samples.flatten(3).mT
    prediction = BatchPrediction(mean.flatten(2).mT, samples=drawn)
    found = METRICS[name].compute(Case(prediction, truth, ~HOLE))
    assert found is not None
    return float(found)


def normal(*words: int | str, count: int = 1) -> Tensor:
    return 0.5 + 0.1 * torch.randn(count, *SHAPE, generator=generator("agreement", *words))


def test_every_one_is_in_the_table_of_metrics() -> None:
    assert METRICS.keys() >= set(AGREEMENT)


def test_a_truth_that_is_one_of_the_samples_is_beyond_them_as_often_as_it_should_be() -> None:
    truth, mean = normal("truth")[0], torch.full(SHAPE, 0.5)
    samples = normal("samples", count=9)
    assert abs(score("beyond", truth, samples, mean) - 1) < 0.2
    narrow = 0.5 + (samples - 0.5) / 3
    assert score("beyond", truth, narrow, mean) > 2


def test_the_mean_of_samples_that_agree_with_the_mean_is_as_near_to_the_truth() -> None:
    truth, mean = normal("truth")[0], torch.full(SHAPE, 0.5)
    samples = normal("samples", count=64)
    assert abs(score("mean_of_samples", truth, samples, mean)) < 0.3
    assert score("mean_of_samples", truth, samples + 0.2, mean) < -3
