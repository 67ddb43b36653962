"""The options that select the hole."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from npfill.errors import InputError, UsageError

if TYPE_CHECKING:
    from npfill.pictures.hole import Hole
    from npfill.pictures.picture import Picture


@dataclass(frozen=True)
class MaskOptions:
    """How the hole is selected."""

    mask: str | None
    boxes: list[str]
    invert: bool
    grow: int
    threshold: float | None
    fit: bool

    @property
    def file(self) -> str | None:
        """The mask's file, if it comes from one."""
        return None if self.mask == "alpha" or self.is_colour else self.mask

    @property
    def is_colour(self) -> bool:
        """Whether a colour of the picture marks it."""
        return self.mask is not None and self.mask.startswith("color:")

    @property
    def name(self) -> str:
        """What messages call the mask."""
        return self.mask or ("--box" if self.boxes else "NaN")


def hole_of(masking: MaskOptions, picture: "Picture", max_pixels: int | None = None) -> "Hole":
    """The hole that the options select, the union where several do; what data lack is part of it.

    Args:
        masking: The options.
        picture: The picture or data.
        max_pixels: A mask file of more pixels is refused; None is the usual limit.

    Raises:
        UsageError: The options contradict each other, or nothing says what is missing.
        InputError: The mask cannot be used, or selects nothing.
    """
    from npfill.pictures.hole import Hole, adjusted, check, from_boxes, union

    lacking = Hole(picture.lacking)
    given = _given(masking, picture, max_pixels)
    if given is None and not lacking.selected.any():
        raise UsageError(
            f"nothing says what is missing{', and no value is NaN' if picture.is_data else ''}",
            "--mask FILE, --mask alpha or --box X,Y,W,H",
        )
    if given is None and masking.invert:
        raise UsageError("--invert-mask: there is no mask to invert", "--mask FILE")
    given = given or from_boxes([], picture.size)
    chosen = adjusted(given, invert=masking.invert, grow=0)
    unshrunk = union([chosen, lacking])
    hole = union([adjusted(unshrunk, invert=False, grow=masking.grow), lacking])
    if unshrunk.selected.any() and not hole.selected.any():
        raise InputError(
            f"{masking.name}: --grow {masking.grow} leaves nothing of the hole",
            "shrink it by less",
        )
    hole = check(hole, masking.name)
    return replace(hole, lacking=lacking.selected & ~chosen.selected)


def _given(masking: MaskOptions, picture: "Picture", max_pixels: int | None) -> "Hole | None":
    """The union of what mask and boxes select; None where there are none."""
    from npfill.pictures.hole import from_boxes, parse_box, union
    from npfill.pictures.masks import from_alpha, from_colour, read_mask
    from npfill.pictures.read import MAX_PIXELS

    if masking.file is None and (masking.fit or masking.threshold is not None):
        flag = "--fit-mask" if masking.fit else "--mask-threshold"
        raise UsageError(f"{flag}: there is no mask file that it could be for", "--mask FILE")
    holes = []
    if masking.mask == "alpha":
        holes.append(from_alpha(picture))
    elif masking.mask is not None and masking.is_colour:
        holes.append(from_colour(picture, masking.mask))
    elif masking.file is not None:
        holes.append(
            read_mask(
                Path(masking.file),
                picture.size,
                picture_name=picture.name,
                threshold=masking.threshold,
                fit=masking.fit,
                max_pixels=max_pixels or MAX_PIXELS,
            )
        )
    if masking.boxes:
        boxes = [parse_box(box) for box in masking.boxes]
        holes.append(from_boxes(boxes, picture.size))
    return union(holes) if holes else None


def sha256_of(hole: "Hole") -> str:
    """The hash of the hole as packed bits in row-major order."""
    import hashlib

    import numpy as np

    return hashlib.sha256(np.packbits(hole.selected).tobytes()).hexdigest()
