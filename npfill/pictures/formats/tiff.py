"""TIFF files: pictures of any depth and layout, and data with all that GDAL writes of them."""

import io
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import TiffImagePlugin as Pillow

from npfill.errors import InputError
from npfill.notes import News
from npfill.package import imported
from npfill.pictures.formats import geotiff, metadata, raster
from npfill.pictures.formats.geotiff import INKS, PALETTE, RGB, YCBCR
from npfill.pictures.picture import File, Picture, refuse_bomb

if TYPE_CHECKING:
    from tifffile import TiffPage

    Tags = Mapping[int, Any]

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")  # the last two are odd
KEEPS = ("icc_profile", "exif", "dpi", "xmp", "iptc")
_MINISWHITE, _MINISBLACK = 0, 1  # photometric interpretations of a page, beside those of geotiff
_GREY = (_MINISBLACK, _MINISWHITE)
_ASSOCIATED = 1  # the type of an alpha channel that colours are multiplied by
_ORIENTATION = 274
_MOST_PAGES = 10_000  # that are looked at
_FURTHER = "several pages: only the first is used"
_DEEP = ": a TIFF that is no picture of 8 bits"
_PREVIEW = "its first page is a preview of another: it alone is used"


def is_data(file: File) -> bool:
    """True if a TIFF file holds data rather than a picture."""
    return bool(geotiff.why(pages_of(file)[0]))


def read(file: File, name: str, max_pixels: int) -> Picture:
    """Read the first page of a TIFF file, with the pages that mask it.

    Raises:
        InputError: It is neither grey nor RGB, no plane, too large, or needs packages that are not
            installed.
        Exception: It is broken; `npfill.pictures.read.refusals` names it.
    """
    pages = pages_of(file)
    tags, further = pages[0], [geotiff.is_further(each) for each in pages[1:]]
    masks = [at for at, each in enumerate(pages) if at and geotiff.is_mask(each, tags)]
    notes = [_PREVIEW] if geotiff.is_preview(tags) else [_FURTHER] if any(further) else []
    file.seek(0)
    if is_plain(tags) and not masks:
        picture = raster.decode(file, name, max_pixels, kind="TIFF")
        return replace(picture, notes=(*notes, *picture.notes))
    with tifffile(f"{name}{_DEEP}").TiffFile(file) as tiff:
        page = tiff.pages.first
        values = _values(page, name, max_pixels)
        valid = [np.asarray(tiff.pages[at].asarray(maxworkers=1)) > 0 for at in masks]
        if geotiff.why(tags):
            picture = geotiff.data(page, tags, values, valid, name, alone=not any(further))
        else:
            picture = _picture(page, tags, values, valid, name)
    if tags.get(_ORIENTATION) in raster.TURNS and not any(tag in tags for tag in geotiff.PLACE):
        picture = _turned(picture, tags[_ORIENTATION])
    sideways = raster.TURNED in picture.notes and tags[_ORIENTATION] in raster.SIDEWAYS
    info = metadata.kept_of_tiff(file, tags, turned=sideways, is_data=picture.is_data)
    if picture.is_data:
        info = {part: info[part] for part in ("icc_profile", "dpi", "exif") if part in info}
    return replace(picture, notes=(*notes, *picture.notes), info={**info, **picture.info})


def write(picture: Picture, text: Mapping[str, str]) -> bytes:
    """Encode any values losslessly as a TIFF file; equal arguments give equal bytes.

    Raises:
        InputError: The packages that it needs are not installed.
    """
    info, values = picture.info, picture.values
    if not picture.is_data and values.dtype == np.uint8:
        plain = {"compression": "tiff_adobe_deflate"}
        return raster.encode(picture, text, kind="TIFF", keeps=KEEPS, options=plain)
    if info.get("associated"):
        values = _multiplied(values)
    how: dict[str, Any] = {"compression": "zlib", "metadata": None}
    content, own = io.BytesIO(), layout(picture)
    if "order" in info:
        values = values[..., np.argsort(info["order"])]
    if info.get("planar") and values.shape[-1] > 1:
        values, own["planarconfig"] = np.moveaxis(values, -1, 0), "separate"
    elif values.shape[-1] == 1:
        values = values[..., 0]
    else:
        own["planarconfig"] = "contig"
    is_large = values.nbytes > 2**32 - 2**26
    with tifffile(f"{picture.name}{_DEEP}").TiffWriter(content, bigtiff=is_large) as writer:
        writer.write(values, software="npfill", **how, **own)
        if info.get("mask") and picture.missing is not None:
            colours = picture.missing[..., : picture.colours]
            writer.write(~colours.all(axis=-1), subfiletype=4, **how)
    return metadata.in_tiff(content.getvalue(), info)


def layout(picture: Picture) -> dict[str, Any]:
    """The options of tifffile that write a picture as its file had it."""
    info, channels = picture.info, picture.values.shape[-1]
    photometric = RGB if channels - picture.has_alpha == 3 else _MINISBLACK
    photometric = info.get("photometric", photometric)
    if photometric == RGB and channels < 3:  # as a damaged file said
        photometric = _MINISBLACK
    options = {
        "photometric": photometric,
        "iccprofile": info.get("icc_profile"),
        "extratags": info.get("tags", ()),
    }
    if "colormap" in info:
        options["colormap"] = info["colormap"]
    if "extrasamples" in info:
        options["extrasamples"] = info["extrasamples"]
    elif picture.has_alpha:
        options["extrasamples"] = ["assocalpha" if info.get("associated") else "unassalpha"]
    if "dpi" in info:
        options |= {"resolution": info["dpi"], "resolutionunit": "inch"}
    return options


def pages_of(file: File) -> list["Tags"]:
    """The tags of each page."""
    header = file.read(16)
    is_big = b"+" in header[2:4]
    # Pillow tells BigTIFF by its mark in little-endian order alone.
    start = b"II+\0" + header[4:] if is_big else b"II*\0" + header[4:8]
    pages: list[Tags] = []
    seen, at = set[int](), Pillow.ImageFileDirectory_v2(start, prefix=header[:2]).next
    while at and at not in seen and len(pages) < _MOST_PAGES:
        seen.add(at)
        tags = Pillow.ImageFileDirectory_v2(start, prefix=header[:2])
        file.seek(at)
        try:
            tags.load(file)
        except Exception:  # a further page that is broken must not cost the first
            if pages:
                break
            raise
        pages.append(tags)
        at = tags.next
    return pages


def is_plain(tags: "Tags") -> bool:
    """True of a picture of eight bits at most whose layout Pillow reads."""
    bits = max(tags.get(Pillow.BITSPERSAMPLE, (1,)))
    is_grey = tags.get(Pillow.PHOTOMETRIC_INTERPRETATION, _MINISWHITE) in _GREY
    multiplied = tags.get(Pillow.EXTRASAMPLES) == (_ASSOCIATED,)
    has_inks = tags.get(Pillow.PHOTOMETRIC_INTERPRETATION) == INKS
    unread = (is_grey and multiplied) or (has_inks and tags.get(Pillow.SAMPLESPERPIXEL) != 4)
    return bits <= 8 and not geotiff.why(tags) and not unread


def tifffile(user: str) -> ModuleType:
    """The package tifffile, which needs imagecodecs for most compressions."""
    imported("imagecodecs", user, "depth", InputError)
    return imported("tifffile", user, "depth", InputError)


def _values(page: "TiffPage", name: str, max_pixels: int) -> np.ndarray:
    """The values "height width channel" of a page.

    Raises:
        InputError: It is no plane, of a type or colours that are not read, or too large.
    """
    if page.axes not in {"YX", "YXS", "SYX"} or page.dtype is None:
        raise InputError(f"{name}: a TIFF of axes {page.axes} is not read", "save one plane")
    is_decoded = page.photometric == YCBCR and page.compression == 7
    is_known = is_decoded or page.photometric in {*_GREY, RGB, PALETTE}
    if page.dtype.kind not in "uifb" or not is_known:
        colours = getattr(page.photometric, "name", page.photometric)
        raise InputError(
            f"{name}: {colours} of type {page.dtype} is not read", "convert it to grey or RGB"
        )
    shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
    refuse_bomb(name, shape, max_pixels)
    values = np.asarray(page.asarray(maxworkers=1))
    values = values.astype(np.uint8) if values.dtype == np.bool_ else values
    values = np.moveaxis(values, 0, -1) if page.axes == "SYX" else values
    return np.ascontiguousarray(values).reshape(shape)


def _picture(
    page: "TiffPage", tags: "Tags", values: np.ndarray, valid: list[np.ndarray], name: str
) -> Picture:
    """A picture, white at its highest level, its colours not multiplied by alpha."""
    notes: list[str] = []
    info: dict[str, Any] = {}
    if page.photometric == _MINISWHITE:
        values[..., 0] = np.iinfo(values.dtype).max - values[..., 0]
    if page.photometric == PALETTE:
        colours = np.asarray(page.colormap) >> 8
        values = colours.astype(np.uint8)[:, values[..., 0]].transpose(1, 2, 0)
        notes.append(News("palette picture converted to RGB"))
    if geotiff.alpha_of(tags) is not None and page.extrasamples[0] == _ASSOCIATED:
        over = np.count_nonzero((values[..., :-1] > values[..., -1:]).any(axis=-1))
        if over:
            notes.append(f"{over:,} px are lighter than their alpha allows: cut to white")
        values, info["associated"] = _divided(values), True
    missing = None
    if valid:
        missing = np.broadcast_to(~valid[0][..., None], values.shape)
    return Picture(values, "TIFF", name, tuple(notes), info, missing=missing)


def _divided(values: np.ndarray) -> np.ndarray:
    """Levels whose colours are multiplied by alpha, which comes last, as they are without it."""
    white, alpha = np.iinfo(values.dtype).max, values[..., -1:].astype(np.float64)
    colours = np.rint(values[..., :-1] * (white / np.maximum(alpha, 1)))
    colours = np.where(alpha > 0, np.minimum(colours, white), 0).astype(values.dtype)
    return np.concatenate([colours, values[..., -1:]], axis=-1)


def _multiplied(values: np.ndarray) -> np.ndarray:
    """The levels that `_divided` took, exactly, where no colour was lighter than its alpha."""
    white, alpha = np.iinfo(values.dtype).max, values[..., -1:].astype(np.float64)
    colours = np.rint(values[..., :-1] * alpha / white).astype(values.dtype)
    return np.concatenate([colours, values[..., -1:]], axis=-1)


def _turned(picture: Picture, orientation: int) -> Picture:
    """A picture or data turned upright, and no longer said to be otherwise."""
    turn = raster.TURNS[orientation]
    info = dict(picture.info)
    if "tags" in info:
        info["tags"] = [tag for tag in info["tags"] if tag[0] != _ORIENTATION]
    missing = None if picture.missing is None else np.ascontiguousarray(turn(picture.missing))
    values = np.ascontiguousarray(turn(picture.values))
    return replace(
        picture, values=values, missing=missing, info=info, notes=(*picture.notes, raster.TURNED)
    )
