"""Pictures as a browser draws them, of a completion what is in its hole, and masks as shown."""

import io
import zlib
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from npfill.completion.completed import CompletedPicture
from npfill.completion.hole import Mask, is_file
from npfill.completion.words import is_transparent
from npfill.pictures.hole import from_alpha
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import Picture
from npfill.pictures.planes import Selected, around
from npfill.pictures.read import read_mask
from npfill.pictures.sheet import image_of, rms


def picture_png(picture: Picture) -> bytes:
    """A PNG of a picture; of data, by the range that is observed."""
    if not picture.is_data:
        return _png(picture.image, picture)
    nothing = np.zeros(picture.size, dtype=bool)
    return _png(image_of(MaskedPicture.of(picture, nothing).intensities), picture)


def completion(done: CompletedPicture) -> dict[str, object]:
    """The hole of a completion, as JSON values.

    `box` is around the hole: left, top, width and height. In it are `mean` and `samples`, PNGs that
    are transparent outside of the hole, and `std`, float32, zero outside, by zlib; all in base64.
    Of a picture, of whatever depth, the standard deviation is in levels of 255.
    """
    masked = done.prepared.masked
    at = around(masked.anywhere)
    alpha = Image.fromarray(np.where(masked.anywhere[at], np.uint8(255), np.uint8(0)))

    def part(values: np.ndarray) -> str:
        image = image_of(np.where(masked.anywhere[at][..., None], values[at], 0))
        image.putalpha(alpha)
        return b64encode(_png(image, masked.picture, compress_level=1)).decode()

    std = None
    if done.std is not None:
        unit = 1 if masked.picture.is_data else 255
        found = unit * rms(masked.deviation(done.std[at], done.mean[at]))
        std = b64encode(zlib.compress(found.astype("<f4").tobytes(), 1)).decode()
    return {
        "box": [at[1].start, at[0].start, *alpha.size],
        "mean": part(done.mean),
        "samples": [part(sample) for sample in done.samples],
        "std": std,
        "isData": masked.picture.is_data,
        "said": [done.prepared.description, *done.doubt(verbose=False), *done.notes],
    }


def transparent(picture: Picture) -> Selected:
    """True where a picture is transparent, if it is so in places; nowhere of data."""
    if picture.is_data or not is_transparent(picture):
        return np.zeros(picture.size, dtype=bool)
    return from_alpha(picture).selected


def believed(word: str, max_pixels: int) -> Mask:
    """A mask of black and white alone, in 8 bits, as true and false, of which nothing is doubted.

    The page shows what it selects before that is filled.

    Args:
        word: The name of its file; what is none, as `alpha`, is returned as it is.
        max_pixels: The most pixels of a file that is read.

    Raises:
        InputError: It cannot be read.
    """
    if not is_file(word):
        return word
    mask = read_mask(Path(word), max_pixels)
    levels = mask.values[..., :1]  # of colours as well, as an editor may save what was painted
    is_plain = levels.dtype == np.uint8 and np.isin(levels, (0, 255)).all()
    if not is_plain or (mask.values != levels).any():
        return mask
    return replace(mask, values=levels == 255, is_data=True)


def _png(image: Image.Image, picture: Picture, compress_level: int = 0) -> bytes:
    """A PNG that is quick to write, in the colours of a picture."""
    file = io.BytesIO()
    profile = None if picture.is_data else picture.info.get("icc_profile")
    image.save(file, "PNG", compress_level=compress_level, icc_profile=profile)
    return file.getvalue()
