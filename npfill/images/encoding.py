"""A completed picture in the format that it came in."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from npfill.images import arrays
from npfill.images.files import png_bytes
from npfill.images.picture import Picture, image_of

# As little is lost as each format allows at a sensible size.
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {"compression": "tiff_adobe_deflate"},
    "BMP": {},
    "GIF": {},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "HEIF": {"quality": 95, "chroma": 444},
}
_SUFFIXES = {"JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "HEIF": ".heic", "NPZ": ".npz"}


def suffix(picture: Picture, *, keep: bool) -> str:
    """The suffix of what a picture is written as: .png, or where `keep`, that of its format.

    Data are always written in their format.
    """
    if not (keep or picture.is_data):
        return ".png"
    return _SUFFIXES.get(picture.format, f".{picture.format.lower()}")


def picture_bytes(picture: Picture, text: Mapping[str, str], *, keep: bool) -> bytes:
    """A file of a picture in PNG, or where `keep`, in its format; of data in their format.

    Args:
        picture: What is written.
        text: What a PNG says of its origin.
        keep: Write a picture in the format that it was read from. JPEG, AVIF, HEIC and GIF lose
            something by it.
    """
    if picture.format == "NPY":
        return arrays.npy_bytes(picture.values.reshape(_shape(picture)))
    if picture.format == "NPZ":
        return arrays.npz_bytes({picture.info["key"]: picture.values.reshape(_shape(picture))})
    deep = picture.values.dtype != np.uint8
    if picture.format == "TIFF" and (picture.is_data or (keep and deep)):
        from npfill.images.tiff import tiff_bytes  # noqa: PLC0415 - most files do not need its codecs

        return tiff_bytes(picture)
    if not keep or picture.format == "PNG":
        return png_bytes(picture, text)
    image = image_of(picture.values, picture.info)
    content = io.BytesIO()
    kept = {key: picture.info[key] for key in ("icc_profile", "exif", "dpi") if key in picture.info}
    image.save(content, picture.format, **_OPTIONS[picture.format], **kept)
    return content.getvalue()


def _shape(picture: Picture) -> tuple[int, ...]:
    """The shape that an array came in: "height width" stays that."""
    shape: tuple[int, ...] = picture.info["shape"]
    return (*picture.values.shape[:2], *shape[2:])
