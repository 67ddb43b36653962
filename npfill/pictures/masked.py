"""A picture with its hole: what a model sees of it, and what it becomes when it is filled."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from npfill.errors import InputError
from npfill.pictures.picture import Picture


@dataclass(frozen=True)
class MaskedPicture:
    """A picture or data with a hole, and what 0 and 1 of intensities stand for.

    Of a picture, 0 is black and 1 is white. Of data, 0 and 1 are the least and the greatest
    observed value of each channel.

    Attributes:
        picture: What was read.
        hole: bool "height width". Of data in neither one nor three channels, and where channels
            lack different pixels, "height width channel": each is completed by itself.
        low: What 0 stands for, float64 "channel", of each colour channel.
        width: What 1 is above it, positive.
    """

    picture: Picture
    hole: np.ndarray
    low: np.ndarray
    width: np.ndarray

    @classmethod
    def of(cls, picture: Picture, selected: np.ndarray) -> "MaskedPicture":
        """A picture in which bool "height width" is filled, and what data say is missing, too.

        Raises:
            InputError: Observed data are infinite, or differ by more than floats can say.
        """
        if picture.missing is None:
            colours = picture.colours
            return cls(picture, selected, np.zeros(colours), np.full(colours, float(picture.white)))
        hole = selected[..., None] | picture.missing
        if hole.shape[-1] in {1, 3} and (hole == hole[..., :1]).all():
            hole = hole[..., 0]
        return cls(picture, hole, *_observed_range(picture, hole))

    @property
    def intensities(self) -> np.ndarray:
        """The colour channels, float32 "height width channel" in [0, 1] outside the hole."""
        colours = self.picture.values[..., : self.picture.colours]
        if not self.picture.is_data:
            return colours.astype(np.float32) / np.float32(self.picture.white)
        with np.errstate(all="ignore"):  # anything may stand in the hole
            values = (colours - self.low) / self.width
        return np.where(self.by_channel, 0, values).astype(np.float32)

    def filled(self, values: np.ndarray, *, opaque: bool = False) -> Picture:
        """The picture with other colours in the hole, and nothing changed outside it.

        Args:
            values: float "height width channel", one per colour channel, finite in the hole and
                not read outside; clipped to [0, 1], and rounded half to even where the picture
                has integers.
            opaque: Let alpha be fully opaque in the hole. Otherwise it stays as it is.
        """
        result, colours = self.picture.values.copy(), self.picture.colours
        if self.hole.ndim == 3:
            result[self.hole] = self._as_stored(self.in_units(values)[self.hole])
        else:
            in_hole = np.clip(values[self.hole], 0, 1) * self.width + self.low
            result[self.hole, :colours] = self._as_stored(in_hole)
        if opaque and self.picture.has_alpha:
            result[self.hole, colours:] = self.picture.white
        return replace(self.picture, values=result)

    def changed_outside(self, after: Picture) -> tuple[int, float]:
        """How many pixels outside the hole differ in any channel, and by how much at most.

        Raises:
            ValueError: The pictures are not of one type and shape.
        """
        before, now = self.picture.values, after.values
        if (before.dtype, before.shape) != (now.dtype, now.shape):
            raise ValueError(f"{now.dtype} {now.shape} is not {before.dtype} {before.shape}")
        changed = (before != now) & ~self.by_channel
        by = np.abs(before[changed].astype(np.float64) - now[changed])
        return int(np.count_nonzero(changed.any(axis=-1))), float(by.max(initial=0))

    def as_data(self, values: np.ndarray) -> Picture:
        """Values of any type as data of the same shape and format."""
        return replace(self.picture, values=values)

    def sha256(self, *, opaque: bool) -> str:
        """The hash of what is used of the picture: its type, shape and values, zero in the hole."""
        used, colours = self.picture.values.copy(), self.picture.colours
        used[..., :colours][np.broadcast_to(self.by_channel, used[..., :colours].shape)] = 0
        if opaque and self.picture.has_alpha:
            used[self.hole, colours:] = self.picture.white
        return hashlib.sha256(f"{used.dtype} {used.shape} ".encode() + used.tobytes()).hexdigest()

    def in_units(self, values: np.ndarray) -> np.ndarray:
        """Intensities "... channel" as what they stand for in data; of pictures, as they are."""
        if not self.picture.is_data:
            return values
        with np.errstate(all="ignore"):  # anything may stand outside the hole
            return np.clip(values, 0, 1) * self.width + self.low

    def deviation(self, std: np.ndarray) -> np.ndarray:
        """A std "height width channel" in the unit of data; of pictures, as it is."""
        if not self.picture.is_data:
            return std
        kind = self.picture.values.dtype
        precision = np.promote_types(kind, np.float32) if kind.kind == "f" else np.float32
        return (std * self.width).astype(precision)

    @property
    def by_channel(self) -> np.ndarray:
        """The hole, "height width channel" or "height width 1"."""
        return self.hole if self.hole.ndim == 3 else self.hole[..., None]

    def _as_stored(self, values: np.ndarray) -> np.ndarray:
        """Values in the picture's type."""
        dtype = self.picture.values.dtype
        if dtype.kind != "f":
            limits = np.iinfo(dtype)
            # The greatest of 64 bits is no float64: the next below is.
            values = np.rint(np.clip(values, limits.min, np.nextafter(float(limits.max), 0)))
        return values.astype(dtype)


def std_picture(std: np.ndarray, hole: np.ndarray) -> tuple[Image.Image, float]:
    """A standard deviation as a linear 16-bit grey picture.

    Args:
        std: float "height width channel", not negative, finite in the hole and not read outside.
        hole: bool "height width".

    Returns:
        The root mean square over channels in mode I;16, zero outside the hole, and its full scale:
        the value of level 65535, the largest in the hole.
    """
    in_hole = np.sqrt(np.mean(np.square(std[hole], dtype=np.float64), axis=-1))
    full_scale = float(np.max(in_hole, initial=np.finfo(np.float32).tiny))
    levels = np.zeros(hole.shape, dtype=np.uint16)
    levels[hole] = np.rint(in_hole / full_scale * 65535)
    return Image.fromarray(levels), full_scale


def _observed_range(picture: Picture, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least observed value of each channel of data, and how far the greatest is from it.

    A channel of one value v has it in the middle of a range as wide as |v|, or 1; one without
    any value has the range from 0 to 1.
    """
    ends = []
    for channel in range(picture.values.shape[-1]):
        observed = picture.values[~(hole if hole.ndim == 2 else hole[..., channel]), channel]
        low, high = (float(observed.min()), float(observed.max())) if observed.size else (0.0, 1.0)
        if low == high:
            low, high = low - (abs(low) or 1) / 2, low + (abs(low) or 1) / 2
        ends.append((low, high - low))
    low, width = np.array(ends).T
    if not np.isfinite(width).all():
        raise InputError(
            f"{picture.name}: its values are infinite or too far apart",
            "NaN marks what is missing; or select them with --mask",
        )
    return low, width
