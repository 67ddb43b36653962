"""Formats that Pillow decodes and encodes: their colours, depth and frames become one picture."""

import io
import struct
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from PIL import Image, ImageCms, UnidentifiedImageError

from npfill.errors import InputError
from npfill.package import imported
from npfill.pictures import metadata
from npfill.pictures.formats import png
from npfill.pictures.formats.base import HEADER, File, Format, refuse_bomb
from npfill.pictures.picture import Picture, channels_of, image_of

ONE_BIT = "1-bit picture converted to grey"
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK"}
_BYTE = 8
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_AVIF_BRANDS = {b"avif", b"avis"}
_EITHER_BRANDS = {b"mif1", b"msf1"}
_CODED_BY_HEVC = b"hvcC"


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
    deep = png.is_deep(header)
    if image.mode not in MODES and not deep:
        raise InputError(f"{name}: its colour mode {image.mode} is not read", "convert it to RGB")
    notes = _about(image, header)
    # Pillow turns a TIFF file as it loads it. Of others, nothing is asked before they are loaded:
    # to ask a PNG file for EXIF loads it, and an error in its pixels would pass for one in EXIF.
    as_stored = metadata.orientation(image) if image.format == "TIFF" else 1
    image.load()
    # Pillow has turned a TIFF file by now, and says so by having dropped the orientation.
    turn = metadata.orientation(image)
    notes += metadata.about_profile(image)
    notes += metadata.about_orientation(max(as_stored, turn))
    if deep and png.is_kept(image):
        values, info = channels_of(image), metadata.kept(image)
    elif deep:
        file.seek(0)
        values, info = png.decode(file.read(), name), metadata.kept(image)
    else:
        plain = in_plain_mode(image, name)
        notes += mode_notes(image, plain.mode)
        values, info = channels_of(plain), metadata.kept(image)
    return Picture(metadata.upright(values, turn), kind, name, tuple(notes), info)


def encode(
    picture: Picture, text: Mapping[str, str], *, kind: str, options: Mapping[str, object]
) -> bytes:
    """Encode a picture of 8 bits in a format that keeps no metadata entries.

    Args:
        picture: The picture; its ICC profile, EXIF block and dpi are kept.
        text: Ignored.
        kind: The format's name in Pillow.
        options: Options of Pillow's encoder.
    """
    del text
    kept = {key: picture.info[key] for key in metadata.KEPT if key in picture.info}
    content = io.BytesIO()
    image_of(picture.values, picture.info).save(content, kind, **options, **kept)
    return content.getvalue()


def in_plain_mode(image: Image.Image, name: str) -> Image.Image:
    """Convert an image of one of `MODES` to mode L, RGB, LA or RGBA, its pixels looking the same.

    A palette is looked up; a palette's or a colour's transparency becomes an alpha channel; inks
    become RGB by their profile.

    Raises:
        InputError: It has inks, and no profile that can be used.
    """
    if image.mode == "CMYK":
        return _inks_to_rgb(image, name)
    colours = "L" if image.mode in {"1", "L", "LA"} else "RGB"
    mode = f"{colours}A" if image.has_transparency_data else colours
    return image.convert(mode) if mode != image.mode else image


def mode_notes(image: Image.Image, plain: str) -> list[str]:
    """Notes on the plain mode that an image became."""
    if image.mode == "CMYK":
        return ["CMYK converted to RGB through its colour profile"]
    if image.mode in {"P", "PA"}:
        return [f"palette picture converted to {plain}"]
    if image.mode == "1":
        return [ONE_BIT]
    if image.mode in {"L", "RGB"} and "transparency" in image.info:
        return ["its transparent colour became an alpha channel"]
    return []


def _is_heic(header: bytes) -> bool:
    if header[4:8] != b"ftyp":
        return False
    brand = header[8:12]
    return brand in _HEIC_BRANDS or (brand in _EITHER_BRANDS and _CODED_BY_HEVC in header)


def _is_avif(header: bytes) -> bool:
    return (
        header[4:8] == b"ftyp"
        and header[8:12] in _AVIF_BRANDS | _EITHER_BRANDS
        and not _is_heic(header)
    )


def _decode_heic(file: File, name: str, max_pixels: int) -> Picture:
    """Decode HEIC, which Pillow alone cannot read."""
    pillow_heif = imported("pillow_heif", f"{name}: HEIC", "heic", InputError)
    pillow_heif.register_heif_opener(thumbnails=False)
    return decode(file, name, max_pixels, kind="HEIF")


def _avif_bits(header: bytes) -> int:
    """Bits per sample by the first bytes of an AVIF file; 8 if they do not say."""
    at = header.find(b"av1C")
    if at < 0 or at + 6 >= len(header):
        return 8
    flags = header[at + 6]
    if not flags & 0x40:  # high_bitdepth of the codec's configuration record
        return 8
    return 12 if flags & 0x20 else 10


def _about(image: Image.Image, header: bytes) -> list[str]:
    """Notes on frames and bits that are not read."""
    notes = []
    # The further frames of a JPEG file are previews and depth maps: nobody misses them.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        named = {
            "TIFF": "several pages: only the first is used",
            "HEIF": "several pictures: only the first is used",
        }
        notes.append(named.get(str(image.format), "animated: only the first frame is used"))
    bits = int(image.info.get("bit_depth", _BYTE)) if image.format == "HEIF" else _BYTE
    if image.format == "AVIF":
        bits = _avif_bits(header)
    if bits > _BYTE:
        notes.append(f"{bits}-bit input, completing at 8 bit")
    return notes


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
    if converted is None:
        raise InputError(f"{name}: its CMYK profile cannot be used", hint)
    return converted


def _of_pillow(
    name: str, label: str, suffixes: tuple[str, ...], magics: tuple[bytes, ...], **options: object
) -> Format:
    """A format that Pillow reads and writes without help, losing as little as is sensible."""
    return Format(
        name=name,
        label=label,
        suffixes=suffixes,
        sniff=lambda header: header.startswith(magics),
        read=partial(decode, kind=name),
        write=partial(encode, kind=name, options=options),
    )


_CODED = {"quality": 95, "subsampling": "4:4:4"}
JPEG = _of_pillow("JPEG", "JPEG", (".jpg", ".jpeg"), (b"\xff\xd8\xff",), **_CODED)
BMP = _of_pillow("BMP", "BMP", (".bmp",), (b"BM",))
GIF = _of_pillow("GIF", "GIF", (".gif",), (b"GIF87a", b"GIF89a"))
PNG = replace(_of_pillow("PNG", "PNG", (".png",), (b"\x89PNG\r\n\x1a\n",)), write=png.png_bytes)
WEBP = replace(
    _of_pillow("WEBP", "WebP", (".webp",), (b"RIFF",), lossless=True, exact=True),
    sniff=lambda header: header[:4] == b"RIFF" and header[8:12] == b"WEBP",
)
AVIF = replace(_of_pillow("AVIF", "AVIF", (".avif",), (), **_CODED), sniff=_is_avif)
HEIF = replace(
    _of_pillow("HEIF", "HEIC", (".heic", ".heif"), (), quality=95, chroma=444),
    sniff=_is_heic,
    read=_decode_heic,
)
