"""A file that cannot be read as a picture is refused in one line that names it."""

import io
import warnings
from pathlib import Path

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import Base

from npfill.errors import InputError
from npfill.pictures.formats import png_bytes
from npfill.pictures.read import read_picture
from tests.forked import posix

FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"]


def noise(height: int, width: int) -> Image.Image:
    """A random picture in RGB."""
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@posix
def test_a_device_is_refused_with_the_way_that_streams_have() -> None:
    with pytest.raises(InputError, match="/dev/null: a pipe or device, not a picture") as refusal:
        read_picture(Path("/dev/null"))
    assert refusal.value.hint.startswith("- reads stdin")


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(
            "YCbCr",
            marks=pytest.mark.skipif(
                PIL.__version__ < "12", reason="Pillow 11 cannot read such a file of its own"
            ),
        ),
        "LAB",
    ],
)
def test_a_mode_that_is_not_read_is_refused_with_a_way_out(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (4, 4)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=f"colour mode {mode} is not read") as refusal:
        read_picture(tmp_path / "a.tif")
    assert refusal.value.hint == "convert it to RGB"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "an empty file"), (b"hello", "not a picture of a known format")],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.png: {reason}"):
        read_picture(tmp_path / "a.png")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.png: no such file"):
        read_picture(tmp_path / "a.png")
    with pytest.raises(InputError, match="a folder, not a picture"):
        read_picture(tmp_path)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_truncated_picture_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    content = io.BytesIO()
    noise(64, 64).save(content, kind)
    (tmp_path / "a").write_bytes(content.getvalue()[: len(content.getvalue()) // 2])
    with pytest.raises(InputError, match=r"a: (cannot be read|not a picture)") as refusal:
        read_picture(tmp_path / "a")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("limit", [30, 10])
def test_a_decompression_bomb_is_refused(tmp_path: Path, limit: int) -> None:
    noise(5, 7).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=f"35 pixels, more than the {limit}") as refusal:
        read_picture(tmp_path / "a.png", limit)  # Pillow warns, or from twice that raises
    assert "`max_pixels=35`" in refusal.value.hint
    assert read_picture(tmp_path / "a.png", 35).size == (5, 7)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(data=st.data(), kind=st.sampled_from(FORMATS))
def test_a_damaged_file_is_a_picture_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, kind: str
) -> None:
    content = io.BytesIO()
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    noise(5, 7).save(content, kind, exif=exif)
    damaged = bytearray(content.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "a"
    path.write_bytes(damaged)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            image = read_picture(path).image
        except InputError:
            return
        read_again = Image.open(io.BytesIO(png_bytes(image, {})))
        assert read_again.tobytes() == image.tobytes()
