"""The check on the picture itself: it finds how far a std is off, and hides what it should."""

from typing import Any

import numpy as np
import pytest

import npfill
from npfill.completion.self_checked import CheckReport
from npfill.data.holes import scattered
from npfill.predictor import Prediction, Predictor, self_check
from npfill.predictor.hidden import CLASSES, LEAST, classes_of, hidden_like, shares, surroundings
from npfill.predictor.self_check import found
from tests.conftest import of

SIZE = (96, 96)
WHOLE = (slice(None), slice(None))


class Fields(Predictor):
    """Knows the law of fields that are independent in every pixel: mean 1/2, std 0.05."""

    variant = "fields"
    asked: list[Any]

    def check_sampler(self, *_: Any, **__: Any) -> None:
        """It has no samples."""

    def _predict(self, picture: Any, hole: Any, *_: Any) -> Prediction:
        self.asked = [*getattr(self, "asked", []), (picture, hole)]
        mean = np.full((int(hole.sum()), picture.shape[-1]), 0.5, dtype=np.float32)
        return Prediction(mean, np.full_like(mean, 0.05), [], ())


def a_field(k: float, seed: int = 0, size: tuple[int, int] = SIZE) -> Any:
    noise = np.random.default_rng(seed).normal(size=(*size, 1))
    return (0.5 + 0.05 * k * noise).astype(np.float32)


def blocks(side: int, every: int, size: tuple[int, int] = SIZE) -> Any:
    rows, columns = np.ogrid[: size[0], : size[1]]
    return (rows % every < side) & (columns % every < side)


HOLES = {
    "scattered": scattered(SIZE, np.random.default_rng(1), 0.5),
    "sparse": scattered(SIZE, np.random.default_rng(2), 0.12),
    "stripes": np.broadcast_to(np.arange(96)[:, None] % 24 < 6, SIZE).copy(),
    "blocks": blocks(16, 48),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOLES)
@pytest.mark.parametrize("k", [0.5, 1.0, 2.0])
def test_scaling_the_noise_scales_the_std(name: str, k: float) -> None:
    """Mean over fields, of pixels as far from what is visible as some that were checked."""
    hole, factors = HOLES[name], []
    for seed in range(6):
        check = self_check(Fields(name="fields", word="fields"), a_field(k, seed), hole, seed)
        spread = check.spread(hole)
        assert spread is not None
        factors.append(np.exp(np.log(spread).mean()))
        assert check.z_squared == pytest.approx(k * k, rel=0.25)
    # Shrunk towards the model's own the more, the fewer pixels are checked as far from the visible.
    limit = {"scattered": 0.05, "stripes": 0.08}.get(name, 0.3)
    assert np.mean(factors) == pytest.approx(k, rel=limit)


def test_grain_is_found() -> None:
    check = self_check(Fields(name="f", word="f"), a_field(1.0), HOLES["stripes"], 0)
    assert check.grain == pytest.approx(0.05 / 1.25**0.5, rel=0.15)


def test_with_too_little_to_check_nothing_is_found() -> None:
    hole = scattered(SIZE, np.random.default_rng(0), 0.05)
    check = self_check(Fields(name="f", word="f"), a_field(3.0), hole, 0)
    assert check.pixels == 0
    assert check.spread(hole) is None


def test_what_is_under_the_hole_is_never_read_and_the_same_seed_hides_the_same() -> None:
    hole, picture = HOLES["blocks"], a_field(2.0)
    torn = np.where(hole[..., None], np.float32(np.nan), picture)
    first, again, other = (Fields(name="f", word="f") for _ in range(3))
    one, two = self_check(first, picture, hole, 4), self_check(again, torn, hole, 4)
    assert one.pixels == two.pixels
    assert one.z_squared == two.z_squared
    self_check(other, picture, hole, 5)
    assert np.array_equal(first.asked[0][1], again.asked[0][1])
    assert not np.array_equal(first.asked[0][1], other.asked[0][1])
    for seen, missing in first.asked:
        assert (missing & hole).sum() == hole.sum()
        assert not seen[missing].any()


def test_a_picture_is_predicted_once_more_and_of_a_large_one_a_part() -> None:
    small, large = Fields(name="f", word="f"), Fields(name="f", word="f")
    self_check(small, a_field(1.0), HOLES["scattered"], 0)
    assert [hole.shape for _, hole in small.asked] == [SIZE]
    size = (512, 768)
    hole = scattered(size, np.random.default_rng(0), 0.9)
    self_check(large, a_field(1.0, size=size), hole, 0)
    assert sum(each.size for _, each in large.asked) < 0.25 * hole.size


@pytest.mark.parametrize("name", HOLES)
def test_what_is_hidden_is_visible_and_as_far_from_the_rest_as_the_hole(name: str) -> None:
    hole = HOLES[name]
    wanted = shares(surroundings(hole)[hole])
    hidden = hidden_like(hole, WHOLE, wanted, LEAST, np.random.default_rng(0))
    assert not (hidden & hole).any()
    assert hidden.sum() <= 0.3 * (~hole).sum()
    has = shares(surroundings(hole | hidden)[hidden])
    mean = (np.arange(CLASSES) * (has - wanted)).sum()
    assert abs(mean) < 0.5


def test_surroundings_go_from_the_midst_of_what_is_visible_to_nothing_near() -> None:
    hole = np.ones((200, 200), dtype=bool)
    hole[:, :20] = False
    classes = surroundings(hole)[100]
    assert classes[5] == 0
    assert (np.diff(classes[20:].astype(int)) >= 0).all()
    assert classes[19 + 1] == 1
    assert classes[19 + 2] == 3
    assert classes[-1] == CLASSES - 1


def test_surroundings_of_a_hole_are_those_of_the_whole_picture() -> None:
    hole = np.zeros((120, 150), dtype=bool)
    hole[30:110, 40:60] = True
    hole[50, 5] = hole[119, 149] = True
    assert np.array_equal(classes_of(hole), surroundings(hole)[hole])
    assert np.array_equal(classes_of(hole[30:50, 40:60]), np.full(400, CLASSES - 1))


def test_what_is_farther_than_all_that_was_checked_is_not_stretched() -> None:
    z = np.random.default_rng(0).normal(size=(5000, 1)) * 3
    check = found(z, np.ones_like(z), np.full(5000, 3))
    assert check.factors is not None
    assert check.factors[3] == pytest.approx(3, rel=0.05)
    assert check.factors[0] > 1.5
    assert (check.factors[4:] <= 1).all()
    narrow = found(z / 30, np.ones_like(z), np.full(5000, 3))
    assert narrow.factors is not None
    assert narrow.factors[4] < 0.5


def test_a_completion_is_checked_and_its_mean_stays() -> None:
    model = of("convcnp", 1)
    picture, hole = a_field(1.0)[..., 0], HOLES["stripes"]
    plain = npfill.complete(picture, hole, model, samples=0, check=False)
    checked = npfill.complete(picture, hole, model, samples=0)
    assert plain.check is None
    assert checked.check is not None
    assert checked.check.pixels >= LEAST
    assert np.array_equal(plain.mean, checked.mean)
    assert plain.std is not None
    assert checked.std is not None
    ratio = checked.std[hole] / plain.std[hole]
    assert ratio.mean() == pytest.approx(checked.check.factor, rel=0.05)
    again = npfill.complete(picture, hole, model, samples=0)
    assert again.std is not None
    assert np.array_equal(again.std, checked.std)
    assert again.check == checked.check


def test_a_small_picture_keeps_the_std_of_the_model_and_that_is_said() -> None:
    model, hole = of("convcnp", 1), np.zeros((12, 12), dtype=bool)
    hole[3:6, 3:6] = True
    picture = a_field(1.0, size=(12, 12))[..., 0]
    plain = npfill.complete(picture, hole, model, samples=0, check=False)
    checked = npfill.complete(picture, hole, model, samples=0)
    assert plain.std is not None
    assert checked.std is not None
    assert np.array_equal(plain.std, checked.std)
    assert checked.check == CheckReport(0)
    assert "too few visible pixels" in checked.check.line


def test_grain_of_data_has_their_unit() -> None:
    model, hole = of("convcnp", 1), HOLES["stripes"]
    picture = a_field(1.0)[..., 0].astype(np.float64)
    one, thousand = (
        npfill.complete(picture * k + 7, hole, model, samples=0).check for k in (1, 1000)
    )
    assert one is not None
    assert thousand is not None
    assert thousand.grain == pytest.approx(1000 * one.grain, rel=1e-3)  # type: ignore[operator]


def test_a_baseline_is_not_checked() -> None:
    done = npfill.complete(a_field(1.0)[..., 0], HOLES["stripes"], "nearest", samples=0)
    assert done.check is None
