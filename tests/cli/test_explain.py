"""A result tells the command that made it, and whether that command still makes it."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.cli.conftest import Command
from tests.forked import Ended


@pytest.fixture
def made(
    npfill: Command, photo: Path, mask: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder, and the current one, with results of all kinds in `out [x]`."""
    monkeypatch.chdir(photo.parent)
    shutil.copy(weights, "tiny.safetensors")
    words = ("photo.png", "--mask", "mask.png", "--grow", 1, "--box", "0,0,2,2", "--noise")
    words = (*words, "--sampler", "autoregressive", "--rounds", 2, "--seed", 7)  # type: ignore[assignment]
    emit = ("--emit", "mean,std,samples,sheet", "-o", "out [x]")
    assert npfill("complete", *words, "-m", "tiny.safetensors", *emit).code == 0
    return photo.parent


def result(name: str) -> Path:
    return Path("out [x]", f"photo_{name}.png")


@pytest.mark.slow
@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("name", ["mean", "std", "sample-1", "sample-3", "sheet"])
def test_the_command_that_is_printed_makes_the_same_bytes(npfill: Command, name: str) -> None:
    explained = npfill("explain", result(name), "--rerun")
    assert explained.code == 0
    assert "byte for byte" in explained.err
    before = result(name).read_bytes()
    shutil.rmtree("out [x]")
    program, *words = shlex.split(explained.out.decode())
    assert program == "npfill"
    assert npfill(*words).code == 0
    assert result(name).read_bytes() == before


@pytest.mark.usefixtures("made")
def test_no_path_is_recorded_but_as_it_was_given(npfill: Command) -> None:
    assert str(Path.cwd()).encode() not in result("mean").read_bytes()


def _repaint(path: str, *, inside: bool) -> None:
    values = np.array(Image.open(path))
    at = (0, 0) if inside else (4, 5)
    values[at] = 255 - values[at]
    Image.fromarray(values).save(path)


@pytest.mark.usefixtures("made")
def test_what_changed_in_the_hole_of_the_picture_does_not_count(npfill: Command) -> None:
    _repaint("photo.png", inside=True)
    assert npfill("explain", result("mean"), "--rerun").code == 0


def _damage_weights() -> None:
    content = bytearray(Path("tiny.safetensors").read_bytes())
    content[-1] ^= 1
    Path("tiny.safetensors").write_bytes(content)


@pytest.mark.slow
@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: _repaint("photo.png", inside=False), "photo.png has changed outside the hole"),
        (lambda: _repaint("mask.png", inside=False), "mask.png selects another hole"),
        (lambda: Path("photo.png").unlink(), "photo.png: no such file"),
        (lambda: Path("mask.png").unlink(), "mask.png: no such file"),
        (_damage_weights, "tiny.safetensors has other weights"),
        (lambda: Path("tiny.safetensors").unlink(), "tiny.safetensors"),
    ],
)
def test_what_changed_or_is_gone_is_said_and_the_command_still_printed(
    npfill: Command, change: object, said: str
) -> None:
    assert callable(change)
    change()
    ended = npfill("explain", result("mean"))
    assert ended.code == 7
    assert said in ended.err
    assert ended.out.startswith(b"npfill complete photo.png --mask mask.png")


@pytest.mark.usefixtures("made")
def test_a_result_that_was_edited_is_found_by_running_again(npfill: Command) -> None:
    with Image.open(result("mean")) as image:
        text = PngInfo()
        for key, value in image.text.items():  # type: ignore[attr-defined]
            text.add_text(key, value)
        values = np.array(image)
    values[2, 2] ^= 4
    Image.fromarray(values).save(result("mean"), pnginfo=text)
    ended = npfill("explain", result("mean"), "--rerun")
    assert ended.code == 7
    assert "1 px differ, by at most 4 of 255" in ended.err


def _refused(ended: Ended, said: str) -> None:
    assert ended.code == 3
    assert said in ended.err
    assert ended.out == b""


def test_what_npfill_did_not_make_is_said_to_be_so(npfill: Command, photo: Path) -> None:
    _refused(npfill("explain", photo), "does not say that npfill complete made it")
    photo.write_bytes(b"no picture")
    _refused(npfill("explain", photo), "cannot be read as a PNG")
    photo.unlink()
    _refused(npfill("explain", photo), "no such file")


_MADE = {"image": "photo.png", "--box": ["0,0,2,2"], "--model": "nearest", "--device": "cpu"}


def _claim(photo: Path, output: str, options: str) -> None:
    """Let a picture say of itself how it was made."""
    text = PngInfo()
    text.add_text("npfill_output", output)
    text.add_text("npfill_options", options)
    with Image.open(photo) as image:
        image.save(photo, pnginfo=text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "options"),
    [
        *(("mean", options) for options in ("", "7", "[]", "{", "{}", '{"image": 7}', "[" * 9999)),
        *(
            ("mean", json.dumps(_MADE | change))
            for change in (
                {"--grow": "1"}, {"--output": "b.png"}, {"--grow": 2**70}, {"--seed": -1},
                {"--box": "0,0,2,2"}, {"--box": [[0, 0, 2, 2]]}, {"--noise": 1}, {"image": "a\0b"},
                {"--mask-threshold": 1e999}, {"--rounds": 0}, {"--device": None},
            )
        ),
        *(("mean", json.dumps({key: _MADE[key] for key in _MADE if key != gone}))
          for gone in ("image", "--model", "--device")),
        *((output, json.dumps(_MADE))
          for output in ("sample-99999999999", "sample-0", "sample-x", "../../../x", "")),
    ],
)  # fmt: skip
def test_a_record_that_makes_no_sense_is_refused(
    npfill: Command, photo: Path, output: str, options: str
) -> None:
    _claim(photo, output, options)
    _refused(npfill("explain", photo, "--rerun"), "says too little of how it was made")


def test_of_a_thousand_samples_and_more_each_names_a_command_that_runs(
    npfill: Command, photo: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From Python any number of samples is saved."""
    monkeypatch.chdir(photo.parent)
    _claim(photo, "sample-1001", json.dumps(_MADE | {"--model": str(weights)}))
    program, *words = shlex.split(npfill("explain", photo).out.decode())
    assert (program, words[-6:-2]) == ("npfill", ["--samples", "1001", "--emit", "samples"])
    assert npfill(*words, "--dry-run").code == 0


@pytest.mark.slow
def test_a_record_of_an_output_that_is_not_known_is_refused(npfill: Command, photo: Path) -> None:
    _claim(photo, "odd", json.dumps(_MADE))
    ended = npfill("explain", photo, "--rerun")
    assert ended.code in {3, 7}
    assert ended.err.count("error: ") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("no_network")
def test_a_record_is_believed_without_asking_another_machine(npfill: Command, photo: Path) -> None:
    _claim(photo, "mean", json.dumps(_MADE | {"--model": "hf://a/b@main/x.safetensors"}))
    ended = npfill("explain", photo, "--rerun")
    assert ended.code == 7
    assert "not fetched yet" in ended.err


@pytest.mark.slow
def test_a_result_that_is_of_another_size_again_is_said_to_be(
    npfill: Command, photo: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photo.parent)
    words = ("photo.png", "--box", "0,0,2,2", "-m", weights, "--samples", 2, "--emit", "sheet")
    assert npfill("complete", *words, "-o", "sheet.png").code == 0
    with Image.open("sheet.png") as image:
        text = PngInfo()
        for key, value in image.text.items():  # type: ignore[attr-defined]
            text.add_text(key, "1" if key == "npfill_samples" else value)
        image.save("sheet.png", pnginfo=text)
    ended = npfill("explain", "sheet.png", "--rerun")
    assert ended.code == 7
    assert "run again, it is " in ended.err


@pytest.mark.slow
def test_a_stripped_result_is_made_again_byte_for_byte(
    npfill: Command, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photo.parent)
    words = ("photo.png", "--box", "0,0,2,2", "-m", "nearest", "--strip", "-o", "out/mean.png")
    assert npfill("complete", *words).code == 0
    ended = npfill("explain", "out/mean.png", "--rerun")
    assert (ended.code, b"--strip" in ended.out) == (0, True)
    assert "the same, byte for byte" in ended.err


def test_a_record_cannot_steer_the_terminal(npfill: Command, photo: Path) -> None:
    text = PngInfo()
    text.add_text("npfill_output", "mean")
    text.add_text(
        "npfill_options",
        '{"image": "a\\u001b[2J[/b]\\udcff.png", "--model": "auto", "--device": "cpu"}',
    )
    with Image.open(photo) as image:
        image.save(photo, pnginfo=text)
    ended = npfill("explain", photo)
    assert ended.code == 7
    assert rb"$'a\033[2J[/b]\377.png'" in ended.out


@pytest.mark.parametrize(
    ("emit", "name", "ends"),
    [
        ("heat", "std-heat", "--emit heat -o out/photo_std-heat.png"),
        ("interval", "lower", "--emit interval -o out"),
        ("fill", "fill", "--emit fill -o out/photo_fill.png"),
    ],
)
def test_the_command_names_the_output_and_replaces_no_other(
    npfill: Command,
    photo: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    emit: str,
    name: str,
    ends: str,
) -> None:
    monkeypatch.chdir(photo.parent)
    words = ("photo.png", "--box", "0,0,2,2", "-m", weights, "-o", "out")
    assert npfill("complete", *words, "--emit", emit).code == 0
    ended = npfill("explain", f"out/photo_{name}.png", "--rerun")
    assert (ended.code, "byte for byte" in ended.err) == (0, True)
    assert ended.out.decode().strip().endswith(ends)


@pytest.mark.parametrize(
    ("made", "which", "hint"),
    [
        ({"image": "-", "--mask": ["m.png"]}, "picture", "given the same file: < FILE"),
        ({"--mask": ["-"]}, "mask", "given the same file: < FILE"),
        ({"image": "-", "--mask": ["-"]}, "picture", "hint: the program in whose memory they were"),
    ],
)
def test_what_came_through_stdin_or_from_memory_is_named(
    npfill: Command, photo: Path, made: dict[str, object], which: str, hint: str
) -> None:
    _claim(photo, "mean", json.dumps({"image": "a.png", **_MADE, **made, "--box": []}))
    ended = npfill("explain", photo)
    assert ended.code == 7
    assert f"the {which} came through stdin or from memory, and is not here" in ended.err
    assert hint in ended.err


def test_as_many_pixels_are_read_as_is_said_and_not_as_the_result_says(
    npfill: Command, photo: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photo.parent)
    words = ("photo.png", "--box", "0,0,2,2", "-m", weights, "--emit", "mean")
    assert npfill("complete", *words, "--max-pixels", 90_000_000).code == 0
    ended = npfill("explain", "photo_mean.png", "--max-pixels", 29)
    assert (ended.code, "30 pixels, more than the 29" in ended.err) == (7, True)
    assert "; --max-pixels 90000000 reads as many" in ended.err
    assert npfill("explain", "photo_mean.png", "--rerun", "--max-pixels", 30).code == 0


def test_a_preview_is_said_to_be_one(
    npfill: Command, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photo.parent)
    assert npfill("complete", "photo.png", "--box", "0,0,2,2", "--emit", "preview").code == 0
    _refused(npfill("explain", "photo_preview.png"), "shows the hole, and no completion")


@pytest.mark.parametrize(
    "options",
    [
        ["--wrap", "columns"],
        ["--tolerance", "0"],
        ["--mask-threshold", "0"],
        ["--nodata", "nan"],
        ["--nodata", "-inf"],
    ],
    ids=" ".join,
)
def test_an_option_of_any_value_is_recorded_and_used_again(
    npfill: Command,
    photo: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
) -> None:
    monkeypatch.chdir(photo.parent)
    Image.fromarray(np.eye(5, 6, dtype=np.uint8) * 255).save("mask.png")
    words = ("photo.png", "--mask", "mask.png", "-m", weights, "--emit", "mean", *options)
    assert npfill("complete", *words).code == 0
    ended = npfill("explain", "photo_mean.png", "--rerun")
    assert (ended.code, "byte for byte" in ended.err) == (0, True)
    assert " ".join(options) in ended.out.decode().replace("0.0", "0")
