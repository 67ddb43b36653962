"""The picture that a figure is about, and which of its pixels are observed."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool
from PIL import Image, ImageOps

from npfill.data.masks import random_pixels
from npfill.data.sources import read_images
from npfill.errors import UsageError
from npfill.seeds import generator


def numbered_picture(path: Path, index: int, size: int, channels: int) -> Image.Image:
    """A picture of a test set, as datasets give it to a model.

    Args:
        path: Whatever `read_images` reads.
        index: Its number in the set, from 0.
        size: Side in pixels.
        channels: 1 for grey, 3 for RGB.

    Raises:
        InputError: The set cannot be read.
        UsageError: It has no such picture.
    """
    images = read_images(path, "test", size, channels)
    if index >= len(images):
        raise UsageError(
            f"--index {index}: {path} has {len(images):,} test pictures",
            f"0 to {len(images) - 1}",
        )
    array = images[index].permute(1, 2, 0).numpy()
    return Image.fromarray(array[..., 0] if channels == 1 else array)


def on_grid(image: Image.Image, size: int, channels: int) -> Image.Image:
    """The centre square of a picture, on a model's grid, as datasets cut it."""
    picture = image.convert("L" if channels == 1 else "RGB")
    if picture.size == (size, size):
        return picture
    return ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)


def observed_at_random(
    size: tuple[int, int], count: int, seed: int
) -> Bool[np.ndarray, "height width"]:
    """`count` pixels of a picture, drawn without replacement.

    Args:
        size: Height and width.
        count: How many are observed.
        seed: The mask depends on it, the size and the count alone.
    """
    height, width = size
    side = max(size)
    inside = torch.zeros(1, 1, side, side, dtype=torch.bool)
    inside[..., :height, :width] = True
    drawn = random_pixels(1, side, count, generator(seed, "mask", count), inside)
    return drawn[0, 0, :height, :width].numpy()
