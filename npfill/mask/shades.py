"""The colour that marks of damage share: many of them have it, and little else does."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

_CELLS = 16  # in each channel
_NEAR = 44.0  # levels

Levels = Float[np.ndarray, "height width channel"]
Selected = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class Shade:
    """A colour of damage.

    Attributes:
        colour: Its levels, of each channel.
        share: The part of what may be damage and has about this colour that surely is.
        count: The number of pixels that surely are.
        light: The damage is lighter than its surroundings.
    """

    colour: Float[np.ndarray, " channel"]
    share: float
    count: int
    light: bool

    @property
    def weight(self) -> float:
        """The degree to which it explains what was found."""
        return self.share * self.count


def shades(
    levels: Levels, sure: Selected, may_be: Selected, *, light: bool, within: int = 2
) -> list[Shade]:
    """The two colours that most of what is surely damage has, and least of what may be.

    Args:
        levels: The picture.
        sure: True where it surely is damaged.
        may_be: True where it may be.
        light: The damage is lighter than its surroundings.
        within: Cells, of 16 levels, on either side that count as one colour.
    """
    cells = np.minimum(levels.astype(np.int32) * _CELLS // 256, _CELLS - 1)
    if cells.shape[-1] != 3:
        cells = cells[..., :1].repeat(3, axis=-1)
    cell = (cells[..., 0] * _CELLS + cells[..., 1]) * _CELLS + cells[..., 2]
    surely, all_of_it = (_counts(cell[each], within) for each in (sure, may_be | sure))
    found = []
    for _ in range(2):
        weight = surely**2 / np.maximum(all_of_it, 1)
        at = np.unravel_index(weight.argmax(), weight.shape)
        count = int(surely[at])
        if not count:
            break
        middle = ((np.array(at) + 0.5) * 256 / _CELLS)[: levels.shape[-1]]
        near = sure & (np.abs(levels - middle).max(-1) <= _NEAR)
        colour = np.median(levels[near], axis=0) if near.any() else middle
        found.append(Shade(colour, float(surely[at] / max(all_of_it[at], 1)), count, light))
        surely[tuple(slice(max(0, k - 2 * within), k + 2 * within + 1) for k in at)] = 0
    return found


def _counts(cells: Int[np.ndarray, " pixel"], within: int) -> Float[np.ndarray, "red green blue"]:
    """The number of pixels that have about each colour."""
    counts = np.bincount(cells, minlength=_CELLS**3).reshape((_CELLS,) * 3).astype(np.float64)
    for axis in range(3):
        margins = [(0, 0)] * 3
        margins[axis] = (within, within)
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(counts, margins), 2 * within + 1, axis=axis
        )
        counts = windows.sum(-1)
    return counts
