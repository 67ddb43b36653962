"""The masks of a raster that is completed in windows: read once, kept as bits."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from npfill.completion.hole import MaskOptions, given_by
from npfill.pictures.hole import Hole, adjusted, check
from npfill.pictures.nodata import with_missing
from npfill.pictures.picture import Picture
from npfill.pictures.windows import Ends

Bits = UInt8[np.ndarray, "height eighths"]


@dataclass(frozen=True)
class Selected:
    """Pixels that masks and boxes select, of a whole raster.

    Attributes:
        hole: The bits of what is filled beside what has no data; None without any.
        never: The bits of what is neither filled nor used; None without any.
        notes: Lines for the user.
    """

    hole: Bits | None
    never: Bits | None
    notes: tuple[str, ...] = ()

    @classmethod
    def by(cls, masking: MaskOptions, size: tuple[int, int], name: str, most: int) -> "Selected":
        """Read the masks of a raster.

        Args:
            masking: The options of masks.
            size: Height and width of the raster.
            name: Its name in messages.
            most: The most pixels of a mask that is read.

        Raises:
            InputError: A mask cannot be used, or selects nothing.
        """
        stands_for = np.broadcast_to(np.zeros((), np.float32), (*size, 1))
        like = Picture(stands_for, "NPY", name, is_data=True)
        given = given_by(masking, like, most)
        if given is not None:
            given = check(adjusted(given, invert=masking.invert_mask, grow=0), masking.name)
        out = MaskOptions(masking.never, fit_mask=masking.fit_mask)
        never = given_by(out, like, most) if out.masks else None
        return cls(_bits(given), _bits(never), given.notes if given else ())

    def within(
        self, picture: Picture, rows: Ends, columns: Ends
    ) -> tuple[Picture, Bool[np.ndarray, "rows columns"]]:
        """A window of the raster with what is selected missing; and where nothing is filled."""
        if self.hole is not None:
            picture = with_missing(picture, _cut(self.hole, rows, columns)[..., None])
        if self.never is None:
            return picture, np.zeros(picture.size, dtype=bool)
        return picture, _cut(self.never, rows, columns)


def _bits(hole: Hole | None) -> Bits | None:
    return None if hole is None else np.packbits(hole.selected, axis=1)


def _cut(bits: Bits, rows: Ends, columns: Ends) -> Bool[np.ndarray, "rows columns"]:
    first = columns[0] // 8
    part = np.unpackbits(bits[slice(*rows), first : -(-columns[1] // 8)], axis=1)
    return np.asarray(part[:, columns[0] - 8 * first : columns[1] - 8 * first] != 0)
