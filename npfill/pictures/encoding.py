"""A completed picture in the format that it came in."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from npfill.pictures.files import data_suffix, from_bytes, png_bytes
from npfill.pictures.formats import arrays
from npfill.pictures.formats.tiff import tiff_bytes
from npfill.pictures.picture import Picture, image_of
from npfill.pictures.reading import STDIN

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


@dataclass(frozen=True)
class Suffixes:
    """What the results of a picture are written as.

    Attributes:
        mean: The suffix of mean and samples.
        std: That of the standard deviation.
    """

    mean: str
    std: str

    def of(self, name: str) -> str:
        """The suffix of a result of a name: `mean`, `sample-1`, `std`, `sheet` or `npz`."""
        own = {"std": self.std, "sheet": ".png", "npz": ".npz"}
        return own.get(name, self.mean)


def suffixes(path: Path, *, keep: bool) -> Suffixes:
    """What a picture's results are written as, by the first bytes of its file.

    Data are written in their format. Pictures are written as PNG, or where `keep`, in theirs,
    under the suffix that they have. What cannot be read is left for reading it to say; stdin,
    which can be read once, counts as a picture.
    """
    data = "" if path == STDIN else data_suffix(path)
    mean = data or (path.suffix if keep and path.suffix else ".png")
    return Suffixes(mean, data or ".png")


def picture_bytes(picture: Picture, text: Mapping[str, str], *, keep: bool) -> bytes:
    """A file of a picture in PNG, or where `keep`, in its format; of data in their format.

    Args:
        picture: What is written.
        text: What a PNG says of its origin.
        keep: Write a picture in the format that it was read from. JPEG, AVIF, HEIC and GIF lose
            something by it.

    Raises:
        InputError: It takes a package that is not installed.
    """
    if picture.format == "NPY":
        return arrays.npy_bytes(picture.values.reshape(_shape(picture)))
    if picture.format == "NPZ":
        return arrays.npz_bytes({picture.info["key"]: picture.values.reshape(_shape(picture))})
    deep = picture.values.dtype != np.uint8
    if picture.format == "TIFF" and (picture.is_data or (keep and deep)):
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


def as_read_again(content: bytes, picture: Picture) -> Picture:
    """A picture as it is read from a file of it that may have lost something.

    Args:
        content: The file, as `picture_bytes` wrote it.
        picture: What was written.

    Returns:
        A picture of the same shape: formats drop an alpha channel that is opaque everywhere.
    """
    again = from_bytes(content, picture.name)
    if picture.has_alpha and not again.has_alpha:
        alpha = np.full_like(again.values[..., :1], again.white)
        again = replace(again, values=np.concatenate([again.values, alpha], axis=-1))
    return again
