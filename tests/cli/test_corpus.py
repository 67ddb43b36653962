"""Each file of the corpus ends a command with its exit code and message, and no traceback."""

import contextlib
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from npfill.data.sources import read_images
from npfill.errors import InputError
from tests.cli.conftest import Command
from tests.corpus.masks import MASKS
from tests.corpus.nasty import DONE, INPUT, Nasty, noise, saved
from tests.corpus.pictures import NO_PICTURE, PICTURES
from tests.corpus.recipes import RECIPES
from tests.corpus.weights import WEIGHTS, whole
from tests.forked import Ended

ROOT = Path(__file__).parents[2]
BOX = ("--box", "0,0,1,1")
NAMES = [
    "name with spaces.png", "naïve-東京-🙂.png", "[x].png", "[bold]red.png", "{0}%s.png",
    "$HOME;ls.png", "-dash.png", "no-suffix", ".hidden", "photo.tar.gz", "photo.PNG", "*.png",
    "~.png",
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder but for the weights `tiny.safetensors`."""
    monkeypatch.chdir(tmp_path)
    Path("tiny.safetensors").write_bytes(whole())
    return tmp_path


def assert_ends(ended: Ended, nasty: Nasty) -> None:
    assert "Traceback" not in ended.err
    assert ended.code == nasty.code, ended.err
    assert nasty.says in ended.err
    lines = ended.err.splitlines()
    if nasty.code == DONE:
        assert not any(line.startswith("error: ") for line in lines)
    else:
        assert [line for line in lines if line.startswith("error: ")] == [lines[-2]]
        assert nasty.says in lines[-2] + lines[-1]
        assert lines[-1].startswith("hint: ")


def assert_completed(ended: Ended, nasty: Nasty, file: Path) -> None:
    """The result of a good file has its size; a bad one leaves the folder as it was."""
    before = file.read_bytes()
    assert_ends(ended, nasty)
    results = list(Path("out").glob("*"))
    assert file.read_bytes() == before
    if nasty.code != DONE:
        assert not results
        return
    assert "outside changed: 0 px" in ended.err
    mean = Path("out") / f"{file.stem}_mean.png"
    assert mean in results
    with Image.open(mean) as completed:
        completed.load()


def test_the_corpus_is_large_and_as_its_page_counts_it() -> None:
    tables: list[Mapping[str, Nasty]] = [PICTURES, MASKS, WEIGHTS, RECIPES]
    refused = sum(nasty.code != DONE for table in tables for nasty in table.values())
    assert refused >= 60
    page = (ROOT / "docs/robustness.md").read_text("utf-8")
    pictures, masks, weights, recipes = map(len, tables)
    counted = f"{pictures} pictures, {masks} masks, {weights} weight files and {recipes} recipes"
    said = f"`tests/corpus` makes {sum(map(len, tables))} files: {counted}. {refused} of them must"
    assert said in page, f"docs/robustness.md: {said}"


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_completed_or_refused(npfill: Command, name: str) -> None:
    Path(name).write_bytes(PICTURES[name].make())
    ended = npfill("complete", name, *BOX, "-m", "tiny.safetensors", "-o", "out", "--samples", 1)
    assert_completed(ended, PICTURES[name], Path(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_to_train_on_is_read_or_refused(folder: Path, name: str) -> None:
    Path(name).write_bytes(PICTURES[name].make())
    if PICTURES[name].says == NO_PICTURE:
        with pytest.raises(InputError, match=re.escape(str(folder))):
            read_images(folder, "train", 8, 3)
    with contextlib.suppress(InputError):
        assert read_images(folder, "train", 8, 3).shape == (1, 3, 8, 8)


@pytest.mark.slow
@pytest.mark.parametrize("name", MASKS)
def test_a_mask_selects_a_hole_or_is_refused(npfill: Command, name: str) -> None:
    Path("photo.png").write_bytes(saved(noise(), "PNG"))
    Path(name).write_bytes(MASKS[name].make())
    ended = npfill(
        "complete", "photo.png", "--mask", name, "-m", "tiny.safetensors", "-o", "out",
        "--samples", 1,
    )  # fmt: skip
    assert_completed(ended, MASKS[name], Path("photo.png"))


@pytest.mark.slow
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_are_used_or_refused(npfill: Command, name: str) -> None:
    Path("photo.png").write_bytes(saved(noise(), "PNG"))
    Path(name).write_bytes(WEIGHTS[name].make())
    ended = npfill("complete", "photo.png", *BOX, "-m", name, "-o", "out", "--samples", 1)
    assert_completed(ended, WEIGHTS[name], Path("photo.png"))


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_read_or_refused(npfill: Command, name: str) -> None:
    Path(name).write_bytes(RECIPES[name].make())
    assert_ends(npfill("train", name, "--print-config"), RECIPES[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_a_name(npfill: Command, name: str) -> None:
    Path(name).write_bytes(saved(noise(), "PNG"))
    ended = npfill("complete", *BOX, "-m", "tiny.safetensors", "-o", "out", "--", name)
    assert_completed(ended, Nasty(bytes, DONE, Path(name).stem), Path(name))


@pytest.mark.parametrize("role", ["picture", "mask", "model", "recipe", "result"])
def test_a_name_that_is_too_long_is_refused(npfill: Command, role: str) -> None:
    Path("photo.png").write_bytes(saved(noise(), "PNG"))
    name = "a" * 300 + {"model": ".safetensors", "recipe": ".toml"}.get(role, ".png")
    complete = ("complete", "photo.png", "-m", "tiny.safetensors")
    words: dict[str, tuple[str, ...]] = {
        "picture": ("complete", name, *BOX, "-m", "tiny.safetensors"),
        "mask": (*complete, "--mask", name),
        "model": ("complete", "photo.png", *BOX, "-m", name),
        "recipe": ("train", name),
        "result": (*complete, *BOX, "-o", f"{name}/out"),
    }
    assert_ends(npfill(*words[role]), Nasty(bytes, INPUT, "File name too long"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "loop", "folder"])
@pytest.mark.parametrize("role", ["picture", "mask", "model", "recipe"])
def test_what_is_no_file_is_refused_and_never_waited_for(
    npfill: Command, kind: str, role: str
) -> None:
    Path("photo.png").write_bytes(saved(noise(), "PNG"))
    name = {"model": "x.safetensors", "recipe": "x.toml"}.get(role, "x.png")
    _make(kind, name)
    words: dict[str, tuple[str, ...]] = {
        "picture": ("complete", name, *BOX, "-m", "tiny.safetensors", "-o", "out"),
        "mask": ("complete", "photo.png", "--mask", name, "-m", "tiny.safetensors", "-o", "out"),
        "model": ("complete", "photo.png", *BOX, "-m", name, "-o", "out"),
        "recipe": ("train", name),
    }
    if kind == "folder" and role in {"picture", "mask"}:
        pytest.skip("folders of pictures and masks are batches")
    assert_ends(npfill(*words[role]), Nasty(bytes, INPUT, name))
    assert not Path("out").exists()


def _make(kind: str, name: str) -> None:
    if kind == "pipe":
        os.mkfifo(name)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
    elif kind == "device":
        Path(name).symlink_to("/dev/zero")
    elif kind == "loop":
        Path(name).symlink_to(name)
    else:
        Path(name).mkdir()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
@pytest.mark.parametrize("role", ["picture", "mask", "model", "recipe"])
def test_a_file_that_may_not_be_read_is_refused(npfill: Command, role: str) -> None:
    Path("photo.png").write_bytes(saved(noise(), "PNG"))
    name = {"model": "x.safetensors", "recipe": "x.toml"}.get(role, "x.png")
    content = {"model": whole(), "recipe": RECIPES["good.toml"].make()}
    Path(name).write_bytes(content.get(role, saved(noise(), "PNG")))
    Path(name).chmod(0)
    words: dict[str, tuple[str, ...]] = {
        "picture": ("complete", name, *BOX, "-m", "tiny.safetensors"),
        "mask": ("complete", "photo.png", "--mask", name, "-m", "tiny.safetensors"),
        "model": ("complete", "photo.png", *BOX, "-m", name),
        "recipe": ("train", name),
    }
    assert_ends(npfill(*words[role]), Nasty(bytes, INPUT, "Permission denied"))
