"""The mean and std of every pixel, kept up to date part by part, so that a decision is quick."""

from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from npfill.errors import ModelError
from npfill.exploring.rules import GROWTH
from npfill.exploring.spacing import distances
from npfill.models.lawful import network_alone
from npfill.pictures.picture import Picture
from npfill.pictures.wild import seen_of_data
from npfill.predictor import NeuralPredictor, Predictor

Grid = Float[np.ndarray, "height width channel"]
Mask = Bool[np.ndarray, "height width"]
Place = tuple[slice, slice]

# The side of a grid that is predicted at once, and of the parts of a larger one; and what is seen
# around these: half of the fine network's field of view.
_WHOLE, _SIDE, _MARGIN = 192, 96, 32


@dataclass
class Doubt:
    """Mean and standard deviation of every pixel by a model, in the unit of the values.

    Attributes:
        predictor: The model.
        mean: The mean; NaN where nothing was predicted yet.
        std: The standard deviation, as it was when its part was predicted; NaN likewise.
        parts: The parts of the grid, which are predicted one at a time; a model that does not work
            on a picture's own grid has one.
        wild: True where a value is wild, which the model does not see.
        notes: Sentences of the model on what it was not made for.
    """

    predictor: Predictor
    mean: Grid
    std: Grid
    notes: dict[str, None] = field(default_factory=dict)
    parts: list[Place] = field(init=False)
    wild: Mask = field(init=False)

    def __post_init__(self) -> None:
        height, width = self.mean.shape[:2]
        parted = isinstance(self.predictor, NeuralPredictor) and self.predictor.model.any_size
        longest = max(height, width)
        side = _SIDE if parted and longest > _WHOLE else longest
        self.parts = [
            (slice(top, min(top + side, height)), slice(left, min(left + side, width)))
            for top in range(0, height, side)
            for left in range(0, width, side)
        ]
        self._known = np.full(len(self.parts), -1)  # pixels measured when it was predicted
        self._distance = np.full((height, width), np.nan)
        self.wild = np.zeros((height, width), dtype=bool)

    @classmethod
    def empty(cls, predictor: Predictor, shape: tuple[int, int, int]) -> "Doubt":
        """That of a grid of which nothing was predicted yet."""
        return cls(predictor, np.full(shape, np.nan), np.full(shape, np.nan))

    def copy(self) -> "Doubt":
        """Another that knows the same."""
        return deepcopy(self, {id(self.predictor): self.predictor})

    def update(self, values: Grid, measured: Mask, parts: int | None = None) -> None:
        """Predict the parts in which the most is new; all of them the first time.

        Args:
            values: The values, in any unit.
            measured: True where they are known; at least one.
            parts: The most parts later on; None for all that have changed.

        Raises:
            ModelError: The model gives no standard deviation, or fails.
        """
        seen = np.array([int(measured[part].sum()) for part in self.parts])
        # Of a part that was never predicted, all is new.
        new = np.where(self._known < 0, np.inf, seen - self._known)
        order = np.argsort(-new / np.maximum(seen, 1), kind="stable")
        most = None if (self._known < 0).any() else parts
        changed = [number for number in order if new[number] > 0][:most]
        if not changed:
            return
        grid = Picture(values, "NPY", "the grid", is_data=True, unit=True)
        missing = ~measured[..., None]
        hidden, _, bounded, _ = seen_of_data(grid, missing, missing)
        self.wild = measured & hidden.any(axis=-1)
        known = values[measured & ~self.wild]
        low, high = known.min(axis=0), known.max(axis=0)
        width = np.where(high > low, high - low, 1.0)
        distance = distances(measured)
        for number in changed:
            self._predict(self.parts[number], values, measured, low, width)
            self._distance[self.parts[number]] = distance[self.parts[number]]
            self._known[number] = seen[number]
        if bounded:
            self.mean.clip(0, 1, out=self.mean)

    def deviation(self, measured: Mask) -> Float[np.ndarray, "height width"]:
        """The root mean square over channels of the standard deviation, 0 where it is measured.

        What was measured since a part was predicted has brought it down.
        """
        std = np.hypot.reduce(self.std, axis=-1) / np.sqrt(self.std.shape[-1])  # of any range
        shrunk = distances(measured) / np.maximum(self._distance, 1)
        return np.where(measured, 0, std * np.minimum(shrunk, 1) ** GROWTH)

    def interest(self, measured: Mask) -> Float[np.ndarray, "height width"]:
        """The deviation; infinite beside a wild value around which nothing is measured.

        What is found there says whether it is a speck of the scene or a fault of the detector.
        """
        std = self.deviation(measured)
        for row, column in np.argwhere(self.wild):
            rows, columns = (slice(max(0, at - 1), at + 2) for at in (row, column))
            if measured[rows, columns].sum() == 1:
                std[rows, column] = std[row, columns] = np.inf
        return std

    def _predict(
        self, part: Place, values: Grid, measured: Mask, low: np.ndarray, width: np.ndarray
    ) -> None:
        around = tuple(slice(max(0, side.start - _MARGIN), side.stop + _MARGIN) for side in part)
        hole = (self.wild | ~measured)[around]
        if not hole.any():
            self.mean[part], self.std[part] = values[part], 0
            return
        seen = np.where(hole[..., None], 0, (values[around] - low) / width)
        with network_alone():  # the std of a stationary law is alike everywhere
            predicted = self.predictor.predict(seen.astype(np.float32), hole, bounded=False)
        if predicted.std is None:
            raise ModelError(
                f"{self.predictor.name}: has no standard deviation to choose by",
                "npfill models lists models, which have one",
            )
        self.notes |= dict.fromkeys(predicted.notes)
        mean, std = values[around].copy(), np.zeros(seen.shape)
        mean[hole], std[hole] = predicted.mean * width + low, predicted.std * width
        inner = tuple(
            slice(own.start - wide.start, own.stop - wide.start)
            for own, wide in zip(part, around, strict=True)
        )
        self.mean[part], self.std[part] = mean[inner], std[inner]
