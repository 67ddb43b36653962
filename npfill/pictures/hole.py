"""The hole in a picture: from a mask or alpha; and what is done with holes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from npfill.errors import InputError, UsageError
from npfill.notes import News
from npfill.pictures.classes import labelled
from npfill.pictures.itself import MASK
from npfill.pictures.meaning import levels_of, lying_as, threshold_for
from npfill.pictures.picture import Picture
from npfill.pictures.planes import grown

_NEARLY_NONE = 0.1  # of the pixels
_STRETCH = 1.1  # of one side against the other, within which a mask has its picture's shape
_TRACE = 0.05  # of the hole: as many pixels on its rim are not worth a word
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

    selected: Bool[np.ndarray, "height width *channel"]
    notes: tuple[str, ...] = ()
    lacking: Bool[np.ndarray, "height width"] | None = None

    @property
    def chosen(self) -> Bool[np.ndarray, "height width"]:
        """True where more than a missing value selects the pixel: in all channels."""
        return self.selected if self.lacking is None else self.selected & ~self.lacking

    @property
    def line(self) -> str:
        """A line such as "mask 1,024 x 768, 3.1 % selected (24,330 px)"; with channels, values."""
        height, width, *planes = self.selected.shape
        count = int(np.count_nonzero(self.selected))
        share = f"{100 * (count / self.selected.size):.1f} %"
        if count and share == "0.0 %":
            share = "less than 0.1 %"
        size = " x ".join(f"{side:,}" for side in (width, height, *planes))
        return f"mask {size}, {share} selected ({count:,} {'values' if planes else 'px'})"


def from_mask(
    mask: Picture,
    picture: Picture,
    *,
    threshold: float | None = None,
    fit: bool = False,
    labels: Sequence[int | str] = (),
    inverted: bool = False,
) -> Hole:
    """The hole that a mask selects: white, at least half of its full scale, is filled.

    Args:
        mask: Grey, colour, alpha, numbers, true and false, or with `labels` a map of classes.
        picture: The picture that it is for. Both are upright.
        threshold: The lowest level that is filled, in the mask's own levels. None is half of white,
            and what is doubtful is refused.
        fit: Resize a mask of another size, by nearest neighbour.
        labels: The classes that are filled, of a map of them.
        inverted: The hole will be inverted, so it is known which part of the mask is kept.

    Raises:
        InputError: It has another size, or is to be fitted and is wide where the picture is tall,
            or the other way round; or it lies elsewhere; or it does not say what is to be filled.
        UsageError: A class is neither a number nor a colour.
    """
    size, channels = picture.size, mask.values.shape[-1]
    if channels > 4:
        raise InputError(
            f"{mask.name}: a mask of {channels} channels",
            "a mask is height x width; where channels come first, choose one: mask[0]",
        )
    notes: list[str] = []
    (rows, columns), (height, width) = mask.size, size
    has_its_shape = 1 / _STRETCH < rows * width / (columns * height) < _STRETCH
    is_turned = not has_its_shape and (rows - columns) * (height - width) < 0
    if mask.size != size and (is_turned or not fit):
        raise InputError(
            f"{mask.name} is {width_by_height(mask.size)} but {picture.name} is "
            + "; ".join((width_by_height(size), *picture.notes)),  # which may say why
            "looks like an EXIF rotation, or columns before rows: turn it as the picture is shown"
            if is_turned
            else "`fit_mask=True` resizes it",
        )
    if "axes" in mask.info:
        mask = lying_as(mask, picture)
    if labels:
        selected = labelled(mask, labels)
    else:
        doubted = threshold is None
        levels, white, notes = levels_of(mask, picture, doubted=doubted, inverted=inverted)
        selected = levels >= (white / 2 if threshold is None else threshold)
        if doubted and not inverted and mask.values.dtype != np.bool_:
            _refuse_nearly_all(selected, mask.name, threshold_for(levels, white / 2))
    if mask.size != size:  # each pixel takes the value at its centre
        sizes = f"from {width_by_height(mask.size)} to {width_by_height(size)}"
        notes.append(News(f"resized {sizes}") if has_its_shape else f"resized {sizes}: stretched")
        at = (
            (2 * np.arange(new) + 1) * old // (2 * new)
            for new, old in zip(size, mask.size, strict=True)
        )
        selected = selected[np.ix_(*at)]
    if not labels and selected.size / 2 < np.count_nonzero(selected) < selected.size:
        notes.append(MOSTLY_SELECTED)
    return Hole(selected, tuple(notes))


def _refuse_nearly_all(selected: np.ndarray, name: str, threshold: str) -> None:
    """Refuse a mask that keeps but a spot of a picture: it is probably the wrong way round.

    Scattered pixels that are kept are a hole as well.
    """
    kept = ~selected
    inner = kept[:-1, :-1] & kept[1:, :-1] & kept[:-1, 1:]
    count = np.count_nonzero(kept)
    if 0 < count < _NEARLY_NONE * kept.size and np.count_nonzero(inner) > count / 2:
        raise InputError(
            f"{name}: selects all but a spot of {count:,} px: was white meant to be kept?",
            f"`invert_mask=True` fills the spot, `mask_threshold={threshold}` all but it",
        )


def from_alpha(picture: Picture, *, doubted: bool = True) -> Hole:
    """The hole where alpha is below half of white; with a note on a soft rim if `doubted`.

    Raises:
        InputError: It has no alpha channel, or is opaque everywhere.
    """
    if not picture.has_alpha:
        raise InputError(
            f"{picture.name}: has no alpha channel to take the hole from",
            "give a mask file or a `box`",
        )
    alpha, white = picture.values[..., -1], picture.white
    selected = alpha < white / 2
    if not selected.any():
        raise InputError(
            f"alpha: selects 0 px of {picture.name}, which is opaque", "give a mask file or a `box`"
        )
    rim = np.count_nonzero((alpha < white) & ~selected)
    if not doubted or rim <= _TRACE * np.count_nonzero(selected):
        return Hole(selected)
    note = f"{rim:,} px that are kept are neither transparent nor opaque, anti-aliased or soft: cut"
    return Hole(selected, (f"{note} at half of full scale, `grow` fills more of them",))


def from_boxes(boxes: Sequence[str | Sequence[int]], size: tuple[int, int]) -> Hole:
    """The union of boxes.

    Args:
        boxes: Left, top, width and height of each, in pixels; or a text "X,Y,W,H".
        size: Height and width of the upright picture.

    Raises:
        UsageError: A box is something else, has no area or is not wholly within the picture.
    """
    height, width = size
    selected = np.zeros(size, dtype=bool)
    for x, y, w, h in [parse_box(box) for box in boxes]:
        box = f"`box=({x},{y},{w},{h})`"
        if w < 1 or h < 1:
            raise UsageError(f"{box}: has no area", "X,Y,W,H: W and H are its size")
        if x < 0 or y < 0 or x + w > width or y + h > height:
            raise UsageError(
                f"{box}: reaches out of the picture, which is {width_by_height(size)}",
                "X,Y,W,H in pixels from the upper left corner",
            )
        selected[y : y + h, x : x + w] = True
    return Hole(selected)


def parse_box(box: str | Sequence[int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of a box that is given as numbers or as a text.

    Raises:
        UsageError: It is not four whole numbers.
    """
    text = box if isinstance(box, str) else ",".join(map(str, box))
    try:
        x, y, w, h = map(int, text.split(","))
    except ValueError:
        raise UsageError(
            f"`box={text}`: not four whole numbers", "`box=(X,Y,W,H)`, as in `box=(20,10,64,48)`"
        ) from None
    return x, y, w, h


def union(holes: Sequence[Hole]) -> Hole:
    """The union of holes of one size, with the notes of all."""
    selected = np.logical_or.reduce([hole.selected for hole in holes])
    return Hole(selected, tuple(note for hole in holes for note in hole.notes))


def adjusted(hole: Hole, *, invert: bool, grow: int, wraps: bool = False) -> Hole:
    """Invert a hole if `invert`, and then grow it.

    Args:
        hole: The hole.
        invert: Swap filled and kept pixels.
        grow: Pixels by which the hole grows in all eight directions; negative shrinks it, but not
            away from the picture's border.
        wraps: The first column follows the last.
    """
    if invert:
        # The user has thought about which colour is kept: that advice has been followed.
        advice = tuple(note for note in hole.notes if not note.endswith(MOSTLY_SELECTED))
        hole = Hole(~hole.selected, advice)
    if grow > 0:
        return replace(hole, selected=grown(hole.selected, grow, wraps=wraps))
    if grow < 0:
        return replace(hole, selected=~grown(~hole.selected, -grow, wraps=wraps))
    return hole


def check(
    hole: Hole, name: str, lacks: Bool[np.ndarray, "height width #channel"] | None = None
) -> Hole:
    """Refuse an empty hole; add a note to one that is the whole picture.

    Args:
        hole: The hole as it will be used.
        name: The mask's name in messages.
        lacks: True where a channel lacks its value; None where that selects no pixel.

    Raises:
        InputError: Nothing is selected.
    """
    if not hole.selected.any():
        raise InputError(f"{name}: selects 0 px (white is filled)", MASK)
    if (hole.selected if lacks is None else hole.chosen[..., None] | lacks).all():
        note = "everything is selected: nothing is observed, the result is a draw from the prior"
        return replace(hole, notes=(*hole.notes, f"{name}: {note}"))
    return hole


def width_by_height(size: tuple[int, ...]) -> str:
    """A height and width as text, width first."""
    return f"{size[1]}x{size[0]}"
