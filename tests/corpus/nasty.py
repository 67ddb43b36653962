"""What a nasty file is, and the pieces that several are made of."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

DONE, USAGE, INPUT, EXISTS, MODEL = 0, 2, 3, 4, 5
WIDTH, HEIGHT = 6, 5
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Nasty:
    """A file's content, how a command that reads it ends, and a part of what it says on stderr."""

    make: Callable[[], bytes]
    code: int
    says: str


def noise(height: int = HEIGHT, width: int = WIDTH, channels: int = 3) -> Image.Image:
    """A random picture in grey, RGB or RGBA."""
    values = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as the bytes of a file."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def header(
    width: int = WIDTH, height: int = HEIGHT, depth: int = 8, colours: int = 2, interlace: int = 0
) -> bytes:
    """The header chunk of a PNG file. Colours: 0 grey, 2 RGB, 3 palette, 4 and 6 with alpha."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlace))


def rows(length: int, count: int = HEIGHT, filtered: int = 0) -> bytes:
    """The compressed rows of a PNG file: `count` rows of `length` random bytes."""
    random = np.random.default_rng(0)
    lines = (bytes([filtered]) + random.bytes(length) for _ in range(count))
    return chunk(b"IDAT", zlib.compress(b"".join(lines)))


def png(*chunks: bytes) -> bytes:
    """A PNG file of chunks; its end is added."""
    return SIGNATURE + b"".join(chunks) + chunk(b"IEND", b"")


def cut(content: bytes, share: float) -> bytes:
    """The first part of a file."""
    return content[: int(len(content) * share)]
