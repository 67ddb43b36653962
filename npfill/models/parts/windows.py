"""Windows that cover a grid: the parts of a large picture that are computed at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

from jaxtyping import Bool, Int
from torch import Tensor

# A side of every grid is a multiple of the coarsest cells of the networks.
MULTIPLE = 32
# The side of a window's own part, and what is computed around it: the field of view of the fine
# network, of 62 pixels, up to a multiple of its coarsest cells.
_SIDE, _MARGIN = 512, 64


@dataclass(frozen=True)
class Window:
    """Part of a grid: what it answers for, and the wider part that this is computed from.

    Attributes:
        rows: The first row that it answers for, and the one after the last.
        columns: The same for columns.
        top: The first row that is computed; with `bottom`, `left` and `right` all that is.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    top: int
    bottom: int
    left: int
    right: int

    def holds(
        self, rows: Int[Tensor, "batch target"], columns: Int[Tensor, "batch target"]
    ) -> Bool[Tensor, "batch target"]:
        """Which pixels it answers for."""
        within_rows = (rows >= self.rows[0]) & (rows < self.rows[1])
        return within_rows & (columns >= self.columns[0]) & (columns < self.columns[1])

    def cut(self, grid: Tensor, stride: int = 1) -> Tensor:
        """The part of a grid of cells of `stride` pixels that is computed."""
        top, bottom, left, right = (
            edge // stride for edge in (self.top, self.bottom, self.left, self.right)
        )
        return grid[..., top:bottom, left:right]


def windows(height: int, width: int) -> Iterator[Window]:
    """The windows of a grid; one for a grid that is no larger than a window."""
    for top in range(0, height, _SIDE):
        for left in range(0, width, _SIDE):
            bottom, right = min(top + _SIDE, height), min(left + _SIDE, width)
            yield Window(
                (top, bottom),
                (left, right),
                max(0, top - _MARGIN),
                min(height, bottom + _MARGIN),
                max(0, left - _MARGIN),
                min(width, right + _MARGIN),
            )
