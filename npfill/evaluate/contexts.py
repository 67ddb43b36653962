"""Kinds of contexts: which pixels of a picture are observed while a predictor is scored."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool
from PIL import Image
from torch import Tensor

from npfill.data.holes import FAMILIES, Hole, random_pixels, scattered
from npfill.data.sources import read_photographs
from npfill.errors import InputError, UsageError
from npfill.seeds import array_generator, generator

Mask = Bool[Tensor, "picture 1 height width"]
Size = tuple[int, int]

# The protocol's numbers of context pixels, by side of the grid; elsewhere these fractions of it.
_COUNTS = {28: (10, 50, 100, 300), 32: (10, 100, 1000), 64: (50, 200, 500, 1000)}
_FRACTIONS = (0.01, 0.05, 0.1, 0.4)
# What is hidden, as fractions of the sides: top, bottom, left, right.
_HIDDEN = {
    "top-half": (0.0, 0.5, 0.0, 1.0),
    "left-half": (0.0, 1.0, 0.0, 0.5),
    "centre-box": (0.25, 0.75, 0.25, 0.75),
}
# Per cent of the pixels that are kept where they are scattered.
_KEPT = (5, 10, 20, 50)
# Per cent of the picture that irregular masks hide.
_IRREGULAR = ((1, 10), (10, 20), (20, 30), (30, 60))
_DAMAGE = {name: draw for name, draw in FAMILIES.items() if name != "scattered"}
_WHITE = 128
_DIGITS = 12  # of a number of pixels; Python takes none of thousands


@dataclass(frozen=True)
class ContextKind:
    """One kind of context, with a name that reports print and `parse` reads.

    Attributes:
        name: The word for it.
        family: The word for all kinds that differ in their amount alone.
        draw: Draws masks; takes what `observed` takes.
        amount: Observed pixels of `random` and `ordered`, per cent kept of `keep`; else None.
    """

    name: str
    family: str
    draw: Callable[[int, Size, int, int], Mask] = field(compare=False, repr=False)
    amount: int | None = None

    def observed(self, count: int, size: Size, seed: int, first: int = 0) -> Mask:
        """Masks of pictures of a height and width, True where they are observed.

        The mask of a picture depends on the kind, the size, the seed and its number in its set
        alone; `first` is that of the first.

        Raises:
            UsageError: A picture has fewer pixels than are to be observed.
        """
        return self.draw(count, size, seed, first)


def kind(word: str) -> ContextKind:
    """The kind of a name: `random:10`, `ordered:300`, `top-half`, `keep 20 %`, `text`.

    Raises:
        UsageError: The name is unknown.
    """
    family, _, number = word.replace("keep ", "keep:").partition(":")
    number = number.removesuffix("%").strip() if family == "keep" else number
    if family.isdecimal() and not number:
        family, number = "random", family
    if len(number) > _DIGITS:
        raise UsageError(
            f"`contexts`: a number of {len(number):,} digits", "no picture has so many"
        )
    if family in _COUNTED and number.isdecimal():
        count = int(number)
        return ContextKind(f"{family}:{count}", family, partial(_COUNTED[family], count), count)
    if family == "keep" and number.isdecimal() and int(number) <= 100:
        return _kept(int(number))
    if family in _HIDDEN and not number:
        return ContextKind(family, family, partial(_hidden, _HIDDEN[family]))
    if family in _DAMAGE and not number:
        return ContextKind(family, family, partial(_damaged, family, _DAMAGE[family]))
    words = ", ".join(["random:N, ordered:N, keep[:N]", *_HIDDEN, *_DAMAGE])
    raise UsageError(f"`contexts`: {word!r} is unknown", f"words: {words}, irregular with `masks`")


def counts_for(size: int) -> tuple[int, ...]:
    """Numbers of random context pixels for a grid: the protocol's, or fractions of its pixels."""
    shares = dict.fromkeys(max(1, round(share * size * size)) for share in _FRACTIONS)
    return _COUNTS.get(size, tuple(shares))


def grid_protocol(size: int) -> list[ContextKind]:
    """Every kind that scores on a grid of `size` x `size` are reported for."""
    counted = [kind(f"{family}:{count}") for family in _COUNTED for count in counts_for(size)]
    return [*counted, *map(kind, _HIDDEN)]


def photograph_protocol(masks: Path | None = None) -> list[ContextKind]:
    """Every kind that scores on photographs are reported for.

    Args:
        masks: A zip or folder of irregular masks, white where something is missing; None to do
            without them.

    Raises:
        InputError: The masks cannot be read.
    """
    always = [*map(_kept, _KEPT), kind("text"), kind("scratches")]
    return always if masks is None else [*always, *irregular(masks)]


def irregular(masks: Path) -> list[ContextKind]:
    """Irregular masks, grouped by the fraction of the picture that they hide: 1 to 60 %.

    Raises:
        InputError: They cannot be read, or none hides so much.
    """
    every = [mask[0].numpy() >= _WHITE for mask in read_photographs(masks, "test", 1).pictures]
    kinds = []
    for low, high in _IRREGULAR:
        if some := [mask for mask in every if low <= 100 * mask.mean() < high]:
            draw = partial(_from_masks, some)
            kinds.append(ContextKind(f"irregular {low}-{high} %", "irregular", draw))
    if not kinds:
        raise InputError(f"{masks}: no mask hides 1 to 60 % of its picture", "white is hidden")
    return kinds


def parse(text: str | None, size: int | None, masks: Path | None = None) -> list[ContextKind]:
    """Kinds by their names, separated by commas.

    `random`, `ordered` and `keep` alone stand for all amounts of the protocol, `irregular` for all
    groups of masks; a number alone is one of random pixels.

    Args:
        text: The names; None for those of the protocol.
        size: Side of the grid; None for pictures of any size, which have no counts of their own.
        masks: See `photograph_protocol`.

    Raises:
        UsageError: A name is unknown, or for too many pixels, or there are masks for none.
        InputError: The masks cannot be read.
    """
    if text is None:
        return photograph_protocol(masks) if size is None else grid_protocol(size)
    kinds: list[ContextKind] = []
    if masks is not None and "irregular" not in text:
        raise UsageError("`masks`: no context is irregular", f"`contexts={text},irregular`")
    for word in map(str.strip, text.split(",")):
        if word == "irregular":
            if masks is None:
                raise UsageError("`contexts`: irregular needs `masks`", "a zip or folder of them")
            kinds += irregular(masks)
        elif word == "keep":
            kinds += map(_kept, _KEPT)
        elif word in _COUNTED and size is not None:
            kinds += [kind(f"{word}:{count}") for count in counts_for(size)]
        else:
            kinds.append(kind(word))
    for each in kinds:
        if each.family in _COUNTED and size is not None:
            _refuse_more(each.amount or 0, (size, size))
    return list(dict.fromkeys(kinds))


def _refuse_more(amount: int, size: Size) -> None:
    if amount > size[0] * size[1]:
        raise UsageError(
            f"`contexts`: {amount} pixels are more than the {size[0] * size[1]} of a picture",
            f"pictures have {size[1]}x{size[0]} pixels here",
        )


def _random(amount: int, count: int, size: Size, seed: int, first: int) -> Mask:
    """Random pixels, drawn without replacement."""
    _refuse_more(amount, size)
    height, width = size
    side, within = max(size), None
    if height != width:
        within = torch.zeros(first + count, 1, side, side, dtype=torch.bool)
        within[..., :height, :width] = True
    drawn = random_pixels(first + count, side, amount, generator(seed, "mask", amount), within)
    return drawn[first:, :, :height, :width]


def _ordered(amount: int, count: int, size: Size, _seed: int, _first: int) -> Mask:
    """The first pixels, row by row from the top."""
    _refuse_more(amount, size)
    mask = torch.arange(size[0] * size[1]) < amount
    return mask.view(size).expand(count, 1, *size)


_COUNTED = {"random": _random, "ordered": _ordered}


def _hidden(
    part: tuple[float, float, float, float], count: int, size: Size, _seed: int, _first: int
) -> Mask:
    """All but a part, given as fractions of the sides."""
    top, bottom = (round(fraction * size[0]) for fraction in part[:2])
    left, right = (round(fraction * size[1]) for fraction in part[2:])
    mask = torch.ones(size, dtype=torch.bool)
    mask[top:bottom, left:right] = False
    return mask.expand(count, 1, *size)


def _kept(amount: int) -> ContextKind:
    """Scattered pixels, kept with a probability in per cent."""
    name, hole = f"keep {amount} %", partial(scattered, kept=amount / 100)
    return ContextKind(name, "keep", partial(_damaged, name, hole), amount)


def _damaged(
    name: str,
    hole: Callable[[Size, np.random.Generator], Hole],
    count: int,
    size: Size,
    seed: int,
    first: int,
) -> Mask:
    """Holes that are drawn for each picture."""
    numbers = range(first, first + count)
    holes = [hole(size, array_generator(seed, "mask", name, number)) for number in numbers]
    return ~torch.from_numpy(np.stack(holes)).unsqueeze(1)


def _from_masks(masks: list[np.ndarray], count: int, size: Size, _seed: int, first: int) -> Mask:
    """Holes from a file in turn, resized with nearest neighbour."""
    some = [Image.fromarray(masks[k % len(masks)]) for k in range(first, first + count)]
    resized = [np.array(each.resize(size[::-1], Image.Resampling.NEAREST)) for each in some]
    return ~torch.from_numpy(np.stack(resized)).unsqueeze(1)
