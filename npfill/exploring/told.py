"""Checks of what a caller tells an explorer: the shape of its grid, and answers."""

from collections.abc import Sequence
from operator import index

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike

from npfill.errors import InputError, UsageError

Places = tuple[Int[np.ndarray, " point"], Int[np.ndarray, " point"]]


def as_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """Height, width and channels of a grid.

    Raises:
        UsageError: It is no shape of one that can be explored.
    """
    if getattr(shape, "ndim", 1) > 1:
        raise UsageError(
            "`shape`: an array of values, not the height and width of a grid",
            "`Explorer(array.shape)`, and `tell` it what is known",
        )
    try:
        sides = tuple(index(side) for side in shape)
    except TypeError:
        sides = ()
    sides = (*sides, 1) if len(sides) == 2 else sides
    if len(sides) != 3 or min(sides) < 1 or sides[2] not in {1, 3}:
        raise UsageError(
            f"`shape={shape}`: no grid that can be explored",
            "height and width, and 3 if there are three channels",
        )
    return sides[0], sides[1], sides[2]


def as_within(within: ArrayLike | None, sides: tuple[int, int]) -> Bool[np.ndarray, "height width"]:
    """True where a grid of a height and width may be measured; everywhere for None.

    Raises:
        UsageError: It is of another shape.
    """
    try:
        allowed = np.array(np.ones(sides) if within is None else within, dtype=bool)
    except ValueError:  # rows of several lengths
        allowed = np.zeros(0, dtype=bool)
    if allowed.shape != sides:
        problem = f"`within` is {allowed.shape}, and the grid {sides}"
        raise UsageError(problem, "both have one height and width")
    return allowed


def as_told(
    rows: ArrayLike, columns: ArrayLike, values: ArrayLike, shape: tuple[int, int, int]
) -> tuple[Places, Float[np.ndarray, "point channel"]]:
    """Places and values of answers.

    Args:
        rows: Rows of pixels, or one.
        columns: Their columns.
        values: Their values.
        shape: Height, width and channels of the grid.

    Raises:
        InputError: They do not go together, or a pixel is outside the grid.
    """
    height, width, channels = shape
    try:
        y, x = (np.atleast_1d(np.asarray(each)) for each in (rows, columns))
        whole = all(each.dtype.kind in "iu" or not each.size for each in (y, x))
        known = np.ma.masked_array(values, dtype=np.float64).filled(np.nan)
        found = known.reshape(len(y), channels)
        listed = not known.size or channels in {1, *known.shape[-1:]}
        if not (whole and listed and y.ndim == 1 and y.shape == x.shape):
            raise ValueError  # noqa: TRY301 - said below
    except (ValueError, TypeError):
        raise InputError(
            "`rows`, `columns` and `values` do not go together",
            f"two whole numbers and {'a row of 3' if channels > 1 else 'a value'} for each pixel",
        ) from None
    y, x = y.astype(np.int64), x.astype(np.int64)
    outside = (y < 0) | (y >= height) | (x < 0) | (x >= width)
    if outside.any():
        first = int(outside.argmax())
        raise InputError(
            f"row {y[first]}, column {x[first]}: outside of the grid of {height} rows and "
            f"{width} columns",
            "both begin at 0",
        )
    return (y, x), found
