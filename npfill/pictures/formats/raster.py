"""Formats that Pillow decodes and encodes: their colours, depth and frames become one picture."""

import io
import re
import struct
from collections.abc import Callable, Collection, Mapping

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.ExifTags import Base

from npfill.errors import InputError
from npfill.notes import News
from npfill.package import imported
from npfill.pictures.formats import metadata, png
from npfill.pictures.picture import File, Picture, image_of, refuse_bomb

HEADER = 4096  # bytes, enough to know a format, its depth and its codec by
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK"}
ONE_BIT = News("1-bit picture converted to grey")
TURNED = News("turned upright by its EXIF orientation")
_BYTE = 8
# By EXIF orientation, for arrays "height width ...".
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda values: np.rot90(values, 2),
    4: np.flipud,
    5: lambda values: np.swapaxes(values, 0, 1),
    6: lambda values: np.rot90(values, -1),
    7: lambda values: np.swapaxes(np.rot90(values, 2), 0, 1),
    8: np.rot90,
}
SIDEWAYS = range(5, 9)  # those by which height becomes width


def opened(file: File, kind: str) -> Image.Image:
    """Open an image file of a format by its name in Pillow, without decoding it.

    `Image.open` would compare its size with `Image.MAX_IMAGE_PIXELS`, which belongs to the whole
    process: the limit of npfill is an argument.

    Raises:
        UnidentifiedImageError: It is broken, or of another format.
    """
    if kind not in Image.OPEN:
        Image.init()
    factory, _ = Image.OPEN[kind]
    file.seek(0)
    try:
        return factory(file, "")
    except (SyntaxError, IndexError, TypeError, struct.error):  # those that `Image.open` expects
        raise UnidentifiedImageError from None


def decode(file: File, name: str, max_pixels: int, *, kind: str) -> Picture:
    """Decode an image file, trusting nothing in it.

    A PNG file keeps its 16 bits. Any other of more than 8 is read at 8, with a note.

    Args:
        file: The file, at its start.
        name: The picture's name in messages.
        max_pixels: The most pixels that are read.
        kind: The format's name in Pillow.

    Raises:
        InputError: It is too large, of a mode that is not read, or needs a package that is not
            installed.
        Exception: It is broken; `npfill.pictures.read.refusals` names it.
    """
    header = file.read(HEADER)
    image = opened(file, kind)
    refuse_bomb(name, (image.height, image.width, 1), max_pixels)
    is_deep = kind == "PNG" and header[png.BIT_DEPTH : png.BIT_DEPTH + 1] == b"\x10"
    if image.mode not in MODES and not is_deep:
        raise InputError(f"{name}: its colour mode {image.mode} is not read", "convert it to RGB")
    notes = _frames_and_bits(image, header)
    # Pillow turns a TIFF file as it loads it. Of others, nothing is asked before they are loaded:
    # to ask a PNG file for EXIF loads it, and an error in its pixels would pass for one in EXIF.
    as_stored = orientation(image) if image.format == "TIFF" else 1
    image.load()
    if kind == "PNG" and "transparency" in image.info:
        png.scale_transparent_level(image, header)
    # Pillow has turned a TIFF file by now, and says so by having dropped the orientation.
    turn = orientation(image)
    notes += metadata.notes_on(image.info)
    if {as_stored, turn} & set(TURNS):
        notes.append(TURNED)
    if is_deep:
        values = png.decode(file, image, name)
    else:
        values, changes = in_plain_mode(image, name)
        notes += changes
    if turn in TURNS:
        values = np.ascontiguousarray(TURNS[turn](values))
    turned = max(as_stored, turn) in SIDEWAYS
    info = metadata.kept(image, turned=turned)
    if kind == "PNG":
        info |= metadata.of_png(file, turned=turned)
    elif kind == "WEBP":
        file.seek(0)
        coded = re.search(b"VP8[ L]", file.read())
        info |= {"lossy": True} if coded and coded[0] == b"VP8 " else {}
    elif kind in {"AVIF", "HEIF"} and "icc_profile" not in info:
        info |= png.of_boxes(header)
    return Picture(values, kind, name, tuple(notes), info)


def decode_heic(file: File, name: str, max_pixels: int) -> Picture:
    """Decode HEIC, which Pillow alone cannot read."""
    register_heic(name)
    return decode(file, name, max_pixels, kind="HEIF")


def register_heic(name: str) -> None:
    """Let Pillow read and write HEIC; InputError, with the picture's name, without the package."""
    pillow_heif = imported("pillow_heif", f"{name}: HEIC", "heic", InputError)
    pillow_heif.register_heif_opener(thumbnails=False)


def encode(
    picture: Picture,
    _text: Mapping[str, str],
    *,
    kind: str,
    keeps: Collection[str],
    options: Mapping[str, object],
) -> bytes:
    """Encode a picture of 8 bits in a format that keeps no metadata entries.

    Args:
        picture: The picture.
        kind: The format's name in Pillow.
        keeps: The parts of its `info` that the format keeps.
        options: Options of Pillow's encoder.

    Raises:
        InputError: The encoder cannot write it.
    """
    if kind == "HEIF":
        register_heic(picture.name)
    content = io.BytesIO()
    parts = metadata.options(picture.info, keeps, kind)
    try:
        image_of(picture.values, {}).save(content, kind, **options, **parts)
    except (OSError, ValueError, OverflowError, RuntimeError, struct.error) as error:
        problem = f"{picture.name}: cannot be written as {kind} ({error})"
        raise InputError(problem, "`output=NAME.png` keeps all") from None
    written = content.getvalue()
    return metadata.in_tiff(written, picture.info) if kind == "TIFF" else written


def in_plain_mode(
    image: Image.Image, name: str
) -> tuple[UInt8[np.ndarray, "height width channel"], list[str]]:
    """The channels of an image of one of `MODES` in mode L, RGB, LA or RGBA, looking the same.

    A palette is looked up; a palette's or a colour's transparency becomes an alpha channel; inks
    become RGB by their profile.

    Returns:
        The channels, and notes on what was converted.

    Raises:
        InputError: It has inks, and no profile that can be used.
    """
    notes, mode = list[str](), image.mode
    if mode == "CMYK":
        plain = _inks_to_rgb(image, name)
        notes.append(News("CMYK converted to RGB through its colour profile"))
    else:
        colours = "L" if mode in {"1", "L", "LA"} else "RGB"
        wanted = f"{colours}A" if image.has_transparency_data else colours
        plain = image.convert(wanted) if wanted != mode else image
        if mode in {"P", "PA"}:
            notes.append(News(f"palette picture converted to {wanted}"))
        elif mode == "1":
            notes.append(ONE_BIT)
        elif mode in {"L", "RGB"} and wanted != mode:
            notes.append(News("its transparent colour became an alpha channel"))
    return np.asarray(plain).reshape(plain.height, plain.width, -1), notes


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, upright, if it cannot be read."""
    try:
        stated = int(image.getexif().get(Base.Orientation, 1))
    except Exception:  # an unreadable EXIF block must not cost the picture
        return 1
    return stated if stated in TURNS else 1


def _frames_and_bits(image: Image.Image, header: bytes) -> list[str]:
    """Notes on frames and bits that are not read."""
    notes = []
    # The further frames of a JPEG file are previews and depth maps: nobody misses them.
    if image.format not in {"MPO", "TIFF"} and getattr(image, "is_animated", False):
        named = {"HEIF": "several pictures: only the first is used"}
        notes.append(named.get(str(image.format), "animated: only the first frame is used"))
    bits = int(image.info.get("bit_depth", _BYTE)) if image.format == "HEIF" else _BYTE
    if image.format == "AVIF":
        bits = _avif_bits(header)
    if bits > _BYTE:
        notes.append(f"{bits}-bit input, completing at 8 bit")
    return notes


def _avif_bits(header: bytes) -> int:
    """Bits per sample by the first bytes of an AVIF file; 8 if they do not say."""
    found = re.search(b"av1C..(.)", header, re.DOTALL)
    flags = found[1][0] if found else 0  # of the codec's configuration record: high, and twelve
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _inks_to_rgb(image: Image.Image, name: str) -> Image.Image:
    """Convert a CMYK image to sRGB by its embedded profile.

    Raises:
        InputError: It has no profile, or none that can be used: the look of its inks is unknown.
    """
    hint = "convert it to RGB in the program that it was made with"
    profile = image.info.get("icc_profile")
    if not profile:
        raise InputError(f"{name}: CMYK without a colour profile is not read", hint)
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        raise InputError(f"{name}: its CMYK profile cannot be used", hint) from None
    assert converted is not None  # as it is where the image itself is converted
    return converted
