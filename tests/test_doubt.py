"""A completion's doubt: intervals, colours, and pixels that stay open."""

import copy
import json
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from PIL import Image

import npfill
from npfill import checkpoint
from npfill.completion import Origin, made_again
from npfill.errors import InputError, UsageError
from tests.conftest import of

HOLE = np.zeros((12, 14), dtype=bool)
HOLE[2:11, 3:9] = True


def a_picture(dtype: Any = np.uint8) -> Any:
    values = np.random.default_rng(0).uniform(40, 200, (12, 14))
    return values.astype(dtype)


def completed(picture: Any, **options: Any) -> Any:
    return npfill.complete(picture, HOLE, of("convcnp", 1), samples=1, **options)


@pytest.mark.parametrize("confidence", [0.5, 0.9])
def test_an_interval_lies_about_the_mean_as_wide_as_its_probability_says(
    confidence: float, tmp_path: Path
) -> None:
    done = completed(a_picture(np.float64), confidence=confidence)
    paths = done.save(tmp_path, emit="interval")
    assert [*paths] == ["lower", "upper"]
    lower, upper = (np.load(path) for path in paths.values())
    quantile = {0.5: 0.6744898, 0.9: 1.6448536}[confidence]
    low, high = a_picture(np.float64)[~HOLE].min(), a_picture(np.float64)[~HOLE].max()
    for found, sign in ((lower, -1), (upper, 1)):
        expected = (done.mean + sign * quantile * done.std)[HOLE].clip(low, high)
        np.testing.assert_allclose(found[HOLE], expected, rtol=1e-5)
        assert np.array_equal(found[~HOLE], a_picture(np.float64)[~HOLE])


@pytest.mark.parametrize("start", [0, -180])
def test_an_interval_of_angles_goes_on_at_the_other_end_of_the_turn(
    start: int, tmp_path: Path
) -> None:
    near = np.random.default_rng(0).normal(0, 8, (12, 14)) % 360 + start
    done = completed(near, kind="angle:360")
    lower, upper = (np.load(path) for path in done.save(tmp_path, emit="interval").values())
    reach = 1.6448536 * done.std[HOLE]
    for found, sign in ((lower, -1), (upper, 1)):
        away = (found[HOLE] - done.mean[HOLE] - sign * reach + 180) % 360 - 180
        np.testing.assert_allclose(away, 0, atol=1e-3)
        assert start <= found.min() <= found.max() < start + 360


def test_an_interval_of_an_angle_is_a_turn_at_the_most(tmp_path: Path) -> None:
    any_angle = np.random.default_rng(0).uniform(0, 360, (12, 14))
    done = completed(any_angle, kind="angle:360", confidence=0.9999)
    lower, upper = (np.load(path) for path in done.save(tmp_path, emit="interval").values())
    wide = HOLE & (NormalDist().inv_cdf(0.99995) * done.std > 180)
    assert wide.any()
    for end in (lower, upper):
        away = (end - done.mean - 180 + 180) % 360 - 180
        np.testing.assert_allclose(away[wide], 0, atol=1e-3)


def test_classes_have_no_interval_and_a_tolerance_of_their_chance(tmp_path: Path) -> None:
    labels = (np.indices((12, 14)).sum(0) // 5 * 10).astype(np.float32)
    plain = completed(labels, kind="classes")
    limit = float(np.median(plain.std[HOLE]))
    done = completed(labels, kind="classes", tolerance=limit)
    assert np.array_equal(done.open[HOLE], plain.std[HOLE] > limit)
    (line,) = done.completed.doubt(verbose=False)
    assert line == f"{done.open.sum()} px stay open: their chance of being wrong is above {limit:g}"
    with pytest.raises(UsageError, match="no interval") as refusal:
        done.save(tmp_path, emit="interval")
    assert "`emit=std`" in refusal.value.hint


@pytest.mark.parametrize("kind", ["data", "auto"])
def test_a_channel_without_a_value_does_not_hide_the_std_of_the_others(
    kind: str, tmp_path: Path
) -> None:
    levels = np.stack([a_picture(), a_picture(), np.zeros_like(a_picture())], axis=-1)
    Image.fromarray(levels).save(tmp_path / "a.png")
    done = npfill.complete(
        tmp_path / "a.png", HOLE, of("convcnp", 1), samples=0, kind=kind, nodata=0
    )
    for path in done.save(tmp_path, emit="std,heat").values():
        with Image.open(path) as image:
            assert 0 < float(image.info["npfill_std_full_scale"]) < 200
            assert np.array_equal(np.asarray(image) > 0, HOLE)


@pytest.mark.slow
def test_pixels_with_a_wide_interval_stay_open() -> None:
    plain = completed(a_picture(np.float64))
    width = 2 * 1.6448536 * plain.std[HOLE]
    tolerance = float(np.median(width))
    done = completed(a_picture(np.float64), tolerance=tolerance)
    assert np.array_equal(done.open[HOLE], width > tolerance)
    assert not done.open[~HOLE].any()
    assert not plain.open.any()
    assert np.array_equal(done.mean, plain.mean)
    all_open = completed(a_picture(np.float64), tolerance=0.0, confidence=0.99)
    assert np.array_equal(all_open.open, HOLE)


@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        (np.uint8, {}),
        (np.float64, {}),
        (np.float64, {"clip": True}),
        (np.float64, {"clip": True, "log": True}),
    ],
)
def test_what_stays_open_is_what_is_wider_in_the_files_of_the_interval(
    dtype: Any, options: dict[str, Any], tmp_path: Path
) -> None:
    """Beside a limit an interval ends there: it is narrower than its std says."""
    picture = np.where(np.indices((12, 14)).sum(0) % 5 == 0, 90, 251).astype(dtype)
    ends = completed(picture, **options).save(tmp_path, emit="interval").values()
    if dtype == np.uint8:
        lower, upper = (np.asarray(Image.open(path)).astype(float) for path in ends)
    else:
        lower, upper = (np.load(path) for path in ends)
    tolerance = float(np.median((upper - lower)[HOLE]))
    found = completed(picture, tolerance=tolerance, **options).open
    assert np.array_equal(found, upper - lower > tolerance)
    assert 0 < found.sum() < HOLE.sum()


def test_what_stays_open_is_transparent_or_nan_in_files(tmp_path: Path) -> None:
    Image.fromarray(a_picture()).save(tmp_path / "a.png")
    for source, folder in ((tmp_path / "a.png", "png"), (a_picture(np.float32), "data")):
        done = completed(source, tolerance=0.0)
        paths = done.save(tmp_path / folder, emit="mean,open,npz")
        with np.load(paths["npz"]) as arrays:
            assert np.array_equal(arrays["open"], HOLE)
            for name in ("mean", "samples"):
                assert (np.isnan(arrays[name]).any(axis=-1) == (HOLE & (folder == "data"))).all()
        with Image.open(paths["open"]) as mask:
            assert np.array_equal(np.asarray(mask) == 255, HOLE)
        if folder == "data":
            assert np.array_equal(np.isnan(np.load(paths["mean"])), HOLE)
        else:
            with Image.open(paths["mean"]) as mean:
                grey, alpha = np.moveaxis(np.asarray(mean), -1, 0)
            assert np.array_equal(alpha == 0, HOLE)
            assert np.array_equal(grey[~HOLE], a_picture()[~HOLE])


@pytest.mark.slow
def test_what_cannot_stay_open_is_refused(tmp_path: Path) -> None:
    done = completed(a_picture(np.int32), tolerance=1.0)
    with pytest.raises(InputError, match="NaN"):
        done.save(tmp_path / "out")
    Image.fromarray(a_picture()).save(tmp_path / "a.jpg")
    done = completed(tmp_path / "a.jpg", tolerance=1.0)
    with pytest.raises(UsageError, match="alpha"):
        done.save(tmp_path / "out", emit="mean", format="keep")
    for bad in ({"confidence": 1.5}, {"confidence": 0.0}, {"tolerance": -1.0}):
        with pytest.raises(UsageError, match=next(iter(bad))):
            completed(a_picture(), **bad)


def test_the_map_in_colours_has_the_size_of_the_picture(tmp_path: Path) -> None:
    done = completed(a_picture())
    with Image.open(done.save(tmp_path, emit="heat")["std-heat"]) as shown:
        colours = np.asarray(shown.convert("RGB")).astype(int)
    assert (np.ptp(colours, axis=-1) > 60).any(), "it is not grey"
    assert colours.shape[:2] == a_picture().shape[:2]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_map_in_colours_is_of_the_std_by_its_full_scale(channels: int, tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(40, 200, (12, 14, channels), dtype=np.uint8)
    done = npfill.complete(levels, HOLE, of("convcnp", channels), samples=0)
    paths = done.save(tmp_path, emit="heat,std")
    with Image.open(paths["std-heat"]) as heat, Image.open(paths["std"]) as std:
        full = [float(each.info["npfill_std_full_scale"]) for each in (heat, std)]
        shown, deviation = np.asarray(heat), np.asarray(std) / 65535 * full[1]
    assert full[0] == pytest.approx(full[1], rel=1e-5)
    assert shown.max() == 255
    np.testing.assert_allclose(shown / 255 * full[0], deviation, atol=0.51 / 255 * full[0])


@pytest.mark.parametrize(("dtype", "power"), [("f4", -80), ("f4", 73), ("f8", -660), ("f8", 600)])
def test_the_map_in_colours_is_the_same_in_every_unit(
    dtype: str, power: int, tmp_path: Path
) -> None:
    shown, full = list[np.ndarray](), list[float]()
    for unit in (1, np.ldexp(np.dtype(dtype).type(1), power)):
        done = completed((a_picture(dtype) - 120) * unit)  # as data, not in [0, 1]
        path = done.save(tmp_path / str(len(shown)), emit="heat")["std-heat"]
        with Image.open(path) as image:
            shown.append(np.asarray(image))
            full.append(float(image.info["npfill_std_full_scale"]))
    assert shown[0].max() == 255
    assert np.array_equal(shown[0], shown[1])
    assert full[1] == full[0] * 2.0**power


@pytest.mark.parametrize("emit", ["mean", "interval", "open", "heat"])
def test_explain_makes_it_again(emit: str, tmp_path: Path) -> None:
    Image.fromarray(a_picture()).save(tmp_path / "a.png")
    Image.fromarray(HOLE).save(tmp_path / "mask.png")
    mask, model = tmp_path / "mask.png", tmp_path / "tiny.safetensors"
    checkpoint.save(model, of("convcnp", 1), {})
    done = npfill.complete(
        tmp_path / "a.png", mask, model, samples=0, tolerance=10.0, confidence=0.8
    )
    for path in done.save(tmp_path / "out", emit=emit).values():
        origin = Origin.of(path)
        assert origin.sampling.tolerance == 10.0
        assert origin.sampling.confidence == 0.8
        assert json.loads(origin.text["npfill_check"])["pixels"] == 0
        assert made_again(origin)[0]


def test_the_grey_std_of_colours_that_go_together_is_that_of_their_mean(tmp_path: Path) -> None:
    model = copy.deepcopy(of("convcnp", 3))
    model.correlation = (0.9, 0.7, 0.8)
    picture = np.random.default_rng(0).integers(40, 200, (12, 14, 3), dtype=np.uint8)
    done = npfill.complete(picture, HOLE, model, samples=0)
    assert done.std is not None
    std = done.std[HOLE].astype(np.float64) / 255
    matrix = np.array([[1, 0.9, 0.7], [0.9, 1, 0.8], [0.7, 0.8, 1]])
    expected = np.sqrt(np.einsum("pi,ij,pj->p", std, matrix, std)) / 3
    with Image.open(done.save(tmp_path, emit="std")["std"]) as image:
        shown = np.asarray(image)[HOLE] / 65535 * float(image.info["npfill_std_full_scale"])
    assert shown == pytest.approx(expected, rel=1e-3)


def test_a_tolerance_is_refused_where_no_std_is_given() -> None:
    pytest.importorskip("scipy")
    with pytest.raises(UsageError, match="nearest gives no std"):
        npfill.complete(a_picture(), HOLE, "nearest", samples=0, tolerance=1.0)
