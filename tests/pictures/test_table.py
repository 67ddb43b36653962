"""A new format is one row of a table, and everything that knows formats knows it."""

import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image

from npfill.data.sources import read_images
from npfill.errors import InputError
from npfill.pictures.formats import (
    FORMATS,
    Format,
    picture_bytes,
    picture_suffixes,
    readable,
    suffixes_read,
)
from npfill.pictures.picture import Picture
from npfill.pictures.read import from_bytes, read_picture


def read_toy(file: BinaryIO, name: str, max_pixels: int) -> Picture:
    """A magic of four bytes, a side, and a square of grey levels."""
    content = file.read()
    side = content[4]
    assert side * side <= max_pixels
    levels = np.frombuffer(content[5:], np.uint8).reshape(side, side, 1)
    return Picture(levels, "TOY", name)


def write_toy(picture: Picture, text: Mapping[str, str]) -> bytes:
    return b"TOY!" + bytes([picture.size[0]]) + picture.values.tobytes()


TOY = Format(
    name="TOY",
    label="ToyPix",
    suffixes=(".toy",),
    sniff=lambda header: header.startswith(b"TOY!"),
    read=read_toy,
    write=write_toy,
)
LEVELS = np.arange(9, dtype=np.uint8).reshape(3, 3, 1)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "TOY", TOY)


def toy_file(folder: Path) -> Path:
    path = folder / "a.toy"
    path.write_bytes(write_toy(Picture(LEVELS, "TOY", "a"), {}))
    return path


def test_a_format_from_outside_is_read_and_written_in_its_own_way(tmp_path: Path) -> None:
    picture = read_picture(toy_file(tmp_path))
    assert np.array_equal(picture.values, LEVELS)
    content = picture_bytes(picture, {}, keep=True)
    assert content.startswith(b"TOY!")
    assert np.array_equal(from_bytes(content, "again").values, LEVELS)
    assert picture_bytes(picture, {}, keep=False).startswith(b"\x89PNG")


def test_folders_are_searched_for_its_suffix(tmp_path: Path) -> None:
    toy_file(tmp_path)
    assert ".toy" in suffixes_read()
    assert ".toy" in picture_suffixes()
    assert read_images(tmp_path, "train", 3, 1).tolist() == LEVELS[None, None, ..., 0].tolist()


def test_refusals_name_it(tmp_path: Path) -> None:
    assert readable().endswith("FITS, netCDF, zarr and ToyPix are read")
    (tmp_path / "a.png").write_bytes(b"hello")
    with pytest.raises(InputError) as refusal:
        read_picture(tmp_path / "a.png")
    assert refusal.value.hint == readable()


def test_an_error_of_its_decoder_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "b.toy").write_bytes(b"TOY!")
    with pytest.raises(InputError, match=r"b\.toy: cannot be read \(index out of range\)"):
        read_picture(tmp_path / "b.toy")


def test_formats_have_names_and_suffixes_of_their_own() -> None:
    suffixes = [suffix for each in FORMATS.values() for suffix in each.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(name == each.name for name, each in FORMATS.items())
    data = {suffix for each in FORMATS.values() if each.is_data for suffix in each.suffixes}
    assert suffixes_read() - picture_suffixes() == data
    assert {".npy", ".npz", ".fits", ".nc", ".zarr"} <= data


@pytest.mark.slow
def test_threads_read_at_once_under_limits_of_their_own(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)

    def is_refused(limit: int) -> bool:
        try:
            read_picture(tmp_path / "a.png", limit)
        except InputError as error:
            return f"more than the {limit}" in str(error)
        return False

    limits = [63, 64, 20, 10**9] * 50
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(is_refused, limits)] == [limit < 64 for limit in limits]
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before


def test_the_limit_of_the_process_is_none_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_picture(tmp_path / "a.png").size == (8, 8)
