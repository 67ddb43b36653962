"""A picture as it is completed: upright, at its own depth."""

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
AUTO, DATA, CLASSES, ANGLE = "auto", "data", "classes", "angle"  # kinds that a user names
COLUMNS = "columns"
NO_DATA = 42113  # GDAL's tag of a TIFF file
_LUMINANCE = np.array([[0.299], [0.587], [0.114]], dtype=np.float32)  # ITU-R 601


@dataclass(frozen=True)
class Asked:
    """The words of a user on values, before they are looked at.

    Attributes:
        kind: `auto`: what they are by themselves; `data`: numbers in any unit; `classes`: labels,
            which have no mean; `angle` or `angle:TURN`: numbers of which 0 and TURN are one.
        wrap: `columns`: the first column follows the last, as at the date line.
        nodata: The value that says that there is none.
        log: Data are completed in their logarithm.
        clip: Data are filled with no value beyond those that are observed.
        variable: The variable of a netCDF file or zarr store.
    """

    kind: str = AUTO
    wrap: str = ""
    nodata: float | int | None = None
    log: bool = False
    clip: bool = False
    variable: str = ""

    @property
    def of_data(self) -> bool:
        """They are said to be data, whatever the file."""
        return self != Asked(wrap=self.wrap, variable=self.variable)


NOTHING = Asked()


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
            `lossy` says that a file is so, of a format that may be either.
        is_data: The values are measurements, of any range and unit.
        why: A clause that says why the values are data.
        missing: True where a value is missing. Data read from files always have it, pictures never.
        stack: Each channel is completed by itself, as times and depths are.
        asked: What the user has said of the values.
        wraps: The first column follows the last.
        validity: Of data, the last channel is alpha: what has none is missing.
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
    why: str = ""
    missing: Bool[np.ndarray, "height width channel"] | None = None
    unit: bool = False
    stack: bool = False
    asked: Asked = NOTHING
    wraps: bool = False
    validity: bool = False
    size: tuple[int, int] = field(init=False)
    colours: int = field(init=False)
    has_alpha: bool = field(init=False)
    white: int = field(init=False)

    def __post_init__(self) -> None:
        height, width, channels = self.values.shape
        colours = channels - self.validity if self.is_data else 3 if channels >= 3 else 1
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
    def lacks(self) -> Bool[np.ndarray, "height width #channel"]:
        """True where a completed channel lacks its value; of none without any, unless all are."""
        if self.missing is None:
            return np.zeros((*self.size, 1), dtype=bool)
        missing = self.missing[..., : self.colours]
        dead = missing.all(axis=(0, 1))
        return missing & (dead.all() | ~dead)

    @property
    def lacking(self) -> Bool[np.ndarray, "height width"]:
        """True where a value is missing in any channel that is completed."""
        return np.logical_or.reduce(self.lacks, axis=-1)

    @property
    def measure(self) -> str:
        """`classes` or `angle` of values that are no numbers on a line; else empty."""
        word = self.asked.kind.partition(":")[0]
        return word if word in {CLASSES, ANGLE} else ""

    @property
    def turn(self) -> float:
        """A full turn of angles, in their unit."""
        return float(self.asked.kind.partition(":")[2] or 360)

    @property
    def kind(self) -> str:
        """A word or two for messages, such as RGB or 16-bit LA."""
        channels, dtype = self.values.shape[-1], self.values.dtype
        if self.is_data:
            return f"data of {channels} channels of {dtype}"
        mode = ("L", "LA", "RGB", "RGBA")[channels - 1]
        return mode if dtype == np.uint8 else f"16-bit {mode}"

    def stripped(self) -> "Picture":
        """The picture without metadata, but for the look of its colours and what is no data."""
        dropped = {"exif", "dpi", "xmp", "iptc", "comment", "text"}
        info = {key: value for key, value in self.info.items() if key not in dropped}
        if "tags" in info:
            info["tags"] = [tag for tag in info["tags"] if tag[0] == NO_DATA]
        whole = {"dataset", "content"} & info.keys()
        note = "`strip` leaves all that a netCDF, zarr or FITS file says in the results"
        return replace(self, info=info, notes=(*self.notes, *[note] * len(whole)))

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
    pixels = shape[0] * shape[1] * -(-shape[2] // 4)
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
        return values @ _LUMINANCE.astype(values.dtype)
    raise ValueError(f"{have} channels cannot become {channels}")


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
