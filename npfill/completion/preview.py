"""The preview of a completion: its hole over the picture, before a model is needed."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from npfill.completion.hole import Prepared
from npfill.package import __version__
from npfill.pictures.formats import png_bytes

if TYPE_CHECKING:
    from npfill.completion.completed import CompletedPicture

_RED = np.array([255, 0, 60], dtype=np.float32)
_SHARE = 0.6


def preview(done: "CompletedPicture", _: int, _text: dict[str, str], _kind: str) -> bytes:
    """The preview of a completed picture, as an output; it shows nothing of the completion."""
    return preview_png(done.prepared)


def preview_png(prepared: Prepared) -> bytes:
    """A PNG of the picture with its hole in red; of data, of three channels or else the first."""
    shown = prepared.masked.intensities
    shown = shown if shown.shape[-1] == 3 else shown[..., :1].repeat(3, axis=-1)
    levels, hole = shown * 255, prepared.hole.selected
    levels[hole] = (1 - _SHARE) * levels[hole] + _SHARE * _RED
    image = Image.fromarray(np.rint(np.clip(levels, 0, 255)).astype(np.uint8))
    return png_bytes(image, {"npfill_version": __version__, "npfill_output": "preview"})
