"""What a name, a word or a place can be: all of it ends a command as it should, in one line."""

import os
import shutil
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Command
from tests.conftest import TINY

DONE, USAGE, INPUT, CHECKED = 0, 2, 3, 7
BOX = ("--box", "0,0,2,2", "--samples", "1")
ODD = os.fsdecode(b"\xff")  # as the bytes of a name that is no text come to Python
NAMES = [f"{ODD}.png", "a\nb.png", "\x1b[31m.png", "-x.png", "'\".png", "$(id).png", "[red].png"]
LEVELS = np.random.default_rng(0).integers(0, 256, (9, 8, 8), dtype=np.uint8)
TRAIN = ("train", TINY, "schedule.steps=1", "data.validation=2", "run.validate_every=1")


@pytest.fixture(autouse=True)
def here(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photo.parent)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="these are no names there")
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_of_any_name_is_completed_and_explained(
    npfill: Command, photo: Path, weights: Path, name: str
) -> None:
    shutil.move(photo, name)
    ended = npfill("complete", f"./{name}", *BOX, "-m", weights, "-o", "out", "--json")
    assert ended.code == DONE, ended.err
    assert not any(ord(each) < 32 for each in ended.err.replace("\n", ""))
    again = npfill("explain", f"out/{name[:-4]}_mean.png", "--rerun")
    assert again.code == DONE, again.err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="these are no names there")
def test_weights_and_runs_of_any_name_are_read_and_written(npfill: Command) -> None:
    np.save(f"{ODD}.npy", LEVELS)
    words = (*TRAIN, "--device", "cpu", "--data", f"{ODD}.npy", "--run-dir", ODD)
    ended = npfill(*words)
    assert ended.code == DONE, ended.err
    weights = f"{ODD}/best.safetensors"
    assert npfill("complete", "photo.png", *BOX, "-m", weights, "-o", "out").code == DONE


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="these are no names there")
@pytest.mark.parametrize("name", ["[red]", "a|b", "\x1b[2J", "a\nb", "$a$_{"])
def test_a_report_names_a_model_as_it_is_called(npfill: Command, weights: Path, name: str) -> None:
    np.save("set.npy", np.repeat(LEVELS[..., None], 3, axis=-1))
    shutil.copy(weights, f"{name}.safetensors")
    words = ("evaluate", f"./{name}.safetensors", "--data", "set.npy", "--contexts", 3)
    ended = npfill(*words, "--images", 2, "--draws", 1, "-o", "report")
    assert ended.code == DONE, ended.err
    assert "\x1b" not in ended.out.decode() + ended.err
    assert ("[red]" in ended.out.decode()) is (name == "[red]")
    lines = Path("report/report.md").read_text("utf-8").split("\n")
    rows = [line for line in lines if line.startswith("|")]
    assert all(line.replace(r"\|", "").count("|") == 3 for line in rows)


@pytest.mark.skipif(os.name == "nt", reason="these are no names there")
@pytest.mark.parametrize("name", [f"{ODD}.npy", 'a\n[b]\n".npy', "é\x7f\\.npy"])
def test_a_recipe_can_be_proposed_for_data_of_any_name(npfill: Command, name: str) -> None:
    np.save(name, LEVELS)
    assert npfill("train", "--new", "mine.toml", "--data", name).code == DONE
    assert npfill("train", "mine.toml", "--print-config").code == DONE


@pytest.mark.parametrize(
    "words",
    [
        ("complete", "", *BOX),
        ("complete", "photo.png", "--mask", ""),
        ("complete", "photo.png", *BOX, "-m", ""),
        ("complete", "photo.png", *BOX, "-o", ""),
    ],
)
def test_an_empty_word_is_never_taken_for_the_folder_that_one_is_in(
    npfill: Command, words: tuple[str, ...]
) -> None:
    ended = npfill(*words)
    assert ended.code == USAGE
    assert "a variable of the shell that is not set" in ended.err
    assert [each.name for each in Path().iterdir()] == ["photo.png"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("evaluate", "nearest", "--data", "set.npy", "--contexts", "9" * 5000), USAGE),
        (("figure", "samples", "photo.png", "--contexts", "9" * 5000), USAGE),
        ((*TRAIN, f"data.name={ODD}", "--print-config"), USAGE),
        ((*TRAIN, "--data", "holes.npy", "--run-dir", "run"), INPUT),
    ],
)
def test_what_no_value_can_be_is_refused_in_one_line(
    npfill: Command, words: tuple[str, ...], code: int
) -> None:
    np.save("set.npy", LEVELS)
    np.save("holes.npy", np.full((9, 8, 8), np.nan))
    ended = npfill(*words)
    assert ended.code == code, ended.err
    assert ended.err.count("error: ") == 1
    assert not Path("run").exists()


def test_a_current_folder_that_is_gone_is_said(
    npfill: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "getcwd", gone)
    ended = npfill("models", "list")
    assert ended.code == INPUT
    assert "error: the folder that this runs in is gone\nhint: " in ended.err


def _npz(key: str) -> bytes:
    array, archive = BytesIO(), BytesIO()
    np.save(array, np.arange(30.0).reshape(5, 6))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(f"{key}.npy", array.getvalue())
    return archive.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    "key", ["file", "allow_pickle", "args", "kwds", "self", "a/b", "../x", " "]
)
def test_an_array_of_an_archive_keeps_its_name(npfill: Command, weights: Path, key: str) -> None:
    Path("a.npz").write_bytes(_npz(key))
    ended = npfill("complete", "a.npz", *BOX, "-m", weights, "--emit", "mean", "-o", "out/b.npz")
    assert ended.code == DONE, ended.err
    with np.load("out/b.npz") as found:
        assert found.files == [key]


@pytest.mark.parametrize("target", ["out", "gone", "photo.png", "/dev/null"])
@pytest.mark.skipif(os.name == "nt", reason="as POSIX has it")
def test_where_no_folder_can_be_nothing_is_written(
    npfill: Command, weights: Path, target: str
) -> None:
    Path("out").symlink_to(target)
    ended = npfill("complete", "photo.png", *BOX, "-m", weights, "-o", "out/")
    assert ended.code == INPUT, ended.err
    assert {each.name for each in Path().iterdir()} == {"out", "photo.png"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", ["avif", "gif", "jpg", "png", "tif", "webp", "bmp"])
def test_any_mode_that_a_format_has_is_completed_and_kept(
    npfill: Command, weights: Path, kind: str, suffix: str
) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    try:
        Image.fromarray(levels).convert(kind).save(f"a.{suffix}")
    except (OSError, ValueError):
        return  # the format has no such mode
    words = ("complete", f"a.{suffix}", *BOX, "-m", weights, "--format", "keep", "-o", "out")
    assert npfill(*words).code == DONE
    ended = npfill("explain" if suffix == "png" else "check", *_read_again(suffix))
    assert ended.code in {DONE, CHECKED}, ended.err


def _read_again(suffix: str) -> tuple[str, ...]:
    result = f"out/a_mean.{suffix}"
    return (result,) if suffix == "png" else (f"a.{suffix}", result, *BOX[:2])
