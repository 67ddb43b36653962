"""TIFF files of more than eight bits or of any number of channels: pictures, and data."""

import io
from typing import Any, BinaryIO

import numpy as np
import tifffile
from PIL import Image
from tifffile import PHOTOMETRIC, TiffPage

from npfill.errors import InputError
from npfill.images import metadata
from npfill.images.picture import Picture
from npfill.images.reading import refuse_bomb

_GREY = (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE)
_UNSPECIFIED = 0  # what an extra channel is that is no alpha
_NO_DATA = 42113
# Where on Earth the pixels lie, and what GDAL says of them.
_PLACE = (33550, 33922, 34264, 34735, 34736, 34737, 42112, _NO_DATA)


def is_plain(file: BinaryIO) -> bool:
    """Whether a TIFF file is a picture of eight bits at most, which Pillow reads."""
    with tifffile.TiffFile(file) as tiff:
        return _is_plain(_first(tiff))


def is_data(file: BinaryIO) -> bool:
    """Whether a TIFF file holds no picture, but data."""
    with tifffile.TiffFile(file) as tiff:
        page = _first(tiff)
        return not (_is_plain(page) or _is_picture(page))


def read(file: BinaryIO, name: str, max_pixels: int) -> Picture:
    """The first page: a picture where it is 16-bit grey or RGB, with alpha or without; else data.

    Raises:
        InputError: It is in colours that are neither, is no plane, or is too large.
        Exception: It is broken; `reading.opened` says so.
    """
    with tifffile.TiffFile(file) as tiff:
        page = _first(tiff)
        notes = ["several pages: only the first is used"] if len(tiff.pages) > 1 else []
        if page.axes not in {"YX", "YXS", "SYX"} or page.dtype is None:
            raise InputError(f"{name}: a TIFF of axes {page.axes} is not read", "save one plane")
        if page.dtype.kind not in "uif" or page.photometric not in {*_GREY, PHOTOMETRIC.RGB}:
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
        if page.photometric == PHOTOMETRIC.MINISWHITE:
            values[..., 0] = np.iinfo(values.dtype).max - values[..., 0]
        tag = page.tags.get("Orientation")
        stated = int(tag.value) if tag else 1
    file.seek(0)
    notes += metadata.about_orientation(stated)
    return Picture(
        metadata.upright(values, stated), "TIFF", name, tuple(notes), _picture_info(file)
    )


def tiff_bytes(picture: Picture) -> bytes:
    """A TIFF file of any values, losslessly compressed; equal arguments give equal bytes."""
    info, values = picture.info, picture.values
    colours = picture.values.shape[-1]
    is_rgb = colours == 3 if picture.is_data else colours >= 3
    options: dict[str, Any] = {}
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
    tifffile.imwrite(
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
    return content.getvalue()


def _first(tiff: tifffile.TiffFile) -> TiffPage:
    page = tiff.pages[0]
    if not isinstance(page, TiffPage):
        raise TypeError("its first page is no page")
    return page


def _is_plain(page: TiffPage) -> bool:
    if page.bitspersample > 8 or page.sampleformat != 1:
        return False
    most = 2 if page.photometric in _GREY else 4
    return page.samplesperpixel <= most


def _is_picture(page: TiffPage) -> bool:
    """Whether it is 16-bit grey or RGB, and has no other channel than alpha."""
    colours = 1 if page.photometric in _GREY else 3
    extra = page.samplesperpixel - colours
    return (
        page.dtype == np.uint16
        and page.bitspersample == 16
        and (extra == 0 or (extra == 1 and page.extrasamples[0] != _UNSPECIFIED))
    )


def _missing(page: TiffPage, values: np.ndarray) -> np.ndarray:
    """Where values are NaN or, in a file of GDAL's, what it says to stand for nothing."""
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    tag = page.tags.get(_NO_DATA)
    if tag is not None:
        missing |= values == float(str(tag.value).strip("\0 "))
    return missing


def _info(page: TiffPage) -> dict[str, Any]:
    """What data need to be written again as they were."""
    found = [page.tags[code] for code in _PLACE if code in page.tags]
    return {
        "rgb": page.photometric == PHOTOMETRIC.RGB,
        "planar": page.axes == "SYX",
        "tags": [(tag.code, tag.dtype, tag.count, tag.value, True) for tag in found],
    }


def _picture_info(file: BinaryIO) -> dict[str, Any]:
    try:
        return metadata.kept(Image.open(file, formats=("TIFF",)))
    except Exception:  # what Pillow does not know has no EXIF that could be kept
        return {}
