"""Arrays of pictures in a file, NumPy's or idx, and the labels of digits."""

import gzip
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np
import torch
from jaxtyping import Int
from PIL import Image
from torch import Tensor

from npfill.errors import InputError

# One picture of a set, read when it is called.
Entry = Callable[[], Image.Image]

_GZIP = b"\x1f\x8b"
# How idx files of bytes with three axes and with one begin.
_IMAGES, _LABELS = b"\x00\x00\x08\x03", b"\x00\x00\x08\x01"
_NAMES = {"train": "train-labels-idx1-ubyte", "test": "t10k-labels-idx1-ubyte"}


def in_array(path: Path) -> Sequence[Entry]:
    """Pictures "image height width [channel]" of bytes, or of floats in [0, 1] or NaN.

    Of an `.npz` file the first array is taken.

    Raises:
        InputError: It is not readable, or not such an array.
    """
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            array: np.ndarray = loaded if path.suffix == ".npy" else loaded[loaded.files[0]]
    except (OSError, EOFError, ValueError, IndexError, BadZipFile) as error:
        raise InputError(
            f"{path}: not a readable array ({error})", "save it with numpy.save"
        ) from None
    floats = np.issubdtype(array.dtype, np.floating)
    if not (floats or array.dtype == np.uint8) or array.ndim not in {3, 4}:
        raise InputError(
            f"{path}: {array.dtype} of shape {array.shape}",
            "training pictures are uint8 or floats, image x height x width [x channel]",
        )
    if not floats:
        return [partial(Image.fromarray, picture) for picture in array]
    if array.ndim == 4 and array.shape[-1] not in {1, 3}:
        raise InputError(f"{path}: {array.shape[-1]} channels", "floats have 1 or 3 channels")
    # A comparison with NaN is false, and the infinite are outside.
    if (array < 0).any() or (array > 1).any():
        raise InputError(f"{path}: values outside 0 .. 1", "scale them; NaN is a hole")
    pictures = array.reshape(*array.shape[:3], -1)
    return [partial(_transparent_where_nan, picture) for picture in pictures]


def _transparent_where_nan(picture: np.ndarray) -> Image.Image:
    """Floats "height width channel" as a picture of 8 bits; a pixel that lacks a channel is NaN."""
    known = ~np.isnan(picture).any(-1, keepdims=True)
    levels = np.rint(np.where(known, picture, 0.0) * 255.0)
    return Image.fromarray(np.concatenate([levels, known * 255.0], axis=-1).astype(np.uint8))


def _unzipped(path: Path) -> bytes:
    """The content of an idx file, gzipped or not."""
    raw = path.read_bytes()
    try:
        return gzip.decompress(raw) if raw[:2] == _GZIP else raw
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: broken gzip ({error})", "copy the file again") from None


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
    content = _unzipped(path)
    if content[:4] != _IMAGES:
        raise InputError(
            f"{path}: not an idx file of images", "one of bytes, image x height x width"
        )
    count, height, width = np.frombuffer(content, ">u4", 3, offset=4)
    values = np.frombuffer(content, np.uint8, offset=16)
    if values.size != int(count) * int(height) * int(width):
        raise InputError(
            f"{path}: truncated, {values.size} of its bytes are there", "copy it again"
        )
    return [partial(Image.fromarray, each) for each in values.reshape(count, height, width)]


def read_labels(folder: Path, split: Literal["train", "test"]) -> Int[Tensor, " image"]:
    """Read the labels of a set of digits, in the order of its pictures.

    Args:
        folder: Where the idx files are, with the MNIST names, gzipped or not.
        split: Which part.

    Raises:
        InputError: They are not there, or cannot be read.
    """
    names = [_NAMES[split], f"{_NAMES[split]}.gz"]
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise InputError(f"{folder}: no {names[0]}", "`data` takes a folder with the MNIST names")
    content = _unzipped(path)
    if content[:4] != _LABELS or len(content) != 8 + int.from_bytes(content[4:8], "big"):
        raise InputError(f"{path}: not an idx file of labels, or truncated", "copy it again")
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=8).astype(np.int64))
