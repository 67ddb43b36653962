"""The hole in a picture: the pixels to be filled, and operations on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from npfill.errors import InputError, UsageError

MOSTLY_SELECTED = (
    "more than half is selected: if white was meant to be kept, add `invert_mask=True`"
)


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

    @property
    def by_choice(self) -> Bool[np.ndarray, "height width"]:
        """True where every channel is filled."""
        return self.selected if self.lacking is None else self.selected & ~self.lacking


def from_boxes(boxes: Sequence[tuple[int, int, int, int]], size: tuple[int, int]) -> Hole:
    """The union of boxes.

    Args:
        boxes: Left, top, width and height of each, in pixels.
        size: Height and width of the upright picture.

    Raises:
        UsageError: A box has no area or is not wholly within the picture.
    """
    height, width = size
    selected = np.zeros(size, dtype=bool)
    for x, y, w, h in boxes:
        if w < 1 or h < 1:
            raise UsageError(
                f"{_as_given(x, y, w, h)}: has no area", "X,Y,W,H: W and H are its size"
            )
        if x < 0 or y < 0 or x + w > width or y + h > height:
            raise UsageError(
                f"{_as_given(x, y, w, h)}: reaches out of the picture, "
                f"which is {width_by_height(size)}",
                "X,Y,W,H in pixels from the upper left corner",
            )
        selected[y : y + h, x : x + w] = True
    return Hole(selected)


def union(holes: Sequence[Hole]) -> Hole:
    """The union of holes of one size, with the notes of all."""
    selected = np.logical_or.reduce([hole.selected for hole in holes])
    return Hole(selected, tuple(note for hole in holes for note in hole.notes))


def parse_box(text: str) -> tuple[int, int, int, int]:
    """Parse "X,Y,W,H": left, top, width and height.

    Raises:
        UsageError: It is not four whole numbers.
    """
    try:
        x, y, w, h = map(int, text.split(","))
    except ValueError:
        raise UsageError(
            f"`box={text}`: not four whole numbers", "`box=(X,Y,W,H)`, as in `box=(20,10,64,48)`"
        ) from None
    return x, y, w, h


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


def _as_given(x: int, y: int, w: int, h: int) -> str:
    return f"`box=({x},{y},{w},{h})`"


def _grown(selected: np.ndarray, pixels: int) -> np.ndarray:
    """Dilate by a square, along one axis after another."""
    for axis in (0, 1):
        length = selected.shape[axis]
        counts = np.insert(np.cumsum(selected, axis=axis, dtype=np.int32), 0, 0, axis=axis)
        at = np.arange(length)
        first, end = np.maximum(at - pixels, 0), np.minimum(at + pixels + 1, length)
        selected = counts.take(end, axis=axis) > counts.take(first, axis=axis)
    return selected
