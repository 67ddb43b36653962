"""Pictures go out with nothing but the hole changed."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from npfill.errors import InputError
from npfill.pictures.formats import png_bytes
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import intensities, std_picture
from npfill.pictures.read import read_picture

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def noise(mode: str, size: tuple[int, int] = (5, 7)) -> Image.Image:
    """A random picture of a mode, of the given height and width."""
    values = np.random.default_rng(0).integers(0, 256, (*size, CHANNELS[mode]), dtype=np.uint8)
    return Image.fromarray(values[..., 0] if mode == "L" else values)


def channels_of(image: Image.Image) -> np.ndarray:
    return np.asarray(image).reshape(image.height, image.width, -1)


@pytest.mark.parametrize("deep", [False, True])
def test_profile_exif_and_dpi_survive_from_file_to_file(tmp_path: Path, deep: bool) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    exif[Base.Make] = "a camera"
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = "2020:01:01 00:00:00"
    noise("RGB", (6, 6)).save(
        tmp_path / "a.jpg", exif=exif, icc_profile=b"a profile", dpi=(300, 300), comment=b"no"
    )
    before = read_picture(tmp_path / "a.jpg")
    assert set(before.info) == {"icc_profile", "exif", "dpi", "comment"}
    if deep:
        before = replace(before, values=before.values * np.uint16(257))
    filled = MaskedPicture.of(before, np.eye(6, dtype=bool)).filled(np.zeros((6, 6, 3)))
    (tmp_path / "b.png").write_bytes(png_bytes(filled, {}))
    after = read_picture(tmp_path / "b.png").image
    assert after.info["icc_profile"] == b"a profile"
    assert after.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert after.getexif()[Base.Make] == "a camera"
    assert after.getexif().get_ifd(IFD.Exif)[Base.DateTimeOriginal] == "2020:01:01 00:00:00"


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 1), ("RGB", 3), ("RGBA", 3)])
def test_intensities_are_the_colours_in_0_to_1(mode: str, channels: int) -> None:
    image = noise(mode)
    values = intensities(image)
    assert values.shape == (5, 7, channels)
    assert values.dtype == np.float32
    assert np.array_equal(np.rint(values * 255), channels_of(image)[..., :channels])


def test_intensities_of_another_mode_are_refused() -> None:
    with pytest.raises(InputError, match="a picture in mode CMYK"):
        intensities(Image.new("CMYK", (2, 2)))


def test_a_std_picture_is_linear_in_the_root_mean_square_and_zero_outside() -> None:
    std = np.full((2, 3, 3), np.nan)
    std[0, 0], std[0, 1], std[1, 2] = [0.1, 0.1, 0.1], [0.0, 0.3, 0.0], 0.0
    hole = ~np.isnan(std[..., 0])
    image, full_scale = std_picture(std, hole)
    assert image.mode == "I;16"
    assert full_scale == pytest.approx(np.sqrt(0.03))
    levels = np.asarray(image)
    assert levels[0, 1] == 65535
    assert levels[0, 0] * full_scale / 65535 == pytest.approx(0.1, abs=1e-5)
    assert levels[1, 2] == 0
    assert not levels[~hole].any()


@pytest.mark.parametrize("selected", [True, False])
def test_the_full_scale_of_no_deviation_is_positive(selected: bool) -> None:
    image, full_scale = std_picture(np.zeros((2, 2, 1)), np.full((2, 2), selected))
    assert full_scale > 0
    assert not np.asarray(image).any()


def test_a_std_picture_survives_its_file() -> None:
    std = np.linspace(0, 0.3, 12, dtype=np.float32).reshape(3, 4, 1)
    image, full_scale = std_picture(std, np.ones((3, 4), dtype=bool))
    with Image.open(io.BytesIO(png_bytes(image, {"std_full_scale": repr(full_scale)}))) as read:
        read_scale = float(read.info["std_full_scale"])
        assert np.asarray(read) * (read_scale / 65535) == pytest.approx(std[..., 0], abs=1e-5)


def test_a_png_holds_its_text_and_equal_pictures_give_equal_bytes() -> None:
    text = {"npfill_seed": "3", "npfill_model": "Gauß'scher Prozeß", "title": "神経過程"}
    content = png_bytes(noise("RGBA"), text)
    assert content == png_bytes(noise("RGBA"), text)
    with Image.open(io.BytesIO(content)) as image:
        assert {key: image.info[key] for key in text} == text
        assert image.tobytes() == noise("RGBA").tobytes()
