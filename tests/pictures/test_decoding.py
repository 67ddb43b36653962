"""Pictures come in as they look, whatever the file holds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from npfill.errors import InputError
from npfill.pictures.read import read_picture

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "TIFF": {},
    "BMP": {},
    "GIF": {},
    "WEBP": {"lossless": True},
}


def noise(mode: str, size: tuple[int, int] = (5, 7)) -> Image.Image:
    """A random picture of a mode, of the given height and width."""
    values = np.random.default_rng(0).integers(0, 256, (*size, CHANNELS[mode]), dtype=np.uint8)
    return Image.fromarray(values[..., 0] if mode == "L" else values)


def channels_of(image: Image.Image) -> np.ndarray:
    return np.asarray(image).reshape(image.height, image.width, -1)


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.Make] = "a camera"
    return exif


@pytest.mark.parametrize("mode", CHANNELS)
def test_a_png_is_read_byte_for_byte(tmp_path: Path, mode: str) -> None:
    image = noise(mode)
    image.save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert picture.image.mode == mode
    assert picture.image.tobytes() == image.tobytes()
    assert picture.name == str(tmp_path / "a.png")
    assert picture.notes == ()


@pytest.mark.parametrize("kind", LOSSLESS)
def test_the_content_decides_the_format_and_not_the_suffix(tmp_path: Path, kind: str) -> None:
    image = Image.new("RGB", (4, 3), (250, 20, 30))
    image.save(tmp_path / "a.jpg", kind, **LOSSLESS[kind])
    assert (channels_of(read_picture(tmp_path / "a.jpg").image)[..., :3] == (250, 20, 30)).all()


def test_a_format_that_runs_programs_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n")
    with pytest.raises(InputError, match=r"a\.png: not a picture of a known format"):
        read_picture(tmp_path / "a.png")


@pytest.mark.slow
@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_a_picture_is_turned_upright_once(tmp_path: Path, kind: str, orientation: int) -> None:
    # The upper left corner is dark as stored; where it ends up is what EXIF 2.3 says.
    stored = Image.new("L", (48, 32), 255)
    stored.paste(0, (0, 0, 16, 16))
    options = LOSSLESS.get(kind, {"quality": 95})
    stored.convert("RGB").save(tmp_path / "a", kind, exif=oriented(orientation), **options)
    picture = read_picture(tmp_path / "a")
    assert picture.image.size == ((48, 32) if orientation < 5 else (32, 48))
    dark = channels_of(picture.image)[..., 0] < 128
    corners = {2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    assert dark[corners[orientation]]
    assert dark.sum() == 16 * 16
    assert picture.notes == ("turned upright by its EXIF orientation",)
    assert Base.Orientation not in picture.image.getexif()
    assert picture.image.getexif()[Base.Make] == "a camera"


def test_the_thumbnail_of_a_photograph_is_left_out(tmp_path: Path) -> None:
    # A directory with one entry, and a next directory that holds a thumbnail.
    make = bytes.fromhex("0f01 0200 04000000 61626300")
    thumbnail = bytes.fromhex("0102 0400 01000000 00000000")
    directories = b"\1\0" + make + (26).to_bytes(4, "little") + b"\1\0" + thumbnail + bytes(4)
    noise("RGB").save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0" + directories)
    with Image.open(tmp_path / "a.jpg") as stored:
        assert stored.getexif().get_ifd(IFD.IFD1)
    exif = read_picture(tmp_path / "a.jpg").image.getexif()
    assert exif[Base.Make] == "abc"
    assert not exif.get_ifd(IFD.IFD1)


def test_a_tiff_leaves_no_trace_of_how_its_pixels_were_stored(tmp_path: Path) -> None:
    noise("RGB").save(tmp_path / "a.tif", compression="tiff_lzw", exif=oriented(1))
    assert set(read_picture(tmp_path / "a.tif").image.getexif()) == {Base.Make}


def test_a_broken_exif_block_does_not_cost_the_picture(tmp_path: Path) -> None:
    noise("RGB").save(tmp_path / "a.png", exif=b"Exif\0\0nothing of the kind")
    assert "exif" not in read_picture(tmp_path / "a.png").image.info


@pytest.mark.parametrize(
    ("transparency", "mode"), [(None, "RGB"), (1, "RGBA"), (bytes([255, 0]), "RGBA")]
)
def test_a_palette_is_looked_up(tmp_path: Path, transparency: Any, mode: str) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    options = {} if transparency is None else {"transparency": transparency}
    image.save(tmp_path / "a.png", **options)
    picture = read_picture(tmp_path / "a.png")
    assert picture.image.mode == mode
    assert channels_of(picture.image)[0, :, :3].tolist() == [[10, 20, 30], [40, 50, 60]]
    assert picture.notes == (f"palette picture converted to {mode}",)
    if mode == "RGBA":
        assert channels_of(picture.image)[0, :, 3].tolist() == [255, 0]


@pytest.mark.parametrize(("mode", "colour"), [("L", 7), ("RGB", (7, 8, 9))])
def test_a_transparent_colour_becomes_alpha(
    tmp_path: Path, mode: str, colour: int | tuple[int, ...]
) -> None:
    image = Image.new(mode, (2, 1), colour)
    image.putpixel((1, 0), 1 if mode == "L" else (1, 1, 1))
    image.save(tmp_path / "a.png", transparency=colour)
    picture = read_picture(tmp_path / "a.png")
    assert picture.image.mode == f"{mode}A"
    assert channels_of(picture.image)[0, :, -1].tolist() == [0, 255]
    assert picture.notes == ("its transparent colour became an alpha channel",)
    assert "transparency" not in picture.image.info


def test_one_bit_becomes_grey(tmp_path: Path) -> None:
    Image.fromarray(np.eye(3, dtype=bool)).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert channels_of(picture.image)[..., 0].tolist() == (np.eye(3) * 255).tolist()
    assert picture.notes == ("1-bit picture converted to grey",)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_used(tmp_path: Path, kind: str) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    options = LOSSLESS[kind]
    frames[0].save(tmp_path / "a", kind, save_all=True, append_images=frames[1:], **options)
    picture = read_picture(tmp_path / "a")
    assert any("only the first" in note for note in picture.notes)
    assert (channels_of(picture.image)[..., :3] == [255, 0, 0]).all()


def test_the_previews_within_a_photograph_are_not_worth_a_word(tmp_path: Path) -> None:
    frames = [noise("RGB"), noise("RGB")]
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert read_picture(tmp_path / "a.jpg").notes == ()
