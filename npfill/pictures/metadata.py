"""The metadata of a picture's file: orientation, colour profile, EXIF, resolution."""

from collections.abc import Callable

import numpy as np
from PIL import Image, PngImagePlugin
from PIL.ExifTags import IFD, Base

KEPT = ("icc_profile", "exif", "dpi")  # by their names in the `info` of Pillow
_LARGEST_DPI = 1e6
_LARGEST_PROFILE = PngImagePlugin.MAX_TEXT_CHUNK
# The first directory of a TIFF file mostly describes the storage of its pixels; these, its subject.
_DESCRIBING = {
    Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist,
    Base.Copyright, IFD.Exif, IFD.GPSInfo,
}  # fmt: skip
# By EXIF orientation, for arrays "height width ...".
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda values: np.rot90(values, 2),
    4: np.flipud,
    5: lambda values: np.swapaxes(values, 0, 1),
    6: lambda values: np.rot90(values, -1),
    7: lambda values: np.swapaxes(np.rot90(values, 2), 0, 1),
    8: np.rot90,
}


def orientation(opened: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, upright, if it cannot be read."""
    try:
        stated = int(opened.getexif().get(Base.Orientation, 1))
    except Exception:  # an unreadable EXIF block must not cost the picture
        return 1
    return stated if stated in _TURNS else 1


def upright(values: np.ndarray, stated: int) -> np.ndarray:
    """Turn an array "height width ..." upright by its EXIF orientation."""
    return np.ascontiguousarray(_TURNS[stated](values)) if stated in _TURNS else values


def about_profile(opened: Image.Image) -> list[str]:
    """A note on a colour profile that is not kept."""
    if len(opened.info.get("icc_profile") or b"") <= _LARGEST_PROFILE:
        return []
    return ["its colour profile is left out: as large a one in a PNG file is not read"]


def about_orientation(stated: int) -> list[str]:
    """A note on a picture that was turned."""
    return ["turned upright by its EXIF orientation"] if stated in _TURNS else []


def kept(opened: Image.Image, *, upright: bool = True) -> dict[str, object]:
    """The profile, EXIF block and resolution that a copy of an image keeps.

    The profile of inks is left out, as a copy is in RGB; and the orientation, if the copy is
    upright.
    """
    result: dict[str, object] = {}
    profile = opened.info.get("icc_profile") if opened.mode != "CMYK" else None
    if profile and len(profile) <= _LARGEST_PROFILE:
        result["icc_profile"] = profile
    dpi = tuple(float(value) for value in opened.info.get("dpi", (0, 0)))
    if all(0 < value < _LARGEST_DPI for value in dpi):
        result["dpi"] = dpi
    exif = _exif(opened, {Base.Orientation} if upright else set())
    if exif:
        result["exif"] = exif
    return result


def _exif(opened: Image.Image, unwanted: set[Base]) -> bytes:
    """The EXIF block without unwanted tags; Pillow leaves the thumbnail out."""
    try:
        exif = opened.getexif()
        dropped = set(exif) - _DESCRIBING if opened.format == "TIFF" else unwanted
        for tag in dropped & set(exif):
            del exif[tag]
        return exif.tobytes() if exif else b""
    except Exception:  # an unreadable EXIF block must not cost the picture
        return b""
