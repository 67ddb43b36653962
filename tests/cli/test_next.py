"""`npfill next`: points as lines, CSV and JSON, and what is said of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Command
from tests.forked import posix

USAGE, INPUT, EXISTS = 2, 3, 4


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Data of 12x9 pixels, of which every third is measured."""
    values = np.full((9, 12), np.nan)
    values.ravel()[::3] = np.arange(36) ** 2
    np.save(tmp_path / "scan.npy", values)
    return tmp_path / "scan.npy"


def points(text: bytes) -> list[tuple[int, ...]]:
    return [tuple(map(int, line.split())) for line in text.decode().splitlines()]


@pytest.mark.slow
def test_points_are_rows_and_columns_that_are_not_measured(npfill: Command, scan: Path) -> None:
    ended = npfill("next", scan, "-n", 7)
    assert ended.code == 0
    found = points(ended.out)
    assert len(set(found)) == 7
    assert all(np.isnan(np.load(scan)[place]) for place in found)
    assert "measured 36 of 108 px (33.3 %); mean std" in ended.err
    assert "once 7 more are" in ended.err


@pytest.mark.slow
def test_csv_and_json_say_the_rounds_of_a_budget(
    npfill: Command, scan: Path, tmp_path: Path
) -> None:
    words = ("next", scan, "-n", 4, "--budget", 10)
    lines = npfill(*words, "--csv").out.decode().splitlines()
    assert lines[0] == "round,row,column"
    assert [line[0] for line in lines[1:]] == list("1111222233")
    data = json.loads(npfill(*words, "--json", "--path").out)["data"]
    assert len(data["points"]) == 10
    assert len(data["tours"]) == 3
    assert data["expected_mean_std"] < data["mean_std"]
    file = tmp_path / "points.csv"
    ended = npfill(*words, "-o", file)
    assert (ended.code, ended.out) == (0, b"")
    assert file.read_text().splitlines() == lines
    assert npfill(*words, "-o", file).code == EXISTS


@pytest.mark.slow
def test_a_path_is_ordered_and_its_length_said(npfill: Command, scan: Path) -> None:
    plain, tour = (npfill("next", scan, "-n", 12, *more) for more in ([], ["--path"]))
    assert set(points(plain.out)) == set(points(tour.out))
    way = np.hypot(*np.diff(points(tour.out), axis=0).T).sum()
    assert f"tour: {way:.1f} px" in tour.err


@pytest.mark.slow
def test_masks_say_where_points_may_be(npfill: Command, scan: Path, tmp_path: Path) -> None:
    inside, outside = np.zeros((9, 12), dtype=bool), np.zeros((9, 12), dtype=bool)
    inside[:, 6:], outside[5:] = True, True
    for name, mask in (("in", inside), ("out", outside)):
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
    words = ("--within", tmp_path / "in.png", "--not-within", tmp_path / "out.png")
    found = points(npfill("next", scan, "-n", 200, *words).out)
    allowed = np.isnan(np.load(scan)) & inside & ~outside
    assert sorted(found) == list(map(tuple, np.argwhere(allowed).tolist()))


@pytest.mark.slow
def test_grids_that_are_empty_full_or_nearly_so(npfill: Command, tmp_path: Path) -> None:
    ended = npfill("next", "--shape", "30x20", "-n", 5)
    assert len(set(points(ended.out))) == 5
    assert "evenly spread" in ended.err
    full = np.arange(20.0).reshape(4, 5)
    for name, hole in (("empty", slice(None)), ("one", slice(7, 8)), ("full", slice(0))):
        values = full.copy()
        values.ravel()[hole] = np.nan
        np.save(tmp_path / f"{name}.npy", values)
    assert len(points(npfill("next", tmp_path / "empty.npy").out)) == 20
    assert points(npfill("next", tmp_path / "one.npy").out) == [(1, 2)]
    ended = npfill("next", tmp_path / "full.npy")
    assert (ended.code, ended.out) == (0, b"")
    assert "nothing is left to measure" in ended.err


@pytest.mark.slow
def test_a_picture_has_a_mask_of_what_is_not_measured(
    npfill: Command, photo: Path, mask: Path
) -> None:
    found = points(npfill("next", photo, "--mask", mask).out)
    assert sorted(found) == [(row, column) for row in (1, 2, 3) for column in (1, 2)]


def test_watching_goes_on_with_answers_and_ends_at_its_budget(
    npfill: Command, tmp_path: Path
) -> None:
    answers, file = tmp_path / "answers.csv", tmp_path / "points.csv"
    answers.write_text("row,column,value\n0,0,1.5\n3,4,nan\n")
    words = ("next", "--shape", "6x5", "--watch", answers, "--budget", 2)
    ended = npfill(*words, "-o", file)
    assert (ended.code, ended.out) == (0, b"")
    assert file.read_text() == "row,column\n"
    assert "measured 1 of 30 px" in ended.err
    assert "1 answers were no numbers" in ended.err


@pytest.mark.parametrize(("points", "stays"), [("", False), ("3,4\n", True)])
def test_the_end_of_an_earlier_budget_goes_before_a_model_is_read(
    npfill: Command, tmp_path: Path, points: str, stays: bool
) -> None:
    file = tmp_path / "points.csv"
    file.write_text(f"row,column\n{points}")
    words = ("--watch", tmp_path / "answers.csv", "-o", file, "-m", tmp_path / "none.safetensors")
    assert npfill("next", "--shape", "6x5", *words).code == INPUT
    assert file.exists() is stays


@pytest.mark.slow
@posix
def test_points_of_a_private_scan_are_private(npfill: Command, scan: Path, tmp_path: Path) -> None:
    scan.chmod(0o600)
    assert npfill("next", scan, "-o", tmp_path / "points.csv").code == 0
    assert (tmp_path / "points.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("option", ["--mask", "--model"])
def test_no_input_is_written_over(
    npfill: Command, photo: Path, mask: Path, weights: Path, option: str
) -> None:
    given = mask if option == "--mask" else weights
    before = given.read_bytes()
    ended = npfill("next", photo, option, given, "-o", given, "--overwrite")
    assert (ended.code, "is an input" in ended.err) == (USAGE, True)
    assert given.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], USAGE, "--shape"),
        (["--shape", "5"], USAGE, "no width and height"),
        (["--shape", "0x5"], USAGE, "no width and height"),
        (["--shape", "5x0"], USAGE, "no width and height"),
        (["--shape", "5x5", "--csv", "--json"], USAGE, "leave one"),
        (["--shape", "5x5", "--json", "-o", "-"], USAGE, "leave one"),
        (["--shape", "5x5", "--csv", "-o", "-"], USAGE, "leave one"),
        (["--shape", "5x5", "--watch", "a.csv"], USAGE, "-o points.csv"),
        (["--shape", "5x5", "--watch", "a.csv", "-o", "p.csv", "--json"], USAGE, "--json"),
        (["--shape", "5x5", "--watch", "a.csv", "-o", "p.csv", "--csv"], USAGE, "--csv"),
        (["--shape", "5x5", "--watch", "a.csv", "-o", "p.csv", "--path"], USAGE, "--path"),
        (["--shape", "5x5", "--box", "0,0,2,2"], USAGE, "--not-within"),
        (["--shape", "5x5", "--mask", "mask.png"], USAGE, "--not-within"),
        (["none.npy"], INPUT, "none.npy"),
    ],
)
def test_what_cannot_be_is_refused(npfill: Command, words: list[str], code: int, said: str) -> None:
    ended = npfill("next", *words)
    assert ended.code == code
    assert said in ended.err


@pytest.mark.parametrize("words", [["--mask"], ["--within"], ["--not-within"]])
def test_a_mask_of_another_size_is_refused_with_a_way_out(
    npfill: Command, photo: Path, tmp_path: Path, words: list[str]
) -> None:
    Image.new("1", (30, 24)).save(tmp_path / "other.png")
    ended = npfill("next", photo, *words, tmp_path / "other.png")
    assert (ended.code, "other.png is 30x24" in ended.err) == (INPUT, True)
    assert "save it in the size of the grid" in ended.err
    assert "--fit-mask" not in ended.err


def test_nearly_all_may_be_measured(npfill: Command, tmp_path: Path) -> None:
    allowed = np.full((20, 20), 255, dtype=np.uint8)
    allowed[2:8, 3:9] = 0
    Image.fromarray(allowed).save(tmp_path / "in.png")
    ended = npfill("next", "--shape", "20x20", "--within", tmp_path / "in.png", "-n", 400)
    assert ended.code == 0
    assert sorted(points(ended.out)) == list(map(tuple, np.argwhere(allowed).tolist()))


def test_notes_on_a_file_have_its_name(npfill: Command, tmp_path: Path) -> None:
    frames = [Image.new("L", (9, 7), level) for level in (40, 90)]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    ended = npfill("next", tmp_path / "two.gif", "--box", "0,0,2,2", "-m", "kriging", "-n", 1)
    assert ended.code == 0
    assert f"warning: {tmp_path / 'two.gif'}: animated: only the first frame is used" in ended.err


@pytest.mark.slow
def test_several_times_are_refused_with_a_way_out(npfill: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "times.npy", np.full((6, 5, 4), np.nan))
    ended = npfill("next", tmp_path / "times.npy")
    assert ended.code == INPUT
    assert "4 channels or times; one or three can be explored" in ended.err
    assert "save one of them as a file of its own" in ended.err
