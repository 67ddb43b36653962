"""PNG files: their metadata, and 16 bits per sample.

Pillow keeps 16 bits of plain grey, but silently cuts those of colours and alpha to 8.
"""

import io
from collections.abc import Mapping
from types import ModuleType

import numpy as np
from jaxtyping import UInt16
from PIL import Image

from npfill.errors import InputError
from npfill.package import imported
from npfill.pictures.damage import PNG, chunk_of, chunks
from npfill.pictures.formats import metadata
from npfill.pictures.picture import File, Picture, image_of

BIT_DEPTH = 24  # where the header chunk, always the first, has it

# Primaries of sRGB, its transfer and that of BT.709, which is shown alike; and what is not said.
_OF_SCREENS = (b"\0\1", b"\0\x0d", b"\0\2", b"\0\6")


def scale_transparent_level(opened: Image.Image, header: bytes) -> None:
    """Give the transparent level of a grey PNG file in the levels of its pixels.

    Pillow scales pixels of fewer than eight bits to 255, but not the level.
    """
    bits, level = header[BIT_DEPTH], opened.info.get("transparency")
    if isinstance(level, int) and opened.mode in {"1", "L"} and bits <= 8:
        highest = 2**bits - 1
        opened.info["transparency"] = (level & highest) * 255 // highest


def decode(file: File, image: Image.Image, name: str) -> UInt16[np.ndarray, "height width channel"]:
    """Decode a PNG file of 16 bits; a transparent colour becomes alpha.

    Args:
        file: The file.
        image: The image as Pillow loaded it, which keeps every level of grey without a transparent
            one.
        name: The picture's name in messages.

    Raises:
        InputError: The package that it needs is not installed.
    """
    if image.mode == "I;16" and "transparency" not in image.info:
        return np.asarray(image)[..., None]
    file.seek(0)
    values: np.ndarray = _imagecodecs(name).png_decode(file.read())
    return values.reshape(*values.shape[:2], -1)


def of_boxes(header: bytes) -> dict[str, object]:
    """The chunk of PNG for colours that an AVIF or HEIC file says to be none of a screen's."""
    at = header.find(b"colrnclx") + len(b"colrnclx")
    primaries, transfer = header[at : at + 2], header[at + 2 : at + 4]
    if at < len(b"colrnclx") or (primaries in _OF_SCREENS and transfer in _OF_SCREENS):
        return {}
    content = primaries[-1:] + transfer[-1:] + b"\0\1"  # RGB, of full range
    return {"colours": chunk_of(b"cICP", content)}


def png_bytes(image: Image.Image | Picture, text: Mapping[str, str]) -> bytes:
    """Encode a picture as a PNG file; equal arguments give equal bytes.

    Args:
        image: A picture, or an image of any mode that PNG has; the parts of its `info` are kept.
        text: Metadata entries by keyword (1 to 79 Latin-1 characters), written in their order.

    Raises:
        InputError: It needs a package that is not installed.
    """
    if isinstance(image, Picture):
        if image.values.dtype == np.uint16 and image.values.shape[-1] > 1:
            smallest = image_of(np.zeros_like(image.values[:1, :1], np.uint8), image.info)
            return _encode_deep(image.values, png_bytes(smallest, text), image.name)
        image = image_of(image.values, image.info)
    return metadata.png_of(image, text)


def _encode_deep(
    values: UInt16[np.ndarray, "height width channel"], example: bytes, name: str
) -> bytes:
    """Encode two to four channels of 16 bits, with the metadata of another file of as many."""
    pixels = bytes(_imagecodecs(name).png_encode(values))
    own, others = ([chunk for _, chunk, _ in chunks(io.BytesIO(png))] for png in (pixels, example))
    at = next(number for number, chunk in enumerate(others) if chunk[4:8] == b"IDAT")
    content = [chunk for chunk in own[1:] if chunk[4:8] == b"IDAT"]
    after = [chunk for chunk in others[at:] if chunk[4:8] != b"IDAT"]
    return b"".join((PNG, own[0], *others[1:at], *content, *after))


def _imagecodecs(name: str) -> ModuleType:
    kind = f"{name}: a PNG of 16 bits in colour or with alpha"
    return imported("imagecodecs", kind, "depth", InputError)
