"""The options of a mask, and the hole that they select in a picture."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

import numpy as np
from jaxtyping import Bool

from npfill.completion.words import is_transparent, sight_of
from npfill.errors import InputError, UsageError
from npfill.notes import News, about, as_word
from npfill.pictures.colours import of_colour
from npfill.pictures.hole import Hole, adjusted, check, from_alpha, from_boxes, from_mask, union
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import Picture
from npfill.pictures.reach import restrained
from npfill.pictures.read import MAX_PIXELS, STDIN, read_mask

Mask = str | Path | Picture


@dataclass(frozen=True)
class MaskOptions:
    """The options that select the hole; what data lack is part of it in any case.

    Attributes:
        mask: A file; `alpha`: what is transparent; `damaged`: what a torn PNG or JPEG has lost;
            `color:magenta` or `color:#rrggbb~TOLERANCE`; or a picture in memory; or several.
        box: Boxes to fill, each X, Y, width and height in pixels, or a text "X,Y,W,H".
        invert_mask: Fill what the mask keeps.
        grow: Pixels that the hole grows by; negative shrinks it.
        mask_threshold: The lowest level that is filled; None is half of full scale.
        fit_mask: Resize a mask of another size.
        mask_label: Classes to fill, where the mask is a map of them: numbers or colours.
        keep_out: Masks, as `mask` has them, of what is neither filled nor used: land, sky.
        inner: Fill no hole that touches a border of the picture.
        max_distance: Pixels from what is observed, beyond which nothing is filled.
    """

    mask: Mask | Sequence[Mask] | None = None
    box: Sequence[str | Sequence[int]] = ()
    invert_mask: bool = False
    grow: int = 0
    mask_threshold: float | None = None
    fit_mask: bool = False
    mask_label: Sequence[int | str] = ()
    keep_out: Mask | Sequence[Mask] | None = None
    inner: bool = False
    max_distance: float | None = None

    @property
    def masks(self) -> tuple[Mask, ...]:
        """The masks, one by one."""
        return _one_by_one(self.mask)

    @property
    def never(self) -> tuple[Mask, ...]:
        """The masks of what is neither filled nor used."""
        return _one_by_one(self.keep_out)

    @property
    def words(self) -> list[str]:
        """The masks as words: names of files, `alpha` or a colour; `-` for those in memory."""
        return [str(STDIN if isinstance(mask, Picture) else mask) for mask in self.masks]

    @property
    def files(self) -> list[Path]:
        """The files of masks."""
        return [Path(mask) for mask in (*self.masks, *self.never) if is_file(mask)]

    @property
    def damaged(self) -> bool:
        """What could not be decoded of a torn picture is missing."""
        return "damaged" in self.words

    @property
    def opaque(self) -> bool:
        """The hole is made opaque where it is filled."""
        return "alpha" in self.words or self.damaged

    @property
    def name(self) -> str:
        """The mask's name in messages."""
        if len(self.masks) == 1:
            return name_of(self.masks[0])
        return "the masks" if self.masks else "`box`" if self.box else "NaN"


def _one_by_one(masks: Mask | Sequence[Mask] | None) -> tuple[Mask, ...]:
    if masks is None or isinstance(masks, str | Path | Picture):
        return () if masks is None else (masks,)
    return tuple(masks)


def is_file(mask: Mask) -> TypeGuard[str | Path]:
    """True if a mask is a file, or a folder of them."""
    word = "alpha" if isinstance(mask, Picture) else str(mask)
    return word not in {"alpha", "damaged"} and not word.casefold().startswith("color:")


def name_of(mask: Mask) -> str:
    """A mask's name in messages."""
    return mask.name if isinstance(mask, Picture) else str(mask)


@dataclass(frozen=True)
class Prepared:
    """A picture that was read and its hole, before a model is needed.

    Attributes:
        masking: The options that selected the hole.
        masked: The picture with its hole.
        hole: The hole.
        sha256: The hash of the hole as packed bits in row-major order, in hex.
        notes: Sentences for the user on the picture and its mask.
        description: One line, such as "mask 1,024 x 768, 3.1 % selected (24,330 px)".
        stays: True where the picture, or one of its channels, is missing and stays so.
    """

    masking: MaskOptions
    masked: MaskedPicture
    hole: Hole
    sha256: str
    notes: tuple[str, ...]
    description: str
    stays: Bool[np.ndarray, "height width #channel"]


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
    lacks = picture.lacks
    lacking = Hole(np.logical_or.reduce(lacks, axis=-1))
    given = given_by(options, picture, max_pixels)
    if given is None and not lacking.selected.any():
        name = as_word(picture.name)
        raise UsageError(
            f"nothing says what is missing{sight_of(picture)}",
            f"npfill mask {name} proposes a mask, npfill paint {name} lets you paint one; "
            "or `mask=FILE`, `box=X,Y,W,H`",
        )
    if given is None and options.invert_mask:
        raise UsageError("`invert_mask=True`: there is no mask to invert", "`mask=FILE`")
    chosen = adjusted(given or from_boxes([], picture.size), invert=options.invert_mask, grow=0)
    unshrunk = union([chosen, lacking])
    grown = adjusted(unshrunk, invert=False, grow=options.grow, wraps=picture.wraps)
    hole = union([grown, lacking])
    if unshrunk.selected.any() and not hole.selected.any():
        raise InputError(
            f"{options.name}: `grow={options.grow}` leaves nothing of the hole", "shrink it by less"
        )
    return check(replace(hole, lacking=lacking.selected & ~chosen.selected), options.name, lacks)


def prepare(picture: Picture, masking: MaskOptions, max_pixels: int = MAX_PIXELS) -> Prepared:
    """Find the hole of a picture.

    Raises:
        UsageError: The options of the mask contradict each other, or select nothing.
        InputError: The mask, or data with it, cannot be used.
    """
    told = [*picture.notes]
    if not (masking.masks or masking.box or picture.is_data) and is_transparent(picture):
        masking = replace(masking, mask="alpha")
        told.append(News("what is transparent is filled, as with `mask=alpha`"))
    hole = hole_of(masking, picture, max_pixels)
    if picture.why and picture.values.dtype in (np.uint8, np.uint16):  # where there is a doubt
        told.append(f"taken for data, not for a photograph: {picture.why}")
    notes = [*(about(picture.name, note) for note in told), *hole.notes]
    unseen = stays = np.zeros((*picture.size, 1), dtype=bool)
    if masking.never or masking.inner or masking.max_distance is not None:
        hole, unseen, stays, more = _restrained(hole, picture, masking, max_pixels)
        notes += more
    masked = MaskedPicture.of(picture, hole.chosen, unseen)
    notes += [about(picture.name, note) for note in masked.notes]
    dead = [str(number + 1) for number in np.flatnonzero(masked.dead)]
    if dead:
        which = f"band{'s' * (len(dead) > 1)} {', '.join(dead)}"
        notes.append(f"{picture.name}: nothing is observed of {which}: left as it was")
    line = (Hole(masked.hole) if masked.hole.ndim == 3 else hole).line
    sha256 = hashlib.sha256(np.packbits(hole.selected).tobytes()).hexdigest()
    return Prepared(masking, masked, hole, sha256, tuple(notes), line, stays)


def _restrained(
    hole: Hole, picture: Picture, masking: MaskOptions, most: int
) -> tuple[Hole, np.ndarray, np.ndarray, list[str]]:
    """The hole that is filled; what is neither filled nor used; what stays missing; and notes."""
    never = np.zeros(picture.size, dtype=bool)
    for mask in masking.never:
        never |= _of_mask(mask, MaskOptions(fit_mask=masking.fit_mask), picture, most).selected
    far = masking.max_distance
    hole, stays, notes = restrained(hole, picture, never, inner=masking.inner, farthest=far)
    return hole, never[..., None] | stays, stays, notes


def given_by(options: MaskOptions, picture: Picture, max_pixels: int) -> Hole | None:
    """The union of what masks and boxes select; None without any."""
    asked = ["fit_mask=True"] * (options.fit_mask and not options.never)
    asked += ["mask_label"] * bool(options.mask_label)
    asked += ["mask_threshold"] * (options.mask_threshold is not None)
    if asked and all(isinstance(mask, str) and not is_file(mask) for mask in options.masks):
        raise UsageError(f"`{asked[0]}`: there is no mask file that it could be for", "`mask=FILE`")
    holes = []
    for mask in options.masks:
        hole = _of_mask(mask, options, picture, max_pixels)
        # True and false in memory have no colour that could be the wrong one.
        is_plain = isinstance(mask, Picture) and mask.values.dtype == np.bool_
        notes = () if is_plain else (about(name_of(mask), note) for note in hole.notes)
        holes.append(replace(hole, notes=tuple(notes)))
    if options.box:
        holes.append(from_boxes(options.box, picture.size))
    return union(holes) if holes else None


def _of_mask(mask: Mask, options: MaskOptions, picture: Picture, max_pixels: int) -> Hole:
    """The hole that one mask selects."""
    if not is_file(mask) and not isinstance(mask, Picture):
        if str(mask) == "damaged":
            return Hole(picture.lacking)
        if mask == "alpha":
            return from_alpha(picture, doubted=options.grow <= 0)
        return Hole(*of_colour(picture, str(mask)))
    return from_mask(
        mask if isinstance(mask, Picture) else read_mask(Path(mask), max_pixels),
        picture,
        threshold=options.mask_threshold,
        fit=options.fit_mask,
        labels=options.mask_label,
        inverted=options.invert_mask,
    )


def parts_of(masked: MaskedPicture) -> list[tuple[slice, np.ndarray]]:
    """All channels together with their hole, or one after another where the hole differs."""
    if masked.hole.ndim == 2:
        return [(slice(None), masked.hole)]
    each = enumerate(np.moveaxis(masked.hole, -1, 0))
    return [(slice(number, number + 1), hole) for number, hole in each if hole.any()]
