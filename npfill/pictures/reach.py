"""The part of a hole that is filled: within the picture, near what is observed; and the rest."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from npfill.errors import InputError
from npfill.pictures.hole import Hole
from npfill.pictures.nodata import is_no_data, none_of
from npfill.pictures.picture import Picture

Mask = Bool[np.ndarray, "height width"]
Masks = Bool[np.ndarray, "height width channel"]  # of channels that lack different pixels, or one


def restrained(
    hole: Hole, picture: Picture, never: Mask, *, inner: bool, farthest: float | None
) -> tuple[Hole, Masks, list[str]]:
    """The part of a hole that is filled, of each channel by itself.

    Args:
        hole: The hole.
        picture: The picture or data.
        never: True where nothing may be filled or used.
        inner: As of `reached`.
        farthest: As of `reached`.

    Returns:
        That part of any channel; True where a channel stays missing; and notes.

    Raises:
        InputError: It is empty.
    """
    of_each, never = hole.chosen[..., None] | picture.lacks, never[..., None]
    wanted = of_each & ~never
    width, seen = picture.size[1], ~(of_each | never)
    more = width * picture.wraps  # columns that go on, on either side
    wide = [np.pad(x, ((0, 0), (more, more), (0, 0)), mode="wrap") for x in (wanted, seen)]
    wide[0][:, [0, -1]] &= not picture.wraps  # where it goes on, it has no border
    reach = reached(*wide, inner=inner, farthest=farthest)[:, more : more + width]
    stays, filled, notes = wanted & ~reach, np.logical_or.reduce(reach, axis=-1), list[str]()
    if stays.any():
        why = ["connected to a border"] * inner
        if farthest is not None:
            why.append(f"farther than {farthest:g} px from any that is observed")
        notes.append(
            f"{picture.name}: {stays.any(axis=-1).sum():,} px stay missing: {' or '.join(why)}"
        )
    if hole.selected.any() and not filled.any():
        raise InputError(
            f"{picture.name}: nothing of the hole is left to fill",
            "less in `keep_out`, a larger `max_distance`, or without `inner`",
        )
    lacking = None if hole.lacking is None else hole.lacking & filled
    return replace(hole, selected=filled, lacking=lacking), stays, notes


def unsaid(picture: Picture, gone: Bool[np.ndarray, "height width #channel"]) -> Masks:
    """True where data are gone and do not say so; a mask of an array in memory is in no file."""
    values = picture.values[..., : picture.colours]
    said = np.isnan(values) | is_no_data(values, none_of(picture))
    known = picture.info.get("said", picture.missing)  # that of the file alone
    if known is not None and picture.format not in {"NPY", "NPZ"}:
        said |= known[..., : picture.colours]
    return np.asarray(gone & ~said)


def without(picture: Picture, gone: Masks) -> Picture:
    """Data without what is gone, as far as their numbers, their mask and alpha can say it."""
    none, lost, colours = none_of(picture), unsaid(picture, gone), picture.colours
    if none is None or picture.missing is None or not lost.any():
        return picture
    values = picture.values.copy()
    values[..., :colours][lost] = np.nan if "packing" in picture.info else none
    missing = picture.missing | np.pad(lost, ((0, 0), (0, 0), (0, picture.has_alpha)))
    values[lost.any(axis=-1) & missing[..., :colours].all(axis=-1), colours:] = 0
    if "packing" in picture.info:  # where what is missing is stored as before
        missing = picture.missing
    return replace(picture, values=values, missing=missing)


def reached(holes: Masks, seen: Masks, *, inner: bool, farthest: float | None) -> Masks:
    """The pixels of the hole of each channel that are filled.

    Args:
        holes: True where a channel may be filled.
        seen: True where it is observed.
        inner: Leave out what is connected to a border of the picture, by sides of pixels.
        farthest: Leave out what is farther than so many pixels, in a straight line between
            centres, from any that is observed; None for nothing.
    """
    kept = holes.copy()
    for number in range(holes.shape[-1]):
        if inner:
            kept[..., number] &= ~_from_border(holes[..., number])
        if farthest is not None:
            kept[..., number] &= _near(seen[..., number], farthest)
    return kept


def _from_border(hole: Mask) -> Mask:
    """The pixels of a hole that its own pixels connect to a border."""
    found = np.zeros_like(hole)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        found[edge] = hole[edge]
    count = -1
    while count != (count := int(np.count_nonzero(found))):
        found = _along_rows(_along_rows(found, hole).T, hole.T).T
    return found


def _along_rows(found: Mask, hole: Mask) -> Mask:
    """Spread what is found over each run of the hole in a row that it is in."""
    breaks = np.cumsum(~np.pad(hole, ((0, 0), (1, 0))).ravel())  # the number of each pixel's run
    runs = breaks.reshape(len(hole), -1)[:, 1:]
    marked = np.zeros(int(breaks[-1]) + 1, dtype=bool)
    marked[runs[found & hole]] = True
    return marked[runs] & hole


def _near(seen: Mask, farthest: float) -> Mask:
    """The pixels whose nearest one that is seen is no farther than a distance."""
    height, width = seen.shape
    columns = np.arange(width)
    left = np.maximum.accumulate(np.where(seen, columns, -2 * width), axis=1)
    right = np.minimum.accumulate(np.where(seen, columns, 3 * width)[:, ::-1], axis=1)[:, ::-1]
    across = np.minimum(columns - left, right - columns).astype(np.float64)
    near = np.zeros_like(seen)
    for down in range(min(int(farthest), height - 1) + 1):
        allowed = across <= (farthest**2 - down**2) ** 0.5
        near[down:] |= allowed[: height - down]
        near[: height - down] |= allowed[down:]
    return near
