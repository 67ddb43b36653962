"""Pictures go out with nothing but the hole changed."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from PIL.ExifTags import IFD, Base

from npfill.errors import InputError
from npfill.images.files import (
    changed_outside,
    intensities,
    png_bytes,
    read_picture,
    std_picture,
    with_hole_filled,
)

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def noise(mode: str, size: tuple[int, int] = (5, 7)) -> Image.Image:
    """A random picture of a mode, of the given height and width."""
    values = np.random.default_rng(0).integers(0, 256, (*size, CHANNELS[mode]), dtype=np.uint8)
    return Image.fromarray(values[..., 0] if mode == "L" else values)


def channels_of(image: Image.Image) -> np.ndarray:
    return np.asarray(image).reshape(image.height, image.width, -1)


def test_profile_exif_and_dpi_survive_from_file_to_file(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    exif[Base.Make] = "a camera"
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = "2020:01:01 00:00:00"
    noise("RGB", (6, 6)).save(
        tmp_path / "a.jpg", exif=exif, icc_profile=b"a profile", dpi=(300, 300), comment=b"no"
    )
    before = read_picture(tmp_path / "a.jpg").image
    assert set(before.info) == {"icc_profile", "exif", "dpi"}
    hole = np.eye(6, dtype=bool)
    filled = with_hole_filled(before, hole, np.zeros((6, 6, 3)), opaque=False)
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


@st.composite
def pictures(draw: st.DrawFn) -> tuple[Image.Image, np.ndarray, np.ndarray]:
    """A picture, a hole in it, and values for its colour channels that may be anything outside."""
    mode = draw(st.sampled_from(sorted(CHANNELS)))
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    bytes_ = draw(hnp.arrays(np.uint8, (height, width, CHANNELS[mode])))
    hole = draw(hnp.arrays(bool, (height, width)))
    colours = 3 if mode.startswith("RGB") else 1
    values = draw(
        hnp.arrays(np.float32, (height, width, colours), elements=st.floats(-1, 2, width=32))
    )
    values[~hole] = draw(st.sampled_from([np.nan, np.inf, 0.5]))
    return Image.fromarray(bytes_[..., 0] if mode == "L" else bytes_), hole, values


@settings(max_examples=200, deadline=None)
@given(picture=pictures(), opaque=st.booleans())
def test_outside_the_hole_not_a_byte_changes(
    picture: tuple[Image.Image, np.ndarray, np.ndarray], opaque: bool
) -> None:
    image, hole, values = picture
    original = image.tobytes()
    completed = with_hole_filled(image, hole, values, opaque=opaque)
    before, after = channels_of(image), channels_of(completed)
    assert image.tobytes() == original
    assert (completed.mode, completed.size) == (image.mode, image.size)
    assert np.array_equal(after[~hole], before[~hole])
    assert changed_outside(image, completed, hole) == 0
    colours = values.shape[-1]
    expected = np.rint(np.clip(values[hole], 0, 1) * 255)
    assert np.array_equal(after[hole, :colours], expected)
    alpha = np.full_like(before[hole, colours:], 255) if opaque else before[hole, colours:]
    assert np.array_equal(after[hole, colours:], alpha)


@pytest.mark.parametrize("mode", CHANNELS)
def test_filling_with_its_own_intensities_changes_nothing(mode: str) -> None:
    image = noise(mode, (16, 16))
    everywhere = np.ones((16, 16), dtype=bool)
    assert with_hole_filled(image, everywhere, intensities(image), opaque=False) == image


def test_half_levels_round_to_even() -> None:
    image, everywhere = Image.new("L", (4, 1)), np.ones((1, 4), dtype=bool)
    values = np.array([0.5, 1.5, 2.5, 254.5]).reshape(1, 4, 1) / 255
    assert with_hole_filled(image, everywhere, values, opaque=False).tobytes() == bytes(
        [0, 2, 2, 254]
    )


@pytest.mark.parametrize("mode", CHANNELS)
def test_pixels_changed_outside_are_counted_whichever_channel(mode: str) -> None:
    before = noise(mode)
    values = channels_of(before).copy()
    values[0, 0, -1] ^= 1
    values[2, 3] ^= 1
    values[4, 4] ^= 1
    after = Image.fromarray(values[..., 0] if mode == "L" else values)
    hole = np.zeros((5, 7), dtype=bool)
    assert changed_outside(before, after, hole) == 3
    hole[4, 4] = True
    assert changed_outside(before, after, hole) == 2


def test_pictures_of_different_kinds_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match=r"LA .* is not L"):
        changed_outside(noise("L"), noise("LA"), np.zeros((5, 7), dtype=bool))


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
