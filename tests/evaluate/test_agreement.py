"""Samples beside what is predicted and what was there."""

import pytest
import torch
from torch import Tensor

from npfill.evaluate.agreement import AGREEMENT, RANKS
from npfill.evaluate.case import Case
from npfill.evaluate.metrics import METRICS
from npfill.evaluate.predictions import BatchPrediction
from npfill.seeds import generator

SHAPE = (1, 1, 40, 40)
HOLE = torch.zeros(SHAPE, dtype=torch.bool)
HOLE[..., 8:32, 8:32] = True
CASES = ((1 / 3, 0.0), (3.0, 0.0), (1.0, -0.15))  # width and shift


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


def ranks(truth: Tensor, samples: Tensor) -> Tensor:
    mean = torch.full(SHAPE, 0.5)
    return torch.tensor([score(name, truth, samples, mean) for name in RANKS])


def test_the_rank_of_a_truth_that_is_one_of_the_samples_is_any() -> None:
    truth, samples = normal("truth")[0], normal("samples", count=9)
    assert ranks(truth, samples).sum() == pytest.approx(1)
    assert (ranks(truth, samples) - 0.2).abs().max() < 0.06
    narrow, wide, lower = (ranks(truth, 0.5 + (samples - 0.5) * w + d) for w, d in CASES)
    assert min(narrow[0], narrow[4]) > 0.3
    assert max(wide[0], wide[4]) < 0.1
    assert lower[4] > 0.6


@pytest.mark.parametrize("kind", ["rare strokes", "black or white", "clamped", "within a level"])
def test_with_each_draw_as_the_truth_in_turn_ranks_are_even_and_none_is_beyond_the_others(
    kind: str,
) -> None:
    off, chance = normal(kind, count=6) - 0.5, normal("chance", count=6)
    every = {
        "rare strokes": torch.where(chance > 0.65, 5 * off.abs(), off.abs() / 1000).clamp(max=1),
        "black or white": (chance > 0.65).float(),
        "clamped": (3 * off).clamp(0, 1),
        "within a level": 0.5 + off / 50,
    }[kind]
    turns = [(every[k], every[torch.arange(6) != k]) for k in range(6)]
    beyond = [score("beyond", *turn, torch.full(SHAPE, 0.5)) for turn in turns]
    assert sum(beyond) / 6 == pytest.approx(1)
    mean = torch.stack([ranks(*turn) for turn in turns]).mean(0)
    assert mean.tolist() == pytest.approx([0.2] * 5, abs=1e-6)


def test_ties_are_spread_over_their_ranks() -> None:
    truth, samples = torch.full(SHAPE, 0.5), torch.full((4, *SHAPE), 0.5)
    samples[0] = 0.4
    assert ranks(truth, samples).tolist() == pytest.approx([0, 0.25, 0.25, 0.25, 0.25])


def test_draws_from_the_right_distribution_have_the_least_energy_score() -> None:
    truth, mean = normal("truth")[0], torch.full(SHAPE, 0.5)
    samples = normal("samples", count=16)
    right = score("energy", truth, samples, mean)
    blurred = torch.nn.functional.avg_pool2d(samples[:, 0], 3, 1, 1).unsqueeze(1)
    others = (samples + 0.2, 0.5 + (samples - 0.5) / 5, 0.5 + (samples - 0.5) * 2, blurred)
    assert right < min(score("energy", truth, each, mean) for each in others)
