"""Colours by name or number, and what of a picture has one: its hole, where that was painted."""

import re

import numpy as np
from jaxtyping import Bool
from PIL import ImageColor

from npfill.errors import InputError, UsageError
from npfill.notes import as_word
from npfill.pictures.picture import Picture

_FORM = re.compile(r"color:([^~]*)(?:~(\d{1,3}))?", re.IGNORECASE)
_WIDER = (12, 24, 48)  # levels that are tried where a colour selects next to nothing
_NEXT_TO_NOTHING = 1e-4  # of the picture
_MORE = 8  # times as many within a few levels: the colour is painted, but not exactly there


def tolerance_of(picture: Picture) -> int:
    """The levels by which coding changes a painted area away from its rim; 0 of what is exact."""
    is_lossy = picture.format in {"JPEG", "AVIF", "HEIF"} or picture.info.get("lossy")
    return 24 if is_lossy else 0


def colour_of(text: str) -> tuple[int, ...] | None:
    """Red, green and blue in levels of 255, of `#ff00ff`, `#f0f` or a name of CSS; None of else."""
    try:
        colour = ImageColor.getrgb(text.strip())
    except ValueError:
        return None
    return colour if len(colour) == 3 else None  # four have alpha


def of_colour(
    picture: Picture, text: str
) -> tuple[Bool[np.ndarray, "height width"], tuple[str, ...]]:
    """The pixels that have a colour, such as "color:magenta" or "color:#ff00ff~8", and notes.

    The number behind ~ is the tolerance of each channel, in levels of 255 whatever the picture's
    depth; without it, 24 in formats that lose something, else 0. The three channels of a grey
    picture are equal. Alpha does not count.

    Raises:
        UsageError: The text is not of this form.
        InputError: The picture is data other than levels, which have no colours; or no pixel has
            the colour, or few have while many nearly do. A tolerance that is given is doubted less.
    """
    form = _FORM.fullmatch(text)
    colour = colour_of(form[1]) if form else None
    if form is None or colour is None:
        raise UsageError(
            f"`mask={text}`: not a colour",
            "`mask=color:magenta`, `mask=color:#rrggbb` or `mask=color:#rrggbb~TOLERANCE`",
        )
    has_levels = picture.values.dtype in (np.uint8, np.uint16) and picture.colours in {1, 3}
    if picture.is_data and not has_levels:
        raise InputError(
            f"{picture.name}: data have no colours", "NaN marks what is missing; or `mask=FILE`"
        )
    step = picture.white // 255
    values = picture.values[..., : picture.colours]
    away = np.abs(values.astype(np.int32) - np.array(colour) * step).max(axis=-1)
    usual = tolerance_of(picture)
    within = int(form[2]) if form[2] else usual
    selected = away <= within * step
    count = int(np.count_nonzero(selected))
    found = {each: int(np.count_nonzero(away <= each * step)) for each in _WIDER if each > within}
    is_meant = picture.is_data or (form[2] and count >= _NEXT_TO_NOTHING * selected.size)
    if count == 0 or (max(found.values(), default=0) >= _MORE * count and not is_meant):
        raise _too_few(picture, form[1], within, count, found)
    if form[2] or not usual:
        return selected, ()
    note = f"{picture.format} changes colours: within {usual} levels are taken; "
    return selected, (f"{note}npfill mask {as_word(picture.name)} with `colour` takes rims, too",)


def _too_few(
    picture: Picture, colour: str, within: int, count: int, found: dict[int, int]
) -> InputError:
    """The refusal of a colour that selects next to nothing."""
    exact = f"within {within} levels" if within else "exactly"
    wider = "".join(f", {number:,} px within {each} levels" for each, number in found.items())
    problem = f"color:{colour}: selects {count:,} px of {picture.name} {exact}{wider}"
    if not count + sum(found.values()):
        most = max([within, *found])
        problem = f"color:{colour}: no pixel of {picture.name} is within {most} levels"
    enough = [each for each, number in found.items() if number >= max(_MORE * count, 1)]
    if not enough:
        return InputError(
            problem, "take the colour from the picture; or `box=X,Y,W,H`, `mask=FILE`"
        )
    hint = f"`mask=color:{colour}~{enough[0]}` fills those, too"
    few = count < _NEXT_TO_NOTHING * picture.size[0] * picture.size[1]
    return InputError(problem, hint if few else f"{hint}; ~{within} is these alone")
