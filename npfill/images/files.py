"""Pictures from files, and completed pictures to the bytes of files."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from npfill.errors import InputError
from npfill.images.decoding import Decoded, decode, deep_grey, in_plain_mode


@dataclass(frozen=True)
class Picture:
    """A picture as it is completed: upright, 8 bits per channel.

    Attributes:
        image: In mode L, RGB, LA or RGBA. Its `info` holds no more than `icc_profile`, `exif`
            (without orientation and thumbnail) and `dpi`.
        name: What messages call it.
        notes: Lines that the user should be told.
    """

    image: Image.Image
    name: str
    notes: tuple[str, ...]


def read_picture(path: Path) -> Picture:
    """Read a PNG, JPEG, WebP, BMP, TIFF or GIF file, whatever its suffix; `-` is stdin.

    Raises:
        InputError: It is missing, broken, too large, or of a format or mode that is not read.
    """
    decoded = decode(path)
    image = _grey_of(decoded, path) if decoded.is_deep_grey else in_plain_mode(decoded.image)
    return Picture(image, str(path), (*decoded.notes, *_conversions(decoded, image.mode)))


def intensities(image: Image.Image) -> np.ndarray:
    """The colour channels of a picture, without alpha.

    Returns:
        float32 "height width channel" in [0, 1], with one channel or three.

    Raises:
        InputError: The mode is none of L, RGB, LA and RGBA.
    """
    if image.mode not in {"L", "RGB", "LA", "RGBA"}:
        raise InputError(f"a picture in mode {image.mode}", "image.convert('RGB') makes it usable")
    return _channels(image)[..., : _colours(image)].astype(np.float32) / np.float32(255)


def with_hole_filled(
    image: Image.Image, hole: np.ndarray, values: np.ndarray, *, opaque: bool
) -> Image.Image:
    """The picture with other colours in the hole, and not a byte changed outside it.

    Args:
        image: In mode L, RGB, LA or RGBA.
        hole: bool "height width", True where the picture is replaced.
        values: float "height width channel", one per colour channel, finite in the hole and not
            read outside; clipped to [0, 1] and rounded to 8 bits, half to even.
        opaque: Let alpha be 255 in the hole. Otherwise it stays as it is.

    Returns:
        A picture of the same mode and size, with the same `info`.
    """
    channels, colours = _channels(image).copy(), _colours(image)
    filled = np.rint(np.clip(values[hole], 0, 1) * 255).astype(np.uint8)
    channels[hole, :colours] = filled
    if opaque:
        channels[hole, colours:] = 255
    completed = Image.fromarray(channels[..., 0] if channels.shape[-1] == 1 else channels)
    completed.info = dict(image.info)
    return completed


def changed_outside(before: Image.Image, after: Image.Image, hole: np.ndarray) -> int:
    """How many pixels outside the hole, bool "height width", differ in any channel.

    Raises:
        ValueError: The pictures are not of one mode and size.
    """
    if (before.mode, before.size) != (after.mode, after.size):
        raise ValueError(f"{after.mode} {after.size} is not {before.mode} {before.size}")
    differs = (_channels(before) != _channels(after)).any(axis=-1)
    return int(np.count_nonzero(differs & ~hole))


def std_picture(std: np.ndarray, hole: np.ndarray) -> tuple[Image.Image, float]:
    """A standard deviation as a linear 16-bit grey picture.

    Args:
        std: float "height width channel", not negative, finite in the hole and not read outside.
        hole: bool "height width".

    Returns:
        The root mean square over channels in mode I;16, zero outside the hole, and its full scale:
        the value of level 65535, the largest in the hole.
    """
    in_hole = np.sqrt(np.mean(np.square(std[hole], dtype=np.float64), axis=-1))
    full_scale = float(np.max(in_hole, initial=np.finfo(np.float32).tiny))
    levels = np.zeros(hole.shape, dtype=np.uint16)
    levels[hole] = np.rint(in_hole / full_scale * 65535)
    return Image.fromarray(levels), full_scale


def png_bytes(image: Image.Image, text: Mapping[str, str]) -> bytes:
    """A PNG file; equal arguments give equal bytes.

    Args:
        image: Of any mode that PNG has; the ICC profile, EXIF block and dpi of its `info` are kept.
        text: Metadata entries by keyword (1 to 79 Latin-1 characters), written in their order.
    """
    entries = PngInfo()
    for keyword, entry in text.items():
        entries.add_text(keyword, entry)
    kept = {key: image.info[key] for key in ("icc_profile", "exif", "dpi") if key in image.info}
    content = io.BytesIO()
    image.save(content, "PNG", pnginfo=entries, **kept)
    return content.getvalue()


def _grey_of(decoded: Decoded, path: Path) -> Image.Image:
    levels, full_scale = deep_grey(decoded, path)
    eight_bit = np.rint(np.arange(full_scale + 1) * (255 / full_scale)).astype(np.uint8)
    image = Image.fromarray(eight_bit[levels])
    image.info = decoded.image.info
    return image


def _conversions(decoded: Decoded, mode: str) -> list[str]:
    """What became of a file that does not hold the picture as it is completed."""
    if decoded.is_deep:
        return [f"{decoded.bits}-bit input, completing at 8 bit"]
    if decoded.image.mode in {"P", "PA"}:
        return [f"palette picture converted to {mode}"]
    if decoded.image.mode == "1":
        return ["1-bit picture converted to grey"]
    if "transparency" in decoded.image.info:
        return ["its transparent colour became an alpha channel"]
    return []


def _channels(image: Image.Image) -> np.ndarray:
    """All channels, uint8 "height width channel"."""
    return np.asarray(image).reshape(image.height, image.width, -1)


def _colours(image: Image.Image) -> int:
    return 3 if image.mode.startswith("RGB") else 1
