"""Prediction by a baseline."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from npfill.baselines import Baseline
from npfill.errors import UsageError
from npfill.predictor.base import Array, HoleArray, Prediction
from npfill.sampling import AUTO
from npfill.seeds import generator


@dataclass(eq=False)
class BaselinePredictor:
    """A baseline, on the CPU; it draws samples in one way, where it has a joint distribution.

    Attributes:
        baseline: The baseline.
        path: The file that ships for it, if any.
        name, word, sha256, terms, device: See `Predictor`.
    """

    baseline: Baseline
    name: str
    word: str
    sha256: str | None = None
    terms: str = ""
    device: str = "cpu"
    path: Path | None = None

    @property
    def variant(self) -> str:
        """See `Predictor.variant`."""
        return "baseline"

    def check_sampler(
        self, sampler: str = AUTO, rounds: int | None = None, *, noise: bool = False
    ) -> None:
        """See `Predictor.check_sampler`."""
        if (sampler, rounds, noise) != (AUTO, None, False):
            raise UsageError(
                f"{self.name} is a baseline: its samples are drawn in one way",
                "leave sampler, rounds and noise out, or name a model",
            )

    def predict(
        self,
        picture: Array,
        hole: HoleArray,
        *,
        samples: int = 0,
        seed: int = 0,
        sampler: str = AUTO,
        rounds: int | None = None,
        noise: bool = False,
    ) -> Prediction:
        """See `Predictor.predict`."""
        self.check_sampler(sampler, rounds, noise=noise)
        filled = self.baseline.fill(picture, hole)
        count = 0 if filled.factors is None else samples
        drawn = [filled.sample(_noise(filled.mean.shape, seed, number)) for number in range(count)]
        mean, *clipped = (values.clip(0, 1) for values in (filled.mean, *drawn))
        return Prediction(mean, filled.std, clipped, filled.notes)


def _noise(shape: tuple[int, ...], seed: int, number: int) -> Float[np.ndarray, "pixel channel"]:
    """Standard normal noise of a sample of a baseline, by its number."""
    noise: np.ndarray = torch.randn(shape, generator=generator(seed, "sample", number)).numpy()
    return noise
