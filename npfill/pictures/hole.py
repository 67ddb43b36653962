"""The hole in a picture: from a mask, alpha or a colour; and what is done with holes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from npfill.errors import InputError, UsageError
from npfill.pictures.formats.raster import ONE_BIT
from npfill.pictures.picture import Picture, match_channels

MOSTLY_SELECTED = (
    "more than half is selected: if white was meant to be kept, add `invert_mask=True`"
)
_TRACE_OF_GREY = 0.05
_BLACK, _WHITE = 0.05, 0.95  # of full scale: lighter, and darker, is grey
_FORM = re.compile(r"color:#([0-9a-fA-F]{6})(?:~(\d{1,3}))?")


@dataclass(frozen=True)
class Hole:
    """The pixels to be filled.

    Attributes:
        selected: True where the picture is filled.
        notes: Lines for the user.
        lacking: True where only a missing value selects the pixel: the other channels keep theirs
            there. None if no value is missing.
    """

    selected: Bool[np.ndarray, "height width"]
    notes: tuple[str, ...] = ()
    lacking: Bool[np.ndarray, "height width"] | None = None


def from_mask(
    mask: Picture, size: tuple[int, int], *, picture_name: str, threshold: float | None, fit: bool
) -> Hole:
    """The hole that a mask selects: white, at least half of its full scale, is filled.

    Args:
        mask: Grey, colour, alpha, numbers from 0 to 1, or true and false.
        size: Height and width of the picture. Both are upright.
        picture_name: The picture's name in messages.
        threshold: The lowest level that is filled, in the mask's own levels: to 65535 in 16 bits,
            else to 255, and of arrays of other types to 1. None is half of full scale.
        fit: Resize a mask of another size, by nearest neighbour.

    Raises:
        InputError: It has several channels, another size, or is too dark to select anything.
    """
    levels, full_scale, notes = _levels(mask)
    if levels.shape != size:
        was, wanted = width_by_height(levels.shape), width_by_height(size)
        if not fit:
            raise InputError(
                f"{mask.name} is {was} but {picture_name} is {wanted}",
                "looks like an EXIF rotation: turn the mask as viewers show the picture"
                if levels.shape == size[::-1]
                else "`fit_mask=True` resizes it",
            )
        notes.append(f"resized from {was} to {wanted}")
    if threshold is None:
        notes += _doubts(levels, full_scale, mask.name)
        threshold = full_scale / 2
    selected = levels >= threshold
    if selected.shape != size:  # each pixel takes the value at its centre
        rows, columns = (
            (2 * np.arange(new) + 1) * old // (2 * new)
            for new, old in zip(size, levels.shape, strict=True)
        )
        selected = selected[np.ix_(rows, columns)]
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


def union(holes: Sequence[Hole]) -> Hole:
    """The union of holes of one size, with the notes of all."""
    selected = np.logical_or.reduce([hole.selected for hole in holes])
    return Hole(selected, tuple(note for hole in holes for note in hole.notes))


def adjusted(hole: Hole, *, invert: bool, grow: int) -> Hole:
    """Invert a hole if `invert`, and then grow it.

    Args:
        hole: The hole.
        invert: Swap filled and kept pixels.
        grow: Pixels by which the hole grows in all eight directions; negative shrinks it, but not
            away from the picture's border.
    """
    if invert:
        # The user has thought about which colour is kept: that advice has been followed.
        advice = tuple(note for note in hole.notes if note != MOSTLY_SELECTED)
        hole = Hole(~hole.selected, advice)
    if grow > 0:
        return replace(hole, selected=_grown(hole.selected, grow))
    if grow < 0:
        return replace(hole, selected=~_grown(~hole.selected, -grow))
    return hole


def check(hole: Hole, name: str) -> Hole:
    """Refuse an empty hole; add a note to one that is the whole picture.

    Args:
        hole: The hole as it will be used.
        name: The mask's name in messages.

    Raises:
        InputError: Nothing is selected.
    """
    if not hole.selected.any():
        raise InputError(
            f"{name}: selects 0 px (white is filled)",
            "`invert_mask=True` fills what is black instead",
        )
    if hole.selected.all():
        note = "everything is selected: nothing is observed, the result is a draw from the prior"
        return replace(hole, notes=(*hole.notes, note))
    return hole


def describe(hole: Hole) -> str:
    """A line such as "mask 1,024 x 768, 3.1 % selected (24,330 px)"."""
    height, width = hole.selected.shape
    count = int(np.count_nonzero(hole.selected))
    share = f"{count / hole.selected.size:.1%}".replace("%", " %")
    if count and share == "0.0 %":
        share = "less than 0.1 %"
    return f"mask {width:,} x {height:,}, {share} selected ({count:,} px)"


def width_by_height(size: tuple[int, ...]) -> str:
    """A height and width as text, width first."""
    return f"{size[1]}x{size[0]}"


def _levels(mask: Picture) -> tuple[np.ndarray, int, list[str]]:
    """The levels "height width" of a mask, that of white, and notes on the channel that was used.

    Colour counts by its luminance (ITU-R 601), a palette by its colours. Alpha is the mask if it
    varies and the colour does not; otherwise colour counts times alpha.
    """
    values, white = mask.values, mask.white
    if mask.is_data:
        if values.shape[-1] != 1:
            raise InputError(
                f"{mask.name}: a mask of {values.shape[-1]} channels", "a mask has one channel"
            )
        return values[..., 0], white, [*mask.notes]
    notes = [note for note in mask.notes if note != ONE_BIT]  # as masks should be
    colours, alpha = values[..., : mask.colours], values[..., -1]
    grey = colours[..., 0]
    if (colours != colours[..., :1]).any():
        luminance = match_channels(colours.astype(np.float32), 1)[..., 0]
        grey = np.rint(luminance).astype(values.dtype)
        notes.append("its colours are read as their luminance")
    if not mask.has_alpha or (alpha == white).all():
        return grey, white, notes
    if (colours == colours[0, 0]).all() and (alpha != alpha[0, 0]).any():
        return alpha, white, [*notes, "its alpha is the mask, as its colour is the same everywhere"]
    notes.append("its colour times its alpha is the mask")
    return grey * (alpha / np.float32(white)), white, notes


def _doubts(levels: np.ndarray, full_scale: int, name: str) -> list[str]:
    """A note on levels that are neither black nor white.

    Raises:
        InputError: Not all are black, but none is as light as half of full scale.
    """
    brightest = levels.max()
    if 0 < brightest < full_scale / 2:
        raise InputError(
            f"{name}: brightest value is {brightest:g} of {full_scale}, nothing is selected",
            "0/1 mask? `mask_threshold=1`"
            if brightest == 1
            else "`mask_threshold=N` fills from level N upwards",
        )
    share = np.mean((levels > _BLACK * full_scale) & (levels < _WHITE * full_scale))
    if share <= _TRACE_OF_GREY:
        return []
    return [
        f"{share:.0%} of it is neither black nor white, anti-aliased or lossy: cut at half of full "
        "scale, `mask_threshold` moves that".replace("%", " %", 1)
    ]


def _grown(selected: np.ndarray, pixels: int) -> np.ndarray:
    """Dilate by a square, along one axis after another."""
    for axis in (0, 1):
        length = selected.shape[axis]
        counts = np.insert(np.cumsum(selected, axis=axis, dtype=np.int32), 0, 0, axis=axis)
        at = np.arange(length)
        first, end = np.maximum(at - pixels, 0), np.minimum(at + pixels + 1, length)
        selected = counts.take(end, axis=axis) > counts.take(first, axis=axis)
    return selected
