"""A picture with its hole: its intensities for a model, and its completion, unchanged outside."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Num

from npfill.errors import InputError, NpfillError
from npfill.pictures.formats.geotiff import of_deviation
from npfill.pictures.nodata import without_no_data
from npfill.pictures.picture import ANGLE, CLASSES, Picture
from npfill.pictures.scales import at_ranks, from_line, observed, range_of_data, ranks
from npfill.pictures.wild import Unseen, Whole, seen_of_data

Values = Float[np.ndarray, "height width channel"]


@dataclass(frozen=True)
class MaskedPicture:
    """A picture or data with a hole, on the scale of intensities that models see.

    Intensities 0 and 1 of a picture are black and white. Of data, they are the least and the
    greatest observed value of each channel that is not wild; of floats that may be intensities
    themselves (`Picture.unit`) and are observed in [0, 1] only, they are 0 and 1.

    Attributes:
        picture: The picture.
        hole: True where it is filled. With a last axis for channels if channels lack different
            pixels, and for data in neither one nor three channels: each is completed by itself.
        low: The value of intensity 0, of each colour channel; of angles, the least.
        width: The difference between the values of intensities 1 and 0, positive.
        dead: True of channels of data without an observed value, which are left as they are.
        by_channel: The hole with an axis for channels, of length one if it is that of all.
        anywhere: True where any channel is filled.
        unseen: True where the picture, or a channel, is neither filled nor seen by what fills it.
        bounded: No intensity beyond 0 and 1 is filled in: that of anything but numbers.
        notes: Lines for the user.
        whole: Facts of the raster that the picture is a window of.
    """

    picture: Picture
    hole: Bool[np.ndarray, "height width *channel"]
    low: Float[np.ndarray, "channel"]
    width: Float[np.ndarray, "channel"]
    dead: Bool[np.ndarray, "channel"]
    by_channel: Bool[np.ndarray, "height width channels"]
    anywhere: Bool[np.ndarray, "height width"]
    unseen: Unseen
    bounded: bool
    notes: tuple[str, ...]
    whole: Whole | None = None

    @classmethod
    def of(
        cls,
        picture: Picture,
        selected: Bool[np.ndarray, "height width"],
        unseen: Unseen | None = None,
        whole: Whole | None = None,
    ) -> "MaskedPicture":
        """Mask a picture where `selected` is True, and where its values are missing.

        Where `unseen` is True, nothing is filled or used. Data may be a window of a whole raster.

        Raises:
            InputError: Nothing is observed of data, or what is is infinite, or differs by more or
                less than floats can say.
        """
        colours = picture.colours
        low, width = np.zeros(colours), np.full(colours, float(picture.white))
        bounded, notes, dead = True, list[str](), np.zeros(colours, dtype=bool)
        never = unseen = np.zeros((*picture.size, 1), dtype=bool) if unseen is None else unseen
        by_channel: np.ndarray = selected[..., None]
        if picture.missing is not None:
            by_channel = by_channel | picture.missing[..., :colours]
        if picture.is_data:
            hidden, unseen, bounded, notes = seen_of_data(picture, by_channel, unseen, whole)
            low, width = (whole.low, whole.width) if whole else range_of_data(picture, hidden)
            values = picture.values[..., :colours]
            dead = np.asarray((np.isnan(values) if picture.unit else hidden).all(axis=(0, 1)))
            if dead.all() and whole is None:
                raise InputError(
                    f"{picture.name}: nothing is observed: every value is missing or selected",
                    "data without any have no level and no unit",
                )
            by_channel = by_channel & ~dead if dead.any() else by_channel
        elif picture.has_alpha:  # whatever colour lies below nothing is none of the picture
            clear = picture.values[..., -1:] == 0
            unseen = unseen | (clear & ~by_channel)
            if not by_channel.all() and (unseen | by_channel).all():
                notes.append("nothing that can be seen is observed: a draw from the prior")
        by_channel = by_channel & ~never
        alike = all((each == each[..., :1]).all() for each in (by_channel, never))
        if alike and colours in {1, 3 - 2 * picture.stack}:
            by_channel = by_channel[..., :1]
        hole = by_channel[..., 0] if by_channel.shape[-1] == 1 else by_channel
        anywhere = np.logical_or.reduce(by_channel, axis=-1)
        rest = (low, width, dead, by_channel, anywhere, unseen, bounded, tuple(notes))
        return cls(picture, hole, *rest, whole)

    @property
    def intensities(self) -> Values:
        """The colour channels as float32, in [0, 1] outside the hole."""
        colours = self.picture.values[..., : self.picture.colours]
        if not self.picture.is_data:
            return colours.astype(np.float32) / np.float32(self.picture.white)
        with np.errstate(all="ignore"):  # anything may stand in the hole
            values = np.log(colours, dtype=np.float64) if self.picture.asked.log else colours
            is_angle = self.picture.measure == ANGLE
            values = values / self.width % 1 if is_angle else (values - self.low) / self.width
        if self.picture.measure == CLASSES:
            values = ranks(colours, self._classes)
        hidden = self.by_channel | self.unseen | self.dead
        return np.where(hidden, 0, values).astype(np.float32)

    def filled(self, values: Values, *, opaque: bool = False) -> Picture:
        """The picture with other colours in the hole, and proof that nothing else has changed.

        Args:
            values: Intensities of each colour channel, finite in the hole and not read outside;
                clipped to [0, 1] if bounded, and rounded half to even if the picture has integers.
            opaque: Make alpha fully opaque in the hole. By default it stays as it is.

        Raises:
            NpfillError: A value outside the hole would change, which is a bug.
        """
        result, colours = self.picture.values.copy(), self.picture.colours
        # Of each value in a hole of the channels' own, its channel.
        channel = np.nonzero(self.hole)[-1] if self.hole.ndim == 3 else slice(None)
        inside = np.clip(values[self.hole], 0, 1) if self.bounded else values[self.hole]
        if self.picture.measure == ANGLE:  # as turns from the least
            inside = (inside - (self.low / self.width)[channel]) % 1
        with np.errstate(over="ignore"):
            in_units = from_line(self.picture, inside * self.width[channel] + self.low[channel])
        stored = _in_type(in_units, result.dtype)
        if self.picture.measure == CLASSES:
            stored = at_ranks(values, self._classes)[self.hole]
        elif self.picture.measure == ANGLE:
            end = (self.low + self.width)[channel]
            stored = np.where(stored < end, stored, _in_type(self.low, stored.dtype)[channel])
        elif self.picture.is_data and self.bounded:
            stored = np.clip(stored, *(limit[channel] for limit in self._limits))
        if valid := self.picture.info.get("valid"):
            stored = np.clip(stored, *valid)
        info = self.picture.info
        stored = without_no_data(stored, info.get("no_data"), *info.get("others", ()))
        result[..., :colours][self.hole] = stored
        if self.picture.has_alpha and (opaque or self.picture.is_data):
            # Of data, alpha that is not zero says something of its own.
            invalid = self.anywhere & (opaque | (result[..., -1] == 0))
            result[invalid, colours:] = max(self.picture.white, result[..., -1].max())
        missing = None if self.picture.missing is None else self.picture.missing.copy()
        if missing is not None:
            missing[..., :colours] &= ~self.by_channel
        after = replace(self.picture, values=result, missing=missing)
        if changed := self.changed_outside(after)[0]:
            raise NpfillError(
                f"{changed} px outside the hole would change", "please report this bug"
            )
        return after

    def changed_outside(self, after: Picture) -> tuple[int, float]:
        """The number of pixels that differ outside the hole in any channel, and by how much.

        Alpha counts as outside where nothing is filled.

        Raises:
            ValueError: The pictures are not of one type and shape.
        """
        before, now = self.picture.values, after.values
        if (before.dtype, before.shape) != (now.dtype, now.shape):
            raise ValueError(f"{now.dtype} {now.shape} is not {before.dtype} {before.shape}")
        inside = self.by_channel
        if self.hole.ndim == 3 and self.picture.has_alpha:
            inside = np.concatenate([inside, self.anywhere[..., None]], axis=-1)
        both_nan = (before != before) & (now != now)  # noqa: PLR0124 - NaN alone is not itself
        changed = (before != now) & ~inside & ~both_nan
        by = np.abs(before[changed].astype(np.float64) - now[changed])
        return int(np.count_nonzero(changed.any(axis=-1))), float(by.max(initial=0))

    def as_data(self, values: Num[np.ndarray, "height width channel"]) -> Picture:
        """The standard deviation of data, without alpha, as data of the same format."""
        info = of_deviation(self.picture.info)
        return replace(self.picture, values=values, missing=None, validity=False, info=info)

    def sha256(self, *, opaque: bool) -> str:
        """The hash of the picture outside the hole: type, shape, and values, zero in the hole."""
        used, colours = self.picture.values.copy(), self.picture.colours
        used[..., :colours][np.broadcast_to(self.by_channel, used[..., :colours].shape)] = 0
        if opaque and self.picture.has_alpha:
            used[self.anywhere, colours:] = self.picture.white
        return hashlib.sha256(f"{used.dtype} {used.shape} ".encode() + used.tobytes()).hexdigest()

    def deviation(self, std: Values, mean: Values) -> Values:
        """A standard deviation in the unit of data; of pictures, in intensities, as it is."""
        return self.deviation_of_values(std, mean) if self.picture.is_data else std

    def deviation_of_values(self, std: Values, mean: Values) -> Values:
        """A standard deviation in the unit of `picture.values`: levels, or the unit of data.

        Of logarithms it is half of the interval of one standard deviation on each side.
        """
        kind = self.picture.values.dtype
        precision = np.promote_types(kind, np.float32) if kind.kind == "f" else np.float32
        most = np.finfo(precision).max
        spread = std * self.width
        if self.picture.asked.log:
            with np.errstate(over="ignore"):
                spread = np.exp(mean * self.width + self.low) * np.sinh(spread)
        result = np.minimum(spread, most).astype(precision)
        result[..., self.dead] = np.nan
        return result

    @cached_property
    def _classes(self) -> list[np.ndarray]:
        """The observed classes of each channel, in order."""
        channels = range(self.picture.colours)
        return [np.unique(observed(self.picture, self.hidden, channel)) for channel in channels]

    @cached_property
    def hidden(self) -> Bool[np.ndarray, "height width channel"]:
        """True where what fills the picture does not see it."""
        shape = (*self.picture.size, self.picture.colours)
        return np.broadcast_to(self.by_channel | self.unseen, shape)

    @cached_property
    def _limits(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest value that is filled in, of each colour channel, exactly."""
        picture = self.picture
        dtype = picture.values.dtype
        if self.whole is not None:
            least, most = (_in_type(ends, dtype) for ends in self.whole.limits)
            return least, most
        with np.errstate(over="ignore"):
            ends = (from_line(picture, end) for end in (self.low, self.low + self.width))
            low, high = (_in_type(end, dtype) for end in ends)
        if picture.is_data and not (
            picture.unit and (self.low == 0).all() and (self.width == 1).all()
        ):
            for channel in range(picture.colours):
                seen = observed(picture, self.hidden, channel)
                if seen.size and seen.min() < seen.max():
                    low[channel], high[channel] = seen.min(), seen.max()
        return low, high


def _in_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Floats in another type, rounded half to even for integers, and within its finite numbers."""
    if dtype.kind == "f":
        most = np.finfo(dtype).max
        return np.clip(values, -most, most).astype(dtype)
    limits = np.iinfo(dtype)
    # The greatest of 64 bits is no float64: the next below is.
    highest = np.nextafter(float(limits.max), 0)
    return np.rint(np.clip(values, limits.min, highest)).astype(dtype)
