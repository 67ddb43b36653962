"""A raster as a whole: its range, and a coarse grid of it, so that windows fit each other."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from npfill.errors import InputError, UsageError
from npfill.pictures.formats import arrays, npz_bytes
from npfill.pictures.picture import Picture
from npfill.pictures.scales import range_between, to_line
from npfill.pictures.wild import SAMPLE, Whole, seen_of_data, tails
from npfill.pictures.windows import Ends

# The side of the finest cells, and cells along a side above which they are twice as wide, up to
# the widest; pixels that are read at once.
_CELL, _CELLS, _WIDEST, _AT_ONCE = 16, 2048, 64, 2**22

# What is read of rows and columns: data, and where nothing is filled nor used.
Read = Callable[[Ends, Ends], tuple[Picture, Bool[np.ndarray, "rows columns"]]]


@dataclass(frozen=True)
class Overview:
    """A whole raster at a glance.

    Attributes:
        name: The raster's name in messages.
        limits: The least and the greatest value of each channel that is not wild.
        ends: The same on the line that values are completed on: of logarithms, or as they are.
        quantiles: As of `Whole`.
        cell: The side of a cell in pixels.
        mean: The mean intensity of what is observed of each cell; NaN without any.
        rough: The standard deviation of intensities within cells.
    """

    name: str
    limits: Float[np.ndarray, "2 channel"]
    ends: Float[np.ndarray, "2 channel"]
    quantiles: Float[np.ndarray, "channel 2"]
    cell: Int[np.ndarray, ""]
    mean: Float[np.ndarray, "rows columns channel"]
    rough: Float[np.ndarray, " channel"]

    @classmethod
    def of(cls, name: str, size: tuple[int, int], read: Read) -> "Overview":
        """Read a raster twice: for its quantiles, then for all else.

        Raises:
            UsageError: Nothing is missing of it.
            InputError: Nothing is observed of it, or what is is infinite.
        """
        cell = _CELL
        while max(size) > cell * _CELLS and cell < _WIDEST:
            cell *= 2
        step, lines = -(-size[0] * size[1] // SAMPLE), list[list[np.ndarray]]()
        bands, lacks = _bands(size, cell), False
        for rows, _ in bands:
            picture, never = read(rows, (0, size[1]))
            assert picture.missing is not None
            lacks |= bool((picture.missing[..., : picture.colours] & ~never[..., None]).any())
            for channel in range(picture.colours):
                seen = ~(picture.missing[..., channel] | never)
                known = to_line(picture, picture.values[seen, channel])[::step]
                lines = lines if len(lines) > channel else [*lines, []]
                lines[channel].append(known)
        if not lacks:
            hint = "`nodata=V` says which value is none; or `mask=FILE`, or less in `keep_out`"
            raise UsageError(f"{name}: nothing says what is missing", hint)
        quantiles = np.array([tails(np.concatenate(known)) for known in lines])
        grid = _Grid(size, cell, quantiles)
        for rows, around in bands:
            grid.add(rows, around[0], *read(around, (0, size[1])))
        if not np.isfinite(grid.limits).any():
            raise InputError(f"{name}: nothing is observed", "every value is missing or selected")
        return cls(name, *grid.found(name))

    @cached_property
    def whole(self) -> Whole:
        """The facts that a window needs."""
        dead, low, width = _scale(self.name, self.limits, self.ends)
        return Whole(low, width, self.limits, self.quantiles, dead)

    def coarse(self) -> Picture:
        """The means of cells as data, on the scale of intensities."""
        picture = arrays.data(self.mean.astype(np.float32), self.name, "NPY", {})
        return replace(picture, stack=True)

    def as_bytes(self) -> bytes:
        """All of it but the name, as a file."""
        return npz_bytes({name: getattr(self, name) for name in _KEPT})

    @classmethod
    def from_bytes(cls, content: bytes, name: str) -> "Overview":
        """The overview of such a file."""
        with np.load(BytesIO(content)) as kept:
            return cls(name, *(kept[each] for each in _KEPT))


_KEPT = ("limits", "ends", "quantiles", "cell", "mean", "rough")


class _Grid:
    """Sums over the cells of a raster, band by band."""

    def __init__(self, size: tuple[int, int], cell: int, quantiles: np.ndarray) -> None:
        channels = len(quantiles)
        shape = (-(-size[0] // cell), -(-size[1] // cell), channels)
        self._cell, self._quantiles = cell, quantiles
        self._count, self._sum, self._squares = (np.zeros(shape) for _ in range(3))
        # Sums are of values on a scale of their own, so that none is lost beside a large offset.
        known = np.isfinite(quantiles).all(axis=1)
        self._zero = np.where(known, quantiles[:, 0], 0.0)
        self._unit = np.where(known, quantiles[:, 1] - quantiles[:, 0], 1.0)
        self.limits = np.array([np.full(channels, np.inf), np.full(channels, -np.inf)])
        self._ends = self.limits.astype(object)  # floats do not tell all whole numbers apart
        self._whole = Whole(self._zero, self._unit, self.limits, quantiles, ~known)

    def add(self, rows: Ends, first: int, picture: Picture, never: np.ndarray) -> None:
        """Add the rows of a band, of which more may have been read, from `first` on."""
        assert picture.missing is not None
        hole = picture.missing[..., : picture.colours]
        hidden = seen_of_data(picture, hole, never[..., None], self._whole)[0]
        own = slice(rows[0] - first, rows[1] - first)
        at = slice(rows[0] // self._cell, -(-rows[1] // self._cell))
        for channel in range(picture.colours):
            seen, values = ~hidden[own, :, channel], picture.values[own, :, channel]
            line = np.zeros(seen.shape)
            line[seen] = known = to_line(picture, values[seen])
            if not known.size:
                continue
            for ends, some in ((self.limits, values[seen]), (self._ends, known)):
                ends[0, channel] = min(ends[0, channel], some.min().item())
                ends[1, channel] = max(ends[1, channel], some.max().item())
            line[seen] = (line[seen] - self._zero[channel]) / self._unit[channel]
            for sums, part in ((self._count, seen), (self._sum, line), (self._squares, line**2)):
                sums[at, :, channel] = self._summed(part)

    def _summed(self, part: np.ndarray) -> np.ndarray:
        edges = [(0, -side % self._cell) for side in part.shape]
        cells = np.pad(part, edges).reshape(
            -(-part.shape[0] // self._cell), self._cell, -1, self._cell
        )
        return cells.sum(axis=(1, 3), dtype=np.float64)

    def found(self, name: str) -> tuple[np.ndarray, ...]:
        """Limits, ends, quantiles, the cell's side, means and roughness."""
        _, low, width = _scale(name, self.limits, self._ends)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self._sum / self._count
            spread = np.maximum(self._squares - self._sum * mean, 0.0)
        many = self._count >= self._cell**2 / 2
        free = np.where(many, self._count - 1, 0).sum(axis=(0, 1))
        rough = np.sqrt(np.where(many, spread, 0).sum(axis=(0, 1)) / np.maximum(free, 1.0))
        mean = (self._zero + mean * self._unit - low) / width
        scaled = rough * self._unit / width
        ends = self._ends.astype(np.float64)
        return self.limits, ends, self._quantiles, np.array(self._cell), mean, scaled


def _scale(
    name: str, limits: Float[np.ndarray, "2 channel"], ends: Shaped[np.ndarray, "2 channel"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True for bands without a value; intensity 0 of each on the line of values, and its span."""
    dead = ~np.isfinite(limits).all(axis=0)
    ends = np.where(dead, [[0.0], [1.0]], ends)
    return dead, *range_between(name, [*zip(*ends.tolist(), strict=True)])


def _bands(size: tuple[int, int], cell: int) -> list[tuple[Ends, Ends]]:
    """Rows that are read at once, and the same with those beside them, which wild values need."""
    height, width = size
    step = max(1, _AT_ONCE // width // cell) * cell
    ends = [(top, min(top + step, height)) for top in range(0, height, step)]
    return [((top, bottom), (max(0, top - 1), min(bottom + 1, height))) for top, bottom in ends]
