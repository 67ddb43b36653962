"""The mean and std of every pixel, kept up to date part by part, so that a decision is quick."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from npfill.errors import ModelError
from npfill.exploring.rules import GROWTH
from npfill.exploring.spacing import distances
from npfill.models.lawful import network_alone
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
        notes: Sentences of the model on what it was not made for.
    """

    predictor: Predictor
    mean: Grid
    std: Grid
    notes: dict[str, None] = field(default_factory=dict)
    parts: list[Place] = field(init=False)

    def __post_init__(self) -> None:
        height, width = self.mean.shape[:2]
        model = getattr(self.predictor, "model", None)
        parted = isinstance(self.predictor, NeuralPredictor) and model and model.any_size
        longest = max(height, width)
        side = _SIDE if parted and longest > _WHOLE else longest
        self.parts = [
            (slice(top, min(top + side, height)), slice(left, min(left + side, width)))
            for top in range(0, height, side)
            for left in range(0, width, side)
        ]
        self._known = np.full(len(self.parts), -1)  # pixels measured when it was predicted
        self._distance = np.full((height, width), np.nan)

    @classmethod
    def empty(cls, predictor: Predictor, shape: tuple[int, int, int]) -> "Doubt":
        """That of a grid of which nothing was predicted yet."""
        mean, std = (np.full(shape, np.nan, dtype=np.float32) for _ in range(2))
        return cls(predictor, mean, std)

    def copy(self) -> "Doubt":
        """Another that knows the same."""
        other = Doubt(self.predictor, self.mean.copy(), self.std.copy(), {**self.notes})
        other._known[:], other._distance[:] = self._known, self._distance
        return other

    @property
    def is_complete(self) -> bool:
        """True once every part was predicted."""
        return bool((self._known >= 0).all())

    def update(self, values: Grid, measured: Mask, parts: int | None = None) -> None:
        """Predict the parts in which the most is new; those never predicted first.

        Args:
            values: The values, in any unit.
            measured: True where they are known; at least one.
            parts: The most parts; None for all that have changed.

        Raises:
            ModelError: The model gives no standard deviation, or fails.
        """
        seen = np.array([int(measured[part].sum()) for part in self.parts])
        # Of a part that was never predicted, all is new.
        new = np.where(self._known < 0, np.inf, seen - self._known)
        order = np.argsort(-new / np.maximum(seen, 1), kind="stable")
        changed = [number for number in order if new[number] > 0][:parts]
        if not changed:
            return
        low, width = _range(values[measured])
        distance = distances(measured)
        for number in changed:
            self._predict(self.parts[number], values, measured, low, width)
            self._distance[self.parts[number]] = distance[self.parts[number]]
            self._known[number] = seen[number]

    def deviation(self, measured: Mask) -> Float[np.ndarray, "height width"]:
        """The root mean square over channels of the standard deviation, 0 where it is measured.

        What was measured since a part was predicted has brought it down.
        """
        std = np.sqrt(np.square(self.std, dtype=np.float64).mean(axis=-1))
        shrunk = distances(measured) / np.maximum(self._distance, 1)
        return np.where(measured, 0, std * np.minimum(shrunk, 1) ** GROWTH)

    def _predict(
        self, part: Place, values: Grid, measured: Mask, low: np.ndarray, width: np.ndarray
    ) -> None:
        around = (
            tuple(slice(max(0, side.start - _MARGIN), side.stop + _MARGIN) for side in part)
            if len(self.parts) > 1
            else part
        )
        hole = ~measured[around]
        if not hole.any():
            self.mean[part], self.std[part] = values[part], 0
            return
        seen = np.where(hole[..., None], 0, (values[around] - low) / width)
        with network_alone():  # the std of a stationary law is alike everywhere
            predicted = self.predictor.predict(seen.astype(np.float32), hole)
        if predicted.std is None:
            raise ModelError(
                f"{self.predictor.name}: has no standard deviation to choose by",
                "npfill models lists models, which have one",
            )
        self.notes |= dict.fromkeys(predicted.notes)
        mean, std = values[around].astype(np.float32), np.zeros(seen.shape, dtype=np.float32)
        mean[hole], std[hole] = predicted.mean * width + low, predicted.std * width
        inner = tuple(
            slice(own.start - wide.start, own.stop - wide.start)
            for own, wide in zip(part, around, strict=True)
        )
        self.mean[part], self.std[part] = mean[inner], std[inner]


def _range(values: Float[np.ndarray, "point channel"]) -> tuple[np.ndarray, np.ndarray]:
    """The least of each channel, and how much greater the greatest is; 1 where they are equal."""
    low, high = values.min(axis=0), values.max(axis=0)
    return low, np.where(high > low, high - low, 1.0)
