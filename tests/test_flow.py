"""The flow-matching process: its samples, its density, and its objective."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from npfill import checkpoint, zoo
from npfill.context import Context, Targets
from npfill.errors import ModelError, UsageError
from npfill.models import NeuralProcess, build, config_of
from npfill.models.base import Conditioned
from npfill.models.flownp import FlowNP, Grid, Start, Times, noise_width
from npfill.predictor import NeuralPredictor, load
from npfill.predictor.flows import with_flow
from npfill.sampling import Flow, moments, sampler_for
from npfill.sampling.flow import (
    DENSITY_STEPS,
    RESTARTED,
    STRAIGHT,
    Velocity,
    carried,
    midpoint,
    reverse,
    shaped,
)
from npfill.seeds import generator
from npfill.training.batch import Batch, draw
from npfill.training.flow import flow_matching
from npfill.training.recipe import find, has_model
from tests.conftest import last_bias, of, tiny
from tests.training.test_run import train

SIZE = (5, 6)
EVERY = Targets.every(SIZE)
FIELDS = {
    "channels": 2,
    "size": 6,
    "companions": ["anp-celeba"],
    "least_std": 0.03,
    "fold": 1,
    "widths": [8, 16],
    "blocks": 1,
}


def a_flow(*, trained: bool = True) -> FlowNP:
    """A tiny flow; `trained` is one whose last layers are not zero."""
    torch.manual_seed(0)
    flow = build("flownp", config_of("flownp", FIELDS, "a test")).double().eval()
    assert isinstance(flow, FlowNP)
    for parameter in flow.parameters() if trained else ():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return flow


def a_context(batch: int = 2) -> Context:
    pixels = torch.rand(batch, 2, *SIZE, generator=generator("pixels"), dtype=torch.float64)
    seen = torch.rand(1, 1, *SIZE, generator=generator("seen")) < 0.3
    return Context(pixels, seen.expand(batch, -1, -1, -1))


def conditioned(context: Context, flow: FlowNP, name: str = "anp") -> Conditioned:
    model = tiny(name)
    model.flows = (flow,)
    return model.condition(context)


def to_normal(std: float) -> Velocity:
    """The velocity of standard normal noise to N(0, std²)."""
    return lambda r, t: r * (t * std**2 - (1 - t)) / (t**2 * std**2 + (1 - t) ** 2)


def a_batch(context: Context, draws: int = 3) -> Batch:
    shape = (draws, len(context.pixels), noise_width(a_flow().config))
    noise = torch.randn(shape, generator=generator("noise"), dtype=torch.float64)
    noise = noise[..., : 1 + 2 * SIZE[0] * SIZE[1]]
    whole = Context(context.pixels, torch.ones_like(context.observed))
    truth = EVERY.values(context.pixels)
    return Batch(context, EVERY, truth, ~context.mask(), whole, noise)


@pytest.mark.parametrize("name", ["cnp", "anp"])
@pytest.mark.slow
def test_sample_k_depends_on_the_seed_and_k_alone(name: str) -> None:
    given = conditioned(a_context(), a_flow(), name)
    few, many = (Flow().sample(given, EVERY, 0, count) for count in (2, 7))
    assert torch.equal(many[:2], few)
    assert not torch.equal(few[0], few[1])
    assert not torch.equal(few, Flow().sample(given, EVERY, 1, 2))


@pytest.mark.slow
def test_a_batch_is_drawn_as_its_members_are_alone() -> None:
    context, flow = a_context(), a_flow()
    together = Flow().sample(conditioned(context, flow), EVERY, 0, 2)
    for number in range(2):
        alone = Context(context.pixels[[number]], context.observed[[number]])
        found = Flow().sample(conditioned(alone, flow), EVERY, 0, 2)
        torch.testing.assert_close(found[:, 0], together[:, number])


@pytest.mark.slow
def test_what_is_under_the_hole_is_never_read() -> None:
    context, flow = a_context(), a_flow()
    spoiled = replace(context, pixels=torch.where(context.observed, context.pixels, float("nan")))
    found, wanted = (
        Flow().sample(conditioned(each, flow), EVERY, 0, 2) for each in (spoiled, context)
    )
    assert torch.equal(found, wanted)


def test_what_is_observed_has_the_mean_that_is_predicted() -> None:
    context = a_context()
    given = conditioned(context, a_flow())
    found, known = Flow().sample(given, EVERY, 0, 2), moments(given, EVERY, 0).mean.clamp(0, 1)
    seen = context.mask()
    for sample in found:
        assert torch.equal(sample[seen], known[seen])


MINE = zoo.Found("mine", Path(), "")


def a_companion() -> NeuralProcess:
    """One whose means are within [0, 1], and so sure that few samples are cut off there."""
    model = of("cnp", 2).double()
    model.calibration.copy_(torch.tensor([-3.0, 0.0]))
    with torch.no_grad():
        last_bias(model)[:2] -= 0.1
    return model


def whole(flow: FlowNP, companion: NeuralProcess) -> NeuralProcess:
    """A flow that completes pictures itself."""
    return with_flow(MINE, flow, lambda _: companion)


class Known(FlowNP):
    """A flow to residuals that are N(0.4, 0.25) in every pixel of the hole."""

    def velocity(self, noisy: Grid, time: Times, start: Start) -> Grid:
        """The exact one."""
        t, std, mean = time[:, None, None, None], 0.5, 0.4
        pull = (t * std**2 - (1 - t)) / (t**2 * std**2 + (1 - t) ** 2)
        return torch.where(start.hole, mean + pull * (noisy - t * mean), 0.0)


@pytest.mark.parametrize("size", [SIZE, (10, 12)])
def test_the_mean_of_a_flow_is_that_of_its_samples(size: tuple[int, int]) -> None:
    companion, targets = a_companion(), Targets.every(size)
    flow = Known(a_flow().config).double().eval()
    given = whole(flow, companion).condition(a_context())
    found, before = given.predict(None, targets), companion.condition(a_context())
    assert not torch.equal(found.mean, before.predict(None, targets).mean)
    many = Flow().sample(given, targets, 0, 400)
    torch.testing.assert_close(many.mean(0), found.mean, rtol=0.0, atol=0.01)


def test_an_untrained_flow_has_the_mean_and_std_of_its_companion() -> None:
    flow, companion = a_flow(trained=False), a_companion()
    found = whole(flow, companion).condition(a_context()).predict(None, EVERY)
    wanted = companion.condition(a_context()).predict(None, EVERY)
    torch.testing.assert_close(found.mean, wanted.mean)
    torch.testing.assert_close(found.scale, wanted.scale)


@pytest.mark.parametrize("size", [SIZE, (10, 12)])
def test_a_flow_draws_for_itself_what_it_draws_for_its_companion(size: tuple[int, int]) -> None:
    flow, companion, targets = a_flow(), a_companion(), Targets.every(size)
    own = whole(flow, companion)
    own.calibration.copy_(torch.tensor([0.3, -0.1]))
    found = Flow().sample(own.condition(a_context()), targets, 0, 3)
    companion.flows = (flow,)
    wanted = Flow().sample(companion.condition(a_context()), targets, 0, 3)
    torch.testing.assert_close(found, wanted, rtol=0.0, atol=1e-6)


def test_samples_on_a_finer_grid_ask_the_companion_for_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    companion, finer = a_companion(), Targets.every((10, 12))
    given = whole(a_flow(), companion).condition(a_context())
    known = given.predict(None, finer)
    monkeypatch.setattr(companion, "predict", None)
    assert Flow().sample(given, finer, 0, 2, known).shape == (2, 2, 120, 2)


@pytest.mark.parametrize("itself", [True, False])
@pytest.mark.slow
def test_samples_follow_a_std_that_was_corrected(itself: bool) -> None:
    flow, companion = a_flow(), tiny("anp")
    model = whole(flow, companion)
    given = model.condition(a_context()) if itself else conditioned(a_context(), flow)
    known = moments(given, EVERY, 0)
    wider = replace(known, scale=2 * known.scale)
    narrow, wide = (Flow().sample(given, EVERY, 0, 8, each) for each in (known, wider))
    assert wide.std(0).mean() > 1.1 * narrow.std(0).mean()  # less than twice, in [0, 1]


def test_targets_that_are_asked_for_are_those_of_the_whole_grid() -> None:
    given, index = conditioned(a_context(), a_flow()), torch.tensor([3, 17, 29])
    found = Flow().sample(given, Targets(index, SIZE), 0, 2)
    torch.testing.assert_close(found, Flow().sample(given, EVERY, 0, 2)[:, :, index])


def test_on_a_finer_grid_residuals_are_put_on_its_own_mean_and_std() -> None:
    flow, context = a_flow(), a_context()
    given = conditioned(context, flow)
    finer = Targets.every((10, 12))
    known = moments(given, finer, 0)
    found = Flow().sample(given, finer, 0, 2, known)
    assert found.shape == (2, 2, 120, 2)
    seen = context.observed.repeat_interleave(2, 2).repeat_interleave(2, 3)
    corner = torch.zeros(10, 12, dtype=torch.bool)
    corner[0, 0] = corner[-1, -1] = True  # cells of one coarse pixel alone
    inside = (seen & corner).flatten(1)
    wanted = known.mean.clamp(0, 1).expand(2, -1, -1, -1)
    torch.testing.assert_close(found[:, inside], wanted[:, inside])


@pytest.mark.slow
def test_an_untrained_flow_has_the_mean_std_and_density_of_its_companion() -> None:
    context, flow = a_context(), a_flow(trained=False)
    model = tiny("anp")
    model.flows = (flow,)
    start = flow.start(model.condition(context))
    noise = torch.randn(2, 2, *SIZE, generator=generator("some"), dtype=torch.float64)
    equal = torch.linspace(0, 1, 17).tolist()
    end = midpoint(lambda r, t: flow.velocity(r, r.new_full((len(r),), t), start), noise, equal)
    torch.testing.assert_close(end, noise.where(start.hole, end), rtol=0.0, atol=0.02)
    truth, hole = EVERY.values(torch.rand_like(context.pixels)), ~context.mask()
    found, _ = Flow().log_likelihood(model.condition(context), truth, hole, 0, 1)
    normal = torch.distributions.Normal(start.mean, start.std)
    each = normal.log_prob(truth.mT.unflatten(2, SIZE))
    wanted = torch.where(start.hole, each, 0.0).sum((1, 2, 3)) / hole.sum(1)
    torch.testing.assert_close(found, wanted, rtol=0.0, atol=0.05)  # of levels and steps


@pytest.mark.parametrize("ways", [STRAIGHT, RESTARTED])
@pytest.mark.parametrize("std", [0.3, 1.0, 10.0])
def test_residuals_that_are_normal_are_drawn_with_their_std(
    std: float, ways: Sequence[Sequence[float]]
) -> None:
    """10 is what all pixels of a hole have in common: it grows by 1/t from the beginning."""
    random = generator("carried")

    def noise() -> torch.Tensor:
        return torch.randn(1, 1, 100, 100, generator=random, dtype=torch.float64)

    end = carried(to_normal(std), noise, ways)
    assert end.std().item() == pytest.approx(std, rel=0.05)


def test_a_density_in_reverse_is_that_of_the_way_there() -> None:
    mixed = torch.randn(4, 4, generator=generator("mixed"), dtype=torch.float64)

    def velocity(r: torch.Tensor, time: float) -> torch.Tensor:
        return (r.flatten(1) @ mixed + time).tanh().view_as(r)

    def end(values: torch.Tensor) -> torch.Tensor:
        return midpoint(velocity, values, torch.linspace(0, 1, 51).tolist())

    first = torch.randn(1, 1, 2, 2, generator=generator("first"), dtype=torch.float64)
    # Every unit vector is a probe: together they have the exact trace.
    units = torch.eye(4, dtype=torch.float64).view(4, 1, 1, 2, 2)
    found, divergence = reverse(velocity, end(first), units, 50)
    torch.testing.assert_close(found, first, rtol=0.0, atol=1e-3)
    jacobian = torch.autograd.functional.jacobian(end, first).view(4, 4)
    wanted = torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(4 * divergence[0], wanted, rtol=0.0, atol=1e-3)


@pytest.mark.parametrize("std", [0.03, 0.1, 1.0, 3.0])
def test_a_density_is_right_where_levels_are_all_but_certain(std: float) -> None:
    """The velocity is that of normal residuals; equal steps of Heun were off by 0.22 at 0.03."""
    last = torch.full((1, 1, 1, 1), std, dtype=torch.float64)
    first, divergence = reverse(to_normal(std), last, torch.ones_like(last)[None], DENSITY_STEPS)
    found = -0.5 * (first.square().sum() + math.log(2 * math.pi)) - divergence
    expected = torch.distributions.Normal(0, std).log_prob(last).sum()
    torch.testing.assert_close(found, expected[None], atol=0.02, rtol=0)


@pytest.mark.slow
def test_a_density_of_a_part_of_the_hole_is_not_known() -> None:
    context = a_context()
    part = ~context.mask()
    part[1, int(part[1].nonzero()[0])] = False
    given = conditioned(context, a_flow())
    found, _ = Flow().log_likelihood(given, EVERY.values(context.pixels), part, 0, 1)
    assert found.isfinite().tolist() == [True, False]


def test_a_model_without_a_flow_has_no_such_samples() -> None:
    with pytest.raises(UsageError, match="no flow was trained beside this model"):
        sampler_for(tiny("anp"), "flow")


def test_a_flow_is_found_beside_its_companion_alone() -> None:
    flow, companion = a_flow(), tiny("anp")
    found = with_flow(MINE, flow, lambda _: companion)
    assert found.flows == (flow,)
    assert companion.flows == ()
    assert [sampler_for(one).name for one in (found, companion)] == ["flow", "autoregressive"]
    assert sampler_for(found, rounds=3).name == "autoregressive"
    assert found.condition(a_context()).model is found
    with pytest.raises(ModelError, match="no companion"):
        with_flow(MINE, flow, lambda _: tiny("anp", channels=1))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("anp-mnist", "flow"), ("cnp-mnist", "flow"), ("np-mnist", "autoregressive")],
)
def test_models_that_a_flow_was_trained_beside_are_drawn_by_it(name: str, wanted: str) -> None:
    predictor = load(name)
    assert isinstance(predictor, NeuralPredictor)
    assert sampler_for(predictor.model).name == wanted


@pytest.mark.slow
def test_the_loss_is_least_where_the_velocity_is_right() -> None:
    """Without the network it is that of residuals that are standard normal: 1 to 2 for those."""
    context, flow = a_context(), a_flow(trained=False)
    loss = flow_matching(flow, tiny("anp"), a_batch(context)).total
    loss.backward()
    gradients = [each.grad for each in flow.network.leave.parameters()]
    assert all(each is not None and each.any() for each in gradients)
    stepped = a_flow(trained=False)
    with torch.no_grad():
        for one, gradient in zip(stepped.network.leave.parameters(), gradients, strict=True):
            assert gradient is not None
            one.sub_(0.01 * gradient)
    assert flow_matching(stepped, tiny("anp"), a_batch(context)).total < loss


@pytest.mark.parametrize("middle", [-60.0, 60.0])
def test_times_say_where_on_the_way_the_loss_looks(middle: float) -> None:
    """Without the network the velocity knows nothing of residuals at 0, nothing of noise at 1."""
    context, flow, companion = a_context(), a_flow(trained=False), tiny("anp")
    batch = a_batch(context)
    start = flow.start(companion.condition(context))
    assert batch.noise is not None
    noise = batch.noise[..., 1:].unflatten(-1, start.mean.shape[1:])
    residuals = (batch.whole.pixels - start.mean) / start.std
    unknown = residuals if middle < 0 else noise
    inside = start.hole.expand_as(unknown)
    found = flow_matching(flow, companion, batch, (middle, 1.0)).total
    torch.testing.assert_close(found, unknown[inside].square().mean())


def test_the_loss_reads_no_holes_of_the_pictures_own() -> None:
    context, flow = a_context(), a_flow()
    known = torch.rand(2, 1, *SIZE, generator=generator("known")) < 0.8
    batch = a_batch(replace(context, observed=context.observed & known))
    losses = []
    for value in (0.0, 9.0):
        pixels = torch.where(known, context.pixels, value)
        whole = Context(pixels, known)
        losses.append(flow_matching(flow, tiny("anp"), replace(batch, whole=whole)).total)
    assert torch.equal(*losses)


def small(*changes: str) -> list[str]:
    return ["model.widths=[8,16]", "data.validation=4", "schedule.batch=4", *changes]


@pytest.mark.parametrize("hole", ["half", "box", "strokes"])
def test_a_hole_with_all_around_it_observed(hole: str) -> None:
    families = {"random": 0.0, "half": 0.0, "box": 0.0, "strokes": 0.0} | {hole: 1.0}
    changes = [f"holes.{name}={weight}" for name, weight in families.items()]
    recipe = find("flownp-mnist", small("holes.whole=1.0", *changes))
    seen = draw(torch.zeros(9, 1, 28, 28, dtype=torch.uint8), recipe, 0).context.observed[:, 0]
    # Along a side of what is hidden there are pixels beyond which nothing is hidden.
    assert not seen.all()
    beside = torch.nn.functional.max_pool2d((~seen).float()[:, None], 3, 1, 1)[:, 0] > 0
    assert (seen & ~beside).sum() > 9 * 28
    assert torch.equal(~beside, ~beside & seen)


@pytest.mark.parametrize("size", [(64, 64), (40, 59)])
def test_shaped_noise_keeps_its_details_and_bounds_its_tints(size: tuple[int, int]) -> None:
    noise = 2 * torch.randn(4, 3, *size, generator=generator("tints"), dtype=torch.float64)
    found = shaped(noise)
    before, after = (
        each[..., :32, :32].unflatten(-1, (8, 4)).unflatten(-3, (8, 4)) for each in (noise, found)
    )
    details = [each - each.mean((-3, -1), keepdim=True) for each in (before, after)]
    torch.testing.assert_close(details[1], 1.04 * details[0])
    was, tints = (
        (16 * F.avg_pool2d(each - each.mean(1, keepdim=True), 16)).norm(dim=1)
        for each in (noise, found)
    )
    assert was.max() > 3
    assert tints.max() < 1.26
    grey = noise.mean(1, keepdim=True)
    torch.testing.assert_close(shaped(grey), found.mean(1, keepdim=True))


def test_a_deeper_network_begins_with_what_a_shallower_one_learnt() -> None:
    shallow, context = a_flow(), a_context()
    config = replace(shallow.config, deeper=(1, 2))
    deeper = build("flownp", config).double().eval()
    deeper.load_state_dict(deeper.state_dict() | shallow.state_dict())
    noisy, time = torch.randn_like(context.pixels), torch.tensor([0.2, 0.7], dtype=torch.float64)
    found, wanted = (
        flow.velocity(noisy, time, flow.start(tiny("anp").condition(context)))
        for flow in (deeper, shallow)
        if isinstance(flow, FlowNP)
    )
    assert torch.equal(found, wanted)
    assert sum(map(torch.numel, deeper.parameters())) > sum(map(torch.numel, shallow.parameters()))
    mine, before, other = (
        find("flownp-mnist", small(f"model.deeper={deeper}")) for deeper in ("[1,2]", "[]", "[0,2]")
    )
    assert has_model(mine, before.model)
    assert has_model(mine, other.model)
    assert not has_model(other, mine.model)
    assert not has_model(before, mine.model)
    with pytest.raises(ModelError, match=r"deeper = \[1\]"):
        find("flownp-mnist", small("model.deeper=[1]"))


def test_a_flow_of_pictures_that_may_be_mirrored_answers_alike() -> None:
    config, context = replace(a_flow().config, mirrored=True), a_context()
    flow = build("flownp", config).double().eval()
    assert isinstance(flow, FlowNP)
    flow.load_state_dict(a_flow().state_dict())
    whole = Context(context.pixels, torch.ones_like(context.observed))
    image = Context(whole.pixels.flip(3), whole.observed)
    here, there = (
        replace(flow.start(tiny("anp").condition(each)), hole=hole)
        for each, hole in ((whole, ~context.observed), (image, ~context.observed.flip(3)))
    )
    noisy, time = torch.randn_like(context.pixels), torch.tensor([0.2, 0.7], dtype=torch.float64)
    found = flow.velocity(noisy, time, here)
    torch.testing.assert_close(flow.velocity(noisy.flip(3), time, there), found.flip(3))
    alone = flow.velocity(noisy, time, replace(here, mirrored=None))
    other = flow.velocity(noisy.flip(3), time, replace(there, mirrored=None)).flip(3)
    torch.testing.assert_close(found, 0.5 * (alone + other))
    assert not torch.allclose(alone, other)
    assert flow.train().start(tiny("anp").condition(whole)).mirrored is None
    other_sides = find("flownp-mnist", small("model.mirrored=true"))
    assert has_model(other_sides, find("flownp-mnist", small()).model)


@pytest.mark.slow
def test_a_flow_is_trained_and_draws_for_its_companion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = torch.randint(256, (24, 28, 28), generator=generator("set"), dtype=torch.uint8)
    np.save(tmp_path / "train.npy", pictures.numpy())
    changes = small("schedule.steps=4", "run.validate_every=2", "run.save_every=2")
    run = ["--run-dir", str(tmp_path / "run"), "--data", str(tmp_path / "train.npy")]
    assert train("flownp-mnist", *changes, *run) == 0
    assert "error of the velocity" in capsys.readouterr().err
    predictor = load(tmp_path / "run")
    digit = pictures[0].numpy()[..., None] / 255
    hole = np.arange(28)[:, None].repeat(28, 1) > 13
    found = predictor.predict(digit, hole, samples=2, sampler="flow")
    origin = checkpoint.load(tmp_path / "run" / "best.safetensors").provenance
    assert origin["calibration"]["pictures"] == 4
    one, other = found.samples
    assert not np.array_equal(one, other)


@pytest.mark.slow
def test_a_model_of_ones_own_is_joined_to_no_flow_whatever_it_is_called(tmp_path: Path) -> None:
    name = "anp-mnist"
    shipped = checkpoint.load(zoo.find(name).path)
    mine = tmp_path / f"{name}.safetensors"
    checkpoint.save(mine, shipped.model, {"dataset": "mine"})
    ours, theirs = (load(path) for path in (mine, zoo.find(name).path))
    assert isinstance(ours, NeuralPredictor)
    assert isinstance(theirs, NeuralPredictor)
    assert not ours.model.flows
    assert theirs.model.flows
