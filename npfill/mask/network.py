"""Scratches and dust by what is around each pixel: measures of light marks, weighed by a network.

The network is small: `python -m tools.marks` trains it, on photographs on which damage is drawn.
It is asked twice: for marks of any colour, and then for marks of the colour that most of these
share. Dark marks are light ones of the inverted picture.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from npfill.mask.shades import Shade, shades
from npfill.pictures.planes import (
    Pieces,
    Plane,
    Selected,
    above_surroundings,
    along_line,
    box_mean,
    extreme,
    moved,
)

Levels = Float[np.ndarray, "height width 3"]
Measures = Float[np.ndarray, "height width measure"]
_SIZES = (4, 7, 11, 17)  # pixels, of what is lighter than all around it
_SMALL, _MOST = 700, 3_200_000  # the side, and the pixels, of what is looked at
# What marks are at least, and two pixels of each.
_PROBABLY, _SURELY, _FEWEST = {"scratches": 0.4, "dust": 0.25}, {"scratches": 0.8, "dust": 0.6}, 2
_SHORTEST = 10  # pixels of a scratch
# The weight of a colour, and then the number of its marks that are certain, of those of the best.
_WORTH, _CERTAIN, _AS_MANY = 0.15, 0.9, 0.4


def measures(levels: Levels, kind: str) -> Measures:
    """What says of each pixel whether it is a light mark.

    Args:
        levels: The picture, 0 to 255.
        kind: `scratches` or `dust`.
    """
    low = levels.min(-1)
    heights = [above_surroundings(low, size) for size in _SIZES]
    middle = heights[2]
    clear = np.clip(middle / 40, 0, 1)
    usual = [box_mean(clear, radius) for radius in (6, 16, 40)]
    deep = above_surroundings(255 - levels.max(-1), _SIZES[2])
    picture = np.full_like(low, clear.mean()), np.full_like(low, np.quantile(low, 0.98) / 255)
    found = [each / 64 for each in heights]
    found += [low / 255, (levels.max(-1) - low) / 64, *usual, *picture]
    found += [
        box_mean(np.minimum(deep, 40) / 40, 16),
        box_mean(low, 2) / 255,
        box_mean(low, 8) / 255,
    ]
    found += _around(clear) if kind == "dust" else _along(clear)
    return np.stack(found, axis=-1, dtype=np.float32)


def coloured(levels: Levels, colour: Float[np.ndarray, "3"], chance: Plane, kind: str) -> Measures:
    """What says more, once the colour is known that most marks have, and the first chance."""
    away = np.abs(levels - colour).max(-1)
    background = np.stack(
        [each - above_surroundings(each, _SIZES[3]) for each in np.moveaxis(levels, -1, 0)], axis=-1
    )
    towards = colour - background
    share = ((levels - background) * towards).sum(-1) / np.maximum((towards**2).sum(-1), 400)
    rest = np.abs(levels - background - np.clip(share, 0, 1)[..., None] * towards).max(-1)
    alike = np.exp(-away / 16)
    found = [chance, away / 64, share, rest / 64, np.abs(towards).max(-1) / 128]
    found += [box_mean(alike, radius) for radius in (3, 8, 24)]
    found += [box_mean(chance, radius) for radius in (2, 8, 24)]
    found += [above_surroundings(alike, size) for size in _SIZES[1:]]
    found += [*np.moveaxis(np.broadcast_to(colour / 255, levels.shape), -1, 0)]
    covered = np.clip(share, 0, 1) * np.exp(-rest / 24)
    found += _around(covered) if kind == "dust" else _along(covered) + _along(chance)
    return np.stack(found, axis=-1, dtype=np.float32)


def _along(plane: Plane) -> list[Plane]:
    """How far lines through each point stand out from their sides, and how much of a line is."""
    wide = extreme(plane, 3, np.maximum)
    found = []
    for length, directions in ((16, 12), (64, 24)):
        best = np.zeros_like(plane)
        total, thin, full = best.copy(), best.copy(), best.copy()
        for angle in np.arange(directions) * np.pi / directions:
            down, right = float(np.sin(angle)), float(np.cos(angle))
            mean = along_line(wide, (down, right), length, np.add) / length
            across = round(right * 7), -round(down * 7)
            sides = np.maximum(moved(mean, *across), moved(mean, -across[0], -across[1]))
            above = mean - sides
            best = np.maximum(best, above)
            full = np.maximum(full, mean)
            total += np.maximum(above, 0)
            thin = np.maximum(thin, along_line(above, (down, right), length, np.maximum))
        found += [best, thin, full, total / directions]
    return found


def _around(plane: Plane) -> list[Plane]:
    """How far spots stand out from what is around them."""
    inner = [box_mean(plane, radius) for radius in (1, 2, 4, 7, 12)]
    most = [extreme(plane, size, np.maximum) for size in (3, 9)]
    return [*inner, *most, extreme(plane, 3, np.minimum)]


def colours_of(levels: Levels, found: Measures, chance: Plane) -> list[Shade]:
    """The colours, two at most, that what is surely damaged has."""
    sure, may_be = chance > 0.7, found[..., 2] > 0.15
    return shades(levels, sure, may_be, light=True)


@dataclass(frozen=True)
class Network:
    """Layers of weights and offsets, with ramps between them."""

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    def chance(self, measures: Measures) -> Plane:
        """The probability that each pixel is damaged."""
        rows = []
        for row in measures:  # all at once takes memory
            values = row
            for number, (weights, offsets) in enumerate(self.layers):
                values = (np.maximum(values, 0) if number else values) @ weights + offsets
            rows.append(1 / (1 + np.exp(-np.clip(values[:, 0], -30, 30))))
        return np.stack(rows).astype(np.float32)


@cache
def networks() -> dict[str, Network]:
    """The networks by kind and turn, as `scratches1`."""
    with np.load(Path(__file__).with_name("marks.npz")) as file:
        names = sorted({name.split(".")[0] for name in file})
        found = {}
        for name in names:
            layers = range(sum(each.startswith(f"{name}.") for each in file) // 2)
            found[name] = Network(
                tuple((file[f"{name}.{k}.weights"], file[f"{name}.{k}.offsets"]) for k in layers)
            )
    return found


@dataclass(frozen=True)
class Marks:
    """Marks of damage that were found.

    Attributes:
        selected: True where they are.
        light: Most are lighter than what is around them.
        sure: The mean probability of what is selected, 0 where nothing is.
    """

    selected: Selected
    light: bool
    sure: float


def find(
    levels: Float[np.ndarray, "height width channel"], kind: str, strength: float = 1.0
) -> Marks:
    """Find marks of a kind, in full size and, of a large picture, at a half and a quarter.

    Args:
        levels: The picture, 0 to 255.
        kind: `scratches` or `dust`.
        strength: More than 1 finds fainter marks, and more that are none.
    """
    height, width = levels.shape[:2]
    colours = levels if levels.shape[-1] == 3 else levels[..., :1].repeat(3, axis=-1)
    found: list[tuple[float, bool, int, Plane]] = []
    step = 1
    while step == 1 or max(height, width) >= _SMALL * step:
        if height * width <= _MOST * step * step:
            small = colours if step == 1 else _reduced(colours, step)
            for light, each in _chances(small, kind):
                found.append(((each > _CERTAIN).sum() * step**2, light, step, each))
        step *= 2
    most, light, *_ = max(found, default=(0.0, True), key=lambda each: each[0])
    chance = np.zeros((height, width), dtype=np.float32)
    for count, _, step, each in found:
        if count >= _AS_MANY * most:
            wide = each.repeat(step, axis=0).repeat(step, axis=1)[:height, :width]
            chance = np.maximum(chance, wide)
    pieces = Pieces.of(chance > min(_PROBABLY[kind] / strength, 0.95))
    wanted = pieces.count(chance > min(_SURELY[kind] / strength, 0.97)) >= _FEWEST
    if kind == "scratches":
        wanted &= pieces.length >= _SHORTEST
    selected = pieces.chosen(wanted)
    sure = float(chance[selected].mean()) if selected.any() else 0.0
    return Marks(selected, light, sure)


def _chances(levels: Levels, kind: str) -> list[tuple[bool, Plane]]:
    """If marks are light, and the probability of each pixel, for each colour that many have."""
    asked = []
    for light in (True, False):
        seen = levels if light else 255 - levels
        found = measures(seen, kind)
        first = networks()[f"{kind}1"].chance(found)
        for shade in colours_of(seen, found, first):
            asked.append((shade, light, seen, found, first))
    most = max((each[0].weight for each in asked), default=0.0)
    result = []
    for shade, light, seen, found, first in asked:
        if shade.weight >= _WORTH * most:
            more = coloured(seen, shade.colour, first, kind)
            both = np.concatenate([found, more], axis=-1, dtype=np.float32)
            result.append((light, networks()[f"{kind}2"].chance(both)))
    return result


def _reduced(levels: Levels, step: int) -> Levels:
    """Means over squares; those at the border have fewer pixels."""
    height, width = (-(-side // step) * step for side in levels.shape[:2])
    wide = np.pad(
        levels, [(0, height - len(levels)), (0, width - levels.shape[1]), (0, 0)], mode="edge"
    )
    return wide.reshape(height // step, step, width // step, step, 3).mean((1, 3))
