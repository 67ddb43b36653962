"""Ask and tell: an explorer says which pixels to measure, and is told their values."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from npfill import zoo
from npfill.completion import Completion, complete
from npfill.completion.parameters import check_number
from npfill.errors import InputError, ModelError, UsageError
from npfill.exploring.doubt import Doubt
from npfill.exploring.rules import RULES, Scene, evenly, fewest
from npfill.exploring.state import State
from npfill.exploring.told import Places, as_shape, as_told, as_within
from npfill.models.lawful import network_alone
from npfill.predictor import Model, NeuralPredictor, load

# So many answers one after another that are no numbers are no chance.
DEAD = 100


class Explorer:
    """The measurement of a grid, pixel by pixel: `ask` where to measure, and `tell` what was found.

    Threads may ask and tell at the same time. Pixels that were asked for are not asked for again
    before they are told; one whose value is no number is left out from then on. The memory does not
    grow with what is told.

    Attributes:
        shape: Height, width and channels of the grid.
        measured: True where a value was told.
        failed: True where what was told is no number.
        model: What completes the grid.
        values: The values that were told, as float64; NaN elsewhere.
    """

    def __init__(
        self,
        shape: Sequence[int],
        model: Model = "auto",
        *,
        within: ArrayLike | None = None,
        seed: int = 0,
        rule: str = "next",
        device: str = "auto",
    ) -> None:
        """Begin with an empty grid.

        Args:
            shape: Height and width; and channels, one or three, if not one.
            model: As of `npfill.complete`; one that gives a standard deviation. `auto` is the model
                for data, and of three channels that for photographs.
            within: "height width", True where pixels may be measured; everywhere by default.
            seed: The seed of all draws.
            rule: A key of `npfill.exploring.RULES`.
            device: As of `npfill.complete`.

        Raises:
            UsageError: The shape is none of a grid, the rule is unknown, or the seed is no number.
            ModelError: The model is unknown, or fails verification.
        """
        if rule not in RULES:
            raise UsageError(f"`rule={rule}`: unknown", f"one of {', '.join(RULES)}")
        check_number("seed", seed)
        self.shape = as_shape(shape)
        sides = self.shape[:2]
        self.seed, self.rule = int(seed), rule
        self.values = np.full(self.shape, np.nan)
        self.failed = np.zeros(sides, dtype=bool)
        self._within = as_within(within, sides)
        self._pending = np.zeros(sides, dtype=bool)
        auto = zoo.for_data() if self.shape[2] == 1 else zoo.DEFAULT
        self.model = load(auto if model == zoo.AUTO else model, device)
        self._doubt = Doubt.empty(self.model, self.shape)
        self._round, self._in_vain = 0, 0
        self._lock = RLock()

    @property
    def measured(self) -> Bool[np.ndarray, "height width"]:
        """True where a value was told."""
        return ~np.isnan(self.values).any(axis=-1)

    @property
    def left(self) -> int:
        """The number of pixels that may be asked for still."""
        with self._lock:
            return int(self._free(self.measured).sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what you should know of the answers and the model."""
        notes, failed = list(self._doubt.notes), int(self.failed.sum())
        if failed:
            notes.append(f"{failed:,} answers were no numbers: their pixels are left out")
        if wild := int(self._doubt.wild.sum()):
            notes.append(f"{wild:,} px are wild, far from nearly all: the model does not see them")
        if self.is_dead:
            notes.append(f"the last {self._in_vain:,} answers were none: is the detector dead?")
        return tuple(notes)

    @property
    def is_dead(self) -> bool:
        """True once the last hundred answers, or more, were no numbers."""
        return self._in_vain >= DEAD

    def ask(self, count: int = 1) -> Places:
        """Choose the pixels to measure next.

        Where next to nothing is measured they are evenly spread. Of a large grid the first decision
        of a model predicts all, each later one the part in which the most is new; `refresh` all.

        Args:
            count: Their number, at least 1.

        Returns:
            Their rows and columns, fewer than `count` where fewer are left, none of a grid that is
            measured wholly.

        Raises:
            UsageError: The number is not positive.
            ModelError: The model gives no standard deviation, or its predictions are not finite.
        """
        check_number("count", count, like="rounds")
        with self._lock:
            measured = self.measured
            free = self._free(measured)
            index = self._choose(free, measured, count) if free.any() else np.zeros(0, dtype=int)
            self._pending.ravel()[index] = True
            self._round += 1
        return np.divmod(index, self.shape[1])

    def tell(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Take what was measured, whether it was asked for or not.

        Args:
            rows: Rows of the pixels.
            columns: Their columns.
            values: Their values, in any unit, of any range: a number each, and of three channels
                a row of three. NaN and infinities are answers without a value.

        Raises:
            InputError: They do not go together, or a pixel is outside the grid.
        """
        (y, x), found = as_told(rows, columns, values, self.shape)
        good = np.isfinite(found).all(axis=-1)
        with self._lock:
            self._pending[y, x] = False
            self.values[y[good], x[good]] = found[good]
            self.failed[y[good], x[good]] = False
            lost = y[~good], x[~good]
            self.failed[lost] = np.isnan(self.values[lost]).any(axis=-1)
            after = int(good[::-1].argmax()) if good.any() else len(good)
            self._in_vain = after if good.any() else self._in_vain + after

    def copy(self) -> "Explorer":
        """Another explorer of the same grid, told the same."""
        how = {"within": self._within, "seed": self.seed, "rule": self.rule}
        with self._lock:
            other = Explorer(self.shape, self.model, **how)  # type: ignore[arg-type]
            for name in ("values", "failed", "_pending"):
                getattr(other, name)[:] = getattr(self, name)
            other._doubt = self._doubt.copy()
            other._round, other._in_vain = self._round, self._in_vain
        return other

    def refresh(self) -> None:
        """Predict every part of the grid of which something new is known."""
        with self._lock:
            if (measured := self.measured).any():
                self._doubt.update(self.values, measured)

    @property
    def mean(self) -> Float[np.ndarray, "height width channel"]:
        """The values, and where there are none, the means as last predicted; NaN before that."""
        return np.where(self.measured[..., None], self.values, self._doubt.mean)

    @property
    def std(self) -> Float[np.ndarray, "height width"]:
        """The standard deviation over channels, as last predicted; NaN before that."""
        return self._doubt.deviation(self.measured)

    def completion(self, **options: object) -> Completion:
        """Complete what is not measured; with pixels that a model chose, by its network alone.

        Args:
            options: Options of `npfill.complete`.

        Raises:
            InputError: Nothing is measured yet, or everything.
        """
        with self._lock:
            values, measured = self.values.copy(), self.measured
        if measured.all() or not measured.any():
            what = "everything" if measured.any() else "nothing"
            raise InputError(f"{what} is measured: there is nothing to complete", "`values` has it")
        values = values[..., 0] if self.shape[2] == 1 else values
        with network_alone(RULES[self.rule].asks):  # no law fits pixels that are dense where rough
            return complete(values, None, self.model, **options)  # type: ignore[arg-type]

    def save(self, path: str | Path) -> None:
        """Write all that was told into one file, which is never half there; see `load`."""
        own = isinstance(self.model, NeuralPredictor) and self.model.path is None
        with self._lock:
            told = self.values.copy(), self.failed.copy(), self._within
            word = "" if own else self.model.word
            state = State(*told, word, self.seed, self.rule, self._round)
        state.write(Path(path))

    @classmethod
    def load(cls, path: str | Path, model: Model | None = None) -> "Explorer":
        """Go on with what `save` wrote; what was asked for and never told may be asked for again.

        Args:
            path: The file.
            model: The model; that of the saved explorer by default, where it has a name or a file.

        Raises:
            InputError: The file is missing, or none of an explorer.
            ModelError: The model is a network of the caller's own and not given again.
        """
        state = State.read(Path(path))
        if model is None and not state.model:
            raise ModelError(
                f"{path}: its model is a network of your own, which the file does not hold",
                f"give it again: `Explorer.load({str(path)!r}, model=...)`",
            )
        chosen = state.model if model is None else model
        explorer = cls(
            state.values.shape, chosen, within=state.within, seed=state.seed, rule=state.rule
        )
        explorer.values[:], explorer.failed[:] = state.values, state.failed
        explorer._round = state.round
        return explorer

    def _free(self, measured: np.ndarray) -> np.ndarray:
        return self._within & ~measured & ~self.failed & ~self._pending

    def _choose(self, free: np.ndarray, measured: np.ndarray, count: int) -> np.ndarray:
        # What is on its way counts as measured.
        seen, rule = measured | self._pending, RULES[self.rule]
        scene = Scene(free, seen, self.seed, self._round)
        if not rule.asks:
            return rule.choose(scene, count)
        channels = self.shape[2]
        if measured.sum() < fewest(self._within & ~self.failed, self.seed, channels):
            return evenly(scene, count, channels)
        self._doubt.update(self.values, measured, parts=1)
        return rule.choose(replace(scene, std=self._doubt.interest(seen)), count)
