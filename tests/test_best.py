"""`-m best`: the better of a model and kriging, by what they make of visible pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import npfill
from npfill.completion.in_window import Rescalings, predicted
from npfill.completion.parameters import SamplingOptions
from npfill.errors import UsageError
from npfill.pictures.asked import as_asked
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import Asked, Picture
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
    done = best(*errors).predict(PICTURE, HOLE)
    least = min(errors, key=abs)
    np.testing.assert_allclose(done.mean, PICTURE[HOLE] + least, atol=1e-6)
    (note,) = done.notes
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


@pytest.mark.parametrize(
    ("kind", "taken"),
    [("auto", "pictures"), ("data", "data"), ("angle", "data"), ("classes", "pictures")],
)
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


def test_what_is_merely_unseen_is_no_part_of_the_hole_of_the_check_that_chose() -> None:
    network = load(of("convcnp", 1))
    values = np.exp(3 * PICTURE[..., 0].astype(np.float64))
    values[::9, ::9] = 1e4  # wild: neither filled nor seen
    chooser = BestPredictor((network,), name="best", word="best")
    one, other = (
        npfill.complete(values, HOLE, each, samples=0, kind="data") for each in (chooser, network)
    )
    assert one.check == other.check
    assert np.array_equal(np.asarray(one.std), np.asarray(other.std))


@pytest.mark.parametrize(("clip", "check"), [(True, True), (False, True), (True, False)])
def test_a_window_is_chosen_for_as_the_whole_is(clip: bool, check: bool) -> None:
    asked: list[object] = []

    class Chooser(BestPredictor):
        def chosen(self, *given: Any, **options: Any) -> Any:
            asked.append(options["bounded"])
            return super().chosen(*given, **options)

    values = np.where(HOLE, np.nan, PICTURE[..., 0].astype(np.float64) * 7)
    picture = as_asked(
        Picture(values[..., None], "NPY", "a", is_data=True, missing=HOLE[..., None]),
        Asked("data", clip=clip),
    )
    masked = MaskedPicture.of(picture, np.zeros_like(HOLE))
    chooser = Chooser((load(of("convcnp", 1)),), name="best", word="best")
    mean, std = predicted(masked, chooser, SamplingOptions(no_check=not check), Rescalings({}))
    asks: dict[str, Any] = {"kind": "data", "clip": clip, "check": check}
    whole = npfill.complete(values, model=chooser, samples=0, **asks)
    assert asked == [clip, clip]
    assert std is not None
    np.testing.assert_allclose(
        masked.deviation(std, mean)[..., 0], np.asarray(whole.std), rtol=1e-5
    )


def test_a_plane_of_a_window_is_drawn_for_as_that_of_the_whole() -> None:
    values = np.where(HOLE[..., None], np.nan, np.random.default_rng(0).random((64, 64, 2)) * 7)
    data = Picture(values, "NPY", "a", is_data=True, missing=np.isnan(values))
    masked = MaskedPicture.of(as_asked(data, Asked("data")), np.zeros_like(HOLE))
    latent = load(of("np-local", 1))  # whose moments are those of draws
    mean, _ = predicted(masked, latent, SamplingOptions(), Rescalings({}))
    whole = npfill.complete(values, model=latent, samples=0, kind="data", check=False)
    assert np.array_equal(masked.filled(mean).values, whole.mean)


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
