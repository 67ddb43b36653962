"""Of a torn file, every pixel that is taken for decoded is that of the whole file."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill.errors import InputError
from npfill.pictures.damage import is_torn, mended
from npfill.pictures.read import read_mask, read_picture

MASK = Path(__file__).parents[2] / "examples/cat_mask.png"
ROWS, COLUMNS = np.mgrid[:53, :75]
SMOOTH = np.stack([ROWS * 3, COLUMNS * 3, 200 - ROWS], axis=-1)
NOISE = np.random.default_rng(0).integers(0, 60, (53, 75, 3))
COLOUR = np.clip(SMOOTH + NOISE, 0, 255).astype(np.uint8)
JPEGS: dict[str, dict[str, Any]] = {
    "baseline": {"quality": 75},
    "unsubsampled": {"quality": 95, "subsampling": 0},
    "half": {"quality": 50, "subsampling": 1},
    "restarts": {"quality": 80, "restart_marker_blocks": 3},
    "progressive": {"quality": 85, "progressive": True},
}


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def assert_exact(whole: bytes, share: float) -> float:
    """What is taken for decoded is right; the share of what is not."""
    with Image.open(io.BytesIO(whole)) as image:
        expected = np.asarray(image)
    content, damaged = mended(whole[: int(len(whole) * share)], "torn", 10**6)
    with Image.open(io.BytesIO(content)) as image:
        found = np.asarray(image)
    assert np.array_equal(found[~damaged], expected[~damaged])
    return float(damaged.mean())


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("kind", JPEGS)
def test_a_torn_jpeg_is_decoded_to_the_block_before_its_end(kind: str, mode: str) -> None:
    whole = encoded(Image.fromarray(COLOUR).convert(mode), "JPEG", **JPEGS[kind])
    shares = [0.9, 0.95, 0.99] if kind == "progressive" else [0.6, 0.7, 0.83, 0.9, 0.97]
    lost = [assert_exact(whole, share) for share in shares]
    assert lost == sorted(lost, reverse=True)
    assert 0 < lost[-1] < 0.25
    if kind != "progressive":
        assert lost[0] < 0.8


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA"])
def test_a_torn_png_is_decoded_to_its_last_byte(mode: str) -> None:
    image = Image.fromarray(COLOUR).convert(mode)
    whole = encoded(image, "PNG")
    for share in (0.5, 0.7, 0.9):
        assert abs(assert_exact(whole, share) - (1 - share)) < 0.35


def interlaced(values: np.ndarray) -> bytes:
    """A grey PNG of 8 bits in seven passes."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    rows = b"".join(
        b"\0" + row.tobytes()
        for x, y, across, down in [*passes, (0, 1, 1, 2)]
        for row in values[y::down, x::across]
    )
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", *values.shape[::-1], 8, 0, 0, 0, 1))]
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def test_of_an_interlaced_png_the_pixels_of_whole_passes_are_kept() -> None:
    whole = interlaced(COLOUR[..., 0])
    lost = [assert_exact(whole, share) for share in (0.3, 0.6, 0.9)]
    assert lost == sorted(lost, reverse=True)
    assert 0 < lost[2] < 0.2


def test_what_follows_a_wrong_checksum_is_lost() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8))
    whole = bytearray(encoded(image, "PNG"))  # in chunks of 64 KiB
    whole[150_000] ^= 1
    content, damaged = mended(bytes(whole), "torn", 10**6)
    found = np.asarray(Image.open(io.BytesIO(content)))
    assert np.array_equal(found[~damaged], np.asarray(image)[~damaged])
    assert 0.2 < damaged.mean() < 0.8


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_zeros_where_the_rest_of_a_download_should_be_are_no_picture(kind: str) -> None:
    whole = encoded(Image.fromarray(COLOUR), kind)
    torn = whole[: int(0.7 * len(whole))].ljust(len(whole) + 2000, b"\0")
    _, damaged = mended(torn, "torn", 10**6)
    assert 0.1 < damaged.mean() < 0.75


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_png_is_refused_whose_lost_end_is_zeros_though_they_are_decoded_to_rows(
    tmp_path: Path, share: float
) -> None:
    whole, path = MASK.read_bytes(), tmp_path / "torn.png"
    path.write_bytes(whole[: int(share * len(whole))].ljust(len(whole), b"\0"))
    for read in (read_picture, read_mask):
        with pytest.raises(InputError, match="image file is truncated"):
            read(path)


def test_a_png_without_its_last_chunk_has_all_its_pixels(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(COLOUR), "PNG")[:-12])
    assert np.array_equal(read_picture(tmp_path / "a.png").values, COLOUR)


def test_a_file_that_is_whole_has_no_damage() -> None:
    for kind in ("PNG", "JPEG"):
        whole = encoded(Image.fromarray(COLOUR), kind)
        assert not is_torn(whole, 10**6)
        assert not mended(whole, "whole", 10**6)[1].any()


def test_the_damage_is_turned_as_the_picture_is(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    whole = encoded(Image.fromarray(COLOUR), "JPEG", exif=exif)
    (tmp_path / "whole.jpg").write_bytes(whole)
    (tmp_path / "torn.jpg").write_bytes(whole[: int(0.8 * len(whole))])
    upright = read_picture(tmp_path / "whole.jpg").values
    torn = read_picture(tmp_path / "torn.jpg", damaged=True)
    assert torn.size == (75, 53)
    assert np.array_equal(torn.values[~torn.lacking], upright[~torn.lacking])
    assert torn.missing is not None
    assert torn.missing[:, 0].any()
    assert not torn.missing[:, -1].any()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encoded(Image.fromarray(COLOUR), "JPEG")[:300], "torn before its first pixel"),
        (encoded(Image.fromarray(COLOUR), "PNG")[:40], "torn before its first pixel"),
        (
            encoded(Image.fromarray(COLOUR), "JPEG", progressive=True)[:900],
            "all of it is coarser than it was",
        ),
        (encoded(Image.fromarray(COLOUR), "WEBP")[:500], "known of PNG and JPEG alone"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refusal:
        mended(content, "torn", 10**6)
    assert refusal.value.hint
    assert not is_torn(content, 10**6)


def test_a_torn_file_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    for kind in ("PNG", "JPEG"):
        with pytest.raises(InputError, match="3,975 pixels"):
            mended(encoded(Image.fromarray(COLOUR), kind)[:2500], "torn", 3974)
