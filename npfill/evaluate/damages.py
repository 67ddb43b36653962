"""What is missing of photographs when scores are measured."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from PIL import Image

from npfill.data.damage import FAMILIES, scattered
from npfill.data.sources import read_photographs
from npfill.seeds import array_generator

_WHITE = 128
# Per cent of the picture that irregular masks take.
_SHARES = ((1, 10), (10, 20), (20, 30), (30, 60))


@dataclass(frozen=True)
class Damage:
    """One kind of hole.

    Attributes:
        family: A family of `npfill.data.damage`.
        kept: The share of pixels that are kept, in per cent, where they are `scattered`.
    """

    family: str
    kept: int | None = None

    @property
    def name(self) -> str:
        """The word for it."""
        return self.family if self.kept is None else f"keep {self.kept} %"

    def hole(
        self, size: tuple[int, int], seed: int, number: int
    ) -> Bool[np.ndarray, "height width"]:
        """True where a picture is missing; it depends on the seed and the picture's number."""
        random = array_generator(seed, "mask", self.name, number)
        if self.kept is not None:
            return scattered(size, random, self.kept / 100)
        return FAMILIES[self.family](size, random)


KEPT = tuple(Damage("scattered", kept) for kept in (5, 10, 20, 50))


@dataclass(frozen=True)
class Irregular:
    """Holes from a file of masks.

    Attributes:
        lowest: The least share of the picture that they take, in per cent.
        highest: The largest.
        masks: Masks of these shares, True where the picture is missing.
    """

    lowest: int
    highest: int
    masks: tuple[Bool[np.ndarray, "_ _"], ...]

    @property
    def name(self) -> str:
        """The word for it."""
        return f"irregular {self.lowest}-{self.highest} %"

    def hole(
        self, size: tuple[int, int], _seed: int, number: int
    ) -> Bool[np.ndarray, "height width"]:
        """The mask of a picture's number, in the masks' order, resized with nearest neighbour."""
        mask = Image.fromarray(self.masks[number % len(self.masks)])
        return np.asarray(mask.resize(size[::-1], Image.Resampling.NEAREST))


def damages(masks: Path | None) -> list[Damage | Irregular]:
    """The protocol's holes for photographs; irregular ones where there is a file of masks.

    Args:
        masks: A zip or folder of pictures that are white where something is missing.

    Raises:
        InputError: The masks cannot be read.
    """
    every: list[Damage | Irregular] = [*KEPT, Damage("text"), Damage("scratches")]
    if masks is None:
        return every
    read = [picture[0].numpy() >= _WHITE for picture in read_photographs(masks, "test", 1).pictures]
    for lowest, highest in _SHARES:
        some = [mask for mask in read if lowest <= 100 * mask.mean() < highest]
        if some:
            every.append(Irregular(lowest, highest, tuple(some)))
    return every
