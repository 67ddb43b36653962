"""Rasters completed in windows: kept, resumed, shared, and like the whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npfill
from npfill.completion.hole import MaskOptions
from npfill.completion.parameters import SamplingOptions
from npfill.completion.parts import part_of
from npfill.completion.windows import Windows
from npfill.errors import InputError, OverwriteError, UsageError
from npfill.pictures.picture import Asked
from npfill.predictor import load
from tests.conftest import of

HEIGHT, WIDTH = 150, 200
ROW, COLUMN = np.indices((HEIGHT, WIDTH))
FIELD = (300 + 3 * np.sin(0.1 * ROW) + 2 * np.cos(0.07 * COLUMN)).astype(np.float32)
HOLE = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.3
NO_DATA = -9999


def raster(path: Path) -> Path:
    if path.suffix == ".npy":
        np.save(path, np.where(HOLE, np.nan, FIELD))
        return path
    tifffile = pytest.importorskip("tifffile")
    place = (33550, 12, 3, (30.0, 30.0, 0.0), True), (33922, 12, 6, (0.0,) * 6, True)
    how = {"tile": (64, 64)} if "tiled" in path.stem else {"rowsperstrip": 7}
    values = np.where(HOLE, np.float32(NO_DATA), FIELD)
    tags = (*place, (42113, 2, 6, str(NO_DATA), True))
    tifffile.imwrite(path, values, compression="zlib", metadata=None, extratags=tags, **how)
    return path


def windows(path: Path, folder: Path, **options: Any) -> Windows:
    masking = MaskOptions(max_distance=options.pop("max_distance", None))
    model = options.pop("model", "nearest")
    how, given = SamplingOptions(samples=0), Asked(**options.pop("asked", {}))
    return Windows(path, 64, folder, given, masking, how, load(model), **options)


def done(run: Windows) -> dict[str, bytes]:
    for number in run.mine():
        run.complete(number)
    run.finish(lambda: None)
    return {name: path.read_bytes() for name, path in run.results.items() if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.npy", "tiled.tif", "strips.tif"])
def test_the_outside_is_as_it_was_and_the_hole_as_of_the_whole(tmp_path: Path, name: str) -> None:
    path = raster(tmp_path / name)
    assert [*done(windows(path, tmp_path / "out"))] == ["mean", "std"]
    found, whole = (
        npfill.complete(each, np.zeros_like(HOLE) | (ROW == 0), model="nearest", samples=0)
        for each in (tmp_path / f"out/{path.stem}_mean{path.suffix}", path)
    )
    values = found.completed.prepared.masked.picture.values[..., 0]
    assert np.array_equal(values[~HOLE], FIELD[~HOLE])
    expected = npfill.complete(path, model="nearest", samples=0).mean
    assert np.array_equal(values, expected)
    assert [each.name for each in (tmp_path / "out").iterdir() if each.name[0] == "."] == []
    assert whole.hole.any()


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_and_parts_make_the_same_bytes(tmp_path: Path) -> None:
    path = raster(tmp_path / "tiled.tif")
    whole = done(windows(path, tmp_path / "whole"))
    killed = windows(path, tmp_path / "killed")
    for number in killed.mine()[:5]:
        killed.complete(number)
    again = windows(path, tmp_path / "killed")
    assert len(again.mine()) == len(killed.places) - 5
    assert done(again) == whole
    for part in range(4):
        one = windows(path, tmp_path / "parts", part=(part, 4))
        assert (done(one) == whole) == (part == 3)


@pytest.mark.slow
def test_a_model_sees_around_a_window(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.npy")
    model = of("convcnp", 1)
    done(windows(path, tmp_path, model=model))
    whole = npfill.complete(path, model=model, samples=0)
    assert whole.std is not None
    mean, std = (np.load(tmp_path / f"a_{name}.npy") for name in ("mean", "std"))
    assert np.abs(mean - whole.mean).max() < 0.05
    assert (std[HOLE] > 0).all()
    assert (std[~HOLE] == 0).all()


@pytest.mark.slow
def test_what_is_far_from_all_that_is_observed_stays_missing(tmp_path: Path) -> None:
    values = np.where(COLUMN > 40, np.nan, FIELD)
    np.save(tmp_path / "a.npy", values)
    run = windows(tmp_path / "a.npy", tmp_path, max_distance=10.0)
    stays = sum(run.complete(number) for number in run.mine())
    assert run.finish(lambda: None)
    mean = np.load(tmp_path / "a_mean.npy")
    assert np.array_equal(np.isnan(mean), COLUMN > 50)
    assert stays == (COLUMN > 50).sum()


@pytest.mark.slow
def test_what_cannot_be_done_in_windows_is_refused(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.npy")
    done(windows(path, tmp_path))
    with pytest.raises(OverwriteError):
        windows(path, tmp_path)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match="not read in windows"):
        windows(tmp_path / "b.png", tmp_path).mine()
    for wrong in ("", "0/2", "3/2", "a/b", "1"):
        with pytest.raises(UsageError, match="part="):
            part_of(wrong)
    assert part_of("2/4") == (1, 4)
