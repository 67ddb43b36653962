"""Files of many pictures, nothing in which is trusted: arrays and idx; and labels of digits."""

import gzip
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from npfill.data.zips import AGAIN, Entry, archive_of, member, name_of, refuse_bomb
from npfill.errors import InputError
from npfill.pictures.formats.arrays import HEADERS
from npfill.pictures.read import refusals

_GZIP, _NPY, _ZIP = b"\x1f\x8b", b"\x93NUMPY", b"PK"
# How idx files of bytes with three axes begin.
_IMAGES = b"\x00\x00\x08\x03"
_DEFLATE_TIMES = 1032  # no deflated byte becomes more
_SAVE = "save it with numpy.save or numpy.savez"


def in_array(path: Path) -> Sequence[Entry]:
    """Pictures "image height width [channel]" of bytes, or of floats in [0, 1] or NaN.

    The content tells `.npy` from `.npz`, of which the first array is taken.

    Raises:
        InputError: It is not readable, or not such an array.
    """
    with refusals(str(path), AGAIN), path.open("rb") as file:
        is_zip = file.read(len(_ZIP)) == _ZIP
        file.seek(0)
        array = _in_npz(path) if is_zip else _numbers(file, str(path), path.stat().st_size)
    if array.dtype == np.uint8:
        grey = array.ndim == 4 and array.shape[-1] == 1
        return _numbered(path, Image.fromarray, array[..., 0] if grey else array)
    # A comparison with NaN is false, and the infinite are outside.
    if (array < 0).any() or (array > 1).any():
        raise InputError(f"{path}: values outside 0 .. 1", "scale them; NaN is a hole")
    pictures = array.reshape(*array.shape[:3], -1 if array.ndim == 4 else 1)
    return _numbered(path, _transparent_where_nan, pictures)


def _numbered(
    path: Path, read: Callable[[np.ndarray], Image.Image], arrays: np.ndarray
) -> list[Entry]:
    """Pictures without names, which are counted from 1."""
    return [
        Entry(f"{path}: picture {number}", partial(read, each))
        for number, each in enumerate(arrays, 1)
    ]


def _in_npz(path: Path) -> np.ndarray:
    with archive_of(path) as archive:
        found = [info for info in archive.infolist() if name_of(info).suffix == ".npy"]
        if not found:
            raise InputError(f"{path}: no array in it", "a zip of pictures is called .zip")
        with member(archive, found[0], f"{path}:{found[0].filename}") as file:
            return _numbers(file, str(path), found[0].file_size)


def _numbers(file: Any, name: str, size: int) -> np.ndarray:
    """The array of an .npy file of `size` bytes, once its header is known to describe pictures."""
    if file.read(len(_NPY)) != _NPY:
        raise InputError(f"{name}: not an array that NumPy saved", _SAVE)
    file.seek(0)
    try:
        shape, _, dtype = HEADERS[np.lib.format.read_magic(file)](file)
    except Exception:  # the header is parsed as Python, and its errors may be any
        raise InputError(f"{name}: the header of its array cannot be read", _SAVE) from None
    floats = dtype.kind == "f"
    if not (floats or dtype == np.uint8) or len(shape) not in {3, 4}:
        raise InputError(
            f"{name}: {dtype} of shape {shape}",
            "training pictures are uint8 or floats, image x height x width [x channel]",
        )
    if min(shape) < 0 or 0 in shape[1:]:
        raise InputError(f"{name}: pictures without pixels (shape {shape})", _SAVE)
    channels = {1, 3} if floats else {1, 2, 3, 4}
    if len(shape) == 4 and shape[-1] not in channels:
        *some, most = sorted(channels)
        raise InputError(
            f"{name}: {shape[-1]} channels",
            f"{dtype} have {', '.join(map(str, some))} or {most}, and channels come last",
        )
    claimed, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if claimed > there:
        raise InputError(f"{name}: truncated, {there:,} bytes of {claimed:,} are there", AGAIN)
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _transparent_where_nan(picture: np.ndarray) -> Image.Image:
    """Floats "height width channel" as a picture of 8 bits; a pixel that lacks a channel is NaN."""
    known = ~np.isnan(picture).any(-1, keepdims=True)
    levels = np.rint(np.where(known, picture, 0.0) * 255.0)
    return Image.fromarray(np.concatenate([levels, known * 255.0], axis=-1).astype(np.uint8))


def is_idx(path: Path) -> bool:
    """Tell whether a file begins as an idx file of images does, or is gzipped."""
    with path.open("rb") as file:
        header = file.read(4)
    return header == _IMAGES or header[:2] == _GZIP


def in_idx(path: Path) -> Sequence[Entry]:
    """Pictures of an idx file of bytes, gzipped or not.

    Raises:
        InputError: It is not such a file, or truncated.
    """
    pictures = idx(path, _IMAGES, "images")
    if 0 in pictures.shape[1:]:
        raise InputError(f"{path}: pictures without pixels", AGAIN)
    return _numbered(path, Image.fromarray, pictures)


def idx(path: Path, begins: bytes, what: str) -> np.ndarray:
    """The bytes of an idx file, gzipped or not, in the shape that it states.

    Args:
        path: The file.
        begins: Its first four bytes, which state the type and the number of axes.
        what: What it holds, for the errors' text.

    Raises:
        InputError: It begins otherwise, or is truncated.
    """
    packed, axes = path.stat().st_size, begins[-1]
    with refusals(str(path), AGAIN), path.open("rb") as raw:
        zipped = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        file = gzip.GzipFile(fileobj=raw) if zipped else raw
        header = file.read(4 + 4 * axes)
        if len(header) < 4 + 4 * axes or header[:4] != begins:
            raise InputError(f"{path}: not an idx file of {what}, or truncated", AGAIN)
        shape = tuple(np.frombuffer(header, ">u4", offset=4).tolist())
        size = math.prod(shape)
        if zipped:
            refuse_bomb(str(path), packed, min(size, _DEFLATE_TIMES * packed))
        # One more than there should be: the end is reached, where gzip compares its checksum.
        content = file.read(min(size, _DEFLATE_TIMES * packed) + 1)
    if len(content) != size:
        some = "more" if len(content) > size else f"{len(content):,}"
        raise InputError(f"{path}: {some} of the {size:,} bytes of {shape} are there", AGAIN)
    return np.frombuffer(content, np.uint8).reshape(shape)
