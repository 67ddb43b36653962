"""The linear Gaussian baseline is exact."""

import math

import numpy as np
import pytest
import torch

from npfill.baselines import build
from npfill.baselines.linear import NOISE, Linear, Statistics, fit
from npfill.errors import InputError
from tests.baselines.conftest import a_gaussian, a_hole, a_linear, noise

SIZE = (3, 4)
HOLE = a_hole(*SIZE, 0.5)


def prior_of(statistics: Statistics) -> np.ndarray:
    return statistics.covariance + NOISE**2 * np.eye(statistics.mean.size)


def closed_form(
    statistics: Statistics, values: np.ndarray, missing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the missing values given the others, by the textbook's formula."""
    prior, mean = prior_of(statistics), statistics.mean.ravel()
    seen = ~missing
    gain = np.linalg.solve(prior[np.ix_(seen, seen)], prior[np.ix_(seen, missing)]).T
    conditional = mean[missing] + gain @ (values[seen] - mean[seen])
    return conditional, prior[np.ix_(missing, missing)] - gain @ prior[np.ix_(seen, missing)]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_answer_is_the_conditional_gaussian(channels: int) -> None:
    statistics, picture = a_gaussian(channels, *SIZE), noise(*SIZE, channels)
    filled = Linear(statistics).fill(picture, HOLE)
    missing = np.tile(HOLE.ravel(), channels)
    mean, covariance = closed_form(statistics, np.moveaxis(picture, -1, 0).ravel(), missing)
    assert filled.factors is not None
    assert filled.std is not None
    (factor,) = filled.factors
    assert filled.mean.T.ravel() == pytest.approx(mean, abs=1e-9)
    assert filled.std.T.ravel() == pytest.approx(np.sqrt(covariance.diagonal()), abs=1e-9)
    assert factor @ factor.T == pytest.approx(covariance, abs=1e-9)


def test_the_likelihoods_of_parts_multiply_to_that_of_the_whole() -> None:
    # log p(picture) = log p(observed) + log p(hole | observed)
    statistics, picture = a_gaussian(1, *SIZE), noise(*SIZE, 1)
    prior, mean = prior_of(statistics), statistics.mean.ravel()

    def log_density(which: np.ndarray) -> float:
        shift, part = (picture.ravel() - mean)[which], prior[np.ix_(which, which)]
        distance = shift @ np.linalg.solve(part, shift)
        volume = np.linalg.slogdet(part).logabsdet + len(shift) * math.log(2 * math.pi)
        return float(-0.5 * (distance + volume))

    given = Linear(statistics).fill(picture, HOLE).log_likelihood(picture[HOLE], 0.0)
    seen = ~HOLE.ravel()
    assert log_density(seen) + given == pytest.approx(log_density(seen | True), rel=1e-6)


def test_without_context_it_answers_with_the_training_pictures_moments() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (50, 1, 4, 4), dtype=torch.uint8, generator=generator)
    everywhere = np.ones((4, 4), dtype=bool)
    filled = Linear(fit(images)).fill(np.full((4, 4, 1), np.nan, np.float32), everywhere)
    values = images.double().flatten(1).numpy() / 255
    assert filled.std is not None
    assert filled.mean[:, 0] == pytest.approx(values.mean(0), abs=1e-12)
    assert filled.std[:, 0] == pytest.approx(np.sqrt(values.var(0) + NOISE**2), abs=1e-9)


def test_grey_statistics_complete_each_colour_channel_by_itself() -> None:
    picture, linear = noise(*SIZE, 3), a_linear()
    filled = linear.fill(picture, HOLE)
    assert filled.notes == (
        "linear knows grey pictures: each colour channel is completed by itself",
    )
    assert filled.factors is not None
    assert len(filled.factors) == 3
    for channel in range(3):
        alone = linear.fill(picture[..., channel : channel + 1], HOLE)
        assert filled.mean[:, channel] == pytest.approx(alone.mean[:, 0], abs=1e-12)
        assert alone.notes == ()


def test_what_is_under_the_hole_is_not_read() -> None:
    picture, linear = noise(*SIZE, 3), a_linear()
    spoiled = np.where(HOLE[..., None], np.float32(np.nan), picture)
    assert np.array_equal(linear.fill(spoiled, HOLE).mean, linear.fill(picture, HOLE).mean)


@pytest.mark.parametrize(("channels", "picture"), [(1, (4, 3, 1)), (1, (9, 9, 1)), (3, (3, 4, 1))])
def test_pictures_of_another_kind_are_refused(channels: int, picture: tuple[int, int, int]) -> None:
    with pytest.raises(InputError) as refusal:
        a_linear(channels).fill(noise(*picture), a_hole(picture[0], picture[1], 0.5))
    assert refusal.value.hint


def test_a_pixel_that_never_varied_is_known_to_the_noise() -> None:
    linear = Linear(fit(torch.zeros(5, 1, 4, 4, dtype=torch.uint8)))
    hole = a_hole(4, 4, 0.5)
    filled = linear.fill(np.zeros((4, 4, 1), np.float32), hole)
    assert filled.std == pytest.approx(np.full((hole.sum(), 1), NOISE))
    assert not filled.mean.any()


def test_the_bundled_statistics_are_of_digits() -> None:
    # Digits stand in the middle, and their border is black.
    everywhere = np.ones((28, 28), dtype=bool)
    mean = build("linear").fill(np.zeros((28, 28, 1), np.float32), everywhere).mean
    middle, border = mean.reshape(28, 28)[10:18, 10:18], mean.reshape(28, 28)[0]
    assert middle.mean() > 0.3
    assert border.mean() < 0.001
