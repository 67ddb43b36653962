"""Values at the limits of their types, and files at the limits of their formats."""

import io
import struct
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npfill.errors import InputError
from npfill.pictures.difference import difference
from npfill.pictures.formats import FORMATS, npz_bytes, picture_bytes
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import Asked, Picture
from npfill.pictures.read import as_read_again, from_bytes, png_text
from npfill.pictures.sheet import Row, contact_sheet, rms


def data(values: np.ndarray) -> Picture:
    values = values.reshape(1, -1, 1)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    return Picture(
        values, "NPY", "data", info={"shape": values.shape}, is_data=True, missing=missing
    )


@pytest.mark.parametrize(
    ("before", "after", "count", "largest"),
    [
        (np.array([2**53, 7]), np.array([2**53 + 1, 7]), 1, 1),
        (np.array([2**64 - 1], np.uint64), np.array([2**64 - 2], np.uint64), 1, 1),
        (np.array([-(2**63)]), np.array([2**63 - 1]), 1, 2.0**64),
        (np.array([2**63], np.uint64), np.array([-(2**63)]), 1, 2.0**64),
        (np.array([2**53 + 1]), np.array([2.0**53]), 1, 1),
        (np.array([2**64 - 1], np.uint64), np.array([2.0**64]), 1, 1),
        (np.array([5]), np.array([5.5]), 1, 0.5),
        (np.array([5], np.int8), np.array([5.0]), 0, 0),
        (np.array([np.inf, -np.inf, np.nan]), np.array([np.inf, -np.inf, np.nan]), 0, 0),
        (np.array([np.inf, 1, 2]), np.array([-np.inf, np.nan, 2]), 2, np.inf),
        (np.array([1.7e308]), np.array([-1.7e308]), 1, np.inf),
        (np.array([0.0]), np.array([5e-324]), 1, 5e-324),
        (np.array([1], np.float16), np.array([1.0000001]), 1, pytest.approx(1e-7)),
    ],
)
def test_numbers_of_all_types_are_compared_exactly(
    before: np.ndarray, after: np.ndarray, count: int, largest: float
) -> None:
    for one, other in ((before, after), (after, before)):
        found = difference(data(one), data(other))
        assert found.count == count
        assert found.largest == largest


def test_large_pictures_are_compared_in_parts_which_bounds_the_memory() -> None:
    peaks = []
    for height in (1000, 4000):
        before = np.full((height, 50, 3), 7, dtype=np.uint8)
        after, ignored = before.copy(), np.zeros((height, 50, 1), dtype=bool)
        after[::500, 3], after[height - 1, 4, 2], after[10, 10] = 9, 0, 255
        ignored[10, 10] = True
        one, other = (Picture(each, "PNG", "a") for each in (before, after))
        tracemalloc.start()
        found = difference(one, other, ignored)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (found.count, found.largest) == (height // 500 + 1, 7)
    assert peaks[1] < 1.5 * peaks[0]


@pytest.mark.parametrize(
    "observed",
    [
        np.array([2**53 + 1, 2**53 + 9]),
        np.array([2**62 + 1, 2**62 + 2000]),
        np.array([-(2**63), 2**63 - 1]),
        np.array([2**64 - 3000, 2**64 - 2], np.uint64),
        np.array([-128, 127], np.int8),
        np.array([-3.4e38, 3.4e38], np.float32),
        np.array([0.1, 0.3]),
        np.array([1e-45, 3e-45], np.float32),
        np.array([-65504, 65504], np.float16),
        np.array([1.7e308, 1.7e308 / 2]),
    ],
)
def test_nothing_is_filled_beyond_what_was_observed(observed: np.ndarray) -> None:
    picture = data(np.append(observed, np.zeros(2, observed.dtype)))
    picture = replace(picture, asked=Asked(clip=True))
    masked = MaskedPicture.of(picture, np.array([[False, False, True, True]]))
    filled = masked.filled(np.array([0, 0, -1, 2.0], np.float32).reshape(1, 4, 1)).values.ravel()
    assert observed.min() <= filled[2] <= filled[3] <= observed.max()
    deviations = masked.deviation(np.ones((1, 4, 1), np.float32), masked.intensities)
    assert np.isfinite(deviations).all()


@pytest.mark.parametrize(
    "observed", [np.array([2**62 + 1, 2**62 + 2]), np.array([2**64 - 3, 2**64 - 2], np.uint64)]
)
def test_numbers_that_floats_take_for_one_are_refused(observed: np.ndarray) -> None:
    picture, hole = data(np.append(observed, observed[:1])), np.array([[False, False, True]])
    with pytest.raises(InputError, match="data: its values differ by less than floats"):
        MaskedPicture.of(picture, hole)
    masked = MaskedPicture.of(replace(picture, asked=Asked("classes")), hole)
    assert masked.filled(np.ones((1, 3, 1), np.float32)).values.max() == observed[1]


def test_one_value_at_the_limit_of_its_type_can_be_completed() -> None:
    for value in (np.float32(3.4e38), np.float64(-1.7e308), np.int64(2**63 - 1), np.uint8(255)):
        masked = MaskedPicture.of(data(np.array([value, value])), np.array([[False, True]]))
        for intensity in (0.0, 0.5, 1.0):
            filled = masked.filled(np.full((1, 2, 1), intensity, np.float32))
            assert np.isfinite(filled.values).all()


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_a_sheet_shows_deviations_of_any_size(scale: float) -> None:
    std = np.array([[[1.0], [0.5]]]) * scale
    assert np.allclose(rms(std) / scale, [[1, 0.5]])
    grey = np.zeros((1, 2, 1), np.float32)
    sheets = [
        np.asarray(contact_sheet(grey, np.ones((1, 2), bool), [Row("", grey, each, [])]))[:110]
        for each in (std, std / scale)
    ]
    assert np.array_equal(sheets[0], sheets[1])


@pytest.mark.parametrize("name", ["file", "args", "kwds", "allow_pickle", "self", "a b", "é", ""])
def test_an_array_may_have_any_name(name: str) -> None:
    values = np.arange(12.0).reshape(3, 4)
    content = npz_bytes({name: values})
    with np.load(io.BytesIO(content)) as found:
        assert found.files == [name]
        assert np.array_equal(found[name], values)
    picture = from_bytes(content, "a.npz")
    assert FORMATS["NPZ"].write(picture, {}) == content


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("grey", [False, True])
def test_what_a_format_makes_of_a_picture_is_compared(kind: str, mode: str, grey: bool) -> None:
    values = np.random.default_rng(0).integers(0, 256, (10, 12, 4), np.uint8)
    if grey:
        values[..., 1:3] = values[..., :1]
    image = Image.fromarray(values)
    image = image if mode in {"LA", "RGBA"} else image.convert("RGB")
    image = image.convert(mode) if mode != "I;16" else Image.new(mode, (12, 10), 40000)
    content = io.BytesIO()
    try:
        image.save(content, kind)
    except (OSError, KeyError):
        pytest.skip("there are no such files")
    picture = from_bytes(content.getvalue(), "picture")
    again = as_read_again(FORMATS[kind].write(picture, {}), picture)
    assert again.values.shape == picture.values.shape
    assert again.values.dtype == picture.values.dtype
    colours = slice(picture.colours)
    apart = again.values[..., colours].astype(int) - picture.values[..., colours]
    assert np.abs(apart).max() <= 16 * (picture.white // 255)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("level", [0, 1])
def test_the_transparent_level_of_grey_png_is_found(bits: int, level: int) -> None:
    levels = np.arange(2**bits)[None] * (255 // (2**bits - 1))
    found = from_bytes(_with_depth(bits, level), "a.png")
    assert found.kind == "LA"
    assert np.array_equal(found.values[0, :, 0], levels[0])
    assert np.flatnonzero(found.values[0, :, 1] == 0).tolist() == [level]


def _with_depth(bits: int, level: int) -> bytes:
    """A grey PNG file of a row of all levels, of which one is transparent."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    each = [np.unpackbits(np.array([value], np.uint8))[-bits:] for value in range(2**bits)]
    row = np.packbits(np.concatenate(each)).tobytes()
    header = struct.pack(">IIBBBBB", 2**bits, 1, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tRNS", struct.pack(">H", level))
        + chunk(b"IDAT", zlib.compress(b"\0" + row))
        + chunk(b"IEND", b"")
    )


def test_a_tiff_without_rows_is_refused() -> None:
    tifffile = pytest.importorskip("tifffile")
    content = io.BytesIO()
    tifffile.imwrite(content, np.zeros((1, 4), np.uint16), photometric="minisblack")
    tiff = tifffile.TiffFile(io.BytesIO(content.getvalue()))
    length = tiff.pages.first.tags["ImageLength"]
    broken = bytearray(content.getvalue())
    broken[length.valueoffset : length.valueoffset + 2] = b"\0\0"
    with pytest.raises(InputError):
        from_bytes(bytes(broken), "mask.tif")


def test_a_grey_tiff_that_says_it_is_rgb_is_written_as_grey() -> None:
    tifffile = pytest.importorskip("tifffile")
    content, levels = io.BytesIO(), np.arange(30, dtype=np.uint16).reshape(5, 6)
    tifffile.imwrite(content, levels, photometric="minisblack")
    grey, rgb = (struct.pack("<HHIHH", 262, 3, 1, kind, 0) for kind in (1, 2))
    picture = from_bytes(content.getvalue().replace(grey, rgb), "odd.tif")
    again = from_bytes(picture_bytes(picture, {}, keep=True), "again.tif")
    assert np.array_equal(again.values[..., 0], levels)


@pytest.mark.filterwarnings("error")
def test_the_text_of_a_png_is_read_without_its_pixels(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    header = bytearray(_with_depth(8, 1))
    header[16:24] = struct.pack(">II", 30000, 30000)
    header[29:33] = struct.pack(">I", zlib.crc32(bytes(header[12:29])))
    path.write_bytes(header)
    assert "npfill_version" not in png_text(path)
    path.write_bytes(b"no picture")
    with pytest.raises(InputError):
        png_text(path)
