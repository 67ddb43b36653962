"""Grids of numbers: values that are wild, of many decades, beyond what was seen, and no data."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import npfill
from npfill.baselines.base import Baseline, BaselinePrediction
from npfill.errors import InputError, UsageError
from npfill.pictures.wild import wild
from tests.conftest import of

ROW, COLUMN = np.indices((24, 26))
FIELD = 300 + 3 * np.sin(0.3 * ROW) + 2 * np.cos(0.2 * COLUMN)
HOLE = np.zeros(FIELD.shape, dtype=bool)
HOLE[8:15, 9:17] = True


class Below(Baseline):
    name = "below"

    def fill(self, picture: np.ndarray, hole: np.ndarray) -> BaselinePrediction:
        return BaselinePrediction(np.full((hole.sum(), picture.shape[-1]), -0.5), None)


def completed(picture: Any, **options: Any) -> Any:
    return npfill.complete(picture, HOLE, of("convcnp", 1), samples=0, **options)


def test_a_wild_value_is_found_and_a_mountain_is_not() -> None:
    values, seen = FIELD.copy(), np.ones(FIELD.shape, dtype=bool)
    assert not wild(values, seen)[0].any()
    values[3, 4] = 1e6
    found, (low, high) = wild(values, seen)
    assert np.argwhere(found).tolist() == [[3, 4]]
    assert low < FIELD.min() < FIELD.max() < high < 1e6
    values[2:5, 3:6] = 1e6
    assert not wild(values, seen)[0].any()


@pytest.mark.parametrize(("others", "is_wild"), [(2, True), (3, False)])
def test_of_what_is_beside_a_wild_value_half_at_most_is_far_too(others: int, is_wild: bool) -> None:
    values, seen = FIELD.copy(), np.ones(FIELD.shape, dtype=bool)
    seen[2:5, 3:6] = False
    beside = [(2, 3), (2, 4), (2, 5), (3, 3)]
    for number, place in enumerate([(3, 4), *beside]):
        seen[place] = True
        values[place] = 1e6 if number <= others else values[place]
    assert wild(values, seen)[0][3, 4] == is_wild


def test_too_few_values_and_a_flat_field_have_none_that_is_wild() -> None:
    few = np.zeros(FIELD.shape, dtype=bool)
    few[:, 0] = ROW[:, 0] < 15
    spiked = FIELD.copy()
    spiked[3, 0] = 1e6
    assert not wild(spiked, few)[0].any()
    flat = np.zeros(FIELD.shape)
    flat[3, 4] = 1
    assert not wild(flat, ~few)[0].any()


def test_a_wild_value_in_one_band_stays_and_what_others_lack_is_filled_there() -> None:
    spiked = np.stack([FIELD, FIELD + 1], -1)
    spiked[3, 4] = 1e9, np.nan
    done = completed(spiked).mean[3, 4]
    assert done[0] == 1e9
    assert np.isfinite(done[1])


def test_a_wild_value_in_one_band_hides_nothing_of_another() -> None:
    plain = np.stack([FIELD, FIELD + 1], -1)
    spiked = plain.copy()
    spiked[3, 4, 0] = 1e9
    done, expected = completed(spiked).mean, completed(plain).mean
    assert np.array_equal(done[..., 1], expected[..., 1])
    assert not np.array_equal(done[..., 0], expected[..., 0])


def test_one_cosmic_ray_costs_the_rest_nothing_and_stays() -> None:
    spiked = FIELD.copy()
    spiked[3, 4] = 1e9
    done, plain = completed(spiked), completed(FIELD)
    assert done.mean[3, 4] == 1e9
    assert any("1 px are wild" in note for note in done.notes)
    assert not plain.notes
    assert np.abs(done.mean - plain.mean)[HOLE].max() < 0.2
    assert done.std[HOLE].mean() < 1.5 * plain.std[HOLE].mean()


@pytest.mark.parametrize("log", [False, True])
def test_the_range_beyond_which_values_are_wild_is_in_their_unit(log: bool) -> None:
    values = np.exp(FIELD - 300) if log else FIELD.copy()
    low, high = values.min(), values.max()
    values[3, 4] = 1e9
    (note,) = completed(values, log=log).notes
    least, most = map(float, re.findall("beyond (.*) to (.*) and unlike", note)[0])
    assert 0 < least < low < high < most < 1e9


@pytest.mark.parametrize("option", ["log", "clip"])
def test_what_is_of_data_is_refused_of_a_photograph_unless_that_is_called_data(
    option: str, tmp_path: Path
) -> None:
    levels = FIELD.astype(np.uint8)
    for name in ("a.png", "a.jpg"):
        Image.fromarray(levels).save(tmp_path / name)
    for photograph in (levels, tmp_path / "a.png", tmp_path / "a.jpg"):
        with pytest.raises(UsageError, match=f"`{option}` is of data, and .* a photograph"):
            completed(photograph, **{option: True})
    for said in ({"kind": "data"}, {"nodata": 0}):
        done = completed(levels, **said, **{option: True})
        assert np.array_equal(done.mean[~HOLE], levels[~HOLE])


def test_values_go_beyond_what_was_seen_unless_that_is_asked_for() -> None:
    below = npfill.complete(FIELD, HOLE, Below(), samples=0)
    lowest, highest = FIELD[~HOLE].min(), FIELD[~HOLE].max()
    np.testing.assert_allclose(below.mean[HOLE], lowest - (highest - lowest) / 2)
    clipped = npfill.complete(FIELD, HOLE, Below(), samples=0, clip=True)
    assert (clipped.mean[HOLE] == lowest).all()
    levels = npfill.complete(FIELD.astype(np.uint8), HOLE, Below(), samples=0)
    assert (levels.mean[HOLE] == 0).all()


class Above(Below):
    def fill(self, picture: np.ndarray, hole: np.ndarray) -> BaselinePrediction:
        return BaselinePrediction(np.full((hole.sum(), picture.shape[-1]), 1.5), None)


@pytest.mark.parametrize("log", [False, True])
def test_what_is_clipped_is_not_beyond_what_was_seen_by_a_bit(log: bool) -> None:
    for seed in range(10):
        values = np.random.default_rng(seed).uniform(0.5, 7, FIELD.shape)
        seen = values[~HOLE].min(), values[~HOLE].max()
        for model, limit in zip((Below(), Above()), seen, strict=True):
            done = npfill.complete(values, HOLE, model, samples=0, clip=True, log=log)
            assert done.mean[HOLE] == pytest.approx(limit, rel=1e-12)
            assert seen[0] <= done.mean[HOLE].min() <= done.mean[HOLE].max() <= seen[1]


def test_the_logarithm_is_completed_in_place_of_values() -> None:
    decades = np.exp(FIELD - 300)
    logs, done = completed(FIELD - 300), completed(decades, log=True)
    np.testing.assert_allclose(done.mean, np.exp(logs.mean), rtol=2e-4)
    half = (np.exp(logs.mean + logs.std) - np.exp(logs.mean - logs.std)) / 2
    np.testing.assert_allclose(done.std[HOLE], half[HOLE], rtol=2e-3)
    np.testing.assert_array_equal(done.mean[~HOLE], decades[~HOLE])


def test_what_has_no_logarithm_is_refused() -> None:
    with pytest.raises(InputError, match="1 observed values are not above 0"):
        completed(np.where(ROW + COLUMN == 0, 0.0, FIELD), log=True)
    with pytest.raises(UsageError, match="numbers on a line"):
        completed(FIELD.astype(np.uint8), log=True, kind="classes")


@pytest.mark.slow
def test_zeros_of_a_depth_map_are_filled_and_all_else_stays(tmp_path: Path) -> None:
    depth = np.where(HOLE, 0, 10 * FIELD).astype(np.uint16)
    Image.fromarray(depth).save(tmp_path / "depth.png")
    done = npfill.complete(tmp_path / "depth.png", nodata=0, samples=0)
    assert np.array_equal(done.hole, HOLE)
    assert done.std is not None
    assert 0 < done.std[HOLE].mean() < 30
    paths = done.save(tmp_path)
    with Image.open(paths["mean"]) as image:
        again = np.asarray(image)
        options = image.text["npfill_options"]  # type: ignore[attr-defined]
    assert again.dtype == np.uint16
    assert np.array_equal(again[~HOLE], depth[~HOLE])
    assert (abs(again - 10 * FIELD)[HOLE] < 20).all()
    assert '"--nodata": 0' in options


def test_what_is_kept_out_is_neither_filled_nor_used() -> None:
    land = (ROW + COLUMN > 38) | (COLUMN == 12)
    sea = np.where(HOLE | land, np.nan, FIELD)
    done, other = (  # the second has values on land
        npfill.complete(picture, keep_out=land, model=of("convcnp", 1), samples=0)
        for picture in (sea, np.where(land, -500.0, sea))
    )
    assert np.array_equal(done.hole, HOLE & ~land)
    assert np.isnan(done.mean[land]).all()
    assert (other.mean[land] == -500).all()
    assert np.array_equal(done.mean[~land], other.mean[~land])
    assert done.std is not None
    assert np.isnan(done.std[land]).all()
    assert other.std is not None
    assert (other.std[land] == 0).all()


def test_holes_at_a_border_stay_missing_if_only_inner_ones_are_filled(tmp_path: Path) -> None:
    outside = (ROW < 3) | ((COLUMN == 4) & (ROW < 12)) | ((ROW == 12) & (COLUMN < 7) & (COLUMN > 3))
    done = npfill.complete(
        np.where(HOLE | outside, np.nan, FIELD), inner=True, model="nearest", samples=0
    )
    assert np.array_equal(done.hole, HOLE)
    assert np.isnan(done.mean[outside]).all()
    assert np.array_equal(done.open, outside)
    assert f"{outside.sum():,} px stay missing: connected to a border" in done.notes[0]
    path = tmp_path / "a.png"
    Image.fromarray(FIELD.astype(np.uint8) // 2).save(path)
    masked = npfill.complete(path, HOLE | outside, inner=True, model="nearest", samples=0)
    with Image.open(masked.save(tmp_path)["mean"]) as image:
        alpha = np.asarray(image)[..., 1]
    assert np.array_equal(alpha == 0, outside)
    with pytest.raises(InputError, match="nothing of the hole is left"):
        npfill.complete(FIELD, outside, inner=True, model="nearest")


@pytest.mark.parametrize("farthest", [1.0, 2.5, 3.0])
def test_pixels_far_from_all_that_is_observed_stay_missing(farthest: float) -> None:
    distances = pytest.importorskip("scipy.ndimage").distance_transform_edt
    done = npfill.complete(FIELD, HOLE, max_distance=farthest, model="nearest", samples=0)
    near = distances(HOLE) <= farthest
    assert np.array_equal(done.hole, HOLE & near)
    assert np.array_equal(done.open, HOLE & ~near)
    assert f"farther than {farthest:g} px" in done.notes[0]


@pytest.mark.parametrize("how", [{"inner": True}, {"max_distance": 2.0}], ids=str)
@pytest.mark.parametrize("masked", [False, True])
def test_what_a_mask_condemns_is_none_or_refused_where_it_stays_missing(
    how: dict[str, Any], masked: bool, tmp_path: Path
) -> None:
    hole = HOLE | (ROW < 4)

    def run(dtype: Any, nodata: int | None) -> Any:
        values = np.where(hole, 9999, FIELD).astype(dtype)
        picture, mask = (np.ma.masked_array(values, hole), None) if masked else (values, hole)
        return npfill.complete(picture, mask, "nearest", 0, nodata=nodata, **how)

    for dtype, nodata in ((np.float64, None), (np.int16, -7)):
        done = run(dtype, nodata)
        saved = np.load(done.save(tmp_path, emit="mean", overwrite=True)["mean"])
        for mean in (done.mean, saved):
            assert np.array_equal(np.isnan(mean) | (mean == -7), done.open)
            assert np.array_equal(mean[~hole], FIELD.astype(dtype)[~hole])
    with pytest.raises(InputError, match="int16 has no NaN for what stays open") as refused:
        run(np.int16, None)
    assert f"leave `{next(iter(how))}` out" in str(refused.value.hint)


@pytest.mark.parametrize("lacks", [False, True])
def test_the_std_of_what_stays_missing_is_none(lacks: bool) -> None:
    values = np.where(HOLE, np.nan, FIELD) if lacks else FIELD
    done = completed(values, max_distance=2.0)
    assert done.open.any()
    assert np.array_equal(np.isnan(done.std), done.open)
    assert (done.std[done.hole] > 0).all()


@pytest.mark.parametrize(
    "how", [{"inner": True}, {"max_distance": 3.0}, {"grow": 2}, {"grow": -1}], ids=str
)
def test_no_hole_ends_at_the_seam_of_a_grid_whose_columns_close(how: dict[str, Any]) -> None:
    hole = HOLE | np.roll(HOLE, 14, axis=1) | ((ROW < 4) & (COLUMN < 2)) | (ROW == 20)
    how |= {"wrap": "columns", "model": "nearest", "samples": 0}
    done, turned = (
        npfill.complete(np.roll(FIELD, by, axis=1), np.roll(hole, by, axis=1), **how)
        for by in (0, 11)
    )
    assert np.array_equal(np.roll(done.hole, 11, axis=1), turned.hole)
    assert np.array_equal(np.roll(done.open, 11, axis=1), turned.open)
    assert done.hole[20].all() or how.get("grow") == -1  # all round, it ends at no border


@pytest.mark.parametrize("options", [{"inner": True}, {"max_distance": 2.0}, {"tolerance": 1.0}])
def test_each_plane_stays_open_by_itself(options: dict[str, Any], tmp_path: Path) -> None:
    border = HOLE | (ROW < 4)
    holes = [np.zeros_like(HOLE), border, HOLE, np.roll(HOLE, 3, axis=1)]
    stack = np.stack([np.where(hole, np.nan, FIELD + hole.sum()) for hole in holes], axis=-1)
    how = {"model": of("convcnp", 1), "samples": 0, **options}
    done = npfill.complete(stack, **how)
    saved = np.load(done.save(tmp_path)["mean"])
    assert np.array_equal(saved[~np.isnan(stack)], stack[~np.isnan(stack)])
    assert np.isnan(saved).any()
    assert np.array_equal(done.open, np.isnan(saved).any(axis=-1))
    for plane in range(1, 4):
        alone = npfill.complete(stack[..., plane], **how).save(tmp_path / str(plane))["mean"]
        assert np.array_equal(np.load(alone), saved[..., plane], equal_nan=True)


@pytest.mark.parametrize("bands", [2, 3])
def test_a_mask_selects_every_band_also_where_one_lacks_its_value(bands: int) -> None:
    stack = np.stack([np.where(COLUMN > 12, np.nan, FIELD)] + [FIELD] * (bands - 1), axis=-1)
    hole = npfill.complete(stack, HOLE, model="nearest", samples=0).hole
    assert np.array_equal(hole[..., 0], HOLE | (COLUMN > 12))
    for band in range(1, bands):
        assert np.array_equal(hole[..., band], HOLE)


@pytest.mark.parametrize("masked", [False, True])
def test_what_is_nan_is_filled_however_much_a_mask_shrinks(masked: bool) -> None:
    lacks = (ROW + COLUMN) % 7 == 0
    values, mask = np.where(lacks, np.nan, FIELD), HOLE if masked else None
    done = npfill.complete(values, mask, "nearest", 0, grow=-2)
    assert not np.isnan(done.mean).any()
    shrunk = lacks.copy()
    shrunk[10:13, 11:15] |= masked
    assert np.array_equal(done.hole, shrunk)
    assert f"({shrunk.sum()} px)" in done.completed.prepared.description


def test_holes_that_cover_a_grid_only_together_leave_something_observed() -> None:
    halves = np.stack([COLUMN < 13, COLUMN >= 13], axis=-1)
    stack = np.where(halves, np.nan, FIELD[..., None])
    done = npfill.complete(stack, model="nearest", samples=0)
    assert not any("everything is selected" in note for note in done.notes)
    assert "mask 26 x 24 x 2, 50.0 % selected (624 values)" in repr(done)


@pytest.mark.parametrize("value", [273.15, -101325.0, 7])
@pytest.mark.parametrize("seen", [1, 30])
def test_the_mean_of_one_value_is_that_value(value: float, seen: int) -> None:
    grid = np.full(FIELD.shape, value, dtype=type(value) if value == 7 else np.float64)
    hole = ROW * FIELD.shape[1] + COLUMN >= seen
    done = npfill.complete(grid, hole, of("convcnp", 1), samples=1)
    np.testing.assert_allclose(done.mean, value, rtol=1e-12)
    assert np.ptp(done.samples[0][hole]) > 0


@pytest.mark.parametrize("shape", [(24, 26), (24, 26, 3)])
def test_an_array_of_nothing_but_nan_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="nothing is observed"):
        npfill.complete(np.full(shape, np.nan), model="nearest", samples=0)
