"""The difference of two pictures."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt

from npfill.errors import InputError
from npfill.pictures.picture import Picture


@dataclass(frozen=True)
class Difference:
    """Pixels that differ in any channel, and by how much at most.

    Attributes:
        count: The number of pixels that differ.
        largest: The largest difference, in levels of the deeper picture, or in the unit of data.
        white: The level of white; 0 of data.
    """

    count: int
    largest: float
    white: int


def difference(
    before: Picture,
    after: Picture,
    ignored: Bool[np.ndarray, "height width #channel"] | None = None,
) -> Difference:
    """Compare two pictures of one size.

    Grey counts as a colour, no alpha as opaque, and 8 bits as their value in 16.

    Args:
        before: One picture.
        after: The other.
        ignored: True where they may differ, in each colour channel; alpha may with any of them.

    Raises:
        ValueError: They are not of one size.
        InputError: Data are compared with something of another shape.
    """
    if before.size != after.size:
        raise ValueError(f"{after.size} is not {before.size}")
    is_data = before.is_data or after.is_data
    if is_data and before.values.shape != after.values.shape:
        raise InputError(
            f"{after.name} is {after.kind} but {before.name} is {before.kind}",
            "a completion of data has their channels",
        )
    white = 0 if is_data else max(before.white, after.white)
    count, largest = 0, 0.0
    for top in range(0, before.size[0], 256):  # rows at once: bounds the memory
        rows = slice(top, top + 256)
        one, other = (
            each.values[rows] if is_data else _rgba(each, white, rows) for each in (before, after)
        )
        apart = _distance(one, other)
        if ignored is not None:
            further = apart.shape[-1] - ignored.shape[-1]
            alike = ignored[rows].any(axis=-1, keepdims=True).repeat(further, axis=-1)
            apart[np.concatenate([ignored[rows], alike], axis=-1)] = 0
        count += int(np.count_nonzero(apart.max(axis=-1)))
        largest = max(largest, float(apart.max()))
    return Difference(count, largest, white)


def _distance(one: np.ndarray, other: np.ndarray) -> Float[np.ndarray, "..."]:
    """The distance of numbers of any types: zero where they are equal, and only there.

    NaN and infinities are equal to themselves, and infinitely far from all else.
    """
    with np.errstate(all="ignore"):
        near, far = one.astype(np.float64), other.astype(np.float64)
        apart = np.abs(near - far)
        same = ((near == far) & ~np.isfinite(apart)) | (np.isnan(near) & np.isnan(far))
        if one.dtype.kind != "f" or other.dtype.kind != "f":
            # float64 does not tell integers beyond 2**53 apart; modulo 2**64, all that are near do.
            modular = np.abs((_modular(one) - _modular(other)).astype(np.int64).astype(np.float64))
            whole = (np.rint(one) == one) & (np.rint(other) == other) & (apart < 2.0**62)
            apart = np.where(whole, modular, apart)
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))


def _modular(values: np.ndarray) -> UInt[np.ndarray, "..."]:
    """Whole numbers modulo 2**64."""
    if values.dtype.kind != "f":
        return values.astype(np.uint64)
    signed = np.where(values < 2.0**63, values, 0).astype(np.int64).astype(np.uint64)
    return np.where(values < 2.0**63, signed, values.astype(np.uint64))


def _rgba(picture: Picture, white: int, rows: slice) -> Shaped[np.ndarray, "height width 4"]:
    """RGBA levels of some rows, at the depth at which white is `white`."""
    levels = picture.values[rows].astype(np.int32) * (white // picture.white)
    colours, alpha = levels[..., : picture.colours], levels[..., picture.colours :]
    if not picture.has_alpha:
        alpha = np.full_like(levels[..., :1], white)
    return np.concatenate([np.broadcast_to(colours, (*colours.shape[:-1], 3)), alpha], axis=-1)
