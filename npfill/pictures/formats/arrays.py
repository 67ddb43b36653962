"""Data in NumPy's files, .npy and .npz."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool

from npfill.errors import InputError
from npfill.pictures.picture import File, Picture, refuse_bomb

_KINDS = "iuf"
_LARGEST_FLOAT = 8  # bytes
_PERHAPS_CHANNELS = 4
# What reads the header of an .npy file, by its version.
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class UnknownFormatError(Exception):
    """A file of no format that is read; the message describes it."""


def read_npy(file: File, name: str, max_pixels: int) -> Picture:
    """Read data "height width" or "height width channel" from an .npy file.

    Raises:
        InputError: It holds no numbers, or is not of this shape, or too large.
    """
    return data(checked(file, name, max_pixels), name, "NPY", {})


def read_npz(file: File, name: str, max_pixels: int) -> Picture:
    """Read data from an .npz file of one array.

    Raises:
        InputError: As for .npy, or it holds several arrays.
        UnknownFormatError: It is a zip archive of something else.
    """
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if not all(entry.endswith(".npy") for entry in names):
            raise UnknownFormatError("a zip archive, but not of arrays")
        if len(names) != 1:
            shown = ", ".join(entry.removesuffix(".npy") for entry in names[:5])
            raise InputError(
                f"{name}: holds {len(names)} arrays ({shown}), not one",
                "save the one to complete by itself",
            )
        with archive.open(names[0]) as entry:
            values = checked(entry, name, max_pixels)
    return data(values, name, "NPZ", {"key": names[0].removesuffix(".npy")})


def write_npy(picture: Picture, _text: Mapping[str, str]) -> bytes:
    """Encode data as an .npy file, which keeps no metadata entries."""
    content = io.BytesIO()
    np.save(content, _as_it_came(picture), allow_pickle=False)
    return content.getvalue()


def write_npz(picture: Picture, _text: Mapping[str, str]) -> bytes:
    """Encode data as an .npz file of one array, which keeps no metadata entries."""
    return npz_bytes({picture.info["key"]: _as_it_came(picture)})


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """Encode arrays as a compressed .npz file; equal arguments give equal bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():  # no name is a parameter of a function
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(values), allow_pickle=False)
    return content.getvalue()


def refuse_array(name: str, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Refuse an array that is neither numbers nor true and false, or no picture by its shape.

    Raises:
        InputError: It is not.
    """
    if dtype.hasobject or dtype.kind not in _KINDS + "b" or dtype.itemsize > _LARGEST_FLOAT:
        raise InputError(
            f"{name}: values of type {dtype} are not read",
            "a file, an image, or an array or tensor of integers or floats of 64 bits",
        )
    if len(shape) not in {2, 3} or 0 in shape:
        raise InputError(
            f"{name}: an array of shape {shape}", "height x width, or height x width x channel"
        )


def as_truth(values: Bool[np.ndarray, "..."]) -> Bool[np.ndarray, "..."]:
    """True and false as bytes of 1 and 0; NumPy has 255 in those of an image of 1 bit."""
    return values.view(np.uint8) != 0


def checked(file: Any, name: str, max_pixels: int) -> np.ndarray:
    """Read the array of an .npy file, once its header has been found to be harmless.

    Raises:
        InputError: It is of another version, holds no numbers, or is too large.
    """
    start = file.tell() if file.seekable() else 0
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise InputError(
            f"{name}: .npy of version {version[0]}.{version[1]} is not read", "np.save writes 1.0"
        )
    shape, _, dtype = HEADERS[version](file)
    refuse_array(name, dtype, shape)
    refuse_bomb(name, (*shape, 1)[:3], max_pixels)
    file.seek(start)
    return np.lib.format.read_array(file, allow_pickle=False)


def data(values: np.ndarray, name: str, kind: str, info: dict[str, object]) -> Picture:
    """Data of a checked array, NaN being missing."""
    notes, shape = [], values.shape
    if values.ndim == 3 and shape[0] <= _PERHAPS_CHANNELS < shape[2]:
        notes.append(f"read as {shape[1]}x{shape[0]} in {shape[2]} channels: channels come last")
    values = as_truth(values) if values.dtype == np.bool_ else values
    info |= {"shape": shape}
    values = values.reshape(*shape[:2], -1)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    why = "files of NumPy always are"
    return Picture(values, kind, name, tuple(notes), info, is_data=True, why=why, missing=missing)


def _as_it_came(picture: Picture) -> np.ndarray:
    """The values in the number of dimensions that the file had: "height width" stays that."""
    shape: tuple[int, ...] = picture.info["shape"]
    return picture.values.reshape(*picture.size, *shape[2:])
