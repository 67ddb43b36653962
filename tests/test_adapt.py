"""A network that is trained on the visible part of a picture: kept only where it is better."""

from typing import Any

import numpy as np
import pytest
import torch

import npfill
from benchmarks.adapt import _psnr
from npfill.completion import SamplingOptions
from npfill.errors import UsageError
from npfill.evaluate.fields import known
from npfill.predictor import NeuralPredictor, load
from npfill.predictor.adaptation import adapted, is_better
from npfill.predictor.self_check import hide
from npfill.seeds import array_generator
from tests.conftest import of

ROW, COLUMN = np.indices((64, 72))
PICTURE = (0.5 + 0.3 * np.sign(np.sin(0.7 * ROW)) * np.sin(0.5 * COLUMN))[..., None]
PICTURE = PICTURE.astype(np.float32)
HOLE = np.random.default_rng(0).random(ROW.shape) < 0.5


def network() -> NeuralPredictor:
    predictor = load(of("convcnp", 1))
    assert isinstance(predictor, NeuralPredictor)
    return predictor


def train(picture: Any, steps: int, hole: Any = HOLE, seed: int = 0) -> Any:
    return adapted(network(), picture, hole, seed, budget=(steps, None))


@pytest.mark.slow
def test_training_on_a_picture_makes_it_better_where_it_is_missing() -> None:
    before, (after, found, outcome) = network(), train(PICTURE, 25)
    errors = [
        np.square(each.predict(PICTURE, HOLE, check=check).mean - PICTURE[HOLE]).mean()
        for each, check in ((before, None), (after, found))
    ]
    assert errors[1] < 0.9 * errors[0]
    assert outcome.helped
    assert outcome.after < 0.95 * outcome.before
    std = after.predict(PICTURE, HOLE, check=found).std
    assert std is not None
    mean = after.predict(PICTURE, HOLE).mean
    assert np.square((mean - PICTURE[HOLE]) / std).mean() == pytest.approx(1, abs=0.35)


@pytest.mark.slow
def test_a_trained_network_says_the_same_of_a_mirror_image() -> None:
    after, _, outcome = train(PICTURE, 25)
    assert outcome.helped
    said = after.predict(PICTURE, HOLE)
    for axes in (0, 1, (0, 1)):
        picture, hole = (np.ascontiguousarray(np.flip(each, axes)) for each in (PICTURE, HOLE))
        other = after.predict(picture, hole)
        for part in ("mean", "std"):
            whole = np.zeros(PICTURE.shape, np.float32)
            whole[hole] = getattr(other, part)
            np.testing.assert_allclose(
                np.flip(whole, axes)[HOLE], getattr(said, part), rtol=1e-3, atol=1e-5
            )


@pytest.mark.slow
def test_a_network_that_becomes_no_better_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npfill.predictor.adaptation._RATE", 3.0)
    before = network()
    after, _, outcome = adapted(before, PICTURE, HOLE, 0, budget=(3, None))
    assert not outcome.helped
    assert after is before
    assert "stays as it was" in outcome.line


@pytest.mark.slow
def test_equal_steps_and_seeds_give_equal_networks_and_the_one_given_is_unchanged() -> None:
    given = network()
    weights = [each.clone() for each in given.model.parameters()]
    means = []
    for _ in range(2):
        other, _, _ = adapted(given, PICTURE, HOLE, 3, budget=(2, None))
        means.append(other.predict(PICTURE, HOLE).mean)
    assert np.array_equal(means[0], means[1])
    assert all(map(torch.equal, weights, given.model.parameters()))


def test_a_network_is_trained_under_autocast_as_without_it() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        within = train(PICTURE, 2)[2]
    assert within == train(PICTURE, 2)[2]


@pytest.mark.slow
def test_a_time_becomes_a_number_of_steps_that_gives_the_same_network_again() -> None:
    given = network()
    first, _, timed = adapted(given, PICTURE, HOLE, 0, budget=(None, 0.3))
    again, _, counted = adapted(given, PICTURE, HOLE, 0, budget=(timed.steps, None))
    assert timed.steps == counted.steps >= 10
    assert timed.helped
    means = [each.predict(PICTURE, HOLE).mean for each in (first, again)]
    assert np.array_equal(means[0], means[1])


@pytest.mark.slow
def test_what_lies_under_the_hole_or_is_held_out_is_never_learnt_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("npfill.predictor.adaptation.is_better", lambda *_: True)
    hidden = HOLE.copy()
    for place, held in hide(HOLE, 0)[0]:
        hidden[place] |= held
    other = PICTURE.copy()
    other[hidden] = 0.123
    other[HOLE] = np.nan
    assert hidden.sum() > HOLE.sum()
    means = []
    for picture in (PICTURE, other):
        after, _, outcome = train(picture, 2)
        assert outcome.steps == 2
        means.append(after.predict(PICTURE, HOLE).mean)
    assert np.array_equal(means[0], means[1])


def test_errors_that_go_together_are_few() -> None:
    """Of two fields of one law neither is the smaller one; of one and a part of it, the part is."""
    fields = known.draw("squared-exponential", 6.0, 48, 80, array_generator(0))
    at = np.argwhere(np.ones((48, 48), dtype=bool))
    every = [(each.reshape(-1, 1), np.ones((len(at), 1)), np.zeros(len(at)), at) for each in fields]
    pairs = zip(every[::2], every[1::2], strict=True)
    assert np.mean([is_better(*pair) for pair in pairs]) < 0.3
    assert np.mean([is_better((0.8 * each[0], *each[1:]), each) for each in every]) > 0.9


def test_too_little_to_see_leaves_the_network_as_it_was() -> None:
    hole = np.ones_like(HOLE)
    hole[:3, :10] = False
    before = network()
    after, found, outcome = adapted(before, PICTURE, hole, 0, budget=(5, None))
    assert (after, found.pixels, outcome.steps) == (before, 0, 0)
    assert outcome.line == "too few visible pixels to adapt the network to"


def test_networks_of_one_size_and_baselines_are_refused() -> None:
    with pytest.raises(UsageError, match="is for pictures of one size"):
        npfill.complete(PICTURE, HOLE, of("cnp", 1), samples=0, adapt=1)
    with pytest.raises(UsageError, match="has no network"):
        npfill.complete(PICTURE, HOLE, "nearest", samples=0, adapt=1)


def test_a_budget_is_a_number_of_steps_or_a_time() -> None:
    said: dict[int | str, Any] = {0: (0, None), 300: (300, None), "300": (300, None)}
    said |= {"60s": (None, 60), "1.5min": (None, 90), "2h": (None, 7200)}
    assert {asked: SamplingOptions(adapt=asked).budget for asked in said} == said
    for wrong in ("s", "-3", "3 days", "1.5", "nan"):
        with pytest.raises(UsageError, match="adapt="):
            SamplingOptions(adapt=wrong)


@pytest.mark.parametrize(
    ("kind", "peak"), [("uint8", 255), ("uint16", 65535), ("int16", 32767), ("float32", 1)]
)
def test_the_benchmark_has_the_peak_of_the_pictures_type(kind: str, peak: int) -> None:
    truth, hole = np.zeros((4, 4), kind), np.ones((4, 4), dtype=bool)
    assert _psnr(np.full((4, 4), peak / 100), truth, hole) == pytest.approx(40)
