"""The values of data on the scale of intensities, and as the numbers that a file stores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Shaped

from npfill.errors import InputError
from npfill.pictures.nodata import none_of, without_no_data
from npfill.pictures.picture import ANGLE, CLASSES, Picture


@dataclass(frozen=True)
class Packing:
    """The packing of values in stored numbers: a number times a scale, plus an offset, is a value.

    Attributes:
        scale, offset: Finite; the scale is not 0.
        dtype: The type of the stored numbers.
    """

    scale: int | float
    offset: int | float
    dtype: np.dtype

    def values(self, numbers: np.ndarray | int | float) -> Float[np.ndarray, "..."]:
        """The values of stored numbers."""
        return np.asarray(np.asarray(numbers, dtype=np.float64) * self.scale + self.offset)

    def numbers(self, values: np.ndarray | int | float) -> Shaped[np.ndarray, "..."]:
        """The stored numbers that are nearest to values."""
        found = (np.asarray(values) - self.offset) / self.scale
        if self.dtype.kind != "f":  # the greatest of 64 bits is no float64: the next below is
            limits = np.iinfo(self.dtype)
            found = np.rint(np.clip(found, limits.min, np.nextafter(float(limits.max), 0)))
        return np.asarray(found.astype(self.dtype))


def unpacked(picture: Picture, scale: int | float, offset: int | float) -> Picture:
    """Data in their unit, NaN where none is, from data as stored, which a scale and offset pack."""
    is_plain = (scale, offset) == (1, 0) or scale == 0 or not np.isfinite(scale + offset)
    if picture.missing is None or is_plain:
        return picture
    packing, info = Packing(scale, offset, picture.values.dtype), {**picture.info}
    if packing.dtype.kind != "f":
        limits = np.iinfo(packing.dtype)
        info.setdefault("valid", (limits.min, limits.max))
    if "valid" in info:
        info["valid"] = sorted(float(packing.values(end)) for end in info["valid"])
    if "no_data" in info:
        info["no_data"] = float(packing.values(info["no_data"]))
        info["others"] = packing.values(np.array(info.get("others", ()))).tolist()
    values = np.where(picture.missing, np.nan, packing.values(picture.values))
    return replace(picture, values=values, info=info | {"packing": packing})


def packed(picture: Picture, before: np.ndarray) -> Shaped[np.ndarray, "height width channel"]:
    """The numbers that a file stores, which are those of before where the values are.

    A standard deviation is stored as it is. Where no number says that there is none, what stays
    open is as before.
    """
    values, packing = picture.values, picture.info.get("packing")
    if packing is None:
        return values
    if picture.info.get("deviation"):
        return values.astype(np.result_type(packing.dtype, np.float32))
    none, missing = none_of(picture), picture.missing
    none = np.nan if none is None else none
    kept = (values == packing.values(before)) | (missing is not None and missing)
    is_open = np.isnan(values) | (values == none)
    numbers = packing.numbers(np.where(np.isnan(values), packing.offset, values))
    if packing.dtype.kind == "f" or not np.isnan(none):
        named = (none, *picture.info.get("others", ()))
        numbers = without_no_data(numbers, *(packing.numbers(each).item() for each in named))
        numbers[is_open] = packing.numbers(none)
    else:
        kept |= is_open
    return np.where(kept, before, numbers)


def stored_type(picture: Picture) -> np.dtype:
    """The type of the numbers in a picture's file."""
    packing = picture.info.get("packing")
    return picture.values.dtype if packing is None else packing.dtype


def as_stored(picture: Picture, value: int | float) -> int | float:
    """The value of the stored number that a person means by a value, which is rounded otherwise."""
    packing = picture.info.get("packing")
    if packing is None or np.isnan(value):
        return value
    near = float(packing.values(packing.numbers(value)))
    return near if abs(near - value) <= abs(packing.scale) / 100 else value


def observed(picture: Picture, hole: np.ndarray, channel: int) -> np.ndarray:
    """The observed values of a channel."""
    return picture.values[~hole[..., channel], channel]


def to_line(picture: Picture, values: np.ndarray) -> np.ndarray:
    """Values, or if that is asked for their logarithms, which are completed in their place.

    Raises:
        InputError: They have none.
    """
    if not picture.asked.log:
        return values
    if wrong := int(np.count_nonzero(~(values > 0))):
        raise InputError(
            f"{picture.name}: {wrong:,} observed values are not above 0, and have no logarithm",
            "leave `log` out; `nodata=0` if 0 stands for none",
        )
    return np.log(values, dtype=np.float64)


def from_line(picture: Picture, values: np.ndarray) -> np.ndarray:
    """The inverse of `to_line`; what overflows is infinite, which NumPy warns of."""
    return np.asarray(np.exp(values)) if picture.asked.log else values


def in_unit(picture: Picture, hole: np.ndarray) -> bool:
    """Data are intensities: they may be, and all that is observed lies in [0, 1], not all at 0."""
    if not picture.unit:
        return False
    seen = picture.values[..., : picture.colours][~hole]
    most = seen.max(initial=0)
    is_lost = 0 < most < np.finfo(np.float32).tiny  # in the numbers of models
    return bool(seen.min(initial=0) >= 0 and most <= 1 and not is_lost)


def range_of_data(picture: Picture, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The value of intensity 0 of each channel of data, and the difference to that of 1.

    They are 0 and 1 of intensities, else the least and the greatest observed value, or their
    logarithms. A channel of one value v has it in the middle of a range as wide as |v|, or 1 if v
    is 0; one without any value has the range from 0 to 1. Angles have the least one and a turn;
    classes have no range, and 0 to 1.
    """
    if picture.measure == ANGLE:
        return _turn(picture, hole)
    if picture.measure == CLASSES or in_unit(picture, hole):
        return np.zeros(picture.colours), np.ones(picture.colours)
    ends = []
    for channel in range(picture.colours):
        seen = to_line(picture, observed(picture, hole, channel))
        ends.append((seen.min().item(), seen.max().item()) if seen.size else (0.0, 1.0))
    return range_between(picture.name, ends)


def range_between(
    name: str, ends: Sequence[tuple[float | int, float | int]]
) -> tuple[np.ndarray, np.ndarray]:
    """The value of intensity 0 of each channel, and the difference to 1, from least and greatest.

    Raises:
        InputError: They are infinite, or differ by more or less than floats can say.
    """
    found = []
    for low, high in ends:
        if low == high:
            # Half of a subnormal number may be no number above zero.
            around = (abs(low) if abs(low) >= np.finfo(np.float64).tiny else 1.0) / 2
            most = np.finfo(np.float64).max
            found.append((max(low - around, -most), min(low + around, most)))
        else:
            found.append((low, high))
    low, high = np.array(found, dtype=np.float64).T
    with np.errstate(over="ignore"):
        width = high - low
    if not np.isfinite(width).all():
        raise InputError(
            f"{name}: its values are infinite or too far apart",
            "NaN marks what is missing; or select them with `mask`",
        )
    if not width.all():
        raise InputError(
            f"{name}: its values differ by less than floats of 64 bits can say",
            "subtract an offset that all have",
        )
    return low, width


def ranks(
    values: Shaped[np.ndarray, "height width channel"], classes: list[np.ndarray]
) -> Float[np.ndarray, "height width channel"]:
    """The rank of each value among the classes of its channel, the last of which is 1."""
    found = [
        np.searchsorted(each, values[..., channel]).clip(0, len(each) - 1) / max(len(each) - 1, 1)
        for channel, each in enumerate(classes)
    ]
    return np.stack(found, axis=-1)


def at_ranks(
    intensities: Float[np.ndarray, "height width channel"], classes: list[np.ndarray]
) -> Shaped[np.ndarray, "height width channel"]:
    """The classes of ranks; of what is no number, the first."""
    near = np.nan_to_num(np.clip(intensities, 0, 1))
    found = [
        each[np.rint(near[..., channel] * (len(each) - 1)).astype(int)]
        for channel, each in enumerate(classes)
    ]
    return np.stack(found, axis=-1)


def _turn(picture: Picture, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least angle, 0 or minus half a turn, and a turn, for all channels.

    Raises:
        InputError: The observed values are no angles of such a turn.
    """
    turn, most = picture.turn, 2 * np.pi
    seen = [observed(picture, hole, channel) for channel in range(picture.colours)]
    low = min((float(each.min()) for each in seen if each.size), default=0.0)
    high = max((float(each.max()) for each in seen if each.size), default=0.0)
    start = 0.0 if low >= 0 else -turn / 2
    if not start <= low <= high <= start + turn:
        raise InputError(
            f"{picture.name}: values from {low:g} to {high:g} are no angles of a turn of {turn:g}",
            f"`kind=angle:TURN` says how much a turn is: 360, {most:.6g}, 24 ...; what has none, "
            "as flat ground, must be missing: NaN, or `mask`",
        )
    if picture.asked.kind == ANGLE and picture.values.dtype.kind == "f" and max(-low, high) <= most:
        raise InputError(
            f"{picture.name}: angles from {low:g} to {high:g} may be in degrees or in radians",
            f"`kind=angle:{most:.6g}` if in radians, `kind=angle:360` if in degrees",
        )
    return np.full(picture.colours, start), np.full(picture.colours, turn)
