"""Scores of distributions that are known equal what the formulas of a textbook give."""

import math
from statistics import NormalDist

import pytest
import torch
from torch import Tensor

from npfill.gaussian import Gaussian, mixture_moments
from npfill.scores import (
    centrality,
    coverage,
    log_likelihood,
    pointwise_log_likelihood,
    squared_error,
    z_squared,
)

ALL = torch.ones(1, 4, dtype=torch.bool)


def values(*numbers: float) -> Tensor:
    """One picture of as many targets, of one channel."""
    return torch.tensor(numbers, dtype=torch.float64).view(1, -1, 1)


def mixture(*parts: tuple[float, float], targets: int = 4) -> Gaussian:
    """The same mixture at every target."""
    table = torch.tensor(parts, dtype=torch.float64)
    shape = (len(parts), 1, targets, 1)
    mean, scale = (table[:, column].view(-1, 1, 1, 1).expand(shape) for column in (0, 1))
    return Gaussian(mean, scale)


def test_one_gaussian_has_the_closed_form_of_every_score() -> None:
    predicted, truth = mixture((0.5, 0.2)), values(0.1, 0.5, 0.6, 1.0)
    densities = [NormalDist(0.5, 0.2).pdf(float(y)) for y in truth.flatten()]
    expected = sum(map(math.log, densities)) / 4
    assert log_likelihood(predicted, truth, ALL).item() == pytest.approx(expected)
    assert pointwise_log_likelihood(predicted, truth, ALL).item() == pytest.approx(expected)
    moments = mixture_moments(predicted)
    assert z_squared(moments, truth, ALL).item() == pytest.approx((4 + 0 + 0.25 + 6.25) / 4)
    error = squared_error(moments.mean, truth, ALL).item()
    assert error == pytest.approx((0.16 + 0 + 0.01 + 0.25) / 4)


def test_truths_at_the_quantiles_are_covered_as_often_as_the_level_says() -> None:
    numbers = [NormalDist(0.5, 0.2).inv_cdf((i + 0.5) / 1000) for i in range(1000)]
    truth, everything = values(*numbers), torch.ones(1, 1000, 1, dtype=torch.bool)
    inside = centrality(mixture((0.5, 0.2), targets=1000), truth)
    for level in (0.1, 0.5, 0.9):
        assert coverage(inside, everything, level).item() == pytest.approx(level, abs=2e-3)


def test_the_central_interval_of_two_components_is_the_mixtures() -> None:
    """From -3 - s to 3 + s, with a quarter of the probability on either side."""
    parts = NormalDist(-3, 1), NormalDist(3, 1)
    low, high = 0.0, 10.0
    for _ in range(60):
        end = (low + high) / 2
        below = sum(part.cdf(end) for part in parts) / 2
        low, high = (end, high) if below < 0.75 else (low, end)
    truth = values(-low - 1e-6, -low + 1e-6, low - 1e-6, low + 1e-6)
    inside = centrality(mixture((-3, 1), (3, 1)), truth) <= 0.5
    assert inside.flatten().tolist() == [False, True, True, False]
    # A single Gaussian of the same mean and std would leave 3 outside of its central half.
    assert low > 3 - 1e-6
    assert NormalDist(0, math.sqrt(10)).inv_cdf(0.75) < 3


def test_the_joint_likelihood_of_a_mixture_keeps_the_targets_together() -> None:
    predicted, truth = mixture((0.0, 0.1), (1.0, 0.1), targets=2), values(0.0, 1.0)
    both = torch.ones(1, 2, dtype=torch.bool)
    first, second = NormalDist(0, 0.1), NormalDist(1, 0.1)
    joint = math.log((first.pdf(0) * first.pdf(1) + second.pdf(0) * second.pdf(1)) / 2)
    apart = math.log((first.pdf(0) + second.pdf(0)) / 2)
    assert log_likelihood(predicted, truth, both).item() == pytest.approx(joint / 2)
    assert pointwise_log_likelihood(predicted, truth, both).item() == pytest.approx(apart)


def test_the_channels_of_a_pixel_are_one_point() -> None:
    predicted = Gaussian(*(t.expand(2, 1, 1, 3) for t in (torch.zeros(1), torch.ones(1))))
    truth, one = torch.zeros(1, 1, 3), torch.ones(1, 1, dtype=torch.bool)
    expected = 3 * math.log(NormalDist().pdf(0))
    assert pointwise_log_likelihood(predicted, truth, one).item() == pytest.approx(expected)


def test_what_is_not_asked_for_does_not_count() -> None:
    predicted, asked = mixture((0.5, 0.2)), torch.tensor([[True, False, True, False]])
    truth, other = values(0.1, 0.5, 0.6, 1.0), values(0.1, math.nan, 0.6, 77.0)
    moments = mixture_moments(predicted)
    one, two = (z_squared(moments, each, asked).item() for each in (truth, other))
    assert one == two == pytest.approx((4 + 0.25) / 2)
    assert squared_error(moments.mean, truth, ~ALL).isnan().all()
