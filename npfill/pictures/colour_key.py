"""The hole that a colour marks in the picture itself."""

import re

import numpy as np

from npfill.errors import InputError, UsageError
from npfill.pictures.masks import Hole
from npfill.pictures.picture import Picture

PREFIX = "color:"
_FORM = re.compile(r"color:#([0-9a-fA-F]{6})(?:~(\d{1,3}))?")


def from_colour(picture: Picture, text: str) -> Hole:
    """The hole where a picture has a colour, such as "color:#ff00ff" or "color:#ff00ff~8".

    The number behind ~ is by how much each channel may differ, in levels of 255 whatever the
    picture's depth. Of a grey picture, the three channels are equal. Alpha does not count.

    Raises:
        UsageError: The text is not of this form.
        InputError: The picture is data, which have no colours.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise UsageError(
            f"--mask {text}: not a colour", "--mask color:#rrggbb or color:#rrggbb~TOLERANCE"
        )
    if picture.is_data:
        raise InputError(
            f"{picture.name}: data have no colours", "NaN marks what is missing; or --mask FILE"
        )
    step = picture.white // 255
    colour = np.array([int(form[1][at : at + 2], 16) for at in (0, 2, 4)]) * step
    values = picture.values[..., : picture.colours].astype(np.int32)
    near = np.abs(values - colour) <= int(form[2] or 0) * step
    return Hole(near.all(axis=-1))
