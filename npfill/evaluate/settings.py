"""What is observed when scores are measured: random pixels, top rows first, all but a part."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from npfill.data.masks import random_pixels
from npfill.errors import UsageError
from npfill.seeds import generator

# The protocol's numbers of context pixels, by side of the grid; for another grid, these shares.
_COUNTS = {28: (10, 50, 100, 300), 32: (10, 100, 1000), 64: (50, 200, 500, 1000)}
_SHARES = (0.01, 0.05, 0.1, 0.4)
_COUNTED = ("random", "ordered")
# What is hidden, as shares of the sides: top, bottom, left, right.
HIDDEN = {
    "top-half": (0.0, 0.5, 0.0, 1.0),
    "left-half": (0.0, 1.0, 0.0, 0.5),
    "centre-box": (0.25, 0.75, 0.25, 0.75),
}


@dataclass(frozen=True)
class Setting:
    """One kind of context.

    Attributes:
        family: `random` pixels, `ordered` ones (row by row from the top), or what is hidden:
            `top-half`, `left-half` or `centre-box` (half as high and wide as the picture).
        count: The number of context pixels, for `random` and `ordered`.
    """

    family: str
    count: int | None = None

    @property
    def name(self) -> str:
        """The word for it, as `parse` reads it."""
        return self.family if self.count is None else f"{self.family}:{self.count}"

    def observed(self, batch: int, size: int, seed: int) -> Bool[Tensor, "batch 1 size size"]:
        """True where the pictures are observed.

        It depends on the setting, the seed and a picture's place in the set alone.
        """
        if self.count is None:
            top, bottom, left, right = (round(share * size) for share in HIDDEN[self.family])
            mask = torch.ones(size, size, dtype=torch.bool)
            mask[top:bottom, left:right] = False
            return mask.expand(batch, 1, size, size)
        if self.family == "ordered":
            mask = torch.arange(size * size) < self.count
            return mask.view(size, size).expand(batch, 1, size, size)
        return random_pixels(batch, size, self.count, generator(seed, "mask", self.count))


def counts_for(size: int) -> tuple[int, ...]:
    """Numbers of random context pixels for a grid: the protocol's, or shares of its pixels."""
    shares = tuple(max(1, round(share * size * size)) for share in _SHARES)
    return _COUNTS.get(size, shares)


def protocol(size: int) -> list[Setting]:
    """All settings that scores are reported at, for a grid of `size` x `size`."""
    counted = [Setting(family, count) for family in _COUNTED for count in counts_for(size)]
    return [*counted, *(Setting(family) for family in HIDDEN)]


def parse(text: str, size: int) -> list[Setting]:
    """Settings from words with commas: `random:10`, `ordered:300`, `top-half`.

    `random` and `ordered` alone stand for all numbers of the protocol; a number alone is one of
    random pixels.

    Raises:
        UsageError: A word is unknown, or asks for more context pixels than a picture has.
    """
    settings: list[Setting] = []
    for word in text.split(","):
        family, _, number = word.strip().partition(":")
        if family.isdecimal() and not number:
            family, number = "random", family
        if family in _COUNTED and not number:
            settings += [Setting(family, count) for count in counts_for(size)]
        elif family in _COUNTED and number.isdecimal():
            settings.append(Setting(family, _checked(int(number), size)))
        elif family in HIDDEN and not number:
            settings.append(Setting(family))
        else:
            known = "random[:N], ordered[:N], " + ", ".join(HIDDEN)
            raise UsageError(f"--contexts: {word!r} is unknown", f"words: {known}")
    return list(dict.fromkeys(settings))


def _checked(count: int, size: int) -> int:
    if count > size * size:
        raise UsageError(
            f"--contexts: {count} context pixels are more than the {size * size} of a picture",
            f"pictures have {size}x{size} pixels here",
        )
    return count
