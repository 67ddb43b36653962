"""What every neural process must satisfy, over every variant."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.models.parts.points import Points, points_of
from npfill.sampling import draws
from npfill.training.batch import Batch
from npfill.training.objectives import elbo
from tests.conftest import tiny

SIZE = (6, 6)
Model = NeuralProcess
# The parts of a latent variant that say what z may be.
INFERRING = {"encoder", "stochastic_encoder", "latent_encoder"}


def a_context(batch: int = 3, seed: int = 0, share: float = 0.4) -> Context:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(batch, 2, *SIZE, generator=generator, dtype=torch.float64)
    observed = torch.rand(batch, 1, *SIZE, generator=generator) < share
    return Context(pixels, observed)


def predict(model: Model, context: Context, targets: Targets, draw_count: int = 2) -> Gaussian:
    latent = model.infer(context)
    z = None if latent is None else draws(latent, 0, "test", draw_count)
    return model.predict(model.encode(context), z, targets)


def assert_same(one: Gaussian, other: Gaussian) -> None:
    torch.testing.assert_close(one.mean, other.mean, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(one.scale, other.scale, rtol=1e-9, atol=1e-11)


@pytest.mark.slow
def test_a_target_does_not_depend_on_which_others_are_asked_for(model: Model) -> None:
    context = a_context()
    every = predict(model, context, Targets.every(SIZE))
    some = predict(model, context, Targets(torch.tensor([3, 17, 30]), SIZE))
    assert_same(some, Gaussian(every.mean[..., [3, 17, 30], :], every.scale[..., [3, 17, 30], :]))


@pytest.mark.slow
def test_targets_of_each_picture_equal_targets_shared_by_all(model: Model) -> None:
    context, index = a_context(), torch.tensor([3, 17, 30])
    shared = predict(model, context, Targets(index, SIZE))
    assert_same(predict(model, context, Targets(index.expand(3, -1), SIZE)), shared)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [float("nan"), float("inf"), -7.0])
def test_the_hole_is_never_read(model: Model, hidden: float) -> None:
    context = a_context()
    spoiled = replace(context, pixels=torch.where(context.observed, context.pixels, hidden))
    every = Targets.every(SIZE)
    assert_same(predict(model, spoiled, every), predict(model, context, every))


@pytest.mark.slow
def test_a_target_may_lie_on_a_finer_grid_of_the_same_frame(model: Model) -> None:
    if model.any_size:
        pytest.skip("it works on the picture's own grid")
    # The centre of pixel (r, c) of a 6x6 grid is the centre of (3r + 1, 3c + 1) of an 18x18 one.
    rows, columns = torch.meshgrid(torch.arange(6), torch.arange(6), indexing="ij")
    fine = Targets(((3 * rows + 1) * 18 + 3 * columns + 1).flatten(), (18, 18))
    context = a_context()
    assert_same(predict(model, context, fine), predict(model, context, Targets.every(SIZE)))


@pytest.mark.slow
def test_the_order_of_context_points_does_not_matter(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, every = a_context(), Targets.every(SIZE)
    before = predict(model, context, every)

    def shuffled(context: Context) -> Points:
        points = points_of(context)
        order = torch.randperm(points.valid.shape[1], generator=torch.Generator().manual_seed(3))
        return Points(points.positions[:, order], points.values[:, order], points.valid[:, order])

    monkeypatch.setattr("npfill.models.anp.points_of", shuffled)
    monkeypatch.setattr("npfill.models.parts.pointwise.points_of", shuffled)
    assert_same(predict(model, context, every), before)


@pytest.mark.slow
def test_masking_points_equals_removing_them(model: Model) -> None:
    context, every = a_context(), Targets.every(SIZE)
    fewest = int(context.mask().sum(1).max())
    removed, masked = (replace(context, at_most=most) for most in (fewest, 36))
    assert_same(predict(model, masked, every), predict(model, removed, every))


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_empty_and_full_contexts_are_finite_with_finite_gradients(
    model: Model, share: float
) -> None:
    for parameter in model.parameters():
        parameter.requires_grad_()
    predicted = predict(model, a_context(share=share), Targets.every(SIZE))
    assert predicted.mean.isfinite().all()
    assert predicted.scale.isfinite().all()
    (predicted.mean.square().sum() + predicted.scale.log().sum()).backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.slow
def test_a_batch_gives_what_its_members_give_alone(model: Model) -> None:
    context, every = a_context(), Targets.every(SIZE)
    together = predict(model, context, every)
    for number in range(3):
        alone = Context(context.pixels[[number]], context.observed[[number]])
        predicted = predict(model, alone, every)
        axis = together.mean.ndim - 3
        one = Gaussian(*(t.narrow(axis, number, 1) for t in (together.mean, together.scale)))
        assert_same(predicted, one)


@pytest.mark.slow
def test_an_unobserved_context_says_nothing_of_the_picture(model: Model) -> None:
    every = Targets.every(SIZE)
    one, other = a_context(seed=1, share=0.0), a_context(seed=2, share=0.0)
    assert_same(predict(model, one, every), predict(model, other, every))


@pytest.mark.parametrize("name", ["lcnp", "lcnp-basis", "np", "np-basis", "anp"])
def test_latents_inferred_together_are_those_inferred_one_by_one(name: str) -> None:
    """Values and gradients; the contexts are a part, the whole, nothing, and a part of its own."""
    model, context = tiny(name), a_context()
    seen, other = context.observed, a_context(seed=1).observed
    masks = torch.stack([seen, torch.ones_like(seen), torch.zeros_like(seen), other])
    together = model.infer_each(context.pixels, masks)
    alone = [model.infer(Context(context.pixels, mask)) for mask in masks]
    gradients = []
    for latents in (together, alone):
        total = torch.zeros((), dtype=torch.float64)
        for weight, latent in enumerate(latents, start=1):
            assert latent is not None
            total = total + weight * (latent.mean.square().sum() + latent.scale.log().sum())
        used = [p for n, p in model.named_parameters() if n.split(".")[0] in INFERRING]
        gradients.append(torch.autograd.grad(total, used))
    for one, two in zip(together, alone, strict=True):
        assert two is not None
        assert_same(one, two)
    for grad, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(grad, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.slow
def test_the_scale_is_positive_and_above_its_floor(model: Model) -> None:
    predicted = predict(model, a_context(), Targets.every(SIZE))
    assert (predicted.scale >= model.config.scale_floor).all()


def test_draw_k_is_the_same_however_many_are_asked_for() -> None:
    latent = Gaussian(torch.zeros(2, 5), torch.ones(2, 5))
    assert torch.equal(draws(latent, 7, "sample", 8)[:3], draws(latent, 7, "sample", 3))
    assert not torch.equal(draws(latent, 8, "sample", 3), draws(latent, 7, "sample", 3))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lcnp", "lcnp-basis", "np", "np-basis", "anp"])
def test_the_elbo_is_below_the_importance_weighted_estimate(name: str) -> None:
    model, context = tiny(name), a_context()
    every = Targets.every(SIZE)
    whole = replace(context, observed=torch.ones_like(context.observed))
    asked, truth = ~context.mask(), every.values(context.pixels)
    batch = Batch(context, every, truth, asked, whole, None)
    # Two hundred draws, each a batch of its own: the pictures of one large batch.
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(200, 3, 4, generator=generator, dtype=torch.float64)
    many = Batch(
        repeated(context, 200),
        every,
        truth.repeat(200, 1, 1),
        asked.repeat(200, 1),
        repeated(whole, 200),
        noise.flatten(0, 1).unsqueeze(0),
    )
    with torch.no_grad():
        bound = -elbo(model, many, 0.0, 1.0, 0.0).total
        assert bound < importance_weighted(model, batch, 500) + 1e-3


def repeated(context: Context, times: int) -> Context:
    return Context(context.pixels.repeat(times, 1, 1, 1), context.observed.repeat(times, 1, 1, 1))


def importance_weighted(model: Model, batch: Batch, count: int) -> Tensor:
    """log (1/K) Σ p(y | z_k) p(z_k) / q(z_k), z_k ~ q(z | C, T), per target, over pictures."""
    prior, posterior = model.infer(batch.context), model.infer(batch.whole)
    assert prior is not None
    assert posterior is not None
    z = draws(posterior, 1, "test", count)
    predicted = model.predict(model.encode(batch.context), z, batch.targets)
    joint = (predicted.log_prob(batch.truth).sum(-1) * batch.target_mask).sum(-1)
    joint = joint + (prior.log_prob(z) - posterior.log_prob(z)).sum(-1)
    bound = joint.logsumexp(0) - torch.tensor(float(count)).log()
    return (bound / batch.target_mask.sum(1)).mean()
