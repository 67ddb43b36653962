"""How one picture differs from another."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from PIL import Image


@dataclass(frozen=True)
class Difference:
    """Pixels that differ in any channel, and by how much, of 255, at most."""

    count: int
    largest: int


def difference(
    before: Image.Image,
    after: Image.Image,
    ignored: Bool[np.ndarray, "height width"] | None = None,
) -> Difference:
    """What differs between pictures of one size, in mode L, LA, RGB or RGBA.

    Grey counts as a colour, and no alpha as opaque.

    Args:
        before: One picture.
        after: The other.
        ignored: True where they may differ.

    Raises:
        ValueError: They are not of one size.
    """
    if before.size != after.size:
        raise ValueError(f"{after.size} is not {before.size}")
    one, other = (np.asarray(image.convert("RGBA"), dtype=np.int16) for image in (before, after))
    largest = np.abs(one - other).max(axis=-1)
    if ignored is not None:
        largest[ignored] = 0
    return Difference(int(np.count_nonzero(largest)), int(largest.max()))
