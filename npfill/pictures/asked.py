"""What the user says of values: numbers, classes or angles, on a grid that may close."""

from dataclasses import replace

import numpy as np

from npfill.errors import InputError, UsageError
from npfill.pictures.formats import FORMATS
from npfill.pictures.formats.geotiff import why_open
from npfill.pictures.nodata import is_no_data
from npfill.pictures.picture import ANGLE, AUTO, CLASSES, COLUMNS, DATA, NOTHING, Asked, Picture
from npfill.pictures.scales import as_stored

_MOST_CLASSES = 256
_FEW = 16
_FEWEST_COLUMNS = 4


def as_asked(picture: Picture, asked: Asked = NOTHING, model: str = "") -> Picture:
    """A picture whose values are what the user says.

    Args:
        picture: The picture or data.
        asked: What the user says.
        model: The name of what completes it: the nearest of a few whole numbers is one of them.

    Raises:
        UsageError: There is no such kind, or a photograph is asked for what is of data.
        InputError: The picture is not of this kind.
    """
    kind, wrap = asked.kind, asked.wrap
    word, colon, turn = str(kind).partition(":")
    if word not in {AUTO, DATA, CLASSES, ANGLE} or (colon and word != ANGLE):
        raise UsageError(f"`kind={kind}`: unknown", "auto, data, classes, angle or angle:TURN")
    if colon and not _is_positive(turn):
        raise UsageError(f"`kind={kind}`: {turn!r} is no turn", "`kind=angle:360`")
    if wrap not in {"", COLUMNS}:
        raise UsageError(f"`wrap={wrap}`: unknown", "`wrap=columns`")
    if wrap:
        _check_columns(picture)
        picture = replace(picture, wraps=True)
    if word == AUTO and model == "nearest" and _has_few_numbers(picture):
        asked, word = replace(asked, kind=CLASSES), CLASSES
        note = "few whole numbers: nearest chooses one, as of classes; `kind=data` takes means"
        picture = replace(picture, notes=(*picture.notes, note))
    if not asked.of_data:
        return replace(picture, asked=asked)
    if word == AUTO and asked.nodata is None and not picture.is_data:
        problem = f"`{'log' if asked.log else 'clip'}` is of data, and {picture.name} a photograph"
        raise UsageError(problem, "leave it out, or say `kind=data`")
    word = DATA if word == AUTO else word
    if word != DATA and (asked.log or asked.clip):
        raise UsageError(f"`kind={kind}` is of no numbers on a line", "leave `log` and `clip` out")
    format_ = FORMATS[picture.format]
    if not format_.exact:
        raise InputError(
            f"{picture.name}: {format_.label} files change values, so they hold no {word}",
            "save it as PNG or TIFF",
        )
    missing = np.zeros(picture.values.shape, bool) if picture.missing is None else picture.missing
    if picture.has_alpha and not picture.is_data:
        missing = missing | (picture.values[..., -1:] == 0)
    info = picture.info
    if asked.nodata is not None and not np.isnan(asked.nodata):
        none = as_stored(picture, asked.nodata)
        info = {"no_data": none, **info, "others": (*info.get("others", ()), none)}
        missing = missing | is_no_data(picture.values, none)
    said = replace(
        picture,
        is_data=True,
        validity=picture.has_alpha,
        missing=missing,
        unit=False,
        asked=asked,
        info=info,
        why="",
    )
    if word == CLASSES:
        _check_classes(said)
    return said


def _has_few_numbers(picture: Picture) -> bool:
    """True of data of so few whole numbers that they look like classes."""
    values = picture.values[..., : picture.colours]
    if not picture.is_data or values.dtype.kind not in "iu" or picture.missing is None:
        return False
    return len(np.unique(values[~picture.missing[..., : picture.colours]])) <= _FEW


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < np.inf
    except ValueError:
        return False


def _check_columns(picture: Picture) -> None:
    """Refuse a grid whose columns cannot close."""
    width = picture.size[1]
    reason = why_open(picture.info.get("tags", ()), width)
    if width < _FEWEST_COLUMNS:
        reason = f"it has {width} columns"
    if reason:
        raise InputError(
            f"{picture.name}: its last column is not followed by its first: {reason}",
            "leave `wrap` out",
        )


def _check_classes(picture: Picture) -> None:
    """Refuse what has too many values to be classes."""
    for channel in range(picture.colours):
        values = picture.values[..., channel]
        if picture.missing is not None:
            values = values[~picture.missing[..., channel]]
        count = len(np.unique(values))
        if count > _MOST_CLASSES:
            raise InputError(
                f"{picture.name}: {count:,} different values are no classes",
                f"{_MOST_CLASSES} at most can be completed; `kind=data` takes numbers",
            )
