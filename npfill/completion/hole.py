"""The hole that the options of a mask select in a picture."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from npfill.completion.options import MaskOptions
from npfill.errors import InputError, UsageError
from npfill.pictures.hole import Hole, adjusted, check, describe, from_boxes, parse_box, union
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.masks import from_alpha, from_colour, from_mask, read_mask
from npfill.pictures.picture import Picture
from npfill.pictures.read import MAX_PIXELS


@dataclass(frozen=True)
class Prepared:
    """A picture that was read and its hole, before a model is needed.

    Attributes:
        masking: The options that selected the hole.
        masked: The picture with its hole.
        hole: The hole.
        notes: Sentences for the user on the picture and its mask.
    """

    masking: MaskOptions
    masked: MaskedPicture
    hole: Hole
    notes: tuple[str, ...]

    @property
    def description(self) -> str:
        """One line, such as "mask 1,024 x 768, 3.1 % selected (24,330 px)"."""
        return describe(self.hole)


def hole_of(options: MaskOptions, picture: Picture, max_pixels: int = MAX_PIXELS) -> Hole:
    """The hole that options select, the union if several do; what data lack is part of it.

    Args:
        options: The options.
        picture: The picture or data.
        max_pixels: The most pixels of a mask file that is read.

    Raises:
        UsageError: The options contradict each other, or nothing says what is missing.
        InputError: The mask cannot be used, or selects nothing.
    """
    lacking = Hole(picture.lacking)
    given = _given(options, picture, max_pixels)
    if given is None and not lacking.selected.any():
        raise UsageError(
            f"nothing says what is missing{', and no value is NaN' if picture.is_data else ''}",
            "`mask=FILE`, `mask=alpha` or `box=X,Y,W,H`",
        )
    if given is None and options.invert:
        raise UsageError("`invert_mask=True`: there is no mask to invert", "`mask=FILE`")
    given = given or from_boxes([], picture.size)
    chosen = adjusted(given, invert=options.invert, grow=0)
    unshrunk = union([chosen, lacking])
    hole = union([adjusted(unshrunk, invert=False, grow=options.grow), lacking])
    if unshrunk.selected.any() and not hole.selected.any():
        raise InputError(
            f"{options.name}: `grow={options.grow}` leaves nothing of the hole",
            "shrink it by less",
        )
    hole = check(hole, options.name)
    return replace(hole, lacking=lacking.selected & ~chosen.selected)


def prepare(picture: Picture, masking: MaskOptions, max_pixels: int) -> Prepared:
    """Find the hole of a picture.

    Raises:
        UsageError: The options of the mask contradict each other, or select nothing.
        InputError: The mask, or data with it, cannot be used.
    """
    hole = hole_of(masking, picture, max_pixels)
    notes = [f"{picture.name}: {note}" for note in picture.notes]
    notes += [f"{masking.name}: {note}" for note in hole.notes]
    return Prepared(masking, MaskedPicture.of(picture, hole.by_choice), hole, tuple(notes))


def sha256_of(hole: Hole) -> str:
    """The hash of the hole as packed bits in row-major order, in hex."""
    return hashlib.sha256(np.packbits(hole.selected).tobytes()).hexdigest()


def _given(options: MaskOptions, picture: Picture, max_pixels: int) -> Hole | None:
    """The union of what mask and boxes select; None without either."""
    has_levels = options.mask is not None and not (options.is_alpha or options.is_colour)
    if not has_levels and (options.fit or options.threshold is not None):
        name = "fit_mask=True" if options.fit else "mask_threshold"
        raise UsageError(f"`{name}`: there is no mask file that it could be for", "`mask=FILE`")
    holes = []
    if options.is_alpha:
        holes.append(from_alpha(picture))
    elif options.is_colour:
        holes.append(from_colour(picture, str(options.word)))
    elif options.file is not None:
        holes.append(
            read_mask(
                options.file,
                picture.size,
                picture_name=picture.name,
                threshold=options.threshold,
                fit=options.fit,
                max_pixels=max_pixels,
            )
        )
    elif isinstance(options.mask, Picture):
        hole = from_mask(
            options.mask,
            picture.size,
            picture_name=picture.name,
            threshold=options.threshold,
            fit=options.fit,
        )
        # True and false have no colour that could be the wrong one.
        is_plain = options.mask.values.dtype == np.bool_
        holes.append(replace(hole, notes=()) if is_plain else hole)
    if options.boxes:
        holes.append(from_boxes([_box(box) for box in options.boxes], picture.size))
    return union(holes) if holes else None


def _box(box: str | Sequence[int]) -> tuple[int, int, int, int]:
    """A box given as numbers or as a text."""
    return parse_box(box if isinstance(box, str) else ",".join(map(str, box)))
