"""No-data values: read, found among values, and avoided, as GDAL does it; and valid ranges."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Shaped

from npfill.pictures.picture import Picture

_NUMBER = re.compile(
    r"\s*(?P<sign>[+-]?)(?:1\.#(?P<odd>QNAN|SNAN|IND|INF)"
    r"|(?P<plain>nan|inf|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?))",
    re.IGNORECASE,
)
VALID = ("valid_range", "valid_min", "valid_max")  # attributes of netCDF
_CLOSE = 4  # times the precision of floats, within which GDAL takes them for equal


def no_data(text: str) -> tuple[int | float | None, list[str]]:
    """The no-data value that a text says, as GDAL reads it: the number that it begins with.

    Returns:
        The value, a whole one as an integer, or None where there is no number; and a note on a
        text that is more than a number.
    """
    text = text.strip("\0 ")
    found = _NUMBER.match(text)
    if found is None:
        return None, [f"its no-data text {text!r} is no number: it has no no-data value"]
    digits = {"inf": "inf"}.get((found["odd"] or "").lower(), "nan") if found["odd"] else ""
    said = found["sign"] + (found["plain"] or digits)
    value = float(said)
    notes = [] if found.end() == len(text) else [f"its no-data text {text!r} is read as {said}"]
    return int(said) if re.fullmatch(r"[+-]?\d+", said) else value, notes


def valid_range(
    attributes: Mapping[str, np.ndarray], dtype: np.dtype, scale: int | float, offset: int | float
) -> tuple[int | float, int | float]:
    """The least and the greatest valid value as it is packed, within the numbers of its type.

    Where they have the type of what is unpacked, and this is wider, so is their unit.
    """
    given = [attributes[key] for key in VALID if key in attributes]
    factors = [attributes[key] for key in ("scale_factor", "add_offset") if key in attributes]
    low, high = attributes.get("valid_range", np.array([-np.inf, np.inf]))[[0, -1]]
    low, high = attributes.get("valid_min", [low])[0], attributes.get("valid_max", [high])[0]
    if given and factors:
        wide = np.result_type(*factors)
        if np.result_type(*given) == wide and wide.itemsize > dtype.itemsize:
            low, high = sorted((end - offset) / scale for end in (low, high))
    if dtype.kind == "f":  # of a limit that is NaN, there is none
        with np.errstate(over="ignore"):
            return float(dtype.type(max(-np.inf, low))), float(dtype.type(min(np.inf, high)))
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    return math.ceil(round(max(least, low), 6)), math.floor(round(min(most, high), 6))


def is_no_data(
    values: Shaped[np.ndarray, "*axes"], value: int | float | None
) -> Bool[np.ndarray, "*axes"]:
    """True where values are a no-data value, as GDAL compares them."""
    dtype = values.dtype
    if value is None or np.isnan(value):
        return np.zeros(values.shape, dtype=bool)
    if dtype.kind == "f":
        with np.errstate(all="ignore"):
            stored = dtype.type(value)
            return np.isclose(values, stored, rtol=_CLOSE * np.finfo(dtype).eps, atol=0)
    limits = np.iinfo(dtype)
    # Of a float, `in` would walk along the range.
    if not float(value).is_integer() or int(value) not in range(limits.min, limits.max + 1):
        return np.zeros(values.shape, dtype=bool)
    equal: np.ndarray = values == dtype.type(int(value))
    return equal


def without_no_data(
    values: Shaped[np.ndarray, "*axes"], value: int | float | None
) -> Shaped[np.ndarray, "*axes"]:
    """Values of which those that would be no data are moved to the next level, as GDAL moves them.

    Of floats, that is the next that GDAL tells from the no-data value.
    """
    wrong = is_no_data(values, value)
    if value is None or not wrong.any():
        return values
    dtype = values.dtype
    if dtype.kind == "f":
        stored = dtype.type(value)
        step = 4 * _CLOSE * np.spacing(np.abs(stored))
        moved = stored + step if stored < np.finfo(dtype).max - step else stored - step
    else:
        moved = dtype.type(int(value) + 1 if value < np.iinfo(dtype).max else int(value) - 1)
    return np.where(wrong, moved, values)


def with_missing(picture: Picture, missing: Bool[np.ndarray, "height width channel"]) -> Picture:
    """A picture in which more values are missing, of each channel its own."""
    known = picture.missing
    return replace(picture, missing=missing if known is None else missing | known)
