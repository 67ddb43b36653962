"""The hole in a picture: the pixels to be filled, and operations on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from npfill.errors import InputError, UsageError

MOSTLY_SELECTED = "more than half is selected: if white was meant to be kept, add --invert-mask"


@dataclass(frozen=True)
class Hole:
    """The pixels to be filled.

    Attributes:
        selected: bool "height width", True where the picture is to be filled.
        notes: Lines that the user should be told.
        lacking: Which of them only the data themselves select, as they lack a value in some
            channel; what other channels have there is kept. None of pictures.
    """

    selected: np.ndarray
    notes: tuple[str, ...] = ()
    lacking: np.ndarray | None = None

    @property
    def by_choice(self) -> np.ndarray:
        """Where every channel is to be filled."""
        return self.selected if self.lacking is None else self.selected & ~self.lacking


def from_boxes(boxes: Sequence[tuple[int, int, int, int]], size: tuple[int, int]) -> Hole:
    """The hole that is the union of boxes.

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
            raise UsageError(f"--box {x},{y},{w},{h}: has no area", "X,Y,W,H: W and H are its size")
        if x < 0 or y < 0 or x + w > width or y + h > height:
            raise UsageError(
                f"--box {x},{y},{w},{h}: reaches out of the picture, "
                f"which is {width_by_height(size)}",
                "X,Y,W,H in pixels from the upper left corner",
            )
        selected[y : y + h, x : x + w] = True
    return Hole(selected)


def union(holes: Sequence[Hole]) -> Hole:
    """The hole that fills what any of several of one size fills, with the notes of all."""
    selected = np.logical_or.reduce([hole.selected for hole in holes])
    return Hole(selected, tuple(note for hole in holes for note in hole.notes))


def parse_box(text: str) -> tuple[int, int, int, int]:
    """The left, top, width and height that "X,Y,W,H" says.

    Raises:
        UsageError: It is not four whole numbers.
    """
    try:
        x, y, w, h = map(int, text.split(","))
    except ValueError:
        raise UsageError(
            f"--box {text}: not four whole numbers", "--box X,Y,W,H, as in --box 20,10,64,48"
        ) from None
    return x, y, w, h


def adjusted(hole: Hole, *, invert: bool, grow: int) -> Hole:
    """A hole inverted if asked for, and then grown.

    Args:
        hole: The hole as it was given.
        invert: Fill what was kept and keep what was filled.
        grow: By how many pixels the hole grows in all eight directions; negative shrinks it, but
            not away from the picture's border.
    """
    if invert:
        # The user has thought about which colour is kept: no advice on that is left to give.
        advice = tuple(note for note in hole.notes if note != MOSTLY_SELECTED)
        hole = Hole(~hole.selected, advice)
    if grow > 0:
        return replace(hole, selected=_grown(hole.selected, grow))
    if grow < 0:
        return replace(hole, selected=~_grown(~hole.selected, -grow))
    return hole


def check(hole: Hole, name: str) -> Hole:
    """A hole that is known to select something, with a note if it selects everything.

    Args:
        hole: The hole as it will be used.
        name: What messages call the mask.

    Raises:
        InputError: Nothing is selected.
    """
    if not hole.selected.any():
        raise InputError(
            f"{name}: selects 0 px (white is filled)", "--invert-mask fills what is black instead"
        )
    if hole.selected.all():
        note = "everything is selected: nothing is observed, the result is a draw from the prior"
        return replace(hole, notes=(*hole.notes, note))
    return hole


def describe(hole: Hole) -> str:
    """One line, such as "mask 1,024 x 768, 3.1 % selected (24,330 px)"."""
    height, width = hole.selected.shape
    count = int(np.count_nonzero(hole.selected))
    share = f"{count / hole.selected.size:.1%}".replace("%", " %")
    if count and share == "0.0 %":
        share = "less than 0.1 %"
    return f"mask {width:,} x {height:,}, {share} selected ({count:,} px)"


def width_by_height(size: tuple[int, ...]) -> str:
    """A height and width as people say them: width first."""
    return f"{size[1]}x{size[0]}"


def _grown(selected: np.ndarray, pixels: int) -> np.ndarray:
    """True where anything within a square around a pixel is True, along one axis after another."""
    for axis in (0, 1):
        length = selected.shape[axis]
        counts = np.insert(np.cumsum(selected, axis=axis, dtype=np.int32), 0, 0, axis=axis)
        at = np.arange(length)
        first, end = np.maximum(at - pixels, 0), np.minimum(at + pixels + 1, length)
        selected = counts.take(end, axis=axis) > counts.take(first, axis=axis)
    return selected
