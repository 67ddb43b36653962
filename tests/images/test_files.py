"""Pictures come in as they look, and go out with nothing but the hole changed."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "TIFF": {},
    "BMP": {},
    "GIF": {},
    "WEBP": {"lossless": True},
}
FORMATS = ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"]


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
    assert np.array_equal(intensities(read_picture(tmp_path / "a.jpg").image), intensities(image))


def test_a_format_that_runs_programs_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n")
    with pytest.raises(InputError, match=r"a\.png: not a picture of a known format"):
        read_picture(tmp_path / "a.png")


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


def test_profile_exif_and_dpi_survive_from_file_to_file(tmp_path: Path) -> None:
    exif = oriented(6)
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


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_never_saturates(tmp_path: Path, kind: str) -> None:
    levels = np.array([[0, 128, 129, 1000, 32767, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "a", kind)
    picture = read_picture(tmp_path / "a")
    assert picture.image.mode == "L"
    assert channels_of(picture.image)[0, :, 0].tolist() == [0, 0, 1, 4, 127, 128, 255]
    assert picture.notes == ("16-bit input, completing at 8 bit",)


def test_grey_without_a_known_white_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 70000]], dtype=np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="grey levels from 0 to 70000 have no known white"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_16_bit_colour_png_is_noted(
    tmp_path: Path, channels: int, write_deep_png: Callable[[Path, np.ndarray], Path]
) -> None:
    path = write_deep_png(tmp_path / "a.png", np.full((2, 3, channels), 51400, dtype=np.uint16))
    picture = read_picture(path)
    assert picture.notes == ("16-bit input, completing at 8 bit",)
    assert (channels_of(picture.image) == 200).all()


def test_16_bit_colour_tiff_is_noted(
    tmp_path: Path, write_deep_tiff: Callable[[Path, np.ndarray], Path]
) -> None:
    path = write_deep_tiff(tmp_path / "a.tif", np.full((2, 3, 3), 51400, dtype=np.uint16))
    picture = read_picture(path)
    assert picture.notes == ("16-bit input, completing at 8 bit",)
    assert (channels_of(picture.image) == 200).all()


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


@pytest.mark.parametrize("mode", ["CMYK", "F"])
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
    noise("RGB", (64, 64)).save(content, kind)
    (tmp_path / "a").write_bytes(content.getvalue()[: len(content.getvalue()) // 2])
    with pytest.raises(InputError, match="a: cannot be read") as refusal:
        read_picture(tmp_path / "a")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("limit", [30, 10])
def test_a_decompression_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    noise("RGB").save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # Pillow warns, or from twice that raises
    with pytest.raises(InputError, match=f"more than {limit} pixels"):
        read_picture(tmp_path / "a.png")


@settings(max_examples=100, deadline=None)
@given(data=st.data(), kind=st.sampled_from(FORMATS))
def test_a_damaged_file_is_a_picture_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, kind: str
) -> None:
    content = io.BytesIO()
    exif = {} if kind in {"BMP", "GIF"} else {"exif": oriented(6)}
    noise("RGB").save(content, kind, **exif)
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
