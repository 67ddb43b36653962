"""The Gaussian pair against torch.distributions and Monte Carlo."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from npfill.gaussian import Gaussian

numbers = st.floats(-3, 3)
positive = st.floats(0.05, 3)


def pair(mean: float, scale: float) -> Gaussian:
    return Gaussian(*(torch.tensor([value], dtype=torch.float64) for value in (mean, scale)))


@settings(deadline=None)
@given(numbers, positive, numbers)
def test_log_prob_is_the_normal_density(mean: float, scale: float, value: float) -> None:
    at = torch.tensor([value], dtype=torch.float64)
    gaussian = pair(mean, scale)
    torch.testing.assert_close(
        gaussian.log_prob(at), Normal(gaussian.mean, gaussian.scale).log_prob(at)
    )


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
