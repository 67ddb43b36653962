"""The contract of a predictor, and the prediction that it returns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from npfill.sampling import AUTO

Array = Float[np.ndarray, "height width channel"]
HoleArray = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class Prediction:
    """The prediction of the pixels of a hole, in row-major order.

    Attributes:
        mean: Mean of the predictive distribution, clipped to [0, 1].
        std: Its standard deviation, in the same unit; None where there is none.
        samples: Draws from it, clipped to [0, 1]; empty where there is no joint distribution.
        notes: Sentences for the user on how it was made.
    """

    mean: Float[np.ndarray, "pixel channel"]
    std: Float[np.ndarray, "pixel channel"] | None
    samples: list[Float[np.ndarray, "pixel channel"]]
    notes: tuple[str, ...]


@runtime_checkable
class Predictor(Protocol):
    """Something that predicts the hole of a picture.

    Attributes:
        name: Its name, for reports.
        word: The word that loads it again: its name, or what the user named it by.
        path: Its file; None without one.
        sha256: Hash of its file, in hex; None without a file.
        terms: Terms of the data that it was trained on; "" without any.
        device: Where it runs.
    """

    name: str
    word: str
    path: Path | None
    sha256: str | None
    terms: str
    device: str

    @property
    def variant(self) -> str:
        """The variant of the network; `baseline` of a baseline."""

    def check_sampler(
        self, sampler: str = AUTO, rounds: int | None = None, *, noise: bool = False
    ) -> None:
        """Refuse options of sampling before there is a picture.

        Raises:
            UsageError: `predict` would refuse them for any picture.
        """

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
        """Predict the pixels of a hole from the others.

        Args:
            picture: Intensities in [0, 1], of one or three channels; unread where the hole is.
            hole: True where the picture is missing; at least one pixel.
            samples: The number of samples.
            seed: Sample k depends on the seed and k alone.
            sampler: `auto`, or a key of `npfill.sampling.SAMPLERS`.
            rounds: Rounds of the autoregressive sampler; None for its default.
            noise: Draw the pixels of samples where they would be means.

        Raises:
            UsageError: The sampler is not for this model and hole.
            InputError: The picture is not one that can be completed, or memory runs out.
            ModelError: Predictions are not finite, or a package is missing.
        """
