"""What a set of pictures may be, and what is said of anything else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npfill.cli import app
from npfill.data import sources
from npfill.errors import InputError
from npfill.pictures.formats import picture_suffixes
from tests.training.test_run import train


@pytest.mark.parametrize("content", [b"", b"nothing of the kind"])
def test_a_file_of_no_known_kind_is_told_what_is_taken(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(InputError, match="no set of pictures") as refusal:
        sources.read_images(tmp_path / "x.txt", "train", 8, 1)
    for source in sources.SOURCES:
        assert source.words in refusal.value.hint


def test_one_picture_is_no_set_of_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "cat.jpg")
    assert train("cnp-mnist", "--data", str(tmp_path / "cat.jpg"), f"--run-dir={tmp_path}/r") == 3
    said = capsys.readouterr().err
    assert "one picture, not a set of them" in said
    assert "--data takes a folder" in said


@pytest.mark.parametrize("suffix", [".gif", ".avif", ".png"])
def test_every_format_of_pictures_is_found_in_a_folder(tmp_path: Path, suffix: str) -> None:
    assert suffix in picture_suffixes()
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / f"one{suffix}")
    (tmp_path / "notes.txt").write_text("not a picture")
    images = sources.read_images(tmp_path, "train", 8, 3)
    assert images.shape == (1, 3, 8, 8)
    assert images[0, 0].float().mean() > 250


def test_pictures_are_read_when_they_are_called(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((3, 4, 5), np.uint8))
    found = sources.entries(tmp_path / "x.npy", "train")
    assert [entry().size for entry in found] == [(5, 4)] * 3


def test_the_help_names_every_source() -> None:
    option = next(
        each
        for command in app.registered_commands
        if command.name == "train" and command.callback
        for each in command.callback.__annotations__["data"].__metadata__
    )
    assert sources.ACCEPTED in option.help
