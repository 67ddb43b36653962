"""The part of a hole that is filled: within the picture, and near what is observed."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from npfill.errors import InputError
from npfill.pictures.hole import Hole

Mask = Bool[np.ndarray, "height width"]


def restrained(
    hole: Hole, never: Mask, name: str, *, inner: bool, farthest: float | None
) -> tuple[Hole, Mask, list[str]]:
    """The part of a hole that is filled.

    Args:
        hole: The hole.
        never: True where nothing may be filled or used.
        name: The picture's name in messages.
        inner: As of `reached`.
        farthest: As of `reached`.

    Returns:
        That part; True where the picture stays missing; and notes.

    Raises:
        InputError: It is empty.
    """
    wanted, seen = hole.selected & ~never, ~(hole.selected | never)
    filled = reached(wanted, seen, inner=inner, farthest=farthest)
    stays, notes = wanted & ~filled, list[str]()
    if stays.any():
        why = ["connected to a border"] * inner
        if farthest is not None:
            why.append(f"farther than {farthest:g} px from any that is observed")
        notes.append(f"{name}: {np.count_nonzero(stays):,} px stay missing: {' or '.join(why)}")
    if hole.selected.any() and not filled.any():
        raise InputError(
            f"{name}: nothing of the hole is left to fill",
            "less in `keep_out`, a larger `max_distance`, or without `inner`",
        )
    lacking = None if hole.lacking is None else hole.lacking & filled
    return replace(hole, selected=filled, lacking=lacking), stays, notes


def reached(hole: Mask, seen: Mask, *, inner: bool, farthest: float | None) -> Mask:
    """The pixels of a hole that are filled.

    Args:
        hole: True where the picture may be filled.
        seen: True where it is observed.
        inner: Leave out what is connected to a border of the picture, by sides of pixels.
        farthest: Leave out what is farther than so many pixels, in a straight line between
            centres, from any that is observed; None for nothing.
    """
    kept = hole & ~_from_border(hole) if inner else hole
    return kept if farthest is None else kept & _near(seen, farthest)


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
    spread: Mask = marked[runs] & hole
    return spread


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
