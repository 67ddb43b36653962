"""What a joint distribution over a hole's pixels says: likelihoods and draws."""

import math

import numpy as np
import pytest

from npfill.baselines import BaselinePrediction

PIXELS, CHANNELS = 4, 3


def a_filled(blocks: int) -> BaselinePrediction:
    """A random joint distribution over pixels and channels, in so many independent blocks."""
    random = np.random.default_rng(0)
    values = PIXELS * CHANNELS // blocks
    factors = tuple(
        np.tril(random.normal(size=(values, values)) * 0.2) + np.eye(values) for _ in range(blocks)
    )
    mean = random.random((PIXELS, CHANNELS))
    return BaselinePrediction(mean, np.ones_like(mean), factors)


def covariance_of(filled: BaselinePrediction) -> np.ndarray:
    """The whole covariance, in channel-major order."""
    assert filled.factors is not None
    size, each = filled.mean.size, len(filled.factors[0])
    whole = np.zeros((size, size))
    for number, factor in enumerate(filled.factors):
        block = slice(number * each, (number + 1) * each)
        whole[block, block] = factor @ factor.T
    return whole


def log_normal(value: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """log N(value; mean, covariance), by the formula."""
    shift = value - mean
    return float(
        -0.5 * shift @ np.linalg.solve(covariance, shift)
        - 0.5 * np.linalg.slogdet(covariance).logabsdet
        - 0.5 * len(shift) * math.log(2 * math.pi)
    )


@pytest.mark.parametrize("blocks", [1, 3])
def test_the_likelihood_is_that_of_the_joint_gaussian(blocks: int) -> None:
    filled = a_filled(blocks)
    truth = np.random.default_rng(1).random((PIXELS, CHANNELS))
    expected = log_normal(truth.T.ravel(), filled.mean.T.ravel(), covariance_of(filled))
    assert filled.log_likelihood(truth, 0.0) == pytest.approx(expected, rel=1e-12)


def test_a_floor_widens_each_value_given_those_before_it() -> None:
    filled, floor = a_filled(1), 1.3
    truth = np.random.default_rng(1).random((PIXELS, CHANNELS))
    covariance, value, mean = covariance_of(filled), truth.T.ravel(), filled.mean.T.ravel()
    expected = 0.0
    for k in range(len(value)):
        gain = np.linalg.solve(covariance[:k, :k], covariance[:k, k])
        variance = covariance[k, k] - gain @ covariance[:k, k]
        widened = np.array([[max(math.sqrt(variance), floor) ** 2]])
        given = mean[k : k + 1] + gain @ (value[:k] - mean[:k])
        expected += log_normal(value[k : k + 1], given, widened)
    assert filled.log_likelihood(truth, floor) == pytest.approx(expected, rel=1e-9)


def test_a_floor_below_every_std_changes_nothing() -> None:
    filled = a_filled(3)
    truth = np.random.default_rng(1).random((PIXELS, CHANNELS))
    assert filled.log_likelihood(truth, 1e-6) == filled.log_likelihood(truth, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [1, 3])
def test_samples_have_the_mean_and_covariance(blocks: int) -> None:
    filled = a_filled(blocks)
    noise = np.random.default_rng(2).normal(size=(5_000, PIXELS, CHANNELS))
    drawn = np.stack([filled.sample(each).T.ravel() for each in noise])
    assert drawn.mean(0) == pytest.approx(filled.mean.T.ravel(), abs=0.1)
    assert np.cov(drawn.T) == pytest.approx(covariance_of(filled), abs=0.15)


def test_without_factors_there_is_neither_a_likelihood_nor_a_sample() -> None:
    filled = BaselinePrediction(np.zeros((PIXELS, CHANNELS)))
    for ask in (
        lambda: filled.log_likelihood(filled.mean, 0.0),
        lambda: filled.sample(filled.mean),
    ):
        with pytest.raises(ValueError, match="no joint distribution"):
            ask()
