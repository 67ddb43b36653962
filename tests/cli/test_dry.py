"""A dry run reads all that a run would, says what is selected, and fails where a run would."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npfill.pictures.read import read_picture
from tests.cli.conftest import Command
from tests.cli.test_batches import picture, selecting

BOX = ("--box", "1,1,2,3")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    picture(Path("a.png"))
    selecting(Path("mask.png"))
    Image.fromarray(np.zeros((5, 6), np.uint8)).save("black.png")
    return tmp_path


def test_it_says_the_share_and_loads_and_writes_nothing(npfill: Command) -> None:
    ended = npfill("complete", "a.png", "--mask", "mask.png", "-m", "unread", "--dry-run")
    assert ended.code == 0
    assert "mask 6 x 5, 20.0 % selected (6 px)" in ended.err
    said = ended.out.decode()
    assert said.startswith("a.png with mask.png -> a_mean.png, a_std.png, a_std-heat.png, ")
    assert {path.name for path in Path().iterdir()} == {"a.png", "mask.png", "black.png"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--mask", "missing.png"], 3),
        (["--box", "0,0,7,1"], 2),
        (["--mask", "black.png"], 3),
        (["--mask", "alpha"], 3),
        ([], 2),
        (["--mask", "mask.png", "-o", "black.png"], 4),
        (["--mask", "mask.png", "-o", "a.png"], 2),
        (["--mask", "mask.png", "--kind", "classes", "--emit", "interval"], 2),
        (["--mask", "mask.png", "--kind", "classes", "--tolerance", "20"], 2),
        (["--mask", "mask.png", "--clip"], 2),
    ],
)
def test_it_fails_where_the_run_would(npfill: Command, words: list[str], code: int) -> None:
    ran = npfill("complete", "a.png", "-m", "nearest", *words)
    dry = npfill("complete", "a.png", "-m", "nearest", *words, "--dry-run")
    assert (dry.code, dry.err) == (code, ran.err)
    assert ran.code == code


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-m", "unread", "--draw-from", "nosuch.png"], 3, "nosuch.png: no such file"),
        (["-m", "unread", "--draw-from", "black.png"], 3, "black.png: "),
        (["-m", "telea", "--emit", "std"], 2, "--emit std: telea gives no standard deviation"),
        (["-m", "telea", "--emit", "fill"], 2, "--emit fill: telea gives no standard deviation"),
        (["-m", "unread", "--tolerance", "2", "--name", "{stem}.jpg"], 2, "--tolerance: what"),
        (["-m", "unread", "--max-distance", "1", "-o", "out.jpg"], 2, "--max-distance: what"),
    ],
)
def test_what_cannot_be_is_refused_before_a_model_is_read(
    npfill: Command, words: list[str], code: int, said: str
) -> None:
    for more in ([], ["--dry-run"]):
        ended = npfill("complete", "a.png", "--box", "1,1,3,3", *words, *more)
        assert (ended.code, f"error: {said}" in ended.err) == (code, True), ended.err


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_of_planes_that_differ_the_share_is_that_of_values(
    npfill: Command, more: list[str]
) -> None:
    stack = np.arange(60.0).reshape(5, 6, 2)
    stack[0, :, 0] = stack[1, :, 1] = np.nan
    for name in ("a.npy", "b.npy"):
        np.save(name, stack)
    words = ("complete", "-m", "nearest", "--samples", "0", *more)
    ended = npfill(*words, "a.npy", "--json")
    assert "20.0 % selected (12 values)" in ended.err
    data = json.loads(ended.out)["data"]
    assert (data["mask_selected_px"], data["mask_selected_values"], data["mask_share"]) == (
        12, 12, 0.2
    )  # fmt: skip
    assert npfill(*words, "a.npy", "b.npy", "-o", "out").err.count("20.0 % selected") == 2


def test_of_a_batch_it_lists_what_would_fail(npfill: Command) -> None:
    picture(Path("in/a.png"))
    Path("in/broken.png").write_bytes(b"no picture")
    ended = npfill("complete", "in", *BOX, "-o", "out", "--dry-run", "--json")
    assert ended.code == 6
    said = json.loads(ended.out)
    (one,) = said["data"]["pictures"]
    assert (one["mask_selected_px"], one["mask_share"]) == (6, 0.2)
    assert [Path(each["file"]).name for each in said["errors"]] == ["broken.png"]
    assert not Path("out").exists()


@pytest.mark.parametrize("flag", ["--json", "--jsonl"])
def test_the_record_of_one_picture_is_that_of_a_line(npfill: Command, flag: str) -> None:
    ended = npfill("complete", "a.png", *BOX, "--dry-run", flag)
    assert json.loads(ended.out)["data"]["input"] == "a.png"


def test_what_is_left_out_of_a_batch_is_in_its_record(npfill: Command) -> None:
    picture(Path("in/a.png"))
    Path("in/notes.txt").write_text("")
    ended = npfill("complete", "in", *BOX, "--dry-run", "--json")
    assert json.loads(ended.out)["data"]["notes"] == ["in: left out: .txt (1)"]


@pytest.mark.parametrize("more", [["--dry-run", "--emit", "mean,preview"], ["--emit", "preview"]])
def test_a_preview_is_the_picture_with_its_hole_in_red(npfill: Command, more: list[str]) -> None:
    ended = npfill("complete", "a.png", "--mask", "mask.png", "-m", "unread", *more)
    assert ended.code == 0
    assert "wrote a_preview.png" in ended.err
    assert not Path("a_mean.png").exists()
    before, shown = read_picture(Path("a.png")).values, read_picture(Path("a_preview.png")).values
    selected = np.asarray(Image.open("mask.png"))
    assert np.array_equal(shown[~selected], before[~selected])
    assert (shown[selected, 0] >= 153).all()
    assert npfill("complete", "a.png", "--mask", "mask.png", "-m", "unread", *more).code == 4


def test_a_preview_of_data_shows_their_range(npfill: Command) -> None:
    values = np.linspace(200, 300, 30).reshape(5, 6)
    values[1:4, 1:3] = np.nan
    np.save("heights.npy", values)
    assert npfill("complete", "heights.npy", "--emit", "preview", "-o", "p.png").code == 0
    shown = read_picture(Path("p.png")).values
    assert (shown[0, 0].tolist(), shown[4, 5].tolist()) == ([0, 0, 0], [255, 255, 255])
    assert (shown[2, 2] == (153, 0, 36)).all()
