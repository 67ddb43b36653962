"""Pictures from files, and pictures to the bytes of PNG files."""

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from npfill.errors import InputError
from npfill.pictures.formats import arrays, png16, tiff
from npfill.pictures.formats.raster import decode
from npfill.pictures.picture import Picture, channels_of, image_of
from npfill.pictures.reading import MAX_PIXELS, opened, refusals

_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_picture(path: Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture, or data, from a file; the content decides the format, not the name.

    Args:
        path: The file, or `-` for stdin.
        max_pixels: What has more pixels is refused.

    Raises:
        InputError: It is missing, broken, too large, or of a format or mode that is not read.
    """
    picture = read_values(path, max_pixels)
    if picture.values.dtype == np.bool_:
        raise InputError(f"{path}: true and false are a mask, not a picture", "--mask takes it")
    return picture


def read_values(path: Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """The same, of a file that may also be a mask of true and false.

    Raises:
        InputError: It cannot be read.
    """
    with opened(path, max_pixels) as file:
        return _read(file, str(path), max_pixels)


def from_bytes(content: bytes, name: str, max_pixels: int = sys.maxsize) -> Picture:
    """The same from the content of a file; of one that is ours, of any size.

    Raises:
        InputError: It cannot be read.
    """
    with refusals(name, max_pixels):
        return _read(io.BytesIO(content), name, max_pixels)


def data_suffix(path: Path) -> str:
    """The suffix of data in the format of a file, by its first bytes; "" of anything else."""
    try:
        with opened(path, MAX_PIXELS) as file:
            header = file.read(len(arrays.NPY_MAGIC))
            file.seek(0)
            if header.startswith(arrays.NPY_MAGIC):
                return ".npy"
            if header.startswith(arrays.ZIP_MAGIC):
                return ".npz"
            if header.startswith(_TIFF_MAGICS):
                return ".tif" if tiff.is_data(file, str(path)) else ""
    except InputError:  # for whoever reads it
        pass
    return ""


def intensities(image: Image.Image) -> np.ndarray:
    """The colour channels of a picture, without alpha.

    Returns:
        float32 "height width channel" in [0, 1], with one channel or three.

    Raises:
        InputError: The mode is none of L, RGB, LA and RGBA.
    """
    if image.mode not in {"L", "RGB", "LA", "RGBA"}:
        raise InputError(f"a picture in mode {image.mode}", "image.convert('RGB') makes it usable")
    colours = 3 if image.mode.startswith("RGB") else 1
    return channels_of(image)[..., :colours].astype(np.float32) / np.float32(255)


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


def png_bytes(image: Image.Image | Picture, text: Mapping[str, str]) -> bytes:
    """A PNG file; equal arguments give equal bytes.

    Args:
        image: A picture, or an image of any mode that PNG has; the ICC profile, EXIF block and dpi
            of its `info` are kept.
        text: Metadata entries by keyword (1 to 79 Latin-1 characters), written in their order.

    Raises:
        InputError: It takes a package that is not installed.
    """
    if isinstance(image, Picture):
        if image.values.dtype == np.uint16 and image.values.shape[-1] > 1:
            smallest = image_of(np.zeros_like(image.values[:1, :1], np.uint8), image.info)
            return png16.encode(image.values, png_bytes(smallest, text), image.name)
        image = image_of(image.values, image.info)
    entries = PngInfo()
    for keyword, entry in text.items():
        entries.add_text(keyword, entry)
    kept = {key: image.info[key] for key in ("icc_profile", "exif", "dpi") if key in image.info}
    content = io.BytesIO()
    image.save(content, "PNG", pnginfo=entries, **kept)
    return content.getvalue()


def _read(file: BinaryIO, name: str, max_pixels: int) -> Picture:
    header = file.read(len(arrays.NPY_MAGIC))
    file.seek(0)
    if not header:
        raise InputError(f"{name}: an empty file", "copy it again")
    if header.startswith(arrays.NPY_MAGIC):
        return arrays.read_npy(file, name, max_pixels)
    if header.startswith(arrays.ZIP_MAGIC):
        return arrays.read_npz(file, name, max_pixels)
    if header.startswith(_TIFF_MAGICS):
        plain = tiff.is_plain(file)
        file.seek(0)
        if not plain:
            return tiff.read(file, name, max_pixels)
    return decode(file, name)
