"""What people bring is completed from Python in a line, kept outside, saved and shown."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import npfill as library
from npfill.completion.outputs import OUTPUTS, Output
from npfill.errors import InputError, NpfillError, OverwriteError, UsageError
from tests.cli.conftest import Command
from tests.conftest import of

SIZE = (5, 6)
HOLE = np.zeros(SIZE, dtype=bool)
HOLE[1:4, 2:5] = True


def noise(dtype: Any, *shape: int) -> np.ndarray:
    most = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, most, shape, dtype, endpoint=True)


@pytest.fixture
def grey_tiff(tmp_path: Path) -> Path:
    Image.fromarray(noise(np.uint16, *SIZE)).save(tmp_path / "deep.tif")
    return tmp_path / "deep.tif"


@pytest.fixture
def rgba_png(tmp_path: Path) -> Path:
    Image.fromarray(noise(np.uint8, *SIZE, 4)).save(tmp_path / "clear.png")
    return tmp_path / "clear.png"


def assert_kept_and_shown(completion: library.Completion, before: np.ndarray, to: Path) -> None:
    """The outside is the picture's, the files read back are the arrays, and a sheet is shown."""
    hole = completion.hole
    assert completion.mean.dtype == before.dtype
    assert completion.mean.shape == before.shape
    for values in (completion.mean, *completion.samples):
        assert values[~hole].tobytes() == before[~hole].tobytes()
    files = completion.save(to)
    assert [*files] == ["mean", "std", "std-heat", "sample-1"]
    again = library.complete(files["mean"], HOLE, "nearest").mean
    assert np.array_equal(again[~HOLE], completion.mean[~HOLE])
    with Image.open(BytesIO(completion._repr_png_())) as image:
        assert image.format == "PNG"
        assert image.size == completion.sheet().size
    assert "array" not in repr(completion)
    assert "20.0 %" in repr(completion) or "30.0 %" in repr(completion)


@pytest.mark.slow
def test_a_grey_tiff_of_16_bits(grey_tiff: Path, tmp_path: Path) -> None:
    completion = library.complete(grey_tiff, HOLE, of("cnp", 1), samples=1)
    assert_kept_and_shown(completion, noise(np.uint16, *SIZE), tmp_path / "out")


def test_a_png_with_alpha(rgba_png: Path, tmp_path: Path) -> None:
    completion = library.complete(rgba_png, HOLE, of("cnp", 3), samples=1)
    assert_kept_and_shown(completion, noise(np.uint8, *SIZE, 4), tmp_path / "out")


def test_an_array_of_floats_with_nan(tmp_path: Path) -> None:
    kelvin = np.random.default_rng(0).normal(285, 5, SIZE)
    kelvin[HOLE] = np.nan
    completion = library.complete(kelvin, model=of("cnp", 1), samples=1)
    assert_kept_and_shown(completion, kelvin, tmp_path / "out")
    assert np.array_equal(np.load(tmp_path / "out/completion_mean.npy"), completion.mean)


@pytest.mark.slow
def test_a_masked_array(tmp_path: Path) -> None:
    heights = np.ma.masked_array(noise(np.int16, *SIZE), HOLE)
    completion = library.complete(heights, model=of("cnp", 1), samples=1)
    assert_kept_and_shown(completion, heights.data, tmp_path / "out")


@pytest.mark.slow
def test_the_command_and_python_write_the_same_files(
    npfill: Command, photo: Path, mask: Path, weights: Path, tmp_path: Path
) -> None:
    words = ("complete", photo, "--mask", mask, "-m", weights, "--seed", 3)
    assert npfill(*words, "--emit", "mean,std,samples,sheet,npz", "-o", "a").code == 0
    completion = library.complete(photo, mask, weights, seed=3)
    files = completion.save("b", emit="mean,std,samples,sheet,npz")
    assert len(files) == 7
    for path in files.values():
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()


@pytest.mark.slow
def test_a_result_from_python_says_where_it_comes_from(
    npfill: Command, photo: Path, mask: Path, weights: Path
) -> None:
    library.complete(photo, mask, weights, samples=0).save("x.png")
    ended = npfill("explain", "x.png", "--rerun")
    assert ended.code == 0, ended.err
    library.complete(noise(np.uint8, *SIZE), HOLE, "nearest").save("y.png")
    ended = npfill("explain", "y.png")
    assert ended.code == 7
    assert "is not here" in ended.err


def test_saving_writes_over_nothing(photo: Path, mask: Path) -> None:
    completion = library.complete(photo, mask, "nearest")
    completion.save("x.png")
    with pytest.raises(OverwriteError):
        completion.save("x.png")
    completion.save("x.png", overwrite=True)
    with pytest.raises(UsageError, match="is an input"):
        completion.save(photo, overwrite=True)
    with pytest.raises(UsageError, match="no standard deviation"):
        completion.save(emit="std")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_is_printed(photo: Path, mask: Path, capfd: pytest.CaptureFixture[str]) -> None:
    library.complete(photo, mask, of("cnp", 3)).save("out")
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_many_pictures_are_completed_one_after_another() -> None:
    pictures = [noise(np.uint8, *SIZE), noise(np.uint8, *SIZE, 3)]
    done = [*library.complete_many(pictures, HOLE, of("cnp", 1))]
    assert [each.mean.shape for each in done] == [SIZE, (*SIZE, 3)]
    own = [*library.complete_many(pictures, [HOLE, ~HOLE], of("cnp", 1))]
    assert np.array_equal(own[0].mean, done[0].mean)
    assert np.array_equal(own[1].hole, ~HOLE)


@pytest.mark.parametrize(("pictures", "masks"), [(2, 1), (1, 2)])
def test_a_mask_for_each_picture_are_as_many(pictures: int, masks: int) -> None:
    given, holes = [noise(np.uint8, *SIZE)] * pictures, [HOLE] * masks
    with pytest.raises(UsageError, match="not as many masks as pictures"):
        next(library.complete_many(given, holes, "nearest"))
    failed: list[NpfillError] = []
    done = library.complete_many(
        iter(given), holes, "nearest", on_error=lambda _, error: failed.append(error)
    )
    assert (len([*done]), len(failed)) == (1, 1)


def test_a_folder_is_completed_with_the_masks_of_its_names() -> None:
    for folder in ("in", "masks"):
        Path(folder).mkdir()
    for name in ("a", "b", "c"):
        Image.fromarray(noise(np.uint8, *SIZE)).save(f"in/{name}.png")
    for name in ("a", "c"):
        Image.fromarray(HOLE).save(f"masks/{name}.png")
    failed: list[NpfillError] = []
    done = library.complete_many("in", "masks", "nearest", on_error=lambda _, e: failed.append(e))
    assert [each.completed.image for each in done] == ["in/a.png", "in/c.png"]
    assert [str(error) for error in failed] == ["in/b.png: no mask in masks"]
    with pytest.raises(InputError, match="no mask in masks"):
        [*library.complete_many("in", "masks", "nearest")]


@pytest.fixture
def counted() -> Iterator[str]:
    """An output that is not npfill's: the number of completed pixels, as text."""
    OUTPUTS["count"] = Output(
        name="count",
        render=lambda done, _, text, __: (
            f"{done.prepared.masked.hole.sum()} {text['npfill_output']}".encode()
        ),
        suffix=".txt",
    )
    yield "count"
    del OUTPUTS["count"]


def test_an_output_is_one_row_of_the_table(
    npfill: Command, photo: Path, mask: Path, counted: str
) -> None:
    ended = npfill(
        "complete", photo, "--mask", mask, "-m", "nearest", "--emit", f"mean,{counted}", "--json"
    )
    path = json.loads(ended.out)["data"]["outputs"][counted]
    assert Path(path).name == "photo_count.txt"
    assert Path(path).read_text() == "6 count"
    files = library.complete(photo, mask, "nearest").save("out.txt", emit=counted)
    assert files == {counted: Path("out.txt")}


def test_a_dry_run_of_a_broken_picture_fails_as_the_run_would(npfill: Command) -> None:
    Path("broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ended = npfill("complete", "broken.png", "--box", "0,0,1,1", "--emit", "mean", "--dry-run")
    assert (ended.code, ended.out) == (3, b"")
