"""Planes of numbers: running extremes, means over squares, and pieces of a selection."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from npfill.errors import UsageError

Plane = Float[np.ndarray, "height width"]
Selected = Bool[np.ndarray, "height width"]


def extreme(plane: np.ndarray, size: int, operation: np.ufunc) -> np.ndarray:
    """The running minimum or maximum over squares of a side, by doubling; the border repeats."""
    for axis in (0, 1):
        before = (size - 1) // 2
        margins = [(0, 0), (0, 0)]
        margins[axis] = (before, size - 1 - before)
        plane = np.swapaxes(np.pad(plane, margins, mode="edge"), 0, axis)
        span = 1
        while span < size:
            step = min(span, size - span)
            plane = operation(plane[:-step], plane[step:])
            span += step
        plane = np.swapaxes(plane, 0, axis)
    return plane


def above_surroundings(plane: Plane, size: int) -> Plane:
    """The height of what is lighter than all around it and in no way wider than a square's side."""
    lower = extreme(extreme(plane, size, np.minimum), size, np.maximum)
    return np.asarray(plane - lower)


def grown(selected: Selected, pixels: int, *, wraps: bool = False) -> Selected:
    """A selection grown by pixels in all eight directions, on a grid whose columns may close."""
    if pixels < 0:
        raise UsageError(f"`grow={pixels}`", "0 pixels or more")
    reach, width = min(pixels, max(selected.shape)), selected.shape[1]
    margin = reach if wraps else 0
    wide = np.pad(selected, ((0, 0), (margin, margin)), mode="wrap")
    return extreme(wide, 2 * reach + 1, np.logical_or)[:, margin : margin + width]


def around(
    selected: Bool[np.ndarray, "height width"], margin: int = 0, multiple: int = 1
) -> tuple[slice, slice]:
    """The rows and columns of what is selected, with a margin, and out to multiples of a number."""
    spans = []
    for axis in (1, 0):
        some = np.flatnonzero(selected.any(axis=axis))
        first, end = int(some[0]) - margin, int(some[-1]) + 1 + margin
        spans.append(slice(max(0, first // multiple * multiple), -(-end // multiple) * multiple))
    return spans[0], spans[1]


def box_mean(plane: np.ndarray, radius: int) -> Plane:
    """The mean over squares of 2 radius + 1; near the border, of what of them is in the picture."""
    for axis in (0, 1):
        length = plane.shape[axis]
        sums = np.insert(np.cumsum(plane, axis=axis, dtype=np.float64), 0, 0, axis=axis)
        at = np.arange(length)
        first, end = np.maximum(at - radius, 0), np.minimum(at + radius + 1, length)
        counts = (end - first)[:, None] if axis == 0 else end - first
        plane = (sums.take(end, axis=axis) - sums.take(first, axis=axis)) / counts
    return plane.astype(np.float32)


@dataclass(frozen=True)
class Pieces:
    """The connected pieces of a selection, diagonal neighbours included, by runs along rows.

    Attributes:
        shape: The size of the plane.
        starts, ends: The first pixel of each run and the one behind its last, in a plane with a
            column of margin on either side, row by row.
        piece: The number of each run's piece, from 0.
        size: The pixels of each piece.
        top, bottom, left, right: The rows and columns that each spans, the last ones not included.
    """

    shape: tuple[int, int]
    starts: Int[np.ndarray, " run"]
    ends: Int[np.ndarray, " run"]
    piece: Int[np.ndarray, " run"]
    size: Int[np.ndarray, " piece"]
    top: Int[np.ndarray, " piece"]
    bottom: Int[np.ndarray, " piece"]
    left: Int[np.ndarray, " piece"]
    right: Int[np.ndarray, " piece"]

    @classmethod
    def of(cls, selected: Selected) -> "Pieces":
        """The pieces of a selection."""
        height, width = selected.shape
        row = width + 2
        steps = np.diff(np.pad(selected, ((0, 0), (1, 1))).ravel().view(np.int8), append=0)
        starts, ends = np.flatnonzero(steps == 1) + 1, np.flatnonzero(steps == -1) + 1
        first = np.searchsorted(ends, starts + row, side="left")
        behind = np.searchsorted(starts, ends + row, side="right")
        counts = np.maximum(behind - first, 0)
        one = np.repeat(np.arange(len(starts)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        _, piece = np.unique(
            _joined(len(starts), one, np.repeat(first, counts) + within), return_inverse=True
        )
        rows, found = starts // row, list[Int[np.ndarray, " piece"]]()
        for operation, values, first_value in (
            (np.add, ends - starts, 0),
            *((np.minimum, rows, height), (np.maximum, rows + 1, 0)),
            *((np.minimum, starts % row - 1, width), (np.maximum, (ends - 1) % row, 0)),
        ):
            found.append(np.full(int(piece.max(initial=-1)) + 1, first_value))
            operation.at(found[-1], piece, values)
        return cls((height, width), starts, ends, piece, *found)

    @property
    def length(self) -> Float[np.ndarray, " piece"]:
        """The diagonal of each piece's rectangle."""
        return np.hypot(self.bottom - self.top, self.right - self.left)

    def count(self, selected: Selected) -> Int[np.ndarray, " piece"]:
        """The number of pixels of each piece that are in another selection."""
        sums = np.insert(np.cumsum(np.pad(selected, ((0, 0), (1, 1))), dtype=np.int64), 0, 0)
        counts = np.zeros(len(self.size), dtype=np.int64)
        np.add.at(counts, self.piece, sums[self.ends] - sums[self.starts])
        return counts

    def chosen(self, wanted: Shaped[np.ndarray, " piece"]) -> Selected:
        """The selection of some of the pieces."""
        height, width = self.shape
        runs = wanted[self.piece] if len(self.piece) else np.zeros(0, dtype=bool)
        edges = np.zeros(height * (width + 2) + 1, dtype=np.int8)
        edges[self.starts[runs]] = 1
        edges[self.ends[runs]] = -1
        filled: np.ndarray = np.cumsum(edges[:-1], dtype=np.int8).astype(bool)
        return filled.reshape(height, width + 2)[:, 1:-1]


def _joined(count: int, one: np.ndarray, other: np.ndarray) -> Int[np.ndarray, " run"]:
    """The least number that each of several things is joined with, directly or not."""
    least = np.arange(count)
    while True:
        low = np.minimum(least[one], least[other])
        np.minimum.at(least, least[one], low)
        np.minimum.at(least, least[other], low)
        while (least[least] != least).any():
            least = least[least]
        if (least[one] == least[other]).all():
            return least
