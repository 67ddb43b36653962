"""Image files become pictures, whatever the file holds."""

from typing import BinaryIO

from PIL import Image

from npfill.errors import InputError
from npfill.pictures import metadata
from npfill.pictures.formats import heif, png16
from npfill.pictures.formats.colour import about_mode, in_plain_mode, inks_to_rgb
from npfill.pictures.picture import Picture, channels_of

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK"}
_HEADER = 4096  # bytes, enough to know the format and its depth by
_BYTE = 8


def decode(file: BinaryIO, name: str) -> Picture:
    """Read an image file, trusting nothing in it; the content decides its format, not the name.

    A PNG file keeps its 16 bits. Whatever else has more than 8 is read at 8, with a note.

    Args:
        file: The file, at its start.
        name: What messages call it.

    Raises:
        InputError: It is of a mode that is not read, or needs a package that is not installed.
        Exception: It is broken, or of a format that is not read; `reading.opened` says so.
    """
    header = file.read(_HEADER)
    file.seek(0)
    if heif.is_heic(header):
        heif.register(name)
        opened = Image.open(file, formats=("HEIF",))
    else:
        opened = Image.open(file, formats=_FORMATS)
    deep = png16.is_deep(header)
    if opened.mode not in _MODES and not deep:
        raise InputError(f"{name}: its colour mode {opened.mode} is not read", "convert it to RGB")
    notes = _about_frames(opened)
    # Pillow turns a TIFF file as it loads it. Of others, nothing is asked before they are loaded:
    # to ask a PNG file for EXIF loads it, and an error in its pixels would pass for one in EXIF.
    as_stored = metadata.orientation(opened) if opened.format == "TIFF" else 1
    opened.load()
    # Pillow has turned a TIFF file by now, and says so by having dropped the orientation.
    turn = metadata.orientation(opened)
    notes += metadata.about_profile(opened)
    notes += metadata.about_orientation(max(as_stored, turn))
    if deep and png16.is_kept(opened):
        values, info = channels_of(opened), metadata.kept(opened)
    elif deep:
        file.seek(0)
        values, info = png16.decode(file.read(), name), metadata.kept(opened)
    else:
        notes += _about_depth(opened, header)
        plain = inks_to_rgb(opened, name) if opened.mode == "CMYK" else in_plain_mode(opened)
        info = metadata.kept(opened)
        if opened.mode == "CMYK":
            notes.append("CMYK converted to RGB through its colour profile")
            info.pop("icc_profile")
        notes += about_mode(opened, plain.mode)
        values = channels_of(plain)
    values = metadata.upright(values, turn)
    return Picture(values, _format(opened), name, tuple(notes), info)


def _format(opened: Image.Image) -> str:
    """MPO is a JPEG file with previews behind it."""
    return "JPEG" if opened.format == "MPO" else str(opened.format)


def _about_depth(opened: Image.Image, header: bytes) -> list[str]:
    bits = _BYTE
    if opened.format == "HEIF":
        bits = int(opened.info.get("bit_depth", _BYTE))
    elif opened.format == "AVIF":
        bits = heif.avif_bits(header)
    return [f"{bits}-bit input, completing at 8 bit"] if bits > _BYTE else []


def _about_frames(opened: Image.Image) -> list[str]:
    # The further frames of a JPEG file are previews and depth maps: nobody misses them.
    if opened.format == "MPO" or not getattr(opened, "is_animated", False):
        return []
    if opened.format == "TIFF":
        return ["several pages: only the first is used"]
    if opened.format == "HEIF":
        return ["several pictures: only the first is used"]
    return ["animated: only the first frame is used"]
