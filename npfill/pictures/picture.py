"""A picture as it is completed: upright, at its own depth."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool
from PIL import Image

from npfill.errors import InputError


@dataclass(frozen=True)
class Picture:
    """What a file holds, upright and with no value changed.

    Attributes:
        values: "height width channel". A picture: uint8 or uint16, grey or RGB, the last of two or
            four channels being alpha. Data: any integers or floats in any number of channels.
        format: What the file is, such as PNG or NPY.
        name: What messages call it.
        notes: Lines that the user should be told.
        info: What goes along into a copy: `icc_profile`, `exif` (without orientation and
            thumbnail) and `dpi` of a picture; what the format needs to be written again of data.
        is_data: Whether the values are measurements, of any range and unit.
        missing: bool of the shape of `values`: what data say is missing. Of pictures, None.
    """

    values: np.ndarray
    format: str
    name: str
    notes: tuple[str, ...] = ()
    info: Mapping[Any, Any] = field(default_factory=dict)
    is_data: bool = False
    missing: np.ndarray | None = None

    @classmethod
    def of(cls, image: Image.Image, name: str) -> "Picture":
        """A Pillow image in mode L, LA, RGB or RGBA."""
        return cls(channels_of(image), "PNG", name, info=image.info)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def lacking(self) -> np.ndarray:
        """bool "height width": True where data lack a value in any channel; False of pictures."""
        if self.missing is None:
            return np.zeros(self.size, dtype=bool)
        return np.logical_or.reduce(self.missing, axis=-1)

    @property
    def colours(self) -> int:
        """How many of the channels, from the first, are completed: all but alpha."""
        channels = self.values.shape[-1]
        return channels if self.is_data else 3 if channels >= 3 else 1

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.values.shape[-1] > self.colours

    @property
    def kind(self) -> str:
        """What it is, in a word or two, such as RGB or 16-bit LA."""
        channels, dtype = self.values.shape[-1], self.values.dtype
        if self.is_data:
            return f"data of {channels} channels of {dtype}"
        mode = ("L", "LA", "RGB", "RGBA")[channels - 1]
        return mode if dtype == np.uint8 else f"16-bit {mode}"

    @property
    def white(self) -> int:
        """The level of white of a picture: 255 or 65535."""
        return int(np.iinfo(self.values.dtype).max)

    def stripped(self) -> "Picture":
        """Without what the file says beside its values, but for how they look.

        A colour profile stays. Of data, what their place on Earth is goes.
        """
        dropped = {"exif", "dpi", "tags"}
        info = {key: value for key, value in self.info.items() if key not in dropped}
        return replace(self, info=info)

    @property
    def image(self) -> Image.Image:
        """A picture as a Pillow image of 8 bits, to be looked at: in mode L, LA, RGB or RGBA.

        Raises:
            InputError: It is data.
        """
        if self.is_data:
            raise InputError(
                f"{self.name}: data have no colours to draw", "npfill complete takes them"
            )
        values = self.values
        if values.dtype == np.uint16:
            values = np.rint(values / np.float32(257)).astype(np.uint8)
        return image_of(values, self.info)


def channels_of(image: Image.Image) -> np.ndarray:
    """All channels of an image, "height width channel".

    uint8 of one in mode L, LA, RGB or RGBA, and uint16 of one in mode I;16.
    """
    return np.asarray(image).reshape(image.height, image.width, -1)


def image_of(values: np.ndarray, info: Mapping[Any, Any]) -> Image.Image:
    """The Pillow image of uint8 "height width channel", one to four channels; of uint16, one."""
    image = Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values)
    image.info = {**info}
    return image


def intensities(image: Image.Image) -> np.ndarray:
    """The colour channels of a picture, without alpha.

    Returns:
        float32 "height width channel" in [0, 1], with one channel or three.

    Raises:
        InputError: The mode is none of L, RGB, LA and RGBA.
    """
    if image.mode not in {"L", "RGB", "LA", "RGBA"}:
        raise InputError(f"a picture in mode {image.mode}", "image.convert('RGB') makes it usable")
    colours = 3 if image.mode.startswith("RGB") else 1
    return channels_of(image)[..., :colours].astype(np.float32) / np.float32(255)


@dataclass(frozen=True)
class Difference:
    """Pixels that differ in any channel, and by how much at most.

    Attributes:
        count: How many differ.
        largest: By how much, in the levels of the deeper of the two; of data, in their unit.
        white: The level of white; 0 of data.
    """

    count: int
    largest: float
    white: int


def difference(
    before: Picture, after: Picture, ignored: Bool[np.ndarray, "height width"] | None = None
) -> Difference:
    """What differs between pictures of one size.

    Grey counts as a colour, no alpha as opaque, and 8 bits as what they are in 16.

    Args:
        before: One picture.
        after: The other.
        ignored: True where they may differ.

    Raises:
        ValueError: They are not of one size.
        InputError: Data are compared with something of another shape.
    """
    if before.size != after.size:
        raise ValueError(f"{after.size} is not {before.size}")
    if before.is_data or after.is_data:
        if before.values.shape != after.values.shape:
            raise InputError(
                f"{after.name} is {after.kind} but {before.name} is {before.kind}",
                "a completion of data has their channels",
            )
        white, one, other = 0, before.values.astype(np.float64), after.values
    else:
        white = max(before.white, after.white)
        one, other = _rgba(before, white), _rgba(after, white)
    with np.errstate(all="ignore"):  # anything may stand in the hole
        largest = np.abs(one - other).max(axis=-1)
    if ignored is not None:
        largest[ignored] = 0
    return Difference(int(np.count_nonzero(largest)), float(largest.max()), white)


def _rgba(picture: Picture, white: int) -> np.ndarray:
    """Levels "height width 4", of a depth at which white is `white`."""
    levels = picture.values.astype(np.int32) * (white // picture.white)
    colours, alpha = levels[..., : picture.colours], levels[..., picture.colours :]
    if not picture.has_alpha:
        alpha = np.full_like(levels[..., :1], white)
    return np.concatenate([np.broadcast_to(colours, (*picture.size, 3)), alpha], axis=-1)
