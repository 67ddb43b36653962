"""The one place where values are told apart: levels of a photograph, or data."""

import numpy as np

_LEVELS = (np.dtype(np.uint8), np.dtype(np.uint16))


def why_data(
    dtype: np.dtype,
    bands: int,
    colours: int,
    *,
    place: bool = False,
    no_data: bool = False,
    full: bool = True,
) -> str:
    """A clause that says why values are data; empty if they are levels of a photograph.

    Args:
        dtype: The type of the values.
        bands: The number of channels without alpha.
        colours: The number of those that are said to be colours or grey.
        place: The file says where on Earth its pixels are.
        no_data: The file names a value that is no data.
        full: The values take all bits of their type.
    """
    if place:
        return "it has a place on Earth"
    if no_data:
        return "it names a value that is no data"
    if dtype not in _LEVELS:
        return f"its values are of type {dtype}"
    if not full:
        return "its values have other bits than 8 or 16"
    return "" if bands == colours else f"it has {bands} bands besides alpha"
