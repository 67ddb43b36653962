"""What GDAL writes into TIFF files of data: their place, what is no data, masks and statistics."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import TiffImagePlugin as Pillow

from npfill.pictures.formats.metadata import PREVIEW_IN_XMP, XMP_IN_TIFF
from npfill.pictures.kind import why_data
from npfill.pictures.nodata import is_no_data, no_data
from npfill.pictures.picture import NO_DATA, Picture

if TYPE_CHECKING:
    from tifffile import TiffPage

    Tags = Mapping[int, Any]
    Tag = tuple[int, int, int, Any, bool]  # as tifffile writes it

# Photometric interpretations, formats of samples, and types of extra channels that are alpha.
RGB, PALETTE, INKS, YCBCR = 2, 3, 5, 6
_OF_ONE = (0, 1, PALETTE, 4)
_KINDS = {1: "u", 2: "i", 3: "f", 5: "c", 6: "c"}
_ALPHA = (1, 2)
METADATA = 42112
# The scale and tie points, transformation, and keys of GeoTIFF; the polynomials of raw scenes.
PLACE = (33550, 33920, 33922, 34264, 34735, 50844)
# How pixels are stored, and where; what points elsewhere into the file; what is kept by itself;
# and Photoshop's resources and layers, which show the pixels as they were.
_STORAGE = {
    *range(254, 260), 262, *range(263, 267), 273, *range(277, 282), 282, 283, 284, 296, 297, 317,
    320, *range(322, 326), 330, 338, 339, 340, 341, 347, 400, *range(512, 522), *range(529, 533),
    34377, 34665, 34675, 34853, 37724, 40965,
}  # fmt: skip
_DESCRIPTION, _SOFTWARE = 270, 305
_OF_STACKS = ("ImageJ=", '{"shape"', "<?xml")  # descriptions that count pages
_REDUCED, _MASK = 1, 4  # bits of the type of a page
_STATISTICS = re.compile(r'\s*<Item name="STATISTICS_[^>]*>[^<]*</Item>')
_NO_DATA_VALUES = re.compile(r'<Item name="NODATA_VALUES"[^>]*>([^<]*)</Item>')
_NOT_OF_STD = re.compile(r'\s*<Item (?:[^>]*role="offset"|name="NODATA_VALUES")[^>]*>[^<]*</Item>')
_MODEL_TYPE, _PROJECTED, _GEOGRAPHIC = 1024, 1, 2  # a key of GeoTIFF, and its values


def is_further(tags: "Tags") -> bool:
    """True of a page that is a picture of its own, by its tags: no overview and no mask."""
    return not tags.get(254, 0) & (_REDUCED | _MASK)


def is_preview(tags: "Tags") -> bool:
    """True of a page that is a smaller version of another."""
    return bool(tags.get(254, 0) & _REDUCED)


def is_mask(tags: "Tags", of: "Tags") -> bool:
    """True of a page that says which pixels of another page are valid."""
    size = (256, 257)
    fits = all(tags.get(side) == of.get(side) for side in size)
    return tags.get(254, 0) & (_REDUCED | _MASK) == _MASK and fits


def kept_tags(page: "TiffPage", *, alone: bool) -> list["Tag"]:
    """The tags that a copy of a page of data keeps: all but of storage, and without statistics.

    Args:
        page: The page.
        alone: It is the only one of the file; else its description may tell of the others.
    """
    found: list[Tag] = []
    for tag in page.tags.values():
        value = tag.value
        if tag.code in _STORAGE or tag.code == _SOFTWARE:
            continue
        if tag.code == _DESCRIPTION and not alone and str(value).startswith(_OF_STACKS):
            continue
        if tag.code == XMP_IN_TIFF and isinstance(value, bytes):
            value = PREVIEW_IN_XMP.sub(rb"\1", value)
        found.append((tag.code, tag.dtype, tag.count, value, True))
    return without_items(found, _STATISTICS)


def of_deviation(info: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a file of a standard deviation: it has values everywhere, and no offset."""
    of_values = {"no_data", "others", "mask", "colormap", "extrasamples", "order", "photometric"}
    kept = {part: content for part, content in info.items() if part not in of_values}
    kept["deviation"] = True
    if "tags" in kept:
        kept["tags"] = without_items(
            [tag for tag in kept["tags"] if tag[0] != NO_DATA], _NOT_OF_STD
        )
    return kept


def without_items(tags: Sequence["Tag"], pattern: re.Pattern[str]) -> list["Tag"]:
    """Tags without some items of GDAL's own metadata."""
    found = []
    for code, dtype, count, value, once in tags:
        if code == METADATA and pattern.search(str(value)):
            left = pattern.sub("", str(value))
            if "<Item" in left:
                found.append((code, dtype, 0, left, once))
        else:
            found.append((code, dtype, count, value, once))
    return found


def why_open(tags: Sequence["Tag"], width: int) -> str:
    """A clause that says why the columns of a grid do not close; empty if nothing says so."""
    values = {tag[0]: tag[3] for tag in tags}
    keys = values.get(34735, ())
    model = {keys[at]: keys[at + 3] for at in range(4, len(keys) - 3, 4)}.get(_MODEL_TYPE)
    if model == _PROJECTED:
        return "it is projected"
    if model != _GEOGRAPHIC or 33550 not in values:
        return ""
    step = values[33550][0]
    degrees = step * width
    is_round = abs(degrees - 360) <= 1.5 * step
    return "" if is_round else f"it spans {degrees:g} degrees of longitude, not 360"


def alpha_of(tags: "Tags") -> int | None:
    """The place of the alpha channel of a page; None without one."""
    extra = tags.get(Pillow.EXTRASAMPLES, ())
    kinds = [kind in _ALPHA for kind in (extra if isinstance(extra, tuple) else (extra,))]
    samples: int = tags.get(Pillow.SAMPLESPERPIXEL, 1)
    at = samples - len(kinds) + kinds.index(True) if any(kinds) else 0
    return at if 0 < at < samples else None


def why(tags: "Tags") -> str:
    """A clause that says why a page is data; empty of a picture."""
    bits = max(tags.get(Pillow.BITSPERSAMPLE, (1,)))
    kind = _KINDS.get(max(tags.get(Pillow.SAMPLEFORMAT, (1,))), "V")
    least = {"f": 2, "c": 8}.get(kind, 1)
    size = next((size for size in (1, 2, 4, 8) if bits <= 8 * size and size >= least), 8)
    photometric = tags.get(Pillow.PHOTOMETRIC_INTERPRETATION, 0)
    return why_data(
        np.dtype(f"{kind}{size}"),
        tags.get(Pillow.SAMPLESPERPIXEL, 1) - (alpha_of(tags) is not None),
        1 if photometric in _OF_ONE else 4 if photometric == INKS else 3,
        place=any(tag in tags for tag in PLACE),
        no_data=any(each is not None for each in _named(tags, 1)[0])
        or bool(_NO_DATA_VALUES.search(str(tags.get(METADATA, "")))),
        full=bits <= 8 or bits == 8 * size,
    )


def _named(tags: "Tags", bands: int) -> tuple[list[int | float | None], bool, list[str]]:
    """The no-data value of each band, if one is named.

    Returns:
        The values; True if only all together are no data; and notes.
    """
    several = _NO_DATA_VALUES.search(str(tags.get(METADATA, "")))
    found = [no_data(each)[0] for each in several[1].split()] if several else []
    if len(found) == bands and None not in found:
        return found, True, []
    if NO_DATA not in tags:
        return [], False, []
    value, notes = no_data(str(tags[NO_DATA]))
    return [value] * bands, False, notes


def data(
    page: "TiffPage",
    tags: "Tags",
    values: np.ndarray,
    valid: list[np.ndarray],
    name: str,
    *,
    alone: bool,
) -> Picture:
    """Data, of which NaN, no data and what a mask or alpha leaves out are missing."""
    info: dict[str, Any] = {
        "photometric": RGB if page.photometric == YCBCR else int(page.photometric),
        "planar": page.axes == "SYX",
        "tags": kept_tags(page, alone=alone),
        "mask": bool(valid),
    }
    if page.photometric == PALETTE:
        info["colormap"] = page.colormap
    if page.extrasamples:
        info["extrasamples"] = [int(kind) for kind in page.extrasamples]
    notes: list[str] = []
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    alpha = alpha_of(tags)
    if alpha is not None:
        # Alpha comes last here, whatever comes after it in the file.
        info["order"] = order = [*range(alpha), *range(alpha + 1, values.shape[-1]), alpha]
        values, missing = values[..., order], missing[..., order]
        missing |= values[..., -1:] == 0
    bands = values.shape[-1] - (alpha is not None)
    named, together, said = _named(tags, bands)
    notes += said
    if named:
        info |= {"no_data": named[0]} if len({*named}) == 1 else {}
        each_none = [is_no_data(values[..., at], each) for at, each in enumerate(named)]
        none = np.stack(each_none, axis=-1)
        is_colour = bands == 3 and info["photometric"] == RGB
        if is_colour and alpha is not None:
            notes.append("its alpha says what is missing, and not its no-data value")
            none[...] = False
        elif (is_colour or together) and none.any():
            none = np.broadcast_to(none.all(axis=-1, keepdims=True), none.shape)
            notes.append(f"a pixel is no data where all its {bands} bands are")
        missing[..., :bands] |= none
    for each in valid:
        missing |= ~each.reshape(*each.shape[:2], -1)
    told = values, "TIFF", name, tuple(notes), info
    has_alpha = alpha is not None
    return Picture(*told, is_data=True, why=why(tags), missing=missing, validity=has_alpha)
