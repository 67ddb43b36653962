"""A picture as it is completed: upright, at its own depth; and how two of them differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BufferedReader, BytesIO
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt
from PIL import Image

from npfill.errors import InputError

File = BufferedReader | BytesIO  # that a picture is read from
Info = Mapping[Any, Any]  # as of Pillow's images
_LUMINANCE = np.array([[0.299], [0.587], [0.114]], dtype=np.float32)  # ITU-R 601


@dataclass(frozen=True)
class Picture:
    """The content of a picture file or array, upright and with no value changed.

    Attributes:
        values: A picture: uint8 or uint16, grey or RGB, the last of two or four channels being
            alpha. Data: any integers or floats in any number of channels.
        format: The key of its format in `npfill.pictures.formats.FORMATS`, such as PNG or NPY.
        name: Its name in messages.
        notes: Lines for the user.
        info: Parts of the file that a copy keeps: of a picture, those that
            `npfill.pictures.formats.metadata.PARTS` names; of data, those that its format needs.
        is_data: The values are measurements, of any range and unit.
        missing: True where a value is missing. Data read from files always have it, pictures never.
        unit: Data that are intensities, 0 black and 1 white, unless a value that is observed lies
            outside [0, 1].
        size: Height and width.
        colours: The number of channels, from the first, that are completed: all but alpha.
        has_alpha: True if the last channel is alpha.
        white: The level of white: 255 or 65535; 1 of data of other types.
    """

    values: Shaped[np.ndarray, "height width channel"]
    format: str
    name: str
    notes: tuple[str, ...] = ()
    info: Info = field(default_factory=dict)
    is_data: bool = False
    missing: Bool[np.ndarray, "height width channel"] | None = None
    unit: bool = False
    size: tuple[int, int] = field(init=False)
    colours: int = field(init=False)
    has_alpha: bool = field(init=False)
    white: int = field(init=False)

    def __post_init__(self) -> None:
        height, width, channels = self.values.shape
        colours = channels if self.is_data else 3 if channels >= 3 else 1
        dtype = self.values.dtype
        has_levels = not self.is_data or dtype in (np.uint8, np.uint16)
        object.__setattr__(self, "size", (height, width))
        object.__setattr__(self, "colours", colours)
        object.__setattr__(self, "has_alpha", channels > colours)
        object.__setattr__(self, "white", int(np.iinfo(dtype).max) if has_levels else 1)

    @classmethod
    def of(cls, image: Image.Image, name: str) -> "Picture":
        """A Pillow image in mode L, LA, RGB or RGBA."""
        return cls(channels_of(image), "PNG", name, info=image.info)

    @property
    def lacking(self) -> Bool[np.ndarray, "height width"]:
        """True where a value is missing in any channel that is completed."""
        if self.missing is None:
            return np.zeros(self.size, dtype=bool)
        return np.logical_or.reduce(self.missing[..., : self.colours], axis=-1)

    @property
    def kind(self) -> str:
        """A word or two for messages, such as RGB or 16-bit LA."""
        channels, dtype = self.values.shape[-1], self.values.dtype
        if self.is_data:
            return f"data of {channels} channels of {dtype}"
        mode = ("L", "LA", "RGB", "RGBA")[channels - 1]
        return mode if dtype == np.uint8 else f"16-bit {mode}"

    def stripped(self) -> "Picture":
        """The picture without metadata, but for its colour profile; of data, without its place."""
        dropped = {"exif", "dpi", "xmp", "iptc", "comment", "text", "tags"}
        info = {key: value for key, value in self.info.items() if key not in dropped}
        return replace(self, info=info)

    @property
    def image(self) -> Image.Image:
        """A Pillow image of 8 bits for viewing, in mode L, LA, RGB or RGBA.

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


def refuse_bomb(name: str, shape: tuple[int, ...], max_pixels: int) -> None:
    """Refuse a picture that is too large or has no pixels, before it is decoded.

    Args:
        name: The picture's name in messages.
        shape: "height width channel" as the file claims it. Four channels count as one pixel,
            so that data of many channels are bounded, too.
        max_pixels: The most pixels that are read.

    Raises:
        InputError: It is too large, or empty.
    """
    if 0 in shape:
        raise InputError(f"{name}: a picture without pixels", "save it again")
    height, width, channels = shape
    pixels = height * width * max(1, -(-channels // 4))
    if pixels > max_pixels:
        raise InputError(
            f"{name}: {pixels:,} pixels, more than the {max_pixels:,} that are read",
            f"crop it or scale it down; `max_pixels={pixels}` if it is what it claims to be",
        )


def channels_of(image: Image.Image) -> Shaped[np.ndarray, "height width channel"]:
    """All channels of an image: uint8 in mode L, LA, RGB or RGBA, uint16 in mode I;16."""
    return np.asarray(image).reshape(image.height, image.width, -1)


def image_of(values: UInt[np.ndarray, "height width channel"], info: Info) -> Image.Image:
    """The Pillow image of uint8 in one to four channels, or of uint16 in one."""
    image = Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values)
    image.info = {**info}
    return image


def intensities(image: Image.Image) -> Float[np.ndarray, "height width channel"]:
    """The colours of an image as float32 in [0, 1], without alpha; one channel or three.

    Raises:
        InputError: The mode is none of L, RGB, LA and RGBA.
    """
    if image.mode not in {"L", "RGB", "LA", "RGBA"}:
        raise InputError(f"a picture in mode {image.mode}", "image.convert('RGB') makes it usable")
    colours = 3 if image.mode.startswith("RGB") else 1
    return channels_of(image)[..., :colours].astype(np.float32) / np.float32(255)


def match_channels(
    values: Float[np.ndarray, "*axes channel"], channels: int
) -> Float[np.ndarray, "*axes channels"]:
    """Convert values to the number of channels of a model.

    Grey is repeated for RGB; grey is the luminance of RGB (ITU-R 601).

    Raises:
        ValueError: There is no such conversion.
    """
    have = values.shape[-1]
    if have == channels:
        return values
    if (have, channels) == (1, 3):
        return values.repeat(3, axis=-1)
    if (have, channels) == (3, 1):
        grey: np.ndarray = values @ _LUMINANCE.astype(values.dtype)
        return grey
    raise ValueError(f"{have} channels cannot become {channels}")


@dataclass(frozen=True)
class Difference:
    """Pixels that differ in any channel, and by how much at most.

    Attributes:
        count: The number of pixels that differ.
        largest: The largest difference, in levels of the deeper picture, or in the unit of data.
        white: The level of white; 0 of data.
    """

    count: int
    largest: float
    white: int


def difference(
    before: Picture, after: Picture, ignored: Bool[np.ndarray, "height width"] | None = None
) -> Difference:
    """Compare two pictures of one size.

    Grey counts as a colour, no alpha as opaque, and 8 bits as their value in 16.

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
        white, one, other = 0, before.values, after.values
    else:
        white = max(before.white, after.white)
        one, other = _rgba(before, white), _rgba(after, white)
    largest = _distance(one, other).max(axis=-1)
    if ignored is not None:
        largest[ignored] = 0
    return Difference(int(np.count_nonzero(largest)), float(largest.max()), white)


def _distance(one: np.ndarray, other: np.ndarray) -> Float[np.ndarray, "..."]:
    """The distance of numbers of any types: zero where they are equal, and only there.

    NaN and infinities are equal to themselves, and infinitely far from all else.
    """
    with np.errstate(all="ignore"):
        near, far = one.astype(np.float64), other.astype(np.float64)
        apart = np.abs(near - far)
        same = ((near == far) & ~np.isfinite(apart)) | (np.isnan(near) & np.isnan(far))
        if one.dtype.kind != "f" or other.dtype.kind != "f":
            # float64 does not tell integers beyond 2**53 apart; modulo 2**64, all that are near do.
            modular = np.abs((_modular(one) - _modular(other)).astype(np.int64).astype(np.float64))
            whole = (np.rint(one) == one) & (np.rint(other) == other) & (apart < 2.0**62)
            apart = np.where(whole, modular, apart)
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))


def _modular(values: np.ndarray) -> UInt[np.ndarray, "..."]:
    """Whole numbers modulo 2**64."""
    if values.dtype.kind != "f":
        return values.astype(np.uint64)
    signed = np.where(values < 2.0**63, values, 0).astype(np.int64).astype(np.uint64)
    return np.where(values < 2.0**63, signed, values.astype(np.uint64))


def _rgba(picture: Picture, white: int) -> Shaped[np.ndarray, "height width 4"]:
    """RGBA levels at the depth at which white is `white`."""
    levels = picture.values.astype(np.int32) * (white // picture.white)
    colours, alpha = levels[..., : picture.colours], levels[..., picture.colours :]
    if not picture.has_alpha:
        alpha = np.full_like(levels[..., :1], white)
    return np.concatenate([np.broadcast_to(colours, (*picture.size, 3)), alpha], axis=-1)
