"""File formats: a row each in the table `FORMATS`.

Reading, the suffixes that folders are searched for, the suffixes of results and the texts of
refusals follow from the table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from npfill.pictures.formats import arrays, fits, grids, raster, tiff
from npfill.pictures.formats.arrays import npz_bytes
from npfill.pictures.formats.grids import read_store, write_store
from npfill.pictures.formats.metadata import PARTS, fitting
from npfill.pictures.formats.png import png_bytes
from npfill.pictures.picture import File, Picture

__all__ = [
    "FORMATS",
    "Format",
    "left_out",
    "npz_bytes",
    "picture_bytes",
    "picture_suffixes",
    "png_bytes",
    "readable",
    "suffix_of_data",
    "suffixes_read",
]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format that pictures or data are read from and written to.

    Attributes:
        name: The value of `Picture.format`, and the key in `FORMATS`.
        label: The format's name in texts, such as WebP or .npy.
        suffixes: Lower-case suffixes with their dot, the usual one first.
        sniff: Recognises a file by its first 4,096 bytes.
        read: Decodes a file, open at its start, given a name for messages and the most pixels that
            are read; raises an `InputError`, or whatever its decoder raises.
        write: Encodes a picture of this format, given metadata entries, which a format may drop;
            equal arguments give equal bytes.
        keeps: The parts of `Picture.info` that a file of a picture keeps, of `metadata.PARTS`.
        white: The level of white at the greatest depth that a picture has in it.
        has_alpha: It has alpha.
        side: The most pixels along a side of a picture in it.
        exact: Files of this format keep every level as it is.
        floats: They keep numbers of any type.
        is_data: Files of this format never hold a picture, only measurements.
        holds_data: True if a file of this format, open at its start, holds measurements rather than
            a picture; raises as `read` does.
    """

    name: str
    label: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes], bool]
    read: Callable[[File, str, int], Picture]
    write: Callable[[Picture, Mapping[str, str]], bytes]
    keeps: tuple[str, ...] = ()
    white: int = 255
    has_alpha: bool = True
    side: int = 2**31 - 1
    exact: bool = False
    floats: bool = False
    is_data: bool = False
    holds_data: Callable[[File], bool] = lambda file: False


def readable() -> str:
    """A clause for refusals: the formats that are read."""
    *first, last = [each.label for each in FORMATS.values()]
    return f"{', '.join(first)} and {last} are read"


def suffix_of_data(picture: Picture) -> str:
    """The suffix of data in their format; "" for a picture."""
    return FORMATS[picture.format].suffixes[0] if picture.is_data else ""


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
    return FORMATS[picture.format if picture.is_data or keep else "PNG"].write(picture, text)


def left_out(picture: Picture, *, keep: bool) -> list[str]:
    """A sentence on the parts of a picture that its results do not keep, if there are any."""
    target = FORMATS[picture.format if picture.is_data or keep else "PNG"]
    kept = fitting(picture.info, target.keeps, target.name)
    parts = [PARTS[part] for part in PARTS if part in picture.info and part not in kept]
    return [f"{target.label} results do not keep its {', '.join(parts)}"] if parts else []


def _starts_with(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda header: header.startswith(magics)


def _is_webp(header: bytes) -> bool:
    return header[:4] == b"RIFF" and header[8:12] == b"WEBP"


def _is_heic(header: bytes) -> bool:
    """True for HEIC, whose brand may be one that AVIF has too."""
    if header[4:8] != b"ftyp":
        return False
    brand = header[8:12]
    return brand in _HEIC_BRANDS or (brand in _EITHER_BRANDS and _CODED_BY_HEVC in header)


def _is_avif(header: bytes) -> bool:
    brands = _AVIF_BRANDS | _EITHER_BRANDS
    return header[4:8] == b"ftyp" and header[8:12] in brands and not _is_heic(header)


def _of_pillow(
    name: str,
    label: str,
    suffixes: tuple[str, ...],
    sniff: Callable[[bytes], bool],
    keeps: tuple[str, ...],
    options: Mapping[str, object],
    **more: Any,
) -> Format:
    """A format by its name in Pillow, with options of its encoder, and `more` as of `Format`."""
    return Format(
        name=name,
        label=label,
        suffixes=suffixes,
        sniff=sniff,
        read=partial(raster.decode, kind=name),
        write=partial(raster.encode, kind=name, keeps=keeps, options=options),
        keeps=keeps,
        **more,
    )


_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_AVIF_BRANDS = {b"avif", b"avis"}
_EITHER_BRANDS = {b"mif1", b"msf1"}
_CODED_BY_HEVC = b"hvcC"
# Options of Pillow's encoders: losing nothing, or as little as is sensible.
_EXACT_WEBP = {"lossless": True, "exact": True}
_CODED = {"quality": 95, "subsampling": "4:4:4"}
_CODED_HEIC = {"quality": 95, "chroma": 444}
_MOST = ("icc_profile", "exif", "xmp")
_OF_DATA = Format(
    name="NPY",
    label=".npy",
    suffixes=(".npy",),
    sniff=_starts_with(b"\x93NUMPY"),
    read=arrays.read_npy,
    write=arrays.write_npy,
    exact=True,
    floats=True,
    is_data=True,
)
_IN_ORDER = (
    Format(
        name="PNG",
        label="PNG",
        suffixes=(".png",),
        sniff=_starts_with(b"\x89PNG\r\n\x1a\n"),
        read=partial(raster.decode, kind="PNG"),
        write=png_bytes,
        white=65535,
        keeps=(*_MOST, "dpi", "colours", "comment", "text"),
        exact=True,
    ),
    _of_pillow(
        "JPEG",
        "JPEG",
        (".jpg", ".jpeg", ".jpe", ".jfif"),
        _starts_with(b"\xff\xd8\xff"),
        (*_MOST, "dpi", "iptc", "comment"),
        _CODED,
        side=65_500,
        has_alpha=False,
    ),
    _of_pillow("WEBP", "WebP", (".webp",), _is_webp, _MOST, _EXACT_WEBP, side=16_383, exact=True),
    Format(
        name="TIFF",
        label="TIFF",
        suffixes=(".tif", ".tiff"),
        sniff=_starts_with(*tiff.MAGICS),
        read=tiff.read,
        write=tiff.write,
        white=65535,
        keeps=tiff.KEEPS,
        exact=True,
        floats=True,
        holds_data=tiff.is_data,
    ),
    _of_pillow("BMP", "BMP", (".bmp",), _starts_with(b"BM"), ("dpi",), {}, exact=True),
    _of_pillow(
        "GIF", "GIF", (".gif",), _starts_with(b"GIF87a", b"GIF89a"), ("comment",), {}, side=65_535
    ),
    _of_pillow("AVIF", "AVIF", (".avif",), _is_avif, _MOST, _CODED, side=32_768),
    replace(
        _of_pillow("HEIF", "HEIC", (".heic", ".heif"), _is_heic, _MOST, _CODED_HEIC),
        read=raster.decode_heic,
    ),
    _OF_DATA,
    replace(
        _OF_DATA,
        name="NPZ",
        label=".npz",
        suffixes=(".npz",),
        sniff=_starts_with(b"PK\x03\x04"),
        read=arrays.read_npz,
        write=arrays.write_npz,
    ),
    replace(
        _OF_DATA,
        name="FITS",
        label="FITS",
        suffixes=(".fits", ".fit", ".fts"),
        sniff=_starts_with(fits.MAGIC),
        read=fits.read,
        write=fits.write,
    ),
    replace(
        _OF_DATA,
        name="NETCDF",
        label="netCDF",
        suffixes=(".nc", ".nc4", ".cdf"),
        sniff=_starts_with(grids.CLASSIC, grids.HDF5),
        read=grids.read,
        write=grids.write,
    ),
    replace(  # a folder, which is not known by a beginning
        _OF_DATA, name="ZARR", label="zarr", suffixes=(".zarr",), read=read_store, write=write_store
    ),
)
FORMATS: dict[str, Format] = {each.name: each for each in _IN_ORDER}
