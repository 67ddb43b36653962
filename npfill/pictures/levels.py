"""How light each pixel of a mask file is, by what the file holds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npfill.errors import InputError
from npfill.pictures.files import read_values
from npfill.pictures.formats.colour import ONE_BIT
from npfill.pictures.grid import match_channels
from npfill.pictures.picture import Picture
from npfill.pictures.reading import MAX_PIXELS


@dataclass(frozen=True)
class Levels:
    """The grey levels of a mask.

    Attributes:
        values: Numbers "height width" from 0 to `full_scale`, upright.
        full_scale: The level of white: 255, or 65535 in a file of 16 bits. An array of anything
            but these has 1.
        notes: Lines that the user should be told: what was used where the file is not plain grey.
    """

    values: np.ndarray
    full_scale: int
    notes: tuple[str, ...]


def read_levels(path: Path, max_pixels: int = MAX_PIXELS) -> Levels:
    """Read a mask file.

    Colour counts by its luminance (ITU-R 601), a palette by its colours. Alpha is the mask where
    it varies and the colour does not; otherwise colour counts times alpha.

    Raises:
        InputError: It is missing, broken, too large, or of a format or mode that is not read.
    """
    mask = read_values(path, max_pixels)
    if mask.is_data:
        if mask.values.shape[-1] != 1:
            raise InputError(
                f"{path}: a mask of {mask.values.shape[-1]} channels", "a mask has one channel"
            )
        values = mask.values[..., 0]
        return Levels(values, _full_scale(values.dtype), mask.notes)
    values, used = _lightness(mask)
    notes = [note for note in mask.notes if note != ONE_BIT]  # as masks should be
    return Levels(values, mask.white, (*notes, *used))


def _lightness(mask: Picture) -> tuple[np.ndarray, list[str]]:
    """Levels from 0 to white of a picture, and what they are."""
    colours, alpha = mask.values[..., : mask.colours], mask.values[..., -1]
    grey, used = colours[..., 0], []
    if (colours != colours[..., :1]).any():
        luminance = match_channels(colours.astype(np.float32), 1)[..., 0]
        grey, used = (
            np.rint(luminance).astype(colours.dtype),
            ["its colours are read as their luminance"],
        )
    if not mask.has_alpha or (alpha == mask.white).all():
        return grey, used
    if (colours == colours[0, 0]).all() and (alpha != alpha[0, 0]).any():
        return alpha, ["its alpha is the mask, as its colour is the same everywhere"]
    return grey * (alpha / np.float32(mask.white)), [
        *used,
        "its colour times its alpha is the mask",
    ]


def _full_scale(dtype: np.dtype) -> int:
    return int(np.iinfo(dtype).max) if dtype in (np.uint8, np.uint16) else 1
