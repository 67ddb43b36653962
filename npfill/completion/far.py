"""Predictions far from all that is observed of a raster, from a coarse grid of the whole."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from npfill.completion.in_window import Rescalings, Window, predicted
from npfill.completion.overview import Overview
from npfill.completion.parameters import SamplingOptions
from npfill.pictures.formats import npz_bytes
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.wild import Whole

if TYPE_CHECKING:
    from npfill.predictor import Predictor

Values = Float[np.ndarray, "rows columns channel"]


@dataclass(frozen=True)
class Far:
    """Intensities of cells, and how much they count.

    Attributes:
        cell: The side of a cell in pixels.
        mean: The mean of each cell.
        std: The standard deviation of its pixels; of no channel where nothing gives one.
        weight: From 0 where something observed is near, to 1 half as far away as a window sees.
    """

    cell: int
    mean: Values
    std: Float[np.ndarray, "rows columns _"]
    weight: Values

    @classmethod
    def by(
        cls, overview: Overview, reach: int, predictor: "Predictor", how: SamplingOptions
    ) -> "Far":
        """Complete the coarse grid of a raster.

        Args:
            overview: The raster as a whole.
            reach: Pixels around a window that it sees.
            predictor: What completes it; where it checks its std, so it does here.
            how: The seed, and if there is a check.
        """
        cell, picture = int(overview.cell), overview.coarse()
        assert picture.missing is not None
        weight = _weight(~picture.missing, reach // cell // 2)
        if not weight.any():
            return cls(cell, weight, weight, weight)
        dead = overview.whole.dead
        zero, one, none = np.zeros(len(dead)), np.ones(len(dead)), np.full((len(dead), 2), np.nan)
        whole = Whole(zero, one, np.array([zero, one]), none, dead)
        nothing = np.zeros(picture.size, dtype=bool)
        masked = MaskedPicture.of(picture, nothing, None, whole)
        window = Window(masked, (slice(None), slice(None)), (0, 0), picture.lacks, picture.lacks)
        rescalings = Rescalings.by([window], 1, predictor, how)
        mean, std = predicted(masked, predictor, how, rescalings)
        # A pixel differs from the mean of its cell, too.
        wide = mean[..., :0] if std is None else np.hypot(std, overview.rough)
        return cls(cell, mean, wide, weight)

    def blended(
        self, mean: Values, std: Values | None, corner: tuple[int, int]
    ) -> tuple[Values, Values | None]:
        """Mean and std of a window from its corner on, those of cells in place of what is far."""
        weight = self._at(self.weight, corner, mean.shape)
        if not weight.any():
            return mean, std
        mean = mean + weight * (self._at(self.mean, corner, mean.shape) - mean)
        if std is not None:
            std = std + weight * (self._at(self.std, corner, mean.shape) - std)
        return mean.astype(np.float32), None if std is None else std.astype(np.float32)

    def _at(
        self, cells: Values, corner: tuple[int, int], shape: tuple[int, ...]
    ) -> Float[np.ndarray, "height width channel"]:
        """The bilinear interpolation of cells at the pixels of a window."""
        for axis, (first, length) in enumerate(zip(corner, shape[:2], strict=True)):
            places = (np.arange(first, first + length) + 0.5) / self.cell - 0.5
            places = np.clip(places, 0, cells.shape[axis] - 1)
            below = np.minimum(places.astype(int), max(0, cells.shape[axis] - 2))
            above = np.minimum(below + 1, cells.shape[axis] - 1)
            share = np.expand_dims(places - below, tuple({0, 1, 2} - {axis}))
            low, high = cells.take(below, axis), cells.take(above, axis)
            cells = low + share * (high - low)
        return cells

    def as_bytes(self) -> bytes:
        """All of it as a file."""
        return npz_bytes({name: np.asarray(each) for name, each in vars(self).items()})

    @classmethod
    def from_bytes(cls, content: bytes) -> "Far":
        """The content of such a file."""
        with np.load(BytesIO(content)) as kept:
            return cls(int(kept["cell"]), kept["mean"], kept["std"], kept["weight"])


def _weight(observed: Bool[np.ndarray, "rows columns channel"], farthest: int) -> Values:
    """The weight of cells by their distance from those that are observed, in cells."""
    nearest, reached = farthest // 4, observed
    weight = np.ones(observed.shape)
    for distance in range(farthest):
        weight[reached & (weight == 1)] = max(0, distance - nearest) / (farthest - nearest)
        wide = np.pad(reached, ((1, 1), (1, 1), (0, 0)))
        across = wide[:-2] | wide[1:-1] | wide[2:]
        reached = across[:, :-2] | across[:, 1:-1] | across[:, 2:]
    return weight
