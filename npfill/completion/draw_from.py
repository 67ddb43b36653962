"""Restrict where samples take patches from: a mask that is no hole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from npfill.completion.hole import MaskOptions, hole_of, is_file
from npfill.completion.parameters import SamplingOptions
from npfill.errors import UsageError
from npfill.pictures.picture import Picture
from npfill.pictures.read import read_mask


def with_source(how: SamplingOptions, max_pixels: int) -> SamplingOptions:
    """The options with the mask in memory, read once for all pictures.

    Raises:
        InputError: It cannot be read.
    """
    mask = how.draw_from
    if mask is None or isinstance(mask, Picture) or not is_file(mask):
        return how
    return replace(how, draw_from=read_mask(Path(mask), max_pixels))


def source_of(
    how: SamplingOptions, picture: Picture, max_pixels: int
) -> Bool[np.ndarray, "height width"]:
    """True where samples of a picture may take patches from.

    Raises:
        InputError: The mask cannot be used, or selects nothing.
        UsageError: The first column of the picture follows its last.
    """
    if picture.wraps:
        raise UsageError("`draw_from` is not for columns that close", "leave `wrap` out")
    return hole_of(MaskOptions(how.draw_from), picture, max_pixels).selected
