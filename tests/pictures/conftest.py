"""Files that Pillow cannot write."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Writer = Callable[[Path, np.ndarray], Path]


@pytest.fixture
def write_deep_png() -> Writer:
    """Writes uint16 "height width channel" as a PNG of 16 bits per channel."""

    def write(path: Path, values: np.ndarray) -> Path:
        height, width, channels = values.shape
        colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
        header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks))
        return path

    return write


@pytest.fixture
def write_deep_tiff() -> Writer:
    """Writes uint16 "height width 3" as an uncompressed TIFF of 16 bits per channel."""

    def write(path: Path, values: np.ndarray) -> Path:
        height, width, _ = values.shape
        pixels = values.astype("<u2").tobytes()
        after_directory = 8 + 2 + 8 * 12 + 4
        tags = (
            (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, after_directory), (259, 3, 1, 1),
            (262, 3, 1, 2), (273, 4, 1, after_directory + 6), (277, 3, 1, 3),
            (279, 4, 1, len(pixels)),
        )  # fmt: skip
        directory = struct.pack("<H", len(tags))
        directory += b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
        bits = struct.pack("<HHH", 16, 16, 16)
        path.write_bytes(b"II*\0" + struct.pack("<I", 8) + directory + bits + pixels)
        return path

    return write


@pytest.fixture
def cmyk_profile() -> bytes:
    """A colour profile by which no ink changes paper of a middle grey, but black ink is black."""
    identity = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    table = b"mft1" + struct.pack(">4xBBBx9i", 4, 3, 2, *(value * 65536 for value in identity))
    table += bytes(range(256)) * 4 + bytes([128, 128, 128, 0, 128, 128]) * 8 + bytes(range(256)) * 3
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    tags, start, body = b"", 128 + 4 + 2 * 12, b""
    for name, content in ((b"A2B0", table), (b"wtpt", white)):
        tags += struct.pack(">4sII", name, start + len(body), len(content))
        body += content
    size, date = start + len(body), (2020, 1, 1, 0, 0, 0)
    header = struct.pack(">I4sI4s4s4s6H4s", size, b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ",
                         *date, b"acsp")  # fmt: skip
    header += struct.pack(">28x3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", 2) + tags + body


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
