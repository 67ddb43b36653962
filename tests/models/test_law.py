"""The law of a Gaussian process: found where there is one, and followed by the network for data."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import npfill
from npfill.context import Context, Targets
from npfill.evaluate.fields import known
from npfill.models import lawful
from npfill.models.parts.law import Law, law_of
from npfill.sampling import Autoregressive
from npfill.seeds import array_generator
from tests.conftest import tiny

SIDE = 40
SEEN = array_generator(0).random((SIDE, SIDE)) < 0.25


def a_field(kernel: str = "squared-exponential", length: float = 4.0) -> np.ndarray:
    return known.draw(kernel, length, SIDE, 1, array_generator(1, kernel))[0]


def points(where: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.argwhere(where)).double()


def the_law(values: np.ndarray) -> Law | None:
    return law_of(points(SEEN), torch.from_numpy(values[SEEN]))


@pytest.mark.slow
def test_the_law_that_a_field_was_drawn_from_is_found() -> None:
    smooth, rough = (the_law(a_field(kernel)) for kernel in ("squared-exponential", "exponential"))
    assert smooth is not None
    assert rough is not None
    assert smooth.smoothness == math.inf
    assert 3.5 < smooth.length < 4.5
    assert rough.smoothness < 2.0


@pytest.mark.slow
def test_the_posterior_is_as_near_as_the_exact_one_and_says_so() -> None:
    field, hole = a_field(), ~SEEN
    law = the_law(field)
    assert law is not None
    mean, std = (each.numpy() for each in law.posterior(points(hole)))
    exact, _ = known.posterior("squared-exponential", 4.0, field[None], hole, hole)
    error, least = (np.sqrt(np.square(each - field[hole]).mean()) for each in (mean, exact[0]))
    assert error < 1.3 * least
    assert 0.7 < np.square((mean - field[hole]) / std).mean() < 1.4


def test_no_seam_runs_through_a_void() -> None:
    row, column = np.indices((70, 70))
    field = 3.0 * np.sin(row / 25) + 2.0 * np.cos(column / 19) + 0.3 * np.sin((row + column) / 4)
    void = np.hypot(row - 36, column - 34) < 20
    law = Law(2.5, 25.0, 1e-6, 100.0, points(~void), torch.from_numpy(field[~void]), 0.0, 1.0)
    mean, std = (each.numpy() for each in law.posterior(points(void)))
    error = np.zeros(void.shape)
    error[void] = mean - field[void]
    steps = np.abs(np.diff(error))[void[:, 1:] & void[:, :-1]]
    assert steps.max() < 0.3 * np.median(std)


@pytest.mark.parametrize("warp", [np.exp, np.sign, lambda field: np.maximum(field, 0.5)])
@pytest.mark.slow
def test_a_field_with_steps_or_heavy_tails_has_no_law(warp: object) -> None:
    assert callable(warp)
    assert the_law(warp(1.5 * a_field("matern-3/2"))) is None


def test_few_pixels_and_a_constant_have_no_law() -> None:
    assert law_of(points(SEEN)[:50], torch.randn(50).double()) is None
    assert the_law(np.full((SIDE, SIDE), 3.0)) is None


@pytest.mark.slow
def test_simulations_have_the_mean_and_the_std_of_the_posterior() -> None:
    law = the_law(a_field("matern-3/2"))
    assert law is not None
    hole = np.zeros((SIDE, SIDE), dtype=bool)
    hole[12:18, 12:18] = True
    asked = points(hole & ~SEEN)
    mean, std = law.posterior(asked)
    generators = [torch.Generator().manual_seed(number) for number in range(40)]
    draws = law.simulated(asked, (SIDE, SIDE), generators)
    assert ((draws.mean(0) - mean) / std).abs().max() < 4 / 40**0.5
    assert (draws.std(0) / std).mean() == pytest.approx(1.0, abs=0.15)


@pytest.mark.slow
def test_a_simulation_of_a_field_longer_than_the_picture_agrees_with_what_is_observed() -> None:
    rows, columns = np.indices((SIDE, SIDE))
    field = (rows - 20.0) ** 2 + 0.5 * rows * columns
    law = the_law(field)
    assert law is not None
    assert law.length > SIDE / 2
    drawn = law.simulated(points(~SEEN), (SIDE, SIDE), [torch.Generator().manual_seed(0)])[0]
    assert np.abs(drawn.numpy() - field[~SEEN]).max() < 0.01 * field.std()


@pytest.mark.slow
def test_the_model_follows_the_law_and_its_network_where_the_picture_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, values = tiny("convcnp-field", channels=1).double(), torch.from_numpy(a_field())
    context = Context(1e6 + 1e3 * values[None, None], torch.from_numpy(SEEN)[None, None])
    targets = Targets.every((SIDE, SIDE))
    followed = model.condition(context).predict(None, targets)
    assert (followed.mean[0, :, 0].reshape(SIDE, SIDE) - context.pixels[0, 0]).std() < 200
    drawn = model.condition(context).simulated(targets, 0, range(3))
    assert drawn is not None
    assert drawn.shape == (3, 1, SIDE**2, 1)
    first = model.condition(context).simulated(targets, 0, range(1))
    assert first is not None
    assert torch.equal(drawn[:1], first)
    with lawful.network_alone():
        assert model.condition(context).simulated(targets, 0, range(1)) is None
    monkeypatch.setattr(lawful, "LARGEST", 10)
    alone = model.condition(context)
    assert alone.simulated(targets, 0, range(1)) is None
    assert not torch.allclose(alone.predict(None, targets).mean, followed.mean)
    shifted = replace(context, pixels=context.pixels - 1e6)
    moved = model.condition(shifted).predict(None, targets)
    torch.testing.assert_close(moved.mean + 1e6, alone.predict(None, targets).mean)


@pytest.mark.slow
def test_nobody_is_told_that_samples_of_a_law_run_off() -> None:
    field = known.draw("matern-3/2", 6.0, 64, 1, array_generator(3))[0]
    seen = field.copy()
    seen[14:50, 14:50] = np.nan
    with lawful.network_alone():
        alone = npfill.complete(seen, samples=2)
    lawful_one = npfill.complete(seen, samples=2)
    assert any("run off" in note for note in alone.notes)
    assert not any("run off" in note for note in lawful_one.notes)
    assert np.abs(np.asarray(lawful_one.samples) - field.mean()).max() < 6 * field.std()


@pytest.mark.slow
def test_no_law_is_found_in_what_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of a field without a law is one of the network, in every round."""
    model, field = tiny("convcnp-field", channels=1), torch.from_numpy(a_field())
    context = Context(field[None, None], torch.from_numpy(SEEN)[None, None])
    with lawful.network_alone():
        given = model.condition(context)
    seen = list[bool]()

    def none(*_: object) -> None:
        seen.append(True)

    monkeypatch.setattr(lawful, "law_of", none)
    Autoregressive(rounds=3).sample(given, Targets.every((SIDE, SIDE)), 0, 1)
    assert not seen


@pytest.mark.parametrize("sampler", ["autoregressive", "independent"])
@pytest.mark.parametrize(("alone", "check"), [(False, True), (True, True), (False, False)])
def test_the_channels_of_data_go_together_in_samples_as_the_errors_do(
    alone: bool, check: bool, sampler: str
) -> None:
    """Unrelated channels had the same noise; without a check nothing is known of them."""
    one, other = known.draw("matern-3/2", 4.0, SIDE, 2, array_generator(2))
    values = np.stack([one, other, 0.3 * other - one], axis=-1)
    values[SEEN] = np.nan
    model = tiny("convcnp-field", channels=1).float()
    with lawful.network_alone(alone):
        done = npfill.complete(values, model=model, sampler=sampler, samples=9, check=check)
    drawn = done.samples[:, SEEN]
    rest = ((drawn - drawn.mean(0)) / drawn.std(0)).reshape(-1, 3)
    first, opposite, last = np.corrcoef(rest.T)[np.triu_indices(3, 1)]
    assert max(abs(first), abs(last)) < 0.4
    assert -1 < opposite < -0.6 if check else abs(opposite) < 0.2


def test_a_constant_channel_of_data_has_samples_of_its_value() -> None:
    values = np.stack([known.draw("matern-3/2", 4.0, SIDE, 1, array_generator(2))[0]] * 3, axis=-1)
    values[..., 1] = 5
    values[SEEN] = np.nan
    done = npfill.complete(values, samples=1)
    np.testing.assert_allclose(done.samples[0, ..., 1], 5, atol=0.1)
    assert np.isfinite(done.samples).all()
