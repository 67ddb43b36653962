"""How one picture differs from another."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from npfill.errors import InputError
from npfill.pictures.picture import Picture


@dataclass(frozen=True)
class Difference:
    """Pixels that differ in any channel, and by how much at most.

    Attributes:
        count: How many differ.
        largest: By how much, in the levels of the deeper of the two; of data, in their unit.
        white: The level of white; 0 of data.
    """

    count: int
    largest: float
    white: int


def difference(
    before: Picture, after: Picture, ignored: Bool[np.ndarray, "height width"] | None = None
) -> Difference:
    """What differs between pictures of one size.

    Grey counts as a colour, no alpha as opaque, and 8 bits as what they are in 16.

    Args:
        before: One picture.
        after: The other.
        ignored: True where they may differ.

    Raises:
        ValueError: They are not of one size.
        InputError: Data are compared with something of another shape.
    """
    if before.size != after.size:
        raise ValueError(f"{after.size} is not {before.size}")
    if before.is_data or after.is_data:
        if before.values.shape != after.values.shape:
            raise InputError(
                f"{after.name} is {after.kind} but {before.name} is {before.kind}",
                "a completion of data has their channels",
            )
        white, one, other = 0, before.values.astype(np.float64), after.values
    else:
        white = max(before.white, after.white)
        one, other = _rgba(before, white), _rgba(after, white)
    with np.errstate(all="ignore"):  # anything may stand in the hole
        largest = np.abs(one - other).max(axis=-1)
    if ignored is not None:
        largest[ignored] = 0
    return Difference(int(np.count_nonzero(largest)), float(largest.max()), white)


def _rgba(picture: Picture, white: int) -> np.ndarray:
    """Levels "height width 4", of a depth at which white is `white`."""
    levels = picture.values.astype(np.int32) * (white // picture.white)
    colours, alpha = levels[..., : picture.colours], levels[..., picture.colours :]
    if not picture.has_alpha:
        alpha = np.full_like(levels[..., :1], white)
    return np.concatenate([np.broadcast_to(colours, (*picture.size, 3)), alpha], axis=-1)
