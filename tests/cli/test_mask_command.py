"""`npfill mask`: a mask, a sheet to look at, and the command that fills."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npfill.pictures.read import read_picture
from tests.cli.conftest import Command

COFFEE = Path(__file__).parents[2] / "examples/coffee.jpg"


@pytest.fixture
def painted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture of a name like an option, in the current folder, painted on in part."""
    monkeypatch.chdir(tmp_path)
    picture = Image.new("RGB", (30, 20), "teal")
    picture.paste("magenta", (5, 5, 15, 10))
    picture.save("-p.png")
    return Path("-p.png")


@pytest.mark.slow
def test_the_command_writes_a_mask_and_a_sheet_and_says_what_to_do(
    npfill: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    picture = np.array(Image.open(COFFEE).convert("RGB"))
    picture[40:44, 20:200] = (255, 0, 255)
    Image.fromarray(picture).save("a b.png")
    ended = npfill("mask", "a b.png", "--colour", "magenta")
    assert ended.code == 0
    assert ended.out.decode().strip() == "npfill complete 'a b.png' --mask 'a b_mask.png'"
    assert "painted: 1." in ended.err
    selected = read_picture(Path("a b_mask.png")).values[..., 0]
    assert (selected[40:44, 20:200] == 255).all()
    assert read_picture(Path("a b_mask_sheet.png")).size[1] > 640
    assert npfill("mask", "a b.png", "--colour", "magenta").code == 4
    assert npfill("mask", "a b.png", "--depth", "--overwrite").code == 3


@pytest.mark.parametrize(
    ("output", "mask"),
    [
        ([], "./-p_mask.png"),
        (["-o", "new/"], "new/-p_mask.png"),
        (["-o", "new_v1.0"], "new_v1.0/-p_mask.png"),
        (["-o", "m.png"], "m.png"),
    ],
)
def test_the_mask_lies_where_the_command_that_is_printed_finds_it(
    npfill: Command, painted: Path, output: list[str], mask: str
) -> None:
    ended = npfill("mask", f"./{painted}", "--colour", "magenta", *output)
    assert ended.code == 0, ended.err
    assert ended.out.decode().strip() == f"npfill complete ./-p.png --mask {mask}"
    assert (read_picture(Path(mask)).values[5:10, 5:15] == 255).all()
    assert Path(mask.replace(".png", "_sheet.png")).is_file()


def test_the_command_that_is_printed_fills_all_but_a_spot(
    npfill: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    depth = np.zeros((20, 30), np.uint8)
    depth[8:12, 10:15] = 90
    Image.fromarray(depth).save("depth.png")
    ended = npfill("mask", "depth.png", "--depth")
    words = ended.out.decode().split()
    assert words[-4:] == ["--mask", "depth_mask.png", "--mask-threshold", "128"]
    assert npfill(*words[1:], "-m", "nearest").code == 0


def test_a_mask_is_written_as_png_alone(npfill: Command, painted: Path) -> None:
    ended = npfill("mask", f"./{painted}", "--colour", "magenta", "-o", "mask.jpg")
    assert (ended.code, "the mask is written as .png" in ended.err) == (2, True)
    assert [path.name for path in Path().iterdir()] == ["-p.png"]


def test_a_mask_does_not_go_to_stdout(npfill: Command, painted: Path) -> None:
    ended = npfill("mask", f"./{painted}", "--colour", "magenta", "-o", "-")
    assert (ended.code, ended.out) == (2, b"")
    assert "-: the mask does not go to stdout\n" in ended.err
    assert "hint: -o NAME.png\n" in ended.err


def test_the_most_pixels_go_along_to_the_command_that_is_printed(
    npfill: Command, painted: Path
) -> None:
    words = ("mask", f"./{painted}", "--colour", "magenta", "--max-pixels")
    for other in ((), ("--like", f"./{painted}")):
        ended = npfill(*words, 599, *other)
        assert (ended.code, "--max-pixels 600 if it is what" in ended.err) == (3, True)
    ended = npfill(*words, 600)
    assert ended.out.decode().strip().endswith("--mask ./-p_mask.png --max-pixels 600")


def test_stdin_is_read_once_whatever_is_looked_for(
    npfill: Command, painted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(painted.read_bytes())))
    ended = npfill("mask", "-", "--colour", "magenta", "--depth", "--stripes")
    assert ended.code == 0, ended.err
    assert ended.out.decode().strip() == "npfill complete - --mask stdin_mask.png"
