"""A picture with its hole: its intensities for a model, and its completion, unchanged outside."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Num
from PIL import Image

from npfill.errors import InputError, NpfillError
from npfill.pictures.formats.geotiff import of_deviation
from npfill.pictures.nodata import without_no_data
from npfill.pictures.picture import ANGLE, CLASSES, Picture
from npfill.pictures.scales import at_ranks, observed, range_of_data, ranks


@dataclass(frozen=True)
class MaskedPicture:
    """A picture or data with a hole, on the scale of intensities that models see.

    Intensities 0 and 1 of a picture are black and white. Of data, they are the least and the
    greatest observed value of each channel; of floats that may be intensities themselves
    (`Picture.unit`) and are observed in [0, 1] only, they are 0 and 1.

    Attributes:
        picture: The picture.
        hole: True where it is filled. With a last axis for channels if channels lack different
            pixels, and for data in neither one nor three channels: each is completed by itself.
        low: The value of intensity 0, of each colour channel.
        width: The difference between the values of intensities 1 and 0, positive.
        dead: True of channels of data without an observed value, which are left as they are.
        by_channel: The hole with an axis for channels, of length one if it is that of all.
        anywhere: True where any channel is filled.
    """

    picture: Picture
    hole: Bool[np.ndarray, "height width *channel"]
    low: Float[np.ndarray, "channel"]
    width: Float[np.ndarray, "channel"]
    dead: Bool[np.ndarray, "channel"]
    by_channel: Bool[np.ndarray, "height width channels"]
    anywhere: Bool[np.ndarray, "height width"]

    @classmethod
    def of(cls, picture: Picture, selected: Bool[np.ndarray, "height width"]) -> "MaskedPicture":
        """Mask a picture where `selected` is True, and where its values are missing.

        Raises:
            InputError: Nothing is observed of data, or what is is infinite, or differs by more than
                floats can say.
        """
        hole: np.ndarray = selected
        colours = picture.colours
        dead = np.zeros(colours, dtype=bool)
        low, width = np.zeros(colours), np.full(colours, float(picture.white))
        if picture.missing is not None:
            hole = selected[..., None] | picture.missing[..., :colours]
        if picture.is_data:
            low, width = range_of_data(picture, hole)
            dead = np.asarray(hole.all(axis=(0, 1))) & (not picture.unit)
            if dead.all():
                raise InputError(
                    f"{picture.name}: nothing is observed: every value is missing or selected",
                    "data without any have no level and no unit",
                )
            hole = hole & ~dead if dead.any() else hole
        if hole.ndim == 3 and colours in {1, 3} and (hole == hole[..., :1]).all():
            hole = hole[..., 0]
        if hole.ndim == 2:
            return cls(picture, hole, low, width, dead, hole[..., None], hole)
        return cls(picture, hole, low, width, dead, hole, np.logical_or.reduce(hole, axis=-1))

    @property
    def intensities(self) -> Float[np.ndarray, "height width channel"]:
        """The colour channels as float32, in [0, 1] outside the hole."""
        colours = self.picture.values[..., : self.picture.colours]
        if not self.picture.is_data:
            return colours.astype(np.float32) / np.float32(self.picture.white)
        with np.errstate(all="ignore"):  # anything may stand in the hole
            values = (colours - self.low) / self.width
            if self.picture.measure == ANGLE:
                values %= 1
        if self.picture.measure == CLASSES:
            values = ranks(colours, self._classes)
        return np.where(self.by_channel | self.dead, 0, values).astype(np.float32)

    def filled(
        self, values: Float[np.ndarray, "height width channel"], *, opaque: bool = False
    ) -> Picture:
        """The picture with other colours in the hole, and proof that nothing else has changed.

        Args:
            values: Intensities of each colour channel, finite in the hole and not read outside;
                clipped to [0, 1], and rounded half to even if the picture has integers.
            opaque: Make alpha fully opaque in the hole. By default it stays as it is.

        Raises:
            NpfillError: A value outside the hole would change, which is a bug.
        """
        result, colours = self.picture.values.copy(), self.picture.colours
        # Of each value in a hole of the channels' own, its channel.
        channel = np.nonzero(self.hole)[-1] if self.hole.ndim == 3 else slice(None)
        in_units = np.clip(values[self.hole], 0, 1) * self.width[channel] + self.low[channel]
        stored = _in_type(in_units, result.dtype)
        if self.picture.measure == CLASSES:
            stored = at_ranks(values, self._classes)[self.hole]
        elif self.picture.measure == ANGLE:
            end = (self.low + self.width)[channel]
            stored = np.where(stored < end, stored, _in_type(self.low, stored.dtype)[channel])
        elif self.picture.is_data:
            stored = np.clip(stored, *(limit[channel] for limit in self._limits))
        stored = without_no_data(stored, self.picture.info.get("no_data"))
        result[..., :colours][self.hole] = stored
        if self.picture.has_alpha and (opaque or self.picture.is_data):
            # Of data, alpha that is not zero says something of its own.
            invalid = self.anywhere & (opaque | (result[..., -1] == 0))
            result[invalid, colours:] = max(self.picture.white, result[..., -1].max())
        missing = None if self.picture.missing is None else self.picture.missing.copy()
        if missing is not None:
            missing[..., :colours] &= ~self.by_channel
        after = replace(self.picture, values=result, missing=missing)
        changed, _ = self.changed_outside(after)
        if changed:
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

    def deviation(
        self, std: Float[np.ndarray, "height width channel"]
    ) -> Float[np.ndarray, "height width channel"]:
        """A standard deviation in the unit of data; of pictures, in intensities, as it is."""
        return self.deviation_of_values(std) if self.picture.is_data else std

    def deviation_of_values(
        self, std: Float[np.ndarray, "height width channel"]
    ) -> Float[np.ndarray, "height width channel"]:
        """A standard deviation in the unit of `picture.values`: levels, or the unit of data."""
        kind = self.picture.values.dtype
        precision = np.promote_types(kind, np.float32) if kind.kind == "f" else np.float32
        result = np.minimum(std * self.width, np.finfo(precision).max).astype(precision)
        result[..., self.dead] = np.nan
        return result

    @cached_property
    def _classes(self) -> list[np.ndarray]:
        """The observed classes of each channel, in order."""
        channels = range(self.picture.colours)
        return [np.unique(observed(self.picture, self.hole, channel)) for channel in channels]

    @cached_property
    def _limits(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest value that is filled in, of each colour channel, exactly."""
        picture = self.picture
        dtype = picture.values.dtype
        with np.errstate(over="ignore"):
            low, high = _in_type(self.low, dtype), _in_type(self.low + self.width, dtype)
        if picture.is_data and not (
            picture.unit and (self.low == 0).all() and (self.width == 1).all()
        ):
            for channel in range(picture.colours):
                seen = observed(picture, self.hole, channel)
                if seen.size and seen.min() < seen.max():
                    low[channel], high[channel] = seen.min(), seen.max()
        return low, high


def std_picture(
    std: Float[np.ndarray, "height width channel"], hole: Bool[np.ndarray, "height width"]
) -> tuple[Image.Image, float]:
    """A standard deviation as a linear 16-bit grey picture.

    Args:
        std: Not negative, finite in the hole and not read outside.
        hole: True where it is shown.

    Returns:
        The root mean square over channels in mode I;16, zero outside the hole, and its full scale:
        the value of level 65535, the largest in the hole.
    """
    in_hole = np.sqrt(np.mean(np.square(std[hole], dtype=np.float64), axis=-1))
    full_scale = float(np.max(in_hole, initial=np.finfo(np.float32).tiny))
    levels = np.zeros(hole.shape, dtype=np.uint16)
    levels[hole] = np.rint(in_hole / full_scale * 65535)
    return Image.fromarray(levels), full_scale


def _in_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Floats in another type, rounded half to even for integers, and within its finite numbers."""
    if dtype.kind == "f":
        most = np.finfo(dtype).max
        return np.clip(values, -most, most).astype(dtype)
    limits = np.iinfo(dtype)
    # The greatest of 64 bits is no float64: the next below is.
    highest = np.nextafter(float(limits.max), 0)
    return np.rint(np.clip(values, limits.min, highest)).astype(dtype)
