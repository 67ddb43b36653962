"""Torn files: which pixels of a PNG or JPEG were decoded before its end was lost.

A pixel counts as decoded only if it is what the whole file would show there. Of PNG that is known
by counting bytes, as each depends on those before it alone. Of JPEG, the file is ended in several
ways: what does not depend on the end was there. Where a later scan of a progressive JPEG would have
refined every pixel, none was decoded.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from PIL import Image

from npfill.errors import InputError
from npfill.pictures.picture import File, channels_of, refuse_bomb
from npfill.pictures.planes import grown

_SAVE = "save what a viewer shows of it, and give that a `box` or `mask`"
_LOST = 512  # zero bytes at the end: room for what never came
PNG = b"\x89PNG\r\n\x1a\n"
# The passes of an interlaced PNG: first column and row, and the steps to the next.
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by the type of colour
_JPEG, _END = b"\xff\xd8", b"\xff\xd9"
_SEQUENTIAL_AND_PROGRESSIVE = (0xC0, 0xC1, 0xC2)
_SCAN = 0xDA
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a length
# Ends that a torn stream of Huffman codes is given; in one of any two, the next code differs.
_ENDS = (b"\xfe" * 40, b"\xaa" * 40, b"\x55" * 40, b"\xcc\x33" * 20, b"\x92\x49\x24" * 13)


def mended(
    content: bytes, name: str, max_pixels: int
) -> tuple[bytes, Bool[np.ndarray, "height width"]]:
    """Mend a torn file so that it can be decoded.

    Args:
        content: The file.
        name: Its name in messages.
        max_pixels: The most pixels that are decoded.

    Returns:
        A whole file, and True where its pixels, as they are stored, are not those of the picture.

    Raises:
        InputError: It is neither PNG nor JPEG, too large, or no pixel of it was decoded.
    """
    if content[-_LOST:].count(0) == _LOST:
        content = content.rstrip(b"\0")
    if content.startswith(PNG):
        whole, damaged = _mended_png(content, name, max_pixels)
    elif content.startswith(_JPEG):
        whole, damaged = _mended_jpeg(content, name, max_pixels)
    else:
        raise InputError(f"{name}: what is damaged is known of PNG and JPEG alone", _SAVE)
    if damaged.all():
        raise InputError(f"{name}: torn before its first pixel", "copy it again")
    return whole, damaged


def is_torn(content: bytes, max_pixels: int) -> bool:
    """True if a part of a file is damaged, and the rest can be decoded."""
    try:
        _, damaged = mended(content, "", max_pixels)
    except Exception:  # broken files make decoders raise nearly anything
        return False
    return bool(damaged.any())


def chunks(file: File) -> Iterator[tuple[bytes, bytes, bool]]:
    """The chunks of a PNG file by their names, whole, and True of those whose checksum is right."""
    file.seek(len(PNG))
    name = b""
    while name != b"IEND" and len(head := file.read(8)) == 8:
        name, rest = head[4:], file.read(int.from_bytes(head[:4], "big") + 4)
        yield name, head + rest, zlib.crc32(name + rest[:-4]).to_bytes(4, "big") == rest[-4:]


def refuse_cut(file: File) -> None:
    """Refuse a PNG file of which a part was lost: zeros in its place are decoded to pixels, too.

    Raises:
        OSError: The checksum of its pixels is not there, or not right.
    """
    every = [*chunks(file)]
    width, height = struct.unpack(">II", every[0][1][8:16])
    pixels = b"".join(_body(chunk) for name, chunk, _ in every if name == b"IDAT")
    stream = zlib.decompressobj()
    with suppress(zlib.error):
        stream.decompress(pixels, 8 * (width + 2) * (height + 8))  # of 64 bits each, in any passes
    if not stream.eof:
        raise OSError("image file is truncated")


def _mended_png(
    content: bytes, name: str, max_pixels: int
) -> tuple[bytes, Bool[np.ndarray, "height width"]]:
    right = list(_right_chunks(content))
    if not right or right[0][0] != b"IHDR" or len(right[0][1]) != 13:
        raise InputError(f"{name}: torn before its first pixel", "copy it again")
    width, height, depth, colours, *_, interlaced = struct.unpack(">IIBBBBB", right[0][1])
    refuse_bomb(name, (height, width, 1), max_pixels)
    bits = depth * _SAMPLES[colours]
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    damaged = np.ones((height, width), dtype=bool)
    parts = [(damaged[y::down, x::across]) for x, y, across, down in passes]
    sizes = [(part, 1 + (part.shape[1] * bits + 7) // 8) for part in parts if part.size]
    total = sum(len(part) * size for part, size in sizes)
    stream, rows = zlib.decompressobj(), b""
    with suppress(zlib.error):  # what came before it is right
        for _, body in (chunk for chunk in right if chunk[0] == b"IDAT"):
            rows += stream.decompress(body, max(total - len(rows), 1))
    at = 0
    for part, size in sizes:
        for row in part:
            known = min(max(len(rows) - at - 1, 0), size - 1) * 8 // bits
            row[:known] = False
            at += size
    rows = rows[:total] + bytes(total - len(rows))
    kept = [chunk for chunk in right if chunk[0] not in {b"IDAT", b"IEND"}]
    kept += [(b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return PNG + b"".join(chunk_of(*each) for each in kept), damaged


def _right_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The names and bodies of a PNG's chunks to the first that is wrong; the last may be cut."""
    for name, chunk, is_right in chunks(io.BytesIO(content)):
        if not is_right and len(chunk) >= len(_body(chunk)) + 12:
            return
        if is_right or name == b"IDAT":
            yield name, _body(chunk)


def _body(chunk: bytes) -> bytes:
    return chunk[8:][: int.from_bytes(chunk[:4], "big")]


def chunk_of(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file, with its length and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


class _Frame(NamedTuple):
    """The frame of a JPEG: its size, and the horizontal and vertical samples of its components."""

    height: int
    width: int
    samples: dict[int, tuple[int, int]]


def _mended_jpeg(
    content: bytes, name: str, max_pixels: int
) -> tuple[bytes, Bool[np.ndarray, "height width"]]:
    frame, scan, end = _last_scan(content, name)
    size = (frame.height, frame.width)
    refuse_bomb(name, (*size, 1), max_pixels)
    if content[end : end + 2] == _END:
        return content, np.zeros(size, dtype=bool)
    start = content[:end].rstrip(b"\xff")
    whole = start + _END
    seen = channels_of(Image.open(io.BytesIO(whole)))
    differs = np.zeros(size, dtype=bool)
    restart = b"\xff" + bytes([0xD0 + _restarts(content[:end]) % 8])
    for each in (*_ENDS, *(restart + each for each in _ENDS)):
        other = channels_of(Image.open(io.BytesIO(start + each + _END)))
        differs |= (seen != other).any(axis=-1)
    wide, high = (max(each) for each in zip(*frame.samples.values(), strict=True))
    across, down = 8 * wide, 8 * high
    if len(scan) == 1:  # its blocks stand in their own order
        own_wide, own_high = frame.samples[scan[0]]
        across, down = across // own_wide, down // own_high
    if (wide, high) != (1, 1):  # chroma is interpolated: blocks differ at the rim to a later one
        differs[down - 1 :: down] = False
        differs[:, across - 1 :: across] = False
    rows, columns = np.nonzero(differs)
    in_row = -(-size[1] // across)
    first = int((rows // down * in_row + columns // across).min(initial=size[0] * in_row))
    blocks = np.arange(size[0])[:, None] // down * in_row + np.arange(size[1]) // across
    damaged = blocks >= first - 1
    return whole, grown(damaged, 1) if (wide, high) != (1, 1) else damaged


def _last_scan(content: bytes, name: str) -> tuple[_Frame, list[int], int]:
    """The frame of a JPEG, the components of its last scan, and where its codes end.

    Raises:
        InputError: There is no scan, or a later one would have refined all pixels; or it is of a
            kind that is seldom seen.
    """
    frame, scan, at, end, number = None, None, 2, 0, 0
    refined: dict[int, list[int]] = {}
    while (found := content.find(b"\xff", at)) >= 0 and found + 4 <= len(content):
        marker, at = content[found + 1], found + 2
        if marker == 0xD9:
            break
        if marker in _ALONE or marker in {0x00, 0xFF}:
            continue
        length = int.from_bytes(content[at : at + 2], "big")
        body, at = content[at + 2 : at + length], at + length
        if len(body) < length - 2:
            break
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            if marker not in _SEQUENTIAL_AND_PROGRESSIVE:
                raise InputError(f"{name}: a torn JPEG of a seldom kind", _SAVE)
            height, width, count = struct.unpack(">HHB", body[1:6])
            parts = [body[6 + 3 * k : 9 + 3 * k] for k in range(count)]
            frame = _Frame(height, width, {one[0]: divmod(one[1], 16) for one in parts})
            refined = {one[0]: [1] * 64 for one in parts}
        elif marker == _SCAN:
            number += 1
            scan = [body[1 + 2 * k] for k in range(body[0])]
            first, last, bits = body[1 + 2 * len(scan) :][:3]
            for component in scan:
                refined[component][first : last + 1] = [bits % 16] * (last + 1 - first)
            end = at = _end_of_codes(content, at)
    if frame is None or scan is None or end == 0:
        raise InputError(f"{name}: torn before its first pixel", "copy it again")
    if any(any(each) for each in refined.values()):
        raise InputError(
            f"{name}: a progressive JPEG torn in scan {number}: all of it is coarser than it was, "
            "and no part is missing alone",
            _SAVE,
        )
    return frame, scan, end


def _end_of_codes(content: bytes, at: int) -> int:
    """The place of the marker behind a scan's codes, or the end of the file."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            return len(content)
        if content[at + 1] != 0x00 and not 0xD0 <= content[at + 1] <= 0xD7:
            return at
        at += 2


def _restarts(codes: bytes) -> int:
    """The number of the restart marker that comes next."""
    last = max(codes.rfind(b"\xff" + bytes([0xD0 + number])) for number in range(8))
    return codes[last + 1] - 0xD0 + 1 if last >= 0 else 0
