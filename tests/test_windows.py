"""Rasters completed in windows: kept, resumed, shared, and like the whole."""

import errno
import json
import os
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import npfill
from npfill import files
from npfill.cli import main
from npfill.completion.far import Far
from npfill.completion.hole import MaskOptions
from npfill.completion.parameters import SamplingOptions
from npfill.completion.parts import part_of
from npfill.completion.windows import Windows
from npfill.errors import InputError, OverwriteError, UsageError
from npfill.pictures.picture import Asked
from npfill.pictures.read import read_picture
from npfill.predictor import load
from tests.conftest import of

HEIGHT, WIDTH = 150, 200
ROW, COLUMN = np.indices((HEIGHT, WIDTH))
FIELD = (300 + 3 * np.sin(0.1 * ROW) + 2 * np.cos(0.07 * COLUMN)).astype(np.float32)
HOLE = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.3
NO_DATA = -9999


def raster(path: Path, times: int = 1) -> Path:
    field, hole = np.tile(FIELD, (times, 1)), np.tile(HOLE, (times, 1))
    if path.suffix == ".npy":
        np.save(path, np.where(hole, np.nan, field))
        return path
    tifffile = pytest.importorskip("tifffile")
    place = (33550, 12, 3, (30.0, 30.0, 0.0), True), (33922, 12, 6, (0.0,) * 6, True)
    how = {"tile": (64, 64)} if "tiled" in path.stem else {"rowsperstrip": 7}
    values = np.where(hole, np.float32(NO_DATA), field)
    tags = (*place, (42113, 2, 6, str(NO_DATA), True))
    tifffile.imwrite(path, values, compression="zlib", metadata=None, extratags=tags, **how)
    return path


def windows(path: Path, folder: Path, side: int = 64, **options: Any) -> Windows:
    of_mask = {"mask", "box", "keep_out", "max_distance"} & {*options}
    masking = MaskOptions(**{name: options.pop(name) for name in of_mask})
    model = options.pop("model", "nearest")
    how = SamplingOptions(samples=0, no_check=options.pop("no_check", False))
    given = Asked(**options.pop("asked", {}))
    return Windows(path, side, folder, given, masking, how, load(model), **options)


def done(run: Windows) -> dict[str, bytes]:
    for number in run.mine():
        run.complete(number)
    run.finish(lambda: None)
    return {name: path.read_bytes() for name, path in run.results.items() if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.npy", "tiled.tif", "strips.tif"])
def test_the_outside_is_as_it_was_and_the_hole_as_of_the_whole(tmp_path: Path, name: str) -> None:
    path = raster(tmp_path / name)
    assert [*done(windows(path, tmp_path / "out"))] == ["mean"]  # nearest has no std
    mean = tmp_path / f"out/{path.stem}_mean{path.suffix}"
    values = read_picture(mean, HOLE.size).values[..., 0]
    assert np.array_equal(values[~HOLE], FIELD[~HOLE])
    expected = npfill.complete(path, model="nearest", samples=0).mean
    assert np.array_equal(values, expected)
    assert [each.name for each in (tmp_path / "out").iterdir() if each.name[0] == "."] == []


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


def test_what_is_kept_serves_the_same_raster_masks_and_options_alone(tmp_path: Path) -> None:
    path, mask = raster(tmp_path / "a.npy"), tmp_path / "m.npy"
    np.save(mask, ROW > 140)

    def begun(side: int = 64, seed: int = 0, **options: Any) -> Windows:
        run = windows(path, tmp_path / "out", side, mask=mask, **options)
        return replace(run, sampling=replace(run.sampling, seed=seed))

    whole = begun()
    for number in whole.mine():
        whole.complete(number)
    assert not begun().mine()
    others: list[dict[str, Any]] = [{"seed": 1}, {"side": 128}, {"no_check": True}]
    others += [{"box": ["0,0,9,9"]}, {"max_distance": 9.0}, {"asked": {"clip": True}}]
    others += [{"model": of("convcnp", 1)}]
    for other in others:
        run = begun(**other)
        assert len(run.mine()) == len(run.places), other
    for file in (mask, path):
        np.save(file, np.load(file)[::-1])
        assert len(begun().mine()) == len(whole.places), file


def test_between_the_middles_of_cells_what_is_far_changes_evenly() -> None:
    rows, columns = 16 * np.indices((5, 6)) + 7.5
    plane = (2.0 * rows - columns)[..., None]
    nothing = np.zeros((20, 30, 1), dtype=np.float32)
    row, column = np.indices((20, 30)) + np.array([24, 40])[:, None, None]
    expected = (2.0 * row - column)[..., None]
    for weight in (1.0, 0.25):
        far = Far(16, plane, plane + 300, np.full((5, 6, 1), weight))
        mean, std = far.blended(nothing, nothing, (24, 40))
        assert mean == pytest.approx(weight * expected, abs=1e-4)
        assert std == pytest.approx(weight * (expected + 300), abs=1e-4)


def test_of_a_cell_its_pixels_differ_from_its_mean_by_what_they_do_in_others(
    tmp_path: Path,
) -> None:
    noise = np.random.default_rng(0).normal(0, 3, (320, 320))
    np.save(tmp_path / "a.npy", np.where(np.indices(noise.shape).sum(0) > 300, np.nan, noise))
    run = windows(tmp_path / "a.npy", tmp_path, no_check=True, model=of("convcnp", 1))
    rough = run.overview.rough
    assert rough * run.overview.whole.width == pytest.approx(3, rel=0.03)
    flat = replace(run.overview, rough=0 * rough)
    with_it, without = (
        Far.by(each, 256, run.completer, run.sampling) for each in (run.overview, flat)
    )
    assert with_it.std == pytest.approx(np.hypot(without.std, rough))


def test_whole_numbers_that_floats_take_for_one_are_refused_as_of_the_whole(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", HOLE)
    for apart in (4, 4096):
        np.save(tmp_path / "a.npy", 2**62 + apart * (ROW > 70))
        run = windows(tmp_path / "a.npy", tmp_path, mask=tmp_path / "m.npy")
        with pytest.raises(InputError, match="by less than") if apart == 4 else nullcontext():
            assert run.overview.whole.width == apart


@pytest.mark.slow
def test_a_model_sees_around_a_window_what_it_would_see_of_the_whole(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.npy")
    model = of("convcnp", 1)
    whole = npfill.complete(path, model=model, samples=0)
    assert whole.std is not None
    std = np.zeros(0)
    for side in (64, 256):
        done(windows(path, tmp_path / f"{side}", side, model=model))
        mean, std = (np.load(tmp_path / f"{side}/a_{name}.npy") for name in ("mean", "std"))
        assert np.array_equal(mean, whole.mean)
        assert np.abs(np.log(std[HOLE] / whole.std[HOLE])).mean() < 0.2
    assert np.array_equal(std, whole.std)


@pytest.mark.slow
def test_masks_select_in_windows_what_they_select_of_the_whole(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.npy")
    clouds, land = (ROW > 30) & (ROW < 50), (COLUMN > 90) & (COLUMN < 120)
    spiked = np.load(path)
    spiked[land], spiked[5, 5] = 1e9, 1e7
    np.save(path, spiked)
    for name, mask in {"clouds.npy": clouds, "land.npy": land}.items():
        np.save(tmp_path / name, mask)
    given: dict[str, Any] = {"mask": tmp_path / "clouds.npy", "keep_out": tmp_path / "land.npy"}
    box = ["150,100,20,20"]
    done(windows(path, tmp_path / "out", box=box, **given))
    whole = npfill.complete(path, box=box, model="nearest", samples=0, **given)
    assert np.array_equal(np.load(tmp_path / "out/a_mean.npy"), whole.mean, equal_nan=True)
    assert whole.mean[5, 5] == 1e7
    assert np.sort(whole.mean[~land])[-2] < 400
    np.save(tmp_path / "clouds.npy", np.zeros_like(clouds))
    with pytest.raises(InputError, match="selects 0 px"):
        _ = windows(path, tmp_path / "none", **given).agreed


@pytest.mark.slow
def test_what_no_window_sees_follows_from_a_coarse_grid_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("npfill.completion.windows.HALO", 64)
    away = np.hypot(ROW - 75, COLUMN - 100)
    values = np.where(HOLE | (away < 70), np.nan, FIELD)
    np.save(tmp_path / "a.npy", values)
    run = windows(tmp_path / "a.npy", tmp_path, 128, model=of("convcnp", 1))
    assert [*done(run)] == ["mean", "std"]
    whole, (far, _) = run.overview.whole, run.agreed
    places = [(np.arange(side) + 0.5) / far.cell - 0.5 for side in (HEIGHT, WIDTH)]
    known, weight = far.mean[..., 0], far.weight[..., 0]
    for place in places:  # first the rows, then the columns
        known, weight = (
            np.stack([np.interp(place, np.arange(len(each)), line) for line in each.T])
            for each in (known, weight)
        )
    alone = weight > 1 - 1e-6
    mean = np.load(tmp_path / "a_mean.npy")
    assert away[alone].max() < 55
    assert alone[away < 10].all()
    assert mean[alone] == pytest.approx((whole.low + whole.width * known)[alone], abs=1e-3)
    assert weight[away > 90].max() == 0


def test_what_is_far_is_checked_unless_that_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("npfill.completion.windows.HALO", 64)
    path, network, field = tmp_path / "a.npy", of("convcnp", 1), np.tile(FIELD, (4, 3))
    np.save(path, np.where(np.hypot(*np.ogrid[-300:300, -300:300]) < 70, np.nan, field))
    checked, plain = (
        windows(path, tmp_path / str(no_check), model=network, no_check=no_check).agreed[0]
        for no_check in (False, True)
    )
    assert np.array_equal(checked.mean, plain.mean)
    assert not np.allclose(checked.std, plain.std)


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


@pytest.mark.parametrize("name", ["a.npy", "tiled.tif", "bands.npy", "named.npy"])
def test_what_stays_missing_is_none_in_windows_as_it_is_without(tmp_path: Path, name: str) -> None:
    path = raster(tmp_path / name)
    if name.startswith("bands"):  # of which nothing is observed of the second
        np.save(path, np.stack([np.load(path), np.full_like(FIELD, np.nan)], axis=-1))
    nodata: dict[str, Any] = {"nodata": -1} if name.startswith("named") else {}
    how: dict[str, Any] = {"mask": tmp_path / "m.npy", "keep_out": tmp_path / "k.npy"}
    np.save(how["mask"], (ROW > 30) & (ROW < 90) & (COLUMN > 40))
    np.save(how["keep_out"], COLUMN > 180)
    how |= {"max_distance": 5.0, "model": of("convcnp", 1)}
    done(windows(path, tmp_path / "out", 256, asked=nodata, **how))
    whole = npfill.complete(path, samples=0, **nodata, **how).save(
        tmp_path / "whole", emit="mean,std"
    )
    for each in whole.values():
        found, expected = (
            pytest.importorskip("tifffile").imread(file) if file.suffix == ".tif" else np.load(file)
            for file in (tmp_path / "out" / each.name, each)
        )
        assert np.array_equal(found, expected, equal_nan=True)


def test_whole_numbers_that_cannot_stay_missing_are_refused_before_the_first_window(
    tmp_path: Path,
) -> None:
    np.save(tmp_path / "a.npy", FIELD.astype(np.int16))
    np.save(tmp_path / "m.npy", HOLE)
    how: dict[str, Any] = {"mask": tmp_path / "m.npy", "max_distance": 2.0}
    with pytest.raises(InputError, match="int16 has no NaN for what stays open"):
        _ = windows(tmp_path / "a.npy", tmp_path, **how).selected
    named = windows(tmp_path / "a.npy", tmp_path, asked={"nodata": -1}, **how)
    assert named.selected.hole is not None


@pytest.mark.slow
def test_each_band_is_far_from_what_is_observed_of_it_alone(tmp_path: Path) -> None:
    missing = np.stack([COLUMN > 40, (COLUMN > 54) & (COLUMN < 58)], axis=-1)
    np.save(tmp_path / "a.npy", np.where(missing, np.nan, FIELD[..., None]))
    done(windows(tmp_path / "a.npy", tmp_path, max_distance=10.0))
    left = np.isnan(np.load(tmp_path / "a_mean.npy"))
    assert np.array_equal(left[..., 0], COLUMN > 50)
    assert not left[..., 1].any()


def test_what_is_wild_in_one_band_leaves_no_hole_in_another(tmp_path: Path) -> None:
    values = np.repeat(FIELD[..., None], 2, axis=-1)
    values[30, 50, 0] = 1e6
    values[29:32, 49:52, 1] = np.nan
    np.save(tmp_path / "a.npy", values)
    done(windows(tmp_path / "a.npy", tmp_path))
    assert not np.isnan(np.load(tmp_path / "a_mean.npy")).any()


def test_a_dry_run_completes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, folder = raster(tmp_path / "a.npy"), tmp_path / "out"
    words = ["complete", str(path), "--window", "64", "-o", str(folder), "--dry-run"]
    with pytest.raises(SystemExit, match="0"):
        main([*words, "--emit", "std,mean"])
    assert capsys.readouterr().out == f"{path} -> {folder / 'a_mean.npy'}, {folder / 'a_std.npy'}\n"
    assert not folder.exists()


@pytest.mark.slow
def test_what_cannot_be_done_in_windows_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = raster(tmp_path / "a.npy")
    done(windows(path, tmp_path))
    with pytest.raises(OverwriteError):
        windows(path, tmp_path)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match="not read in windows"):
        windows(tmp_path / "b.png", tmp_path).mine()
    np.save(tmp_path / "c.npy", FIELD)
    with pytest.raises(UsageError, match="nothing says what is missing"):
        done(windows(tmp_path / "c.npy", tmp_path))
    for option in (["--samples", "9"], ["--inner"], ["--mask", "alpha"], ["--kind", "classes"]):
        with pytest.raises(SystemExit, match="2"):
            main(["complete", str(path), "--window", "64", "-o", str(tmp_path / "b"), *option])
        assert f"{option[0]}: not in windows" in capsys.readouterr().err
    for wrong in ("", "0/2", "3/2", "a/b", "1"):
        with pytest.raises(UsageError, match="part="):
            part_of(wrong)
    assert part_of("2/4") == (1, 4)


def test_a_mask_is_never_replaced_by_a_result(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.npy")
    np.save(tmp_path / "a_mean.npy", HOLE)
    with pytest.raises(UsageError, match="is an input and would be lost"):
        windows(path, tmp_path, mask=tmp_path / "a_mean.npy", overwrite=True)


def test_what_others_write_beside_a_result_does_not_cost_it(tmp_path: Path) -> None:
    run = windows(raster(tmp_path / "a.npy"), tmp_path, 256)
    run.complete(0)

    def another() -> None:  # removes what looks as if it was left by a run that was killed
        for each in tmp_path.rglob(".npfill-*.part"):
            os.utime(each, (0, 0))
        files._seen.clear()
        files.write_bytes(tmp_path / "other.png", b"")

    assert run.finish(another) == {"mean": tmp_path / "a_mean.npy"}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.npy", "a_mean.npy", "other.png"]


@pytest.mark.parametrize("name", ["a.npy", "strips.tif"])
def test_a_result_that_appears_in_the_course_of_a_run_stays(tmp_path: Path, name: str) -> None:
    path, out = raster(tmp_path / name, 2), tmp_path / "out"
    run = windows(path, out, 512)
    run.complete(0)
    mean = run.results["mean"]
    with pytest.raises(OverwriteError, match="_mean"):
        run.finish(lambda: files.write_bytes(mean, b"precious"))
    assert mean.read_text() == "precious"
    again = windows(path, out, 512, overwrite=True)
    assert not again.mine()
    assert again.finish(lambda: None) == {"mean": mean}
    assert [*out.iterdir()] == [mean]


@pytest.mark.parametrize("removed", [True, False])
def test_parts_that_are_done_at_the_same_time_both_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: bool
) -> None:
    path, out = raster(tmp_path / "a.npy"), tmp_path / "out"
    one, other = (windows(path, out, 128, part=(part, 2)) for part in range(2))
    for run in (one, other):
        for number in run.mine():
            run.complete(number)
    mean = {"mean": out / "a_mean.npy"}

    def meanwhile() -> None:
        assert one.finish(lambda: None) == mean

    with monkeypatch.context() as patch:
        if not removed:  # yet
            patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        assert other.finish(meanwhile) == mean
    assert np.array_equal(np.load(mean["mean"]), npfill.complete(path, model="nearest").mean)
    assert removed == ([*out.iterdir()] == [*mean.values()])


def test_the_same_command_twice_at_once_leaves_the_results_alone(tmp_path: Path) -> None:
    path, out = raster(tmp_path / "a.npy"), tmp_path / "out"
    one, other = (windows(path, out) for _ in range(2))
    numbers = other.mine()
    other.complete(numbers[0])
    done(one)
    for number in numbers[1:]:
        other.complete(number)
    assert other.finish(lambda: None) == {"mean": out / "a_mean.npy"}
    assert [each.name for each in out.iterdir()] == ["a_mean.npy"]


@pytest.mark.parametrize("name", ["a.npy", "strips.tif"])
def test_a_disk_that_is_full_at_the_end_costs_no_window(tmp_path: Path, name: str) -> None:
    run = windows(raster(tmp_path / name, 2), tmp_path / "out", 512)
    run.complete(0)

    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match="out: no space left on device") as refusal:
        run.finish(full)
    assert "what is done is kept" in refusal.value.hint
    assert not run.results["mean"].exists()
    assert [*run.finish(lambda: None)] == ["mean"]


def test_a_result_takes_no_space_before_it_is_written(tmp_path: Path) -> None:
    """Where a file is mapped to memory instead, a full disk kills the process."""
    run, sizes = windows(raster(tmp_path / "a.npy", 6), tmp_path, 1024), list[int]()
    run.complete(0)
    run.finish(lambda: sizes.extend(one.stat().st_size for one in tmp_path.rglob("mean-*.part")))
    assert sizes[0] < 300 * WIDTH * 4 < sizes[-1]


def test_a_raster_that_is_gone_before_the_end_is_an_error(tmp_path: Path) -> None:
    path = raster(tmp_path / "strips.tif")
    run = windows(path, tmp_path, 256)
    run.complete(0)
    again = windows(path, tmp_path, 256)
    assert again.mine() == []
    path.unlink()
    with pytest.raises(InputError, match=r"strips\.tif: no such file"):
        again.finish(lambda: None)


def test_the_std_of_an_earlier_model_is_not_given_for_that_of_a_later(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.npy")
    np.save(tmp_path / "a_std.npy", FIELD)
    run = windows(path, tmp_path, 256, overwrite=True)
    run.complete(0)
    assert run.finish(lambda: None) == {"mean": tmp_path / "a_mean.npy"}


@pytest.mark.skipif(os.name == "nt", reason="there are no such permissions")
def test_nobody_may_read_more_of_a_raster_than_before(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.npy")
    path.chmod(0o600)
    for mode in (0o600, 0o440):
        run = windows(path, tmp_path / "out", 256, overwrite=True)
        run.complete(0)
        assert {each.stat().st_mode & 0o777 for each in run._kept.folder.iterdir()} == {0o600}
        result = run.finish(lambda: None)["mean"]
        assert result.stat().st_mode & 0o777 == mode
        result.chmod(0o440)


@pytest.mark.parametrize("name", ["none.npy", "none.tif", "cut.npy", "cut.tif"])
def test_what_cannot_be_read_is_said_in_a_record(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if name.startswith("cut"):
        path = raster(tmp_path / name)
        path.write_bytes(path.read_bytes()[: 9 if path.suffix == ".tif" else 5000])
    words = ["complete", str(tmp_path / name), "--window", "64", "-m", "nearest", "--json"]
    with pytest.raises(SystemExit, match="3"):
        main(words)
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    said = "no such file" if name.startswith("none") else "cannot be read"
    assert error["message"].startswith(f"{tmp_path / name}: {said}")


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        (["-o", "a.npy"], "name a folder"),
        (["-o", "-"], "name a folder"),
        (["--strip"], "results keep the tags"),
        (["--skip-existing"], "the same command goes on"),
        (["--emit", "mean"], "leave it out: mean and std are written"),
        (["--emit", "mean,std,heat"], "leave it out: mean and std are written"),
    ],
)
def test_options_of_files_that_windows_do_not_have_are_refused(
    tmp_path: Path, option: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["complete", str(raster(tmp_path / "b.npy")), "--window", "64", *option])
    said = capsys.readouterr().err
    assert f"{option[0]}: not in windows" in said
    assert hint in said
