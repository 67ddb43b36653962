"""How light each pixel of a mask file is, by what the file holds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from npfill.images.decoding import decode, deep_grey, in_plain_mode

_WHITE = 255


@dataclass(frozen=True)
class Levels:
    """The grey levels of a mask.

    Attributes:
        values: Numbers "height width" from 0 to `full_scale`, upright.
        full_scale: The level of white: 255, or 65535 in a file of 16-bit grey.
        notes: Lines that the user should be told: what was used where the file is not plain grey.
    """

    values: np.ndarray
    full_scale: int
    notes: tuple[str, ...]


def read_levels(path: Path) -> Levels:
    """Read a mask file.

    Colour counts by its luminance (ITU-R 601), a palette by its colours. Alpha is the mask where
    it varies and the colour does not; otherwise colour counts times alpha.

    Raises:
        InputError: It is missing, broken, too large, or of a format or mode that is not read.
    """
    decoded = decode(path)
    if decoded.is_deep_grey:
        return Levels(*deep_grey(decoded, path), decoded.notes)
    values, used = _lightness(in_plain_mode(decoded.image))
    if decoded.image.mode in {"P", "PA"}:
        used = ["read through its palette", *used]
    return Levels(values, _WHITE, (*decoded.notes, *used))


def _lightness(image: Image.Image) -> tuple[np.ndarray, list[str]]:
    """Levels from 0 to 255 of an image in mode L, RGB, LA or RGBA, and what they are."""
    grey = np.asarray(image.convert("RGB").convert("L"))
    used = ["its colours are read as their luminance"] if _is_colourful(image) else []
    if not image.mode.endswith("A"):
        return grey, used
    channels = np.asarray(image)
    colours, alpha = channels[..., :-1], channels[..., -1]
    if (alpha == _WHITE).all():
        return grey, used
    if (colours == colours[0, 0]).all() and (alpha != alpha[0, 0]).any():
        return alpha, ["its alpha is the mask, as its colour is the same everywhere"]
    return grey * (alpha / np.float32(_WHITE)), [*used, "its colour times its alpha is the mask"]


def _is_colourful(image: Image.Image) -> bool:
    if not image.mode.startswith("RGB"):
        return False
    colours = np.asarray(image)[..., :3]
    return bool((colours != colours[..., :1]).any())
