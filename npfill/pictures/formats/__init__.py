"""File formats: one file each, in the table `FORMATS`.

A new format is one `Format` in the table: reading, the suffixes that folders are searched for, the
suffixes of results and the texts of refusals follow from it.
"""

from collections.abc import Mapping

from npfill.pictures.formats import arrays, raster, tiff
from npfill.pictures.formats.arrays import npz_bytes
from npfill.pictures.formats.base import HEADER, File, Format, UnknownFormatError
from npfill.pictures.formats.png import png_bytes
from npfill.pictures.picture import Picture

__all__ = [
    "FORMATS",
    "HEADER",
    "File",
    "Format",
    "UnknownFormatError",
    "npz_bytes",
    "picture_bytes",
    "picture_suffixes",
    "png_bytes",
    "readable",
    "suffixes_read",
]

_IN_ORDER = (
    raster.PNG, raster.JPEG, raster.WEBP, tiff.TIFF, raster.BMP, raster.GIF, raster.AVIF,
    raster.HEIF, arrays.NPY, arrays.NPZ,
)  # fmt: skip
FORMATS: dict[str, Format] = {each.name: each for each in _IN_ORDER}


def readable() -> str:
    """A clause for refusals: the formats that are read."""
    *first, last = [each.label for each in FORMATS.values()]
    return f"{', '.join(first)} and {last} are read"


def suffixes_read() -> set[str]:
    """The lower-case suffixes of all formats, with their dot."""
    return {suffix for each in FORMATS.values() for suffix in each.suffixes}


def picture_suffixes() -> set[str]:
    """The lower-case suffixes of formats that can hold a picture, with their dot."""
    return {suffix for each in FORMATS.values() if not each.is_data for suffix in each.suffixes}


def picture_bytes(picture: Picture, text: Mapping[str, str], *, keep: bool) -> bytes:
    """Encode a picture as PNG, or if `keep`, in its format; data always in their format.

    Args:
        picture: The picture to write.
        text: Metadata entries, which a PNG keeps.
        keep: Write a picture in the format that it was read from. JPEG, AVIF, HEIC and GIF lose
            something by it.

    Raises:
        InputError: It needs a package that is not installed.
    """
    if picture.is_data or keep:
        return FORMATS[picture.format].write(picture, text)
    return png_bytes(picture, text)
