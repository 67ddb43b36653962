"""Holes from mask files, from alpha and from a colour of the picture itself.

White, at least half of a mask's full scale, is filled; black is kept. The mask has the picture's
size after both are turned upright.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from npfill.errors import InputError, UsageError
from npfill.pictures.formats.raster import ONE_BIT
from npfill.pictures.grid import match_channels
from npfill.pictures.hole import MOSTLY_SELECTED, Hole, width_by_height
from npfill.pictures.picture import Picture
from npfill.pictures.read import MAX_PIXELS, read_values

_TRACE_OF_GREY = 0.05
_BLACK, _WHITE = 0.05, 0.95  # of full scale: lighter, and darker, is grey
_FORM = re.compile(r"color:#([0-9a-fA-F]{6})(?:~(\d{1,3}))?")


@dataclass(frozen=True)
class Levels:
    """The grey levels of a mask.

    Attributes:
        values: Numbers from 0 to `full_scale`, upright.
        full_scale: The level of white: 255, or 65535 of 16 bits; 1 of arrays of other types.
        notes: Lines for the user: the channel that was used if the file is not plain grey.
    """

    values: Shaped[np.ndarray, "height width"]
    full_scale: int
    notes: tuple[str, ...]


def read_mask(
    path: Path,
    size: tuple[int, int],
    *,
    picture_name: str,
    threshold: float | None,
    fit: bool,
    max_pixels: int = MAX_PIXELS,
) -> Hole:
    """Read the hole that a mask file selects.

    Args:
        path: A file of any format and colour mode that pictures are read from, or an array.
        size: Height and width of the upright picture.
        picture_name: The picture's name in messages.
        threshold: As of `from_mask`.
        fit: As of `from_mask`.
        max_pixels: A mask of more pixels is refused.

    Raises:
        InputError: The file cannot be used, has another size, or is too dark to select anything.
    """
    mask = read_values(path, max_pixels)
    return from_mask(mask, size, picture_name=picture_name, threshold=threshold, fit=fit)


def from_mask(
    mask: Picture, size: tuple[int, int], *, picture_name: str, threshold: float | None, fit: bool
) -> Hole:
    """The hole that a mask selects: levels of at least half of its full scale.

    Args:
        mask: Grey, colour, alpha, numbers from 0 to 1, or true and false.
        size: Height and width of the upright picture.
        picture_name: The picture's name in messages.
        threshold: The lowest level that is filled, in the mask's own levels: to 65535 in 16 bits,
            else to 255, and of arrays of other types to 1. None is half of full scale.
        fit: Resize a mask of another size, by nearest neighbour.

    Raises:
        InputError: It has several channels, another size, or is too dark to select anything.
    """
    levels = _levels(mask)
    notes = [*levels.notes]
    if levels.values.shape != size:
        if not fit:
            raise _mismatch(mask.name, levels.values.shape, picture_name, size)
        was, now = width_by_height(levels.values.shape), width_by_height(size)
        notes.append(f"resized from {was} to {now}")
    if threshold is None:
        _refuse_dark(mask.name, levels)
        notes += _doubts(levels)
    lowest = levels.full_scale / 2 if threshold is None else threshold
    selected = _fitted(levels.values >= lowest, size)
    if selected.size / 2 < np.count_nonzero(selected) < selected.size:
        notes.append(MOSTLY_SELECTED)
    return Hole(selected, tuple(notes))


def from_alpha(picture: Picture) -> Hole:
    """The hole where alpha is below half of white.

    Raises:
        InputError: It has no alpha channel.
    """
    if not picture.has_alpha:
        raise InputError(
            f"{picture.name}: has no alpha channel to take the hole from",
            "give a mask file or a `box`",
        )
    return Hole(picture.values[..., -1] < picture.white / 2)


def from_colour(picture: Picture, text: str) -> Hole:
    """The hole where a picture has a colour, such as "color:#ff00ff" or "color:#ff00ff~8".

    The number behind ~ is the tolerance of each channel, in levels of 255 whatever the picture's
    depth. The three channels of a grey picture are equal. Alpha does not count.

    Raises:
        UsageError: The text is not of this form.
        InputError: The picture is data, which have no colours.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise UsageError(
            f"`mask={text}`: not a colour",
            "`mask=color:#rrggbb` or `mask=color:#rrggbb~TOLERANCE`",
        )
    if picture.is_data:
        raise InputError(
            f"{picture.name}: data have no colours", "NaN marks what is missing; or `mask=FILE`"
        )
    step = picture.white // 255
    colour = np.array([int(form[1][at : at + 2], 16) for at in (0, 2, 4)]) * step
    values = picture.values[..., : picture.colours].astype(np.int32)
    near = np.abs(values - colour) <= int(form[2] or 0) * step
    return Hole(near.all(axis=-1))


def _levels(mask: Picture) -> Levels:
    """The levels of a mask.

    Colour counts by its luminance (ITU-R 601), a palette by its colours. Alpha is the mask if it
    varies and the colour does not; otherwise colour counts times alpha.
    """
    if mask.is_data:
        if mask.values.shape[-1] != 1:
            raise InputError(
                f"{mask.name}: a mask of {mask.values.shape[-1]} channels", "a mask has one channel"
            )
        values = mask.values[..., 0]
        return Levels(values, _full_scale(values.dtype), mask.notes)
    values, used = _lightness(mask)
    notes = [note for note in mask.notes if note != ONE_BIT]  # as masks should be
    return Levels(values, mask.white, (*notes, *used))


def _mismatch(
    name: str, size: tuple[int, ...], picture_name: str, wanted: tuple[int, int]
) -> InputError:
    swapped = size == wanted[::-1]
    return InputError(
        f"{name} is {width_by_height(size)} but {picture_name} is {width_by_height(wanted)}",
        "looks like an EXIF rotation: turn the mask as viewers show the picture"
        if swapped
        else "`fit_mask=True` resizes it",
    )


def _refuse_dark(name: str, levels: Levels) -> None:
    """Refuse a mask that is not black, but has nothing as light as half of full scale."""
    brightest = levels.values.max()
    if 0 < brightest < levels.full_scale / 2:
        lower = "0/1 mask? `mask_threshold=1`"
        raise InputError(
            f"{name}: brightest value is {brightest:g} of {levels.full_scale}, nothing is selected",
            lower if brightest == 1 else "`mask_threshold=N` fills from level N upwards",
        )


def _doubts(levels: Levels) -> list[str]:
    black, white = _BLACK * levels.full_scale, _WHITE * levels.full_scale
    share = np.mean((levels.values > black) & (levels.values < white))
    if share <= _TRACE_OF_GREY:
        return []
    return [
        f"{share:.0%} of it is neither black nor white, anti-aliased or lossy: cut at half of full "
        "scale, `mask_threshold` moves that".replace("%", " %", 1)
    ]


def _fitted(selected: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize by nearest neighbour: each pixel takes the value at its centre."""
    if selected.shape == size:
        return selected
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for new, old in zip(size, selected.shape, strict=True)
    )
    return selected[np.ix_(rows, columns)]


def _lightness(mask: Picture) -> tuple[np.ndarray, list[str]]:
    """Levels from 0 to white of a picture, and notes on their source."""
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
