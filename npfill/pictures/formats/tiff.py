"""TIFF files of more than eight bits or of any number of channels: pictures, and data."""

import io
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from PIL import TiffImagePlugin

from npfill.errors import InputError
from npfill.package import imported
from npfill.pictures.formats import metadata, raster
from npfill.pictures.picture import File, Picture, refuse_bomb

if TYPE_CHECKING:
    from tifffile import TiffPage

# Photometric interpretations of a page.
_MINISWHITE, _MINISBLACK, _RGB = 0, 1, 2
MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")  # the last two are odd
KEEPS = ("icc_profile", "exif", "dpi", "xmp", "iptc")
_GREY = (_MINISBLACK, _MINISWHITE)
_UNSIGNED = 1  # the format of a sample
_UNSPECIFIED = 0  # the type of an extra channel that is no alpha
_NO_DATA = 42113
# The place of the pixels on Earth, and GDAL's own tags.
_PLACE = (33550, 33922, 34264, 34735, 34736, 34737, 42112, _NO_DATA)


def is_plain(file: File) -> bool:
    """True if a TIFF file is a picture of eight bits at most, which Pillow reads."""
    tags = _tags(file)
    bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    formats = set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (_UNSIGNED,)))
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, _MINISWHITE)
    most = 2 if photometric in _GREY else 4
    samples: int = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    return bits <= 8 and formats == {_UNSIGNED} and samples <= most


def is_data(file: File, name: str) -> bool:
    """True if a TIFF file holds data rather than a picture.

    Raises:
        InputError: The packages needed to tell are not installed.
    """
    if is_plain(file):
        return False
    file.seek(0)
    with _tifffile(name).TiffFile(file) as tiff:
        return not _is_picture(tiff.pages.first)


def read(file: File, name: str, max_pixels: int) -> Picture:
    """Read the first page of a TIFF file.

    A picture if it is of 8 bits at most, or 16-bit grey or RGB, with alpha or without; else data.

    Raises:
        InputError: It is neither grey nor RGB, no plane, too large, or needs packages that are not
            installed.
        Exception: It is broken; `npfill.pictures.read.refusals` names it.
    """
    plain = is_plain(file)
    file.seek(0)
    if plain:
        return raster.decode(file, name, max_pixels, kind="TIFF")
    with _tifffile(name).TiffFile(file) as tiff:
        page = tiff.pages.first
        notes = ["several pages: only the first is used"] if len(tiff.pages) > 1 else []
        if page.axes not in {"YX", "YXS", "SYX"} or page.dtype is None:
            raise InputError(f"{name}: a TIFF of axes {page.axes} is not read", "save one plane")
        if page.dtype.kind not in "uif" or page.photometric not in {*_GREY, _RGB}:
            colours = getattr(page.photometric, "name", page.photometric)
            raise InputError(
                f"{name}: {colours} of type {page.dtype} is not read", "convert it to grey or RGB"
            )
        shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
        refuse_bomb(name, shape, max_pixels)
        values = np.asarray(page.asarray(maxworkers=1))
        values = np.moveaxis(values, 0, -1) if page.axes == "SYX" else values
        values = np.ascontiguousarray(values).reshape(shape)
        if not _is_picture(page):
            info, missing = _info(page), _missing(page, values)
            return Picture(values, "TIFF", name, tuple(notes), info, is_data=True, missing=missing)
        if page.photometric == _MINISWHITE:
            values[..., 0] = np.iinfo(values.dtype).max - values[..., 0]
        tag = page.tags.get("Orientation")
        stated = int(tag.value) if tag else 1
    file.seek(0)
    if stated in raster.TURNS:
        values = np.ascontiguousarray(raster.TURNS[stated](values))
        notes.append(raster.TURNED)
    info = metadata.kept_of_tiff(file, _tags(file), turned=stated in raster.SIDEWAYS)
    return Picture(values, "TIFF", name, tuple(notes), info)


def write(picture: Picture, text: Mapping[str, str]) -> bytes:
    """Encode any values losslessly as a TIFF file; equal arguments give equal bytes.

    Raises:
        InputError: The packages that it needs are not installed.
    """
    if not picture.is_data and picture.values.dtype == np.uint8:
        plain = {"compression": "tiff_adobe_deflate"}
        return raster.encode(picture, text, kind="TIFF", keeps=KEEPS, options=plain)
    info, values = picture.info, picture.values
    colours = picture.values.shape[-1]
    is_rgb = colours == 3 if picture.is_data else colours >= 3
    options: dict[str, object] = {}
    if picture.has_alpha:
        options["extrasamples"] = ["unassalpha"]
    if "dpi" in info:
        options |= {"resolution": info["dpi"], "resolutionunit": "inch"}
    content = io.BytesIO()
    if info.get("planar") and colours > 1:
        values, options["planarconfig"] = np.moveaxis(values, -1, 0), "separate"
    elif colours == 1:
        values = values[..., 0]
    elif not is_rgb:
        options["planarconfig"] = "contig"
    _tifffile(picture.name).imwrite(
        content,
        values,
        photometric="rgb" if is_rgb and info.get("rgb", True) else "minisblack",
        compression="zlib",
        software="npfill",
        metadata=None,
        iccprofile=info.get("icc_profile"),
        extratags=info.get("tags", ()),
        **options,
    )
    return metadata.in_tiff(content.getvalue(), info)


def _tags(file: File) -> TiffImagePlugin.ImageFileDirectory_v2:
    """The tags of the first page."""
    header = file.read(16)
    is_big = b"+" in header[2:4]
    # Pillow tells BigTIFF by its mark in little-endian order alone.
    start = b"II+\0" + header[4:] if is_big else b"II*\0" + header[4:8]
    tags = TiffImagePlugin.ImageFileDirectory_v2(start, prefix=header[:2])
    file.seek(tags.next)
    tags.load(file)
    return tags


def _tifffile(name: str) -> ModuleType:
    """The package tifffile, which needs imagecodecs for most compressions."""
    kind = f"{name}: a TIFF that is no picture of 8 bits"
    imported("imagecodecs", kind, "depth", InputError)
    return imported("tifffile", kind, "depth", InputError)


def _is_picture(page: "TiffPage") -> bool:
    """True if it is 16-bit grey or RGB, with no other channel than alpha."""
    colours = 1 if page.photometric in _GREY else 3
    extra = page.samplesperpixel - colours
    return (
        page.dtype == np.uint16
        and page.bitspersample == 16
        and (extra == 0 or (extra == 1 and page.extrasamples[0] != _UNSPECIFIED))
    )


def _missing(page: "TiffPage", values: np.ndarray) -> np.ndarray:
    """True where values are NaN or, in a file of GDAL's, its no-data value."""
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    tag = page.tags.get(_NO_DATA)
    if tag is not None:
        missing |= values == float(str(tag.value).strip("\0 "))
    return missing


def _info(page: "TiffPage") -> dict[str, object]:
    """The parts of a file of data that a copy keeps."""
    found = [page.tags[code] for code in _PLACE if code in page.tags]
    return {
        "rgb": page.photometric == _RGB,
        "planar": page.axes == "SYX",
        "tags": [(tag.code, tag.dtype, tag.count, tag.value, True) for tag in found],
    }
