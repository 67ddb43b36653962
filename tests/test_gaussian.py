"""The Gaussian pair against torch.distributions and Monte Carlo."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from npfill.gaussian import Gaussian, factor_of
from npfill.seeds import generator

numbers = st.floats(-3, 3)
positive = st.floats(0.05, 3)


def pair(mean: float, scale: float) -> Gaussian:
    return Gaussian(*(torch.tensor([value], dtype=torch.float64) for value in (mean, scale)))


@pytest.mark.slow
@settings(deadline=None)
@given(numbers, positive, numbers)
def test_log_prob_is_the_normal_density(mean: float, scale: float, value: float) -> None:
    at = torch.tensor([value], dtype=torch.float64)
    gaussian = pair(mean, scale)
    torch.testing.assert_close(
        gaussian.log_prob(at), Normal(gaussian.mean, gaussian.scale).log_prob(at)
    )


@pytest.mark.slow
@settings(deadline=None)
@given(numbers, positive, numbers, positive)
def test_kl_is_the_closed_form_and_never_negative(a: float, b: float, c: float, d: float) -> None:
    one, other = pair(a, b), pair(c, d)
    kl = one.kl(other)
    expected = kl_divergence(Normal(one.mean, one.scale), Normal(other.mean, other.scale))
    torch.testing.assert_close(kl, expected)
    assert (kl >= -1e-12).all()


def test_kl_agrees_with_monte_carlo() -> None:
    one, other = pair(0.3, 0.7), pair(-0.4, 1.1)
    noise = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    draws = one.rsample(noise)
    estimate = (one.log_prob(draws) - other.log_prob(draws)).mean()
    torch.testing.assert_close(estimate, one.kl(other).squeeze(), rtol=0.01, atol=0.0)


def test_draws_have_the_mean_and_scale_they_are_drawn_with() -> None:
    gaussian = pair(0.3, 0.7)
    noise = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    draws = gaussian.rsample(noise)
    torch.testing.assert_close(draws.mean(0), gaussian.mean, rtol=0.02, atol=0.0)
    torch.testing.assert_close(draws.std(0), gaussian.scale, rtol=0.02, atol=0.0)


def test_with_a_factor_channels_sum_to_the_density_of_the_whole() -> None:
    factor = factor_of([0.8, -0.3, 0.1], 3)
    mean, scale, at = torch.randn(3, 5, 3, generator=generator("three"), dtype=torch.float64)
    together = Gaussian(mean, scale.exp(), factor)
    whole = MultivariateNormal(mean, scale_tril=scale.exp().unsqueeze(-1) * factor)
    torch.testing.assert_close(together.log_prob(at).sum(-1), whole.log_prob(at))
    alone = Gaussian(mean, scale.exp())
    torch.testing.assert_close(together.log_prob(at)[..., 0], alone.log_prob(at)[..., 0])


def test_draws_with_a_factor_have_its_correlation_and_their_own_scales() -> None:
    factor = factor_of([0.9], 2)
    scale = torch.tensor([0.5, 2.0], dtype=torch.float64)
    noise = torch.randn(40_000, 2, generator=generator("noise"), dtype=torch.float64)
    drawn = Gaussian(torch.zeros_like(noise), scale.expand(40_000, 2), factor).rsample(noise)
    torch.testing.assert_close(drawn.std(0), scale, rtol=0.02, atol=0)
    assert drawn.T.corrcoef()[0, 1].item() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    "numbers", [[0.5], [0.5] * 4, [1.0, 0.0, 0.0], [0.9, 0.9, -0.9], [math.nan] * 3]
)
def test_what_is_no_correlation_of_three_channels_is_refused(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match="correlations"):
        factor_of(numbers, 3)


def test_the_ranked_probability_score_is_the_integral_of_squared_differences() -> None:
    predicted = Gaussian(torch.tensor(0.3).double(), torch.tensor(0.5).double())
    at = torch.linspace(-8, 8, 200_001, dtype=torch.float64)
    below = 0.5 * (1 + torch.erf((at - 0.3) / 0.5 / 2**0.5))
    expected = torch.trapezoid((below - (at >= 1.1).double()).square(), at)
    found = predicted.crps(torch.tensor(1.1).double())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=0)
