"""`-m best`: the better of a model and kriging, by what they make of visible pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import npfill
from npfill.errors import UsageError
from npfill.predictor import NeuralPredictor, Prediction, Predictor, load
from npfill.predictor.best import BestPredictor
from tests.conftest import of

PICTURE = np.random.default_rng(0).uniform(0.2, 0.8, (64, 64, 1)).astype(np.float32)
HOLE = np.zeros((64, 64), dtype=bool)
HOLE[20:40, 20:40] = True


@dataclass(eq=False)
class Guess(Predictor):
    """Says of every pixel that it is the truth plus an error."""

    error: float
    variant = "guess"

    def check_sampler(self, *_: Any, **__: Any) -> None:
        """Nothing to check."""

    def _predict(self, picture: np.ndarray, hole: np.ndarray, samples: int, *_: Any) -> Prediction:
        mean = PICTURE[hole] + self.error
        return Prediction(mean, np.full_like(mean, 0.1), [], ())


def best(*errors: float) -> BestPredictor:
    guesses = tuple(Guess(error, name=f"off by {error}", word="guess") for error in errors)
    return BestPredictor(guesses, name="best", word="best")


@pytest.mark.parametrize("errors", [(0.3, 0.1), (0.1, 0.3), (-0.2, 0.3, 0.1)])
def test_the_one_with_the_least_error_on_visible_pixels_completes_the_hole(
    errors: tuple[float, ...],
) -> None:
    predicted = best(*errors).predict(PICTURE, HOLE)
    least = min(errors, key=abs)
    np.testing.assert_allclose(predicted.mean, PICTURE[HOLE] + least, atol=1e-6)
    (note,) = predicted.notes
    assert note.startswith(f"completed by off by {least}; on ")
    assert "times as large by" in note


def test_where_too_little_is_visible_the_first_one_completes_the_hole() -> None:
    hole = np.ones((64, 64), dtype=bool)
    hole[0, :8] = False
    (note,) = best(0.3, 0.1).predict(PICTURE, hole).notes
    assert note == "completed by off by 0.3; too few visible pixels to choose by"


def test_a_sampler_is_not_for_a_choice() -> None:
    with pytest.raises(UsageError, match="what it chooses"):
        best(0.1).predict(PICTURE, HOLE, sampler="autoregressive")


@pytest.mark.parametrize(("kind", "taken"), [("auto", "pictures"), ("data", "data")])
def test_a_predictor_may_have_another_for_data(kind: str, taken: str) -> None:
    network, data = of("convcnp", 1), Guess(0.1, name="data", word="data")
    both = NeuralPredictor(network, name="pictures", word="auto", for_data=lambda: data)
    picture = np.rint(255 * PICTURE[..., 0]).astype(np.uint8)
    done = npfill.complete(picture, HOLE, both, samples=0, kind=kind, check=False)
    assert done.model == taken


@pytest.mark.slow
def test_the_check_that_chose_is_told_and_can_be_left_out() -> None:
    candidates = tuple(load(of("convcnp", 1)) for _ in range(2))
    chooser = BestPredictor(candidates, name="best", word="best")
    checked, plain, alone = (
        npfill.complete(PICTURE[..., 0], HOLE, model, samples=0, kind="data", check=check)
        for model, check in ((chooser, True), (chooser, False), (candidates[0], False))
    )
    assert checked.check is not None
    assert checked.check.pixels > 200
    assert plain.check is None
    ours, model, other = (np.asarray(each.std) for each in (plain, alone, checked))
    assert np.array_equal(ours, model)
    assert not np.array_equal(ours, other)


@pytest.mark.slow
def test_best_is_a_model_and_kriging_and_a_smooth_field_is_completed_by_kriging() -> None:
    pytest.importorskip("scipy")
    chooser = load("best")
    assert isinstance(chooser, BestPredictor)
    assert [each.name for each in chooser.candidates][1] == "kriging"
    axis = np.linspace(0, 3, 48)
    field = np.sin(axis[:, None] + axis) * np.cos(2 * axis)
    holes = np.random.default_rng(0).random(field.shape) < 0.7
    done = npfill.complete(field, holes, "best", samples=1)
    assert any(note.startswith("completed by") for note in done.notes)
    assert np.sqrt(np.square(done.mean - field)[holes].mean()) < 0.05


def test_python_refuses_a_sampler_for_a_choice_as_the_command_does() -> None:
    chooser = BestPredictor((load(of("convcnp", 1)),) * 2, name="best", word="best")
    with pytest.raises(UsageError, match="what it chooses"):
        npfill.complete(PICTURE[..., 0], HOLE, chooser, sampler="exemplar", kind="data")
