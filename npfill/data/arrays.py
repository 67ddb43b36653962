"""Pictures to train on in NumPy's files."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from npfill.errors import InputError


def pictures_of(path: Path) -> Iterator[np.ndarray | Image.Image]:
    """The pictures of an array of bytes, or of floats in [0, 1], with NaN as transparency.

    Args:
        path: An `.npy` file, or an `.npz` file, of which the first array is taken; "image height
            width [channel]".

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
        yield from array
        return
    if array.ndim == 4 and array.shape[-1] not in {1, 3}:
        raise InputError(f"{path}: {array.shape[-1]} channels", "floats have 1 or 3 channels")
    # A comparison with NaN is false, and the infinite are outside.
    if (array < 0).any() or (array > 1).any():
        raise InputError(f"{path}: values outside 0 .. 1", "scale them; NaN is a hole")
    for picture in array.reshape(*array.shape[:3], -1):
        yield _transparent_where_nan(picture)


def _transparent_where_nan(picture: np.ndarray) -> Image.Image:
    """Floats "height width channel" as a picture of 8 bits; a pixel that lacks a channel is NaN."""
    known = ~np.isnan(picture).any(-1, keepdims=True)
    levels = np.rint(np.where(known, picture, 0.0) * 255.0)
    return Image.fromarray(np.concatenate([levels, known * 255.0], axis=-1).astype(np.uint8))
