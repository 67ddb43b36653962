"""No-data values: read, found among values, and avoided, as GDAL does it; and valid ranges."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Shaped

from npfill.pictures.picture import Info, Picture

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


def has(dtype: np.dtype, value: int | float) -> bool:
    """True if a type of whole numbers has a value."""
    limits = np.iinfo(dtype)
    return float(value).is_integer() and limits.min <= int(value) <= limits.max


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
    if not has(dtype, value):
        return np.zeros(values.shape, dtype=bool)
    return np.asarray(values == dtype.type(int(value)))


def none_by(values: np.ndarray, said: Mapping[str, np.ndarray]) -> tuple[np.ndarray, Info]:
    """True where values are NaN, or one that attributes name as none; and what these name."""
    keys, missing = ("_FillValue", "missing_value"), np.isnan(values)
    named = [x.item() for key in keys for x in said.get(key, ()) if not np.isnan(x)]
    for each in named:
        missing |= is_no_data(values, each)
    return missing, {"no_data": named[0], "others": named[1:]} if named else {}


def without_no_data(
    values: Shaped[np.ndarray, "*axes"], *named: int | float | None
) -> Shaped[np.ndarray, "*axes"]:
    """Values of which those that would be no data are moved to the next level, as GDAL moves them.

    Of floats, that is the next that GDAL tells from the no-data value.
    """
    dtype = values.dtype
    for value in named:
        wrong = is_no_data(values, value)
        if value is None or not wrong.any():
            continue
        if dtype.kind == "f":
            stored = dtype.type(value)
            step = 4 * _CLOSE * np.spacing(np.abs(stored))
            moved = stored + step if stored < np.finfo(dtype).max - step else stored - step
        else:
            levels = (int(value) + by * way for by in range(1, len(named) + 1) for way in (1, -1))
            moved = dtype.type(next(x for x in levels if has(dtype, x) and x not in named))
        values = np.where(wrong, moved, values)
    return values


def none_of(picture: Picture) -> int | float | None:
    """The value of data that says that there is none; None where their numbers have no such."""
    info, dtype = picture.info, picture.values.dtype
    stored = info["packing"].dtype if "packing" in info else dtype
    named = (x for x in (info.get("no_data"), *info.get("others", ())) if x is not None)
    fitting = (x for x in named if dtype.kind == "f" or has(dtype, x))
    return next(fitting, np.nan if stored.kind == "f" else None)


def with_missing(picture: Picture, missing: Bool[np.ndarray, "height width channel"]) -> Picture:
    """A picture in which more values are missing, of each channel its own."""
    known = picture.missing
    return replace(picture, missing=missing if known is None else missing | known)


def unsigned(
    values: np.ndarray, attributes: Mapping[str, object]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Values and the numbers among attributes, unsigned if an attribute says so of signed ones."""
    stored, every = values.dtype, {key: np.ravel(np.asarray(x)) for key, x in attributes.items()}
    found = {key: each for key, each in every.items() if each.dtype.kind in "iuf" and each.size}
    if stored.kind != "i" or str(attributes.get("_Unsigned", "")).lower() != "true":
        return values, found
    kind = np.dtype(f"u{stored.itemsize}")
    of_values = {key: each.view(kind) for key, each in found.items() if each.dtype == stored}
    return values.view(kind), found | of_values
