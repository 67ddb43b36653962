"""What training minimises, against direct formulas."""

from dataclasses import replace

import pytest
import torch

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.training.batch import Batch
from npfill.training.objectives import decibels, elbo, nll, weighted_log_likelihood
from tests.conftest import last_bias, tiny

SIZE = (6, 6)


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(3, 2, *SIZE, generator=generator, dtype=torch.float64)
    observed = torch.rand(3, 1, *SIZE, generator=generator) < 0.4
    context, targets = Context(pixels, observed), Targets.every(SIZE)
    whole = replace(context, observed=torch.ones_like(observed))
    noise = torch.randn(5, 3, 4, generator=generator, dtype=torch.float64)
    return Batch(context, targets, targets.values(pixels), ~context.mask(), whole, noise)


def test_nll_is_the_mean_over_unobserved_pixels_of_each_picture(batch: Batch) -> None:
    model = tiny("cnp")
    predicted = model.predict(model.encode(batch.context), None, batch.targets)
    each = []
    for number in range(3):
        asked = batch.target_mask[number]
        log_prob = predicted.log_prob(batch.truth)[number, asked].sum(-1)
        each.append(log_prob.mean())
    torch.testing.assert_close(nll(model, batch, 0.0).total, -torch.stack(each).mean())


def test_decibels_are_the_log_of_each_error_and_leave_the_mean_to_it(batch: Batch) -> None:
    model = tiny("cnp")
    predicted = model.predict(model.encode(batch.context), None, batch.targets)
    error, fit = [], []
    for number in range(3):
        asked = batch.target_mask[number]
        error.append((predicted.mean - batch.truth)[number, asked].square().mean())
        fit.append(predicted.log_prob(batch.truth)[number, asked].sum(-1).mean())
    wanted = (torch.stack(error) + 1e-5).log().mean() / 2 - torch.stack(fit).mean()
    total = decibels(model, batch).total
    torch.testing.assert_close(total, wanted)
    # Mean and scale have biases of their own, side by side: that of the mean knows the error alone.
    of_errors = (torch.stack(error) + 1e-5).log().mean() / 2
    bias = last_bias(model)
    ours, theirs = (
        torch.autograd.grad(each, bias, retain_graph=True)[0] for each in (total, of_errors)
    )
    torch.testing.assert_close(ours[:2], theirs[:2])


def test_observed_pixels_do_not_count(batch: Batch) -> None:
    model = tiny("cnp")
    spoiled = torch.where(batch.target_mask.unsqueeze(-1), batch.truth, 9.0)
    for beta in (0.0, 2.0):
        torch.testing.assert_close(
            nll(model, replace(batch, truth=spoiled), beta).total, nll(model, batch, beta).total
        )


def test_npml_has_the_gradient_of_the_log_of_the_mean_likelihood(batch: Batch) -> None:
    model = tiny("lcnp")
    asked = torch.ones_like(batch.target_mask)
    batch = replace(batch, target_mask=asked)
    prior = model.infer(batch.context)
    assert prior is not None
    assert batch.noise is not None
    loss = elbo(model, batch, 0.0, kl_weight=1.0, from_context=1.0).total
    z = prior.rsample(batch.noise[1:])
    predicted = model.predict(model.encode(batch.context), z, batch.targets)
    joint = predicted.log_prob(batch.truth).sum((-1, -2))
    direct = -(joint.logsumexp(0) / asked.shape[1]).mean()
    parameters = list(model.parameters())
    for one, other in zip(
        torch.autograd.grad(loss, parameters, retain_graph=True),
        torch.autograd.grad(direct, parameters),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_the_weight_of_the_kl_scales_the_kl_alone(batch: Batch) -> None:
    model = tiny("np")
    prior = model.infer(batch.context)
    posterior = model.infer(batch.whole)
    assert prior is not None
    assert posterior is not None
    none, one, five = (elbo(model, batch, 2.0, weight, 0.0).total for weight in (0.0, 1.0, 5.0))
    per_pixel = (posterior.kl(prior).sum(-1) / batch.target_mask.sum(1)).mean()
    torch.testing.assert_close(one - none, per_pixel)
    torch.testing.assert_close(five - none, 5 * per_pixel)


def test_weights_are_scale_to_the_beta_with_a_mean_of_one_and_no_gradient(batch: Batch) -> None:
    scale = (0.1 + torch.rand(batch.truth.shape, dtype=torch.float64)).requires_grad_()
    predicted = Gaussian(torch.zeros_like(scale), scale)
    plain = weighted_log_likelihood(predicted, replace(batch, truth=torch.zeros_like(scale)), 0.0)
    torch.testing.assert_close(plain, predicted.log_prob(torch.zeros_like(scale)).sum(-1))
    counted = batch.target_mask.unsqueeze(-1).expand_as(scale)
    weights = scale.detach() ** 2
    weights = weights / weights[counted].mean()
    expected = (predicted.log_prob(batch.truth) * weights).sum(-1)
    weighted = weighted_log_likelihood(predicted, batch, 2.0)
    torch.testing.assert_close(weighted, expected)
    one, other = (
        torch.autograd.grad(value.sum(), scale, retain_graph=True)[0]
        for value in (weighted, expected)
    )
    torch.testing.assert_close(one, other)


def test_with_beta_two_the_mean_has_the_gradient_of_the_squared_error(batch: Batch) -> None:
    mean = torch.rand(batch.truth.shape, dtype=torch.float64).requires_grad_()
    scale = 0.1 + torch.rand(batch.truth.shape, dtype=torch.float64)
    weighted = weighted_log_likelihood(Gaussian(mean, scale), batch, 2.0)
    gradient = torch.autograd.grad(weighted.sum(), mean)[0]
    ratio = gradient / (batch.truth - mean)
    torch.testing.assert_close(ratio, torch.full_like(ratio, ratio.mean().item()))


def test_a_share_of_the_loss_draws_z_from_the_context(batch: Batch) -> None:
    model = tiny("lcnp")
    prior = model.infer(batch.context)
    assert prior is not None
    assert batch.noise is not None
    noise = batch.noise[:2]
    batch = replace(batch, noise=noise)
    bound, mixed, use = (elbo(model, batch, 0.0, 1.0, share).total for share in (0.0, 0.25, 1.0))
    torch.testing.assert_close(mixed, 0.75 * bound + 0.25 * use)
    z = prior.rsample(noise[1:])
    predicted = model.predict(model.encode(batch.context), z, batch.targets)
    each = (predicted.log_prob(batch.truth)[0].sum(-1) * batch.target_mask).sum(
        1
    ) / batch.target_mask.sum(1)
    torch.testing.assert_close(use, -each.mean())
