"""Pictures of 16 bits are read, filled and written at 16 bits."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.ExifTags import Base

from npfill.data.sources import read_images
from npfill.errors import InputError
from npfill.pictures.formats import picture_bytes, png_bytes
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import Picture
from npfill.pictures.read import read_picture

Writer = Callable[[Path, np.ndarray], Path]


def noise(channels: int, size: tuple[int, int] = (5, 7)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 65536, (*size, channels), dtype=np.uint16)


def write_tiff(path: Path, values: np.ndarray) -> Path:
    options: dict[str, Any] = {"photometric": "minisblack", "compression": "lzw", "predictor": True}
    if values.shape[-1] > 1:
        options["planarconfig"] = "contig"
    if values.shape[-1] >= 3:
        options["photometric"] = "rgb"
    if values.shape[-1] in {2, 4}:
        options["extrasamples"] = ["unassalpha"]
    tifffile.imwrite(path, values.squeeze(), **options)
    return path


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_16_bits_are_read_level_for_level(
    tmp_path: Path, kind: str, channels: int, write_deep_png: Writer
) -> None:
    values = noise(channels)
    path = {"png": write_deep_png, "tif": write_tiff}[kind](tmp_path / "a", values)
    picture = read_picture(path)
    assert picture.values.dtype == np.uint16
    assert np.array_equal(picture.values, values)
    assert (picture.notes, picture.is_data) == ((), False)
    assert picture.has_alpha == (channels in {2, 4})


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("keep", [False, True])
def test_16_bits_are_written_level_for_level(tmp_path: Path, channels: int, keep: bool) -> None:
    picture = read_picture(write_tiff(tmp_path / "a.tif", noise(channels)))
    content = picture_bytes(picture, {}, keep=keep)
    assert content == picture_bytes(picture, {}, keep=keep)
    (tmp_path / "b").write_bytes(content)
    again = read_picture(tmp_path / "b")
    assert again.format == ("TIFF" if keep else "PNG")
    assert np.array_equal(again.values, picture.values)


def test_a_deep_png_is_what_other_programs_read_too(tmp_path: Path) -> None:
    values = noise(3)
    content = png_bytes(Picture(values, "PNG", "a"), {"npfill_seed": "3", "title": "神経過程"})
    with Image.open(io.BytesIO(content)) as image:
        image.load()  # checks every chunk
        assert image.info["npfill_seed"] == "3"
        assert image.info["title"] == "神経過程"
        assert np.array_equal(np.asarray(image), values >> 8)
    cv2 = pytest.importorskip("cv2")
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(decoded[..., ::-1], values)


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_to_train_on_are_the_nearest_of_8(tmp_path: Path, channels: int) -> None:
    levels = noise(channels, (7, 7)) // 257
    picture = Picture(levels * 257 + 100, "PNG", "a test")
    (tmp_path / "a.png").write_bytes(png_bytes(picture, {}))
    (read,) = read_images(tmp_path, "train", 7, channels)
    assert np.array_equal(read.permute(1, 2, 0).numpy(), levels)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_deep_picture_is_turned_as_one_of_8_bits_is(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    values = noise(3)
    Image.fromarray((values >> 8).astype(np.uint8)).save(tmp_path / "flat.png", exif=exif)
    flat = read_picture(tmp_path / "flat.png")
    tag = (Base.Orientation.value, 3, 1, orientation, True)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extratags=[tag])
    stored = Picture(values, "PNG", "a", info={"exif": exif.tobytes()})
    (tmp_path / "a.png").write_bytes(png_bytes(stored, {}))
    for name in ("a.tif", "a.png"):
        picture = read_picture(tmp_path / name)
        assert np.array_equal(picture.values >> 8, flat.values)
        assert picture.notes == flat.notes
        exif = Image.Exif()
        exif.load(picture.info.get("exif", b""))
        assert Base.Orientation not in exif


def test_what_a_deep_tiff_says_of_itself_goes_into_its_copies(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "resolution": (300, 300),
        "resolutionunit": "inch",
        "iccprofile": b"a profile",
    }
    tag = (Base.Make.value, 2, 0, "a camera", True)
    tifffile.imwrite(tmp_path / "a.tif", noise(3), photometric="rgb", extratags=[tag], **options)
    for keep in (False, True):
        before = read_picture(tmp_path / "a.tif")
        (tmp_path / "b").write_bytes(picture_bytes(before, {}, keep=keep))
        after = read_picture(tmp_path / "b")
        assert after.info["icc_profile"] == b"a profile"
        assert after.info["dpi"] == pytest.approx((300, 300), abs=0.01)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_the_shape_that_a_tiff_had_is_not_said_of_its_copies(
    kind: type[np.generic], tmp_path: Path
) -> None:
    pages = np.stack([noise(3), noise(3)]).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb", metadata={"axes": "TYXS"})
    before = read_picture(tmp_path / "a.tif")
    (tmp_path / "b.tif").write_bytes(picture_bytes(before, {}, keep=True))
    with tifffile.TiffFile(tmp_path / "b.tif") as copy:
        assert copy.pages.first.description == ""
        assert np.array_equal(copy.asarray(), pages[0])
    tifffile.imwrite(tmp_path / "a.tif", pages[0], photometric="rgb", metadata={"exposed": "9 s"})
    assert b"9 s" in picture_bytes(read_picture(tmp_path / "a.tif"), {}, keep=True)


def test_a_transparent_colour_of_16_bits_becomes_alpha(tmp_path: Path) -> None:
    values = np.array([[[7], [520]]], dtype=np.uint16)
    plain = png_bytes(Picture(values, "PNG", "a"), {})
    flat = io.BytesIO()
    Image.new("L", (1, 1)).save(flat, "PNG", transparency=7)
    at = flat.getvalue().index(b"tRNS") - 4
    chunk = flat.getvalue()[at : at + 14]
    (tmp_path / "a.png").write_bytes(plain[:33] + chunk + plain[33:])
    assert read_picture(tmp_path / "a.png").values.tolist() == [[[7, 0], [520, 65535]]]


def test_white_that_is_stored_as_zero_is_white(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(1)[..., 0], photometric="miniswhite")
    assert np.array_equal(read_picture(tmp_path / "a.tif").values, 65535 - noise(1))


def test_inks_of_16_bits_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(4), photometric="separated")
    with pytest.raises(InputError, match="SEPARATED of type uint16 is not read"):
        read_picture(tmp_path / "a.tif")


def test_a_cut_deep_file_is_refused(tmp_path: Path, write_deep_png: Writer) -> None:
    for path in (write_deep_png(tmp_path / "a.png", noise(3, (64, 64))), tmp_path / "a.tif"):
        if path.suffix == ".tif":
            tifffile.imwrite(path, noise(3, (64, 64)), photometric="rgb")
        path.write_bytes(path.read_bytes()[:9000])
        with pytest.raises(InputError, match=r"cannot be read"):
            read_picture(path)


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_a_deep_bomb_is_refused(tmp_path: Path, kind: str, write_deep_png: Writer) -> None:
    path = {"png": write_deep_png, "tif": write_tiff}[kind](tmp_path / "a", noise(3))
    with pytest.raises(InputError, match="35 pixels, more than the 34"):
        read_picture(path, 34)


def test_a_deep_picture_is_shown_in_8_bits() -> None:
    values = np.array([[[0], [128], [129], [32767], [32768], [65535]]], dtype=np.uint16)
    image = Picture(values, "PNG", "a").image
    assert image.mode == "L"
    assert np.asarray(image).ravel().tolist() == [0, 0, 1, 127, 128, 255]


def test_a_filled_deep_picture_differs_from_its_file_in_the_hole_alone(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", noise(3))
    picture, hole = read_picture(path), np.eye(5, 7, dtype=bool)
    filled = MaskedPicture.of(picture, hole).filled(np.full((5, 7, 3), 32769 / 65535))
    (tmp_path / "b.png").write_bytes(png_bytes(filled, {}))
    after = read_picture(tmp_path / "b.png").values
    assert np.array_equal(after[~hole], noise(3)[~hole])
    assert (after[hole] == 32769).all()
