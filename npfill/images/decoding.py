"""An image file becomes an upright Pillow image, whatever the file holds."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError
from PIL.ExifTags import IFD, Base

from npfill.errors import InputError

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
_READABLE = "PNG, JPEG, WebP, BMP, TIFF and GIF are read"
_DEEP_GREY = {"I;16", "I;16B", "I"}
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", *_DEEP_GREY}
_PNG_BIT_DEPTH = 24  # where the header chunk, always the first, has it
_BYTE = 8
_LARGEST_DPI = 1e6
_LARGEST_PROFILE = PngImagePlugin.MAX_TEXT_CHUNK

# What Pillow logs of a broken file goes where the application wants it, not to stderr by default.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_Turn = Image.Transpose
_TURNS = {
    2: _Turn.FLIP_LEFT_RIGHT,
    3: _Turn.ROTATE_180,
    4: _Turn.FLIP_TOP_BOTTOM,
    5: _Turn.TRANSPOSE,
    6: _Turn.ROTATE_270,
    7: _Turn.TRANSVERSE,
    8: _Turn.ROTATE_90,
}
# The first directory of a TIFF file mostly says how its pixels are stored; these say what it shows.
_DESCRIBING = {
    Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist,
    Base.Copyright, IFD.Exif, IFD.GPSInfo,
}  # fmt: skip


@dataclass(frozen=True)
class Decoded:
    """What a file holds, with as little changed as turning it upright takes.

    Attributes:
        image: In mode 1, L, LA, P, PA, RGB, RGBA, or a 16-bit grey. Its `info` holds no more than
            `icc_profile`, `exif` (without orientation and thumbnail), `dpi` and `transparency`.
        bits: Bits per sample in the file.
        notes: Lines that the user should be told.
    """

    image: Image.Image
    bits: int
    notes: tuple[str, ...]

    @property
    def is_deep(self) -> bool:
        """Whether the file has more than 8 bits. Pillow cuts colours to 8 without a word."""
        return self.bits > _BYTE

    @property
    def is_deep_grey(self) -> bool:
        """Whether the image is grey with more than 8 bits, which `deep_grey` reads."""
        return self.image.mode in _DEEP_GREY


def decode(path: Path) -> Decoded:
    """Read an image file, trusting nothing in it; the content decides its format, not the name.

    Raises:
        InputError: It is missing, broken, too large, or of a format or mode that is not read.
    """
    try:
        _refuse_unreadable(path)
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(file, path)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "check the name and the folder") from None
    except UnidentifiedImageError:
        raise InputError(f"{path}: not a picture of a known format", _READABLE) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise InputError(
            f"{path}: more than {Image.MAX_IMAGE_PIXELS:,} pixels", "scale it down or crop it first"
        ) from None
    except Exception as error:  # broken files make decoders raise nearly anything
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(
            f"{path}: cannot be read ({reason or type(error).__name__})",
            "open it in a viewer and save it again",
        ) from None


def deep_grey(decoded: Decoded, path: Path) -> tuple[np.ndarray, int]:
    """The levels "height width" of a grey image of more than 8 bits, and the level of white.

    Raises:
        InputError: The levels need more than 16 bits, or are negative.
    """
    levels = np.asarray(decoded.image)
    full_scale = 2 ** min(decoded.bits, 16) - 1
    if levels.min() < 0 or levels.max() > full_scale:
        raise InputError(
            f"{path}: grey levels from {levels.min()} to {levels.max()} have no known white",
            f"save it with levels from 0 to {full_scale}",
        )
    return levels, full_scale


def in_plain_mode(image: Image.Image) -> Image.Image:
    """An 8-bit or 1-bit image in mode L, RGB, LA or RGBA, its pixels looking as they did.

    A palette is looked up; a palette's or a colour's transparency becomes an alpha channel.
    """
    colours = "L" if image.mode in {"1", "L", "LA"} else "RGB"
    mode = f"{colours}A" if image.has_transparency_data else colours
    converted = image.convert(mode) if mode != image.mode else image.copy()
    converted.info = {key: image.info[key] for key in image.info if key != "transparency"}
    return converted


def _refuse_unreadable(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: a folder, not a picture", "name one file in it")
    if path.exists() and not path.is_file():  # to open a pipe would wait for ever
        raise InputError(f"{path}: a pipe or device, not a picture", "copy it to a file first")


def _decode(file: BinaryIO, path: Path) -> Decoded:
    header = file.read(_PNG_BIT_DEPTH + 1)
    if not header:
        raise InputError(f"{path}: an empty file", "copy it again")
    file.seek(0)
    opened = Image.open(file, formats=_FORMATS)
    if opened.mode not in _MODES:
        raise InputError(f"{path}: its colour mode {opened.mode} is not read", "convert it to RGB")
    bits = _bits(opened, header)
    notes = _about_frames(opened)
    # Pillow turns a TIFF file as it loads it. Of others, nothing is asked before they are loaded:
    # to ask a PNG file for EXIF loads it, and an error in its pixels would pass for one in EXIF.
    as_stored = _orientation(opened) if opened.format == "TIFF" else 1
    opened.load()
    if opened.mode == "P" and opened.palette is None:
        raise ValueError("its palette is missing")
    if {as_stored, _orientation(opened)} & _TURNS.keys():
        notes.append("turned upright by its EXIF orientation")
    if bits > _BYTE and opened.info.pop("transparency", None) is not None:
        notes.append("its transparent colour is ignored, as it is given in 16 bits")
    # Pillow has turned a TIFF file by now, and says so by having dropped the orientation.
    turn = _TURNS.get(_orientation(opened))
    image = opened.copy() if turn is None else opened.transpose(turn)
    image.info = _kept(opened)
    if len(image.info.get("icc_profile", b"")) > _LARGEST_PROFILE:
        del image.info["icc_profile"]
        notes.append("its colour profile is left out: as large a one in a PNG file is not read")
    return Decoded(image, bits, tuple(notes))


def _bits(opened: Image.Image, header: bytes) -> int:
    if opened.format == "PNG":
        return header[_PNG_BIT_DEPTH]
    if isinstance(opened, TiffImagePlugin.TiffImageFile):
        return int(max(opened.tag_v2.get(Base.BitsPerSample, (1,))))
    return _BYTE


def _orientation(opened: Image.Image) -> int:
    try:
        return int(opened.getexif().get(Base.Orientation, 1))
    except Exception:  # an unreadable EXIF block must not cost the picture
        return 1


def _about_frames(opened: Image.Image) -> list[str]:
    # The further frames of a JPEG file are previews and depth maps: nobody misses them.
    if opened.format == "MPO" or not getattr(opened, "is_animated", False):
        return []
    if opened.format == "TIFF":
        return ["several pages: only the first is used"]
    return ["animated: only the first frame is used"]


def _kept(opened: Image.Image) -> dict[str | tuple[int, int], Any]:
    kept: dict[str | tuple[int, int], Any] = {
        key: opened.info[key]
        for key in ("icc_profile", "transparency")
        if opened.info.get(key) is not None
    }
    dpi = tuple(float(value) for value in opened.info.get("dpi", (0, 0)))
    if all(0 < value < _LARGEST_DPI for value in dpi):
        kept["dpi"] = dpi
    exif = _exif(opened)
    if exif:
        kept["exif"] = exif
    return kept


def _exif(opened: Image.Image) -> bytes:
    """The EXIF block without the orientation; Pillow leaves the thumbnail out."""
    try:
        exif = opened.getexif()
        dropped = set(exif) - _DESCRIBING if opened.format == "TIFF" else {Base.Orientation}
        for tag in dropped & set(exif):
            del exif[tag]
        return exif.tobytes() if exif else b""
    except Exception:  # an unreadable EXIF block must not cost the picture
        return b""
