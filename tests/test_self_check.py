"""The check on the picture itself: it finds how far a std is off, and hides what it should."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npfill
from npfill.completion.self_checked import CheckReport, report_of
from npfill.data.holes import scattered
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import Picture
from npfill.predictor import Prediction, Predictor, SelfCheck, load, self_check
from npfill.predictor.contrast import contrast
from npfill.predictor.hidden import (
    CLASSES,
    LEAST,
    around_hole,
    hidden_like,
    places,
    shares,
    surroundings,
)
from npfill.predictor.self_check import found, hide
from npfill.predictor.together import independent
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
# Many pixels to check: the std is drawn to the model's own the more, the fewer there are.
LARGE = (272, 272)
LARGE_HOLES = {
    "scattered": scattered(LARGE, np.random.default_rng(1), 0.5),
    "sparse": scattered(LARGE, np.random.default_rng(2), 0.12),
    "stripes": np.broadcast_to(np.arange(272)[:, None] % 24 < 6, LARGE).copy(),
    "blocks": blocks(8, 24, LARGE),
}


def factor(check: SelfCheck, hole: Any) -> float:
    std = np.full((int(hole.sum()), 1), 0.05, dtype=np.float32)
    return float(np.exp(np.log(check.rescaled(std) / std).mean()))


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE_HOLES)
@pytest.mark.parametrize("k", [0.5, 1.0, 2.0])
def test_scaling_the_noise_scales_the_std(name: str, k: float) -> None:
    hole, factors, widths = LARGE_HOLES[name], list[float](), list[float]()
    for seed in range(3):
        check = self_check(Fields(name="f", word="f"), a_field(k, seed, LARGE), hole, seed)
        factors.append(factor(check, hole))
        widths.append(factors[-1] * check.half_width(0.9))
        assert check.z_squared == pytest.approx(k * k, rel=0.15)
    assert np.mean(factors) == pytest.approx(k, rel=0.05)
    assert np.mean(widths) == pytest.approx(1.645 * k, rel=0.05)


def test_grain_is_found() -> None:
    check = self_check(Fields(name="f", word="f"), a_field(1.0), HOLES["stripes"], 0)
    assert check.grain == pytest.approx(0.05 / 1.25**0.5, rel=0.15)


def test_of_a_face_a_check_of_another_part_counts_for_little() -> None:
    picture = np.random.default_rng(0).random((64, 64, 3), dtype=np.float32)
    hole = np.zeros((64, 64), dtype=bool)
    hole[16:48, 16:48] = True
    check = self_check(load("cnp-celeba"), picture, hole, 0)
    assert check.rescaling is not None
    assert check.hole is not None
    assert 0.25 < check.rescaling.share < 0.5
    whole = replace(check, rescaling=replace(check.rescaling, share=1.0))
    assert 1.02 < factor(check, hole) < factor(whole, hole) ** 0.5
    scattered_hole = scattered((64, 64), np.random.default_rng(0), 0.5)
    rescaled = self_check(load("cnp-celeba"), picture, scattered_hole, 0).rescaling
    assert rescaled is not None
    assert rescaled.share > 0.95


def test_with_too_little_to_check_nothing_is_found() -> None:
    hole = scattered(SIZE, np.random.default_rng(0), 0.05)
    check = self_check(Fields(name="f", word="f"), a_field(3.0), hole, 0)
    assert check.pixels == 0
    assert factor(check, hole) == 1
    assert check.half_width(0.9) == pytest.approx(1.645, abs=1e-3)


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
    wanted = shares(surroundings(hole, hole))
    hidden = hidden_like(hole, WHOLE, wanted, LEAST, np.random.default_rng(0))
    assert not (hidden & hole).any()
    assert hidden.sum() <= 0.3 * (~hole).sum()
    has = shares(surroundings(hole | hidden, hidden))
    mean = (np.arange(CLASSES) * (has - wanted)).sum()
    assert abs(mean) < 0.5


def test_surroundings_go_from_the_midst_of_what_is_visible_to_nothing_near() -> None:
    hole = np.ones((200, 200), dtype=bool)
    hole[:, :20] = False
    near = surroundings(hole, hole).reshape(200, 180)[100]
    assert near[:3].tolist() == [1, 3, pytest.approx(3.7, abs=0.1)]
    assert (np.diff(near[:47]) > 0).all()
    assert (near[47:] == CLASSES - 1).all()
    hole[100, 5] = True
    assert surroundings(hole, hole)[100 * 180] == 0


def test_surroundings_of_a_hole_are_those_of_the_whole_picture() -> None:
    hole = np.zeros((120, 150), dtype=bool)
    hole[30:110, 40:60] = True
    hole[50, 5] = hole[119, 149] = True
    assert np.array_equal(around_hole(hole), surroundings(hole, hole))
    assert np.array_equal(around_hole(hole[30:50, 40:60]), np.full(400, CLASSES - 1))


def grid(count: int) -> Any:
    """Rows and columns of so many pixels side by side."""
    return np.stack(np.divmod(np.arange(count), 64), axis=1)


def test_errors_of_a_patch_that_are_one_count_as_one_and_others_each() -> None:
    noise, at = np.random.default_rng(0).normal(size=(4096, 1)), grid(4096)
    classes = np.zeros(4096, dtype=int)
    assert independent(noise, at, classes, 2) == pytest.approx([4096, 0], rel=0.2)
    patches = noise[(at[:, 0] // 16) * 4 + at[:, 1] // 16]
    assert 8 < independent(patches, at, classes, 2)[0] < 32
    assert independent(noise[:1] + np.zeros_like(noise), at, classes, 2)[0] < 1.1


def test_a_std_is_drawn_in_less_the_more_its_errors_go_together() -> None:
    random, every = np.random.default_rng(0), np.zeros(4096)
    noise, at = 0.3 * random.normal(size=(4096, 1)), grid(4096)
    patches = noise[(at[:, 0] // 32) * 2 + at[:, 1] // 32]
    factors = [
        found(errors, np.ones_like(errors), every, at, every[:1]).rescaled(np.ones((1, 1)))
        for errors in (noise, patches / patches.std() * noise.std())
    ]
    assert factors[0] == pytest.approx(0.3, rel=0.1)
    assert factors[1] > 0.45


def factors_of(errors: Any, stds: Any, number: int, asked: float = 1.0) -> Any:
    """The factor of each class for a std, where pixels of one class were checked."""
    every = np.arange(float(CLASSES))
    check = found(errors, stds, np.full(len(errors), float(number)), grid(len(errors)), every)
    return check.rescaled(np.full((CLASSES, 1), asked))[:, 0] / asked


def test_what_is_farther_than_all_that_was_checked_is_not_stretched() -> None:
    z = np.random.default_rng(0).normal(size=(5000, 1)) * 0.003
    factors = factors_of(3 * z, np.full_like(z, 0.003), 3, 0.003)
    assert factors[3] == pytest.approx(3, rel=0.05)
    assert factors[0] > 1.5
    assert (factors[4:] <= 1).all()
    assert factors_of(z / 10, np.full_like(z, 0.003), 3, 0.003)[4] < 0.5


def test_a_std_is_drawn_in_to_a_fifth_at_most_and_the_interval_farther() -> None:
    errors = 0.001 * np.random.default_rng(0).normal(size=(4000, 1))
    check = found(errors, np.full_like(errors, 0.1), np.zeros(4000), grid(4000), np.zeros(1))
    std = check.rescaled(np.full((1, 1), 0.1))
    assert std == pytest.approx(0.02)
    assert (np.abs(errors) <= check.half_width(0.9) * std).mean() == pytest.approx(0.9, abs=0.02)


def test_an_interval_is_drawn_to_the_errors_the_more_there_are() -> None:
    halves = np.sort(np.abs(np.random.default_rng(0).normal(size=20_000))) / 2
    for evidence, drawn in ((3.0, 0.5), (27.0, 0.9), (1e9, 1.0)):
        check = SelfCheck(200, errors=halves, evidence=evidence)
        assert check.half_width(0.5) == pytest.approx(0.6745 * 0.5**drawn, rel=0.02)
    rare = SelfCheck(200, errors=np.append(halves[::200], 1000.0), evidence=10.0)
    assert 0.8 < rare.half_width(0.9) < rare.half_width(0.999) < 2.5


def test_no_std_is_made_wider_than_half_of_black_to_white() -> None:
    errors = 0.9 * np.random.default_rng(0).normal(size=(4000, 1))
    factors = factors_of(errors, np.full_like(errors, 0.1), 2, 0.1)
    assert factors[2] == pytest.approx(5)
    assert factors_of(errors, np.full_like(errors, 0.6), 2, 0.6)[2] == pytest.approx(1)


def test_channels_that_have_one_error_go_together_nearly_as_one() -> None:
    noise = np.random.default_rng(0).normal(size=(4000, 1))
    errors, every = noise * [1.0, 2.0, -0.5], (np.zeros(4000), grid(4000), np.zeros(1))
    found_ = found(errors, np.ones_like(errors), *every).correlation
    assert found_ is not None
    signs = np.outer([1, 1, -1], [1, 1, -1])
    assert found_ == pytest.approx(np.where(np.eye(3), 1, 0.999 * signs), abs=1e-4)
    assert np.linalg.eigvalsh(found_).min() > 0


def test_what_is_hidden_is_like_the_part_that_is_wanted() -> None:
    hole = scattered(SIZE, np.random.default_rng(0), 0.9)
    wanted, middle = hole.copy(), (slice(20, 50), slice(20, 50))
    hole[middle], wanted[middle] = True, False
    near = [
        np.concatenate([surroundings(hole[place] | here, here) for place, here in found])
        for found in (hide(hole, 0, part)[0] for part in (wanted, hole & ~wanted))
    ]
    assert near[0].mean() < 1
    assert near[1].mean() > 2


def test_of_planes_that_were_checked_each_pixel_counts_alike() -> None:
    some, many = SelfCheck(100, 0.5, 1.0), SelfCheck(300, 0.9, 3.0)
    found = [(slice(0, 1), (some, 1.0)), (slice(1, 2), (many, 2.0))]
    picture = Picture(np.zeros((4, 4, 2)), "NPY", "a", is_data=True)
    report = report_of(found, MaskedPicture.of(picture, np.eye(4, dtype=bool)), 0.9)
    assert report is not None
    assert (report.pixels, report.coverage, report.z_squared) == pytest.approx((400, 0.8, 2.5))


def test_of_a_large_picture_tiles_with_holes_are_checked_first() -> None:
    hole = np.zeros((640, 640), dtype=bool)
    hole[330:340, 170:180] = True
    for seed in range(5):
        assert hole[places(hole, np.random.default_rng(seed))[0]].any()


def test_where_a_std_is_next_to_nothing_it_counts_with_what_is_rare() -> None:
    random = np.random.default_rng(0)
    stds = np.full((4000, 1), 1e-5)
    stds[:400] = 0.05
    errors = stds * random.normal(size=stds.shape)
    check = found(errors, stds, np.full(4000, 2.0), grid(4000), np.full(1, 2.0))
    size = np.sqrt(np.square(errors).mean())
    assert 0.05 * size < check.rescaled(np.full((1, 1), 1e-5))[0, 0] < 0.5 * size


def test_few_large_errors_widen_the_std_and_not_the_interval() -> None:
    random = np.random.default_rng(0)
    errors = 0.01 * random.normal(size=(4000, 1))
    errors[:80] *= 20
    every = np.full_like(errors, 0.01), np.full(4000, 2.0), grid(4000), np.full(10, 2.0)
    check = found(errors, *every)
    std = check.rescaled(np.full((10, 1), 0.01))[0, 0]
    assert np.square(errors / std).mean() == pytest.approx(1, abs=0.1)
    for probability in (0.5, 0.9, 0.95):
        inside = np.abs(errors) <= check.half_width(probability) * std
        assert inside.mean() == pytest.approx(probability, abs=0.01)
    assert check.half_width(0.9) < 1.2
    widths = [check.half_width(probability) for probability in np.linspace(0.01, 0.9999, 99)]
    assert (np.diff(widths) >= 0).all()


def test_a_std_that_is_too_small_where_it_is_small_is_mended_there_and_stays_beyond() -> None:
    random = np.random.default_rng(0)
    stds = np.exp(random.uniform(-5, -2, size=(4000, 1)))
    errors = np.exp(-2) ** 0.5 * stds**0.5 * random.normal(size=stds.shape)
    check = found(errors, stds, np.full(4000, 3.0), grid(4000), np.full(2, 3.0))
    ends = np.exp([[-4.5], [-2.5]])
    assert check.rescaled(ends) == pytest.approx(np.exp(np.log(ends) / 2 - 1), rel=0.1)
    beyond = np.exp([[-2.1], [-0.9]])
    factors = check.rescaled(beyond) / beyond
    assert factors[1] == pytest.approx(factors[0], rel=0.03)


@pytest.mark.slow
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


@pytest.mark.slow
def test_grain_of_data_has_their_unit() -> None:
    model, hole = of("convcnp", 1), HOLES["stripes"]
    picture = a_field(1.0)[..., 0].astype(np.float64)
    one, thousand = (
        npfill.complete(picture * k + 7, hole, model, samples=0).check for k in (1, 1000)
    )
    assert one is not None
    assert thousand is not None
    assert thousand.grain == pytest.approx(1000 * one.grain, rel=1e-3)  # type: ignore[operator]


def test_each_plane_has_the_interval_that_its_own_check_found(tmp_path: Path) -> None:
    even = 200 + 100 * a_field(1.0, 0, (64, 64))[..., 0].astype(np.float64)
    rare = 7 * np.random.default_rng(1).normal(size=(64, 64)) ** 5
    hole, model = np.zeros((64, 64), dtype=bool), of("convcnp", 1)
    hole[20:32, 20:32] = True
    hole[::4, ::4] = True
    stack = np.stack([even, rare], axis=-1)
    together, *alone = (
        npfill.complete(each, hole, model, samples=0, kind="data") for each in (stack, even, rare)
    )
    uppers = [
        np.load(done.save(tmp_path / str(number), emit="interval")["upper"])
        for number, done in enumerate((together, *alone))
    ]
    assert np.array_equal(uppers[0], np.stack(uppers[1:], axis=-1))
    checks = [done.check for done in (together, *alone)]
    whole, one, other = (check for check in checks if check is not None)
    assert one.half_width > 1.3 * other.half_width  # type: ignore[operator]
    assert whole.half_widths == (one.half_width, other.half_width)
    assert whole.grain == pytest.approx((one.grain + other.grain) / 2)  # type: ignore[operator]


def test_a_baseline_is_not_checked() -> None:
    done = npfill.complete(a_field(1.0)[..., 0], HOLES["stripes"], "nearest", samples=0)
    assert done.check is None


class Halved(SelfCheck):
    """The finding that every std is to be halved."""

    def rescaled(self, std: Any) -> Any:
        return std / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "sampler"),
    [("cnp", "autoregressive"), ("lcnp", "autoregressive"), ("lcnp", "latent")],
)
def test_samples_spread_as_the_check_says(variant: str, sampler: str) -> None:
    model, hole = load(of(variant, 1)), blocks(3, 6, (8, 8))
    picture = np.full((8, 8, 1), 0.5, dtype=np.float32)
    options: dict[str, Any] = {"samples": 40, "sampler": sampler}
    plain = model.predict(picture, hole, **options)
    checked = model.predict(picture, hole, check=Halved(0), **options)
    assert plain.std is not None
    assert checked.std is not None
    assert np.allclose(checked.std, plain.std / 2)
    before, after = (np.stack(each.samples).std(0) for each in (plain, checked))
    assert np.median(after / before) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("sampler", ["independent", "autoregressive"])
@pytest.mark.slow
def test_the_channels_of_a_sample_go_together_as_the_errors_do(sampler: str) -> None:
    random, covariance = (
        np.random.default_rng(1),
        np.array([[1, 0.9, 0.5], [0.9, 1, 0.7], [0.5, 0.7, 1]]),
    )
    noise = random.multivariate_normal(np.zeros(3), covariance, (64, 64))
    picture, hole = (0.5 + 0.05 * noise).astype(np.float32), scattered((64, 64), random, 0.5)
    model = load(of("convcnp", 3))
    options: dict[str, Any] = {"sampler": sampler, "samples": 1}
    if sampler == "autoregressive":
        options |= {"rounds": 4, "noise": True}
    done = model.predict(picture, hole, check=self_check(model, picture, hole, 0), **options)
    errors, drawn = picture[hole] - done.mean, done.samples[0] - done.mean
    assert np.corrcoef(drawn.T) == pytest.approx(np.corrcoef(errors.T), abs=0.05)


def test_a_check_in_smooth_places_draws_a_std_in_less_where_it_is_rough() -> None:
    random, hole = np.random.default_rng(0), np.zeros((160, 320), dtype=bool)
    hole[40:80, 240:280] = True
    rough = np.where(np.arange(320) < 160, 0.01, 0.08)[:, None]
    picture = np.where(hole[..., None], np.nan, rough * random.normal(size=(160, 320, 1)))
    here = np.zeros((160, 160), dtype=bool)
    here[40:80, 40:80] = True
    smooth, alike = (slice(0, 160), slice(0, 160)), (slice(0, 160), slice(100, 260))
    assert 4 < contrast(picture, hole, [(smooth, here)]) < 8
    assert contrast(picture, hole, [(alike, here.T)]) < 1.3
    assert contrast(picture, hole, []) == 1


def test_what_is_rough_around_a_hole_is_never_made_wider_than_the_model_says() -> None:
    stds, at = np.full((4096, 1), 0.1), np.zeros(4096)
    noise = np.random.default_rng(0).normal(size=(4096, 1))
    for size, alone, rougher in ((0.02, 0.2, 0.6), (0.2, 2.0, 2.0), (0.06, 0.6, 1.0)):
        plain, other = (
            found(size * noise, stds, at, grid(4096), at[:1], times).rescaled(np.full((1, 1), 0.1))
            for times in (1.0, 3.0)
        )
        assert plain == pytest.approx(0.1 * alone, rel=0.1)
        assert other == pytest.approx(0.1 * rougher, rel=0.1)
