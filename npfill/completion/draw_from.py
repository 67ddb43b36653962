"""Restrict where samples take patches from: a mask that is no hole."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool

from npfill.completion.hole import MaskOptions, hole_of, name_of
from npfill.completion.parameters import SamplingOptions
from npfill.errors import UsageError
from npfill.pictures.picture import Picture


def source_of(
    how: SamplingOptions, picture: Picture, max_pixels: int
) -> Bool[np.ndarray, "height width"] | None:
    """True where samples of a picture may take patches from; None for everywhere.

    Raises:
        InputError: The mask cannot be used, or selects nothing.
        UsageError: The first column of the picture follows its last.
    """
    if how.draw_from is None:
        return None
    if picture.wraps:
        raise UsageError("`draw_from` is not for columns that close", "leave `wrap` out")
    return hole_of(MaskOptions(how.draw_from), picture, max_pixels).selected


def as_said(how: SamplingOptions, said: Callable[[str], str]) -> dict[str, Any]:
    """The options of samples as results say them, with `said` for words of files."""
    return vars(how) | {"draw_from": said(str(name_of(how.draw_from))) if how.draw_from else ""}
