"""A picture as it is completed: upright, at its own depth."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
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
