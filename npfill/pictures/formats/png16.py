"""PNG files of 16 bits per sample.

Pillow keeps them where they are plain grey, and cuts colours and alpha to 8 without a word.
"""

from typing import Any

import numpy as np
from PIL import Image

from npfill.errors import InputError
from npfill.extras import imported

_SIGNATURE = 8  # bytes of a PNG file before its first chunk
_BIT_DEPTH = 24  # where the header chunk, always the first, has it
_AROUND = 12  # bytes of a chunk that are not its content: length, name and checksum


def is_deep(header: bytes) -> bool:
    """Whether the first bytes of a file are those of a PNG file of 16 bits."""
    return (
        header.startswith(b"\x89PNG\r\n\x1a\n") and header[_BIT_DEPTH : _BIT_DEPTH + 1] == b"\x10"
    )


def is_kept(opened: Image.Image) -> bool:
    """Whether Pillow keeps every level of what it has opened: grey without a transparent level."""
    return opened.mode == "I;16" and "transparency" not in opened.info


def decode(png: bytes, name: str) -> np.ndarray:
    """uint16 "height width channel"; a transparent colour has become alpha.

    Raises:
        InputError: The package that it takes is not installed.
    """
    values: np.ndarray = _imagecodecs(name).png_decode(png)
    return values.reshape(*values.shape[:2], -1)


def encode(values: np.ndarray, example: bytes, name: str) -> bytes:
    """A PNG file; equal arguments give equal bytes.

    Args:
        values: uint16 "height width channel", two to four channels.
        example: A PNG file of as many channels, whose metadata the result has, too.
        name: What messages call it.

    Raises:
        InputError: The package that it takes is not installed.
    """
    pixels = bytes(_imagecodecs(name).png_encode(values))
    own, others = _chunks(pixels), _chunks(example)
    at = next(number for number, chunk in enumerate(others) if chunk[4:8] == b"IDAT")
    content = [chunk for chunk in own[1:] if chunk[4:8] == b"IDAT"]
    after = [chunk for chunk in others[at:] if chunk[4:8] != b"IDAT"]
    return b"".join((pixels[:_SIGNATURE], own[0], *others[1:at], *content, *after))


def _imagecodecs(name: str) -> Any:
    kind = f"{name}: a PNG of 16 bits in colour or with alpha"
    return imported("imagecodecs", kind, "depth", InputError)


def _chunks(png: bytes) -> list[bytes]:
    """The chunks of a PNG file, whole."""
    result, at = [], _SIGNATURE
    while at < len(png):
        end = at + int.from_bytes(png[at : at + 4], "big") + _AROUND
        result.append(png[at:end])
        at = end
    return result
