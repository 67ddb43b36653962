"""Masks for a picture of 6x5 pixels, as painting programs and scripts leave them."""

from functools import partial

import numpy as np
from PIL import Image
from PIL.ExifTags import Base

from tests.corpus.nasty import (
    DONE,
    HEIGHT,
    INPUT,
    WIDTH,
    Nasty,
    chunk,
    cut,
    header,
    png,
    rows,
    saved,
)

_SELECTED = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
_SELECTED[1:4, 1:3] = 255


def grey(values: np.ndarray = _SELECTED) -> bytes:
    """Levels as a PNG file."""
    return saved(Image.fromarray(values), "PNG")


def alpha(colour: int, opaque: np.ndarray = _SELECTED) -> bytes:
    """A mask of one colour, more or less opaque."""
    colours = np.full_like(opaque, colour)
    return saved(Image.fromarray(np.stack([colours] * 3 + [opaque], axis=-1)), "PNG")


def turned(orientation: int) -> bytes:
    """A mask that is shown turned."""
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    return saved(Image.fromarray(_SELECTED), "PNG", exif=exif)


MASKS = {
    "plain.png": Nasty(grey, DONE, "selected (6 px)"),
    "one-bit.png": Nasty(lambda: grey(_SELECTED > 0), DONE, "selected (6 px)"),
    "16-bit.png": Nasty(lambda: grey(_SELECTED.astype(np.uint16) * 257), DONE, "selected (6 px)"),
    "16-bit-dark.png": Nasty(
        lambda: grey(_SELECTED.astype(np.uint16)), INPUT, "brightest value is 255 of 65535"
    ),
    "lossy.jpg": Nasty(
        lambda: saved(Image.fromarray(_SELECTED), "JPEG", quality=75), DONE, "selected (6 px)"
    ),
    "palette.png": Nasty(
        lambda: saved(Image.fromarray(_SELECTED).convert("P"), "PNG"), DONE, "palette"
    ),
    "colours.png": Nasty(
        lambda: saved(Image.fromarray(np.stack([_SELECTED, _SELECTED, 0 * _SELECTED], -1)), "PNG"),
        DONE,
        "luminance",
    ),
    "alpha.png": Nasty(partial(alpha, 255), DONE, "its alpha is the mask"),
    "black-alpha.png": Nasty(partial(alpha, 0), DONE, "its alpha is the mask"),
    "half-transparent.png": Nasty(
        lambda: alpha(255, _SELECTED // 4), INPUT, "brightest value is 63 of 255"
    ),
    "wholly-transparent.png": Nasty(lambda: alpha(255, 0 * _SELECTED), INPUT, "transparent"),
    "animated.gif": Nasty(
        lambda: saved(
            Image.fromarray(_SELECTED),
            "GIF",
            save_all=True,
            append_images=[Image.fromarray(255 - _SELECTED)],
        ),
        DONE,
        "only the first frame is used",
    ),
    "black.png": Nasty(lambda: grey(0 * _SELECTED), INPUT, "selects 0 px (white is filled)"),
    "white.png": Nasty(lambda: grey(0 * _SELECTED + 255), DONE, "everything is selected"),
    "inverted.png": Nasty(lambda: grey(255 - _SELECTED), DONE, "add --invert-mask"),
    "zero-one.png": Nasty(lambda: grey(_SELECTED // 255), INPUT, "brightest value is 1 of 255"),
    "dark.png": Nasty(lambda: grey(_SELECTED // 5), INPUT, "brightest value is 51 of 255"),
    "soft.png": Nasty(
        lambda: grey(np.linspace(0, 255, 30).astype(np.uint8).reshape(5, 6)),
        INPUT,
        "neither black nor white",
    ),
    "larger.png": Nasty(
        lambda: grey(np.kron(_SELECTED, np.ones((2, 2), np.uint8))), INPUT, "12x10"
    ),
    "one-pixel.png": Nasty(lambda: grey(_SELECTED[2:3, 2:3]), INPUT, "is 1x1 but"),
    "swapped.png": Nasty(lambda: grey(_SELECTED.T.copy()), INPUT, "looks like an EXIF rotation"),
    "turned.png": Nasty(partial(turned, 6), INPUT, "looks like an EXIF rotation"),
    "upside-down.png": Nasty(partial(turned, 3), DONE, "turned upright"),
    "cut.png": Nasty(lambda: cut(grey(), 0.7), INPUT, "cannot be read"),
    "empty.png": Nasty(lambda: b"", INPUT, "an empty file"),
    "text.png": Nasty(lambda: b"1,1,2,3", INPUT, "not a picture of a known format"),
    "bomb.png": Nasty(lambda: png(header(60_000, 60_000)), INPUT, "more than "),
    "no-palette.png": Nasty(lambda: png(header(colours=3), rows(WIDTH)), INPUT, "cannot be read"),
    "transparent-white.png": Nasty(
        lambda: png(header(colours=0), chunk(b"tRNS", b"\0\xff"), rows(WIDTH)),
        INPUT,
        "neither black nor white",
    ),
}
