"""Pictures from Python: images, arrays and tensors, and their results in the same layout."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Shaped
from PIL import Image
from PIL.ExifTags import Base

from npfill.errors import InputError
from npfill.pictures.classes import with_classes
from npfill.pictures.damage import PNG, chunk_of
from npfill.pictures.formats.arrays import as_truth, data, refuse_array
from npfill.pictures.formats.metadata import PNG_HEADER, kept
from npfill.pictures.formats.raster import MODES, in_plain_mode, orientation
from npfill.pictures.kind import why_data
from npfill.pictures.nodata import with_missing
from npfill.pictures.picture import Picture
from npfill.pictures.read import MAX_PIXELS, read_picture, refusals

if TYPE_CHECKING:
    from torch import Tensor

_DEEP = ("I;16", "I;16B", "I;16L", "I;16N")
_MOST_CHANNELS = 4  # of a picture in a tensor
_BESIDE_ALPHA = {2: 1, 4: 3}  # colours by the number of channels


@dataclass(frozen=True)
class PictureInput:
    """A picture as a caller of Python gave it, and the way back to its layout.

    Attributes:
        picture: The picture.
        layout: The axes of the caller's array. Images, and pictures of one channel in files, are
            "height width".
    """

    picture: Picture
    layout: Literal["height width", "height width channel", "channel height width"]

    def restore(
        self, values: Shaped[np.ndarray, "*sample height width channel"]
    ) -> Shaped[np.ndarray, "..."]:
        """Put values into the caller's layout; their type and unit are those of `picture`."""
        if self.layout == "channel height width":
            return np.ascontiguousarray(np.moveaxis(values, -1, -3))
        return values[..., 0] if self.layout == "height width" else values


def as_picture(
    thing: object,
    name: str = "picture",
    max_pixels: int = MAX_PIXELS,
    *,
    damaged: bool = False,
    variable: str = "",
) -> PictureInput:
    """Take a picture or data from a file, an image, an array or a tensor.

    uint8 and uint16 in one to four channels are pictures, the last of two or four channels being
    alpha. Floats in one or three channels are intensities if all that are observed lie in [0, 1].
    Anything else is data, in any unit. NaN and masked entries are missing.

    Args:
        thing: The path of a file, which is turned upright; a Pillow image, which is not; an array
            "height width" or "height width channel", masked or not; or a tensor of torch
            "height width", or with channels first or last. Values are never changed.
        name: The picture's name in messages; a file has its own.
        max_pixels: A file of more pixels is refused.
        damaged: Take what could not be decoded of a torn file as missing.
        variable: The variable of a netCDF file or zarr store.

    Raises:
        InputError: It cannot be read, or holds no numbers, or is true and false.
    """
    if isinstance(thing, str | Path):
        return _as_read(read_picture(Path(thing), max_pixels, damaged=damaged, variable=variable))
    if damaged:
        raise InputError(f"{name}: only of a file it is known what is damaged", "give its path")
    given = as_values(thing, name)
    if given.picture.values.dtype == np.bool_:
        raise InputError(
            f"{given.picture.name}: true and false are a mask, not a picture", "`mask` takes it"
        )
    return given


def as_values(thing: object, name: str) -> PictureInput:
    """Take a picture in memory, or a mask, which may be true and false; else as `as_picture`."""
    if isinstance(thing, Image.Image):
        return _of_image(thing, name)
    torch = sys.modules.get("torch")  # who gives a tensor has imported it
    if torch is not None and isinstance(thing, torch.Tensor):
        return _of_tensor(thing, name)
    return _of_array(thing, name)


def as_masks(thing: object, name: str) -> list[str | Path | Picture]:
    """The masks that a mask of Python is: one, those of a list, or those of a masked array.

    Args:
        thing: A path, a word, an image, an array or a tensor; or a list of such. What a masked
            array masks is a mask of its own.
        name: The name in messages of what is no path.

    Raises:
        InputError: One holds no numbers.
    """
    if isinstance(thing, str | Path):
        return [thing]
    if isinstance(thing, list | tuple) and any(
        isinstance(each, str | Path | Image.Image) or getattr(each, "ndim", 0) > 1 for each in thing
    ):
        return [mask for each in thing for mask in as_masks(each, name)]
    if not isinstance(thing, Image.Image) and not hasattr(thing, "detach"):  # as a tensor has
        thing = np.asanyarray(thing)  # what is read only now may be masked
    if isinstance(thing, np.ma.MaskedArray):
        levels = thing.filled(0) if thing.dtype.kind in "biuf" else thing.data
        masked = np.ma.getmaskarray(thing)
        parts = [levels, masked] if masked.any() else [levels]
        return [as_values(part, name).picture for part in parts]
    if getattr(thing, "ndim", 2) > 2:
        thing = _without_batch(thing)
    mask = as_values(thing, name).picture
    return [with_classes(mask, thing, upright=False) if isinstance(thing, Image.Image) else mask]


def turned_as(png: bytes, picture: Picture) -> bytes:
    """A PNG file that is shown turned as the picture is, whose EXIF orientation may be kept.

    Args:
        png: A file of the picture's size; of another format, it comes back as it is.
        picture: The picture.
    """
    exif, own = Image.Exif(), Image.Exif()
    exif.load(bytes(picture.info.get("exif", b"")))
    if Base.Orientation not in exif or not png.startswith(PNG):
        return png
    own[Base.Orientation] = exif[Base.Orientation]
    chunk = chunk_of(b"eXIf", own.tobytes().removeprefix(b"Exif\0\0"))
    return png[:PNG_HEADER] + chunk + png[PNG_HEADER:]


def _without_batch(masks: Any) -> Any:
    """The one mask of a batch of one, as networks give it: "1 1 height width", "1 height width"."""
    while masks.ndim > 3 and len(masks) == 1:
        masks = masks[0]
    is_first = masks.ndim == 3 and len(masks) == 1 and masks.shape[-1] > 4
    return masks[0] if is_first else masks


def _as_read(picture: Picture) -> PictureInput:
    grey = picture.values.shape[-1] == 1 and len(picture.info.get("shape", ())) < 3
    return PictureInput(picture, "height width" if grey else "height width channel")


def _of_image(image: Image.Image, name: str) -> PictureInput:
    hint = "save it again; or if its file is torn, give the path of that, and `mask=damaged`"
    with refusals(name, hint):  # it may be open and not yet decoded
        image.load()
    if image.mode in {"I", "F"}:
        return _of_array(np.asarray(image), name)
    notes: list[str] = []
    if image.mode in _DEEP:
        values = np.asarray(image).astype(np.uint16)[..., None]
    elif image.mode in MODES:
        values, notes = in_plain_mode(image, name)
    else:
        raise InputError(f"{name}: its colour mode {image.mode} is not read", "convert it to RGB")
    if orientation(image) != 1:
        notes.append("its EXIF orientation is kept, not applied: ImageOps.exif_transpose turns it")
    info = kept(image, upright=False)
    return _as_read(Picture(values, "PNG", name, tuple(notes), info))


def _of_tensor(tensor: "Tensor", name: str) -> PictureInput:
    """A tensor on any device, with a gradient or without; of bfloat16, as float32.

    Channels come first, unless the first axis is too long for that and the last one is not.
    """
    try:
        tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
        values = (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    except (NotImplementedError, TypeError) as error:
        raise InputError(
            f"{name}: tensors of {tensor.dtype}, {tensor.layout} on {tensor.device} are not read",
            "`.to_dense()`, `.dequantize()` or `.float()` may make one that is",
        ) from error
    if values.ndim != 3 or values.shape[0] > _MOST_CHANNELS >= values.shape[-1]:
        return _of_array(values, name)
    given = _of_array(np.moveaxis(values, 0, -1), name)
    return PictureInput(given.picture, "channel height width")


def _of_array(array: object, name: str) -> PictureInput:
    array = np.asanyarray(array)  # that of a file's variable is masked
    values = np.asarray(array)
    refuse_array(name, values.dtype, values.shape)
    values = values.astype(values.dtype.newbyteorder("="))  # a copy: the caller's may change
    given = data(values, name, "NPY", {})
    if isinstance(array, np.ma.MaskedArray):
        masked = as_truth(np.ma.getmaskarray(array))
        given = with_missing(given, masked.reshape(given.values.shape))
    channels, missing = given.values.shape[-1], given.missing
    bands = _BESIDE_ALPHA.get(int(channels), int(channels))
    if not why_data(values.dtype, bands, 3 if bands >= 3 else 1):
        picture = Picture(given.values, "PNG", name, missing=missing if np.any(missing) else None)
    else:
        unit = values.dtype.kind == "f" and channels in {1, 3}
        picture = replace(given, unit=unit, why="")
    return PictureInput(picture, "height width" if values.ndim == 2 else "height width channel")
