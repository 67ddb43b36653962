"""The contract that every baseline fulfils."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from npfill.errors import InputError, ModelError
from npfill.gaussian import Gaussian
from npfill.package import imported
from npfill.seeds import generator

Picture = Float[np.ndarray, "height width channel"]
Hole = Bool[np.ndarray, "height width"]
Points = Float[np.ndarray, "point 2"]


@dataclass(frozen=True)
class BaselinePrediction:
    """The prediction of a baseline for the pixels of a hole, in row-major order.

    Attributes:
        mean: Its best guess, not clipped to [0, 1].
        std: Standard deviation of its error; None where the baseline states none.
        factors: Lower Cholesky factors of the joint covariance, float64: the hole's values in
            channel-major order are cut into as many equal blocks, independent of each other, and
            each has one factor. None where there is no joint distribution.
        notes: Sentences for the user on how it was made.
    """

    mean: Float[np.ndarray, "pixel channel"]
    std: Float[np.ndarray, "pixel channel"] | None = None
    factors: tuple[Float[np.ndarray, "value value"], ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_joint(self) -> bool:
        """There is a joint distribution, to draw from and to score with."""
        return self.factors is not None

    def log_likelihood(self, truth: Float[np.ndarray, "pixel channel"], floor: float) -> float:
        """Joint log-likelihood of the hole's values, in nats over all pixels and channels.

        log p(y) = Σ_i log N(y_i; m_i, max(s_i, floor)²), with the mean m_i and std s_i of each
        value given those before it: s_i is the diagonal of the factor.

        Args:
            truth: The true values.
            floor: Lower bound of the std of a value given those before it; 0 is the plain
                likelihood.

        Raises:
            ValueError: There is no joint distribution.
        """
        total = 0.0
        factors = self._factors()
        for factor, residual in zip(factors, self._blocks(truth - self.mean), strict=True):
            own = torch.from_numpy(np.diagonal(factor).copy())
            shift = own * torch.from_numpy(solved(factor, residual[:, None])[:, 0])
            given_before = Gaussian(torch.zeros_like(own), own.clamp(min=floor))
            total += float(given_before.log_prob(shift).sum())
        return total

    def sample(
        self, noise: Float[np.ndarray, "pixel channel"]
    ) -> Float[np.ndarray, "pixel channel"]:
        """The joint draw that corresponds to standard normal `noise`.

        Raises:
            ValueError: There is no joint distribution.
        """
        blocks = zip(self._factors(), self._blocks(noise), strict=True)
        drawn = np.concatenate([factor @ block for factor, block in blocks])
        return self.mean + drawn.reshape(self.mean.shape[::-1]).T

    def _factors(self) -> tuple[np.ndarray, ...]:
        if self.factors is None:
            raise ValueError("there is no joint distribution")
        return self.factors

    def _blocks(self, values: np.ndarray) -> Float[np.ndarray, "factor value"]:
        """Values "pixel channel" in channel-major order, cut as the factors are."""
        return values.T.reshape(len(self._factors()), -1).astype(np.float64)


class Baseline(ABC):
    """A method that completes one picture at a time without a learned network.

    Attributes:
        name: The word that users type.
        file: The file that ships for it, if any.
    """

    name: ClassVar[str]
    file: ClassVar[Path | None] = None

    @classmethod
    def build(cls) -> "Baseline":
        """The baseline as users get it by its name.

        Raises:
            ModelError: Its file is damaged or missing.
        """
        return cls()

    @abstractmethod
    def fill(self, picture: Picture, hole: Hole) -> BaselinePrediction:
        """Predict the pixels of a hole from the others.

        Args:
            picture: Intensities in [0, 1]; never read under the hole.
            hole: True where the picture is missing; at least one pixel.

        Raises:
            InputError: The baseline cannot be used for this picture and hole.
            ModelError: A package or file that it needs is missing.
        """

    def package(self, module: str, name: str) -> ModuleType:
        """Import a module of the extra `npfill[baselines]`; `name` is its package's.

        Raises:
            ModelError: The package is not installed.
        """
        return imported(module, self.name, "baselines", ModelError, name)

    def observed(self, hole: Hole) -> Hole:
        """The mask of observed pixels.

        Raises:
            InputError: No pixel is observed.
        """
        if hole.all():
            raise InputError(
                f"nothing of the picture is observed: {self.name} has nothing to go by",
                "leave some of it outside the hole; a neural process needs nothing",
            )
        return ~hole


def chosen(name: str, count: int, most: int) -> Int[np.ndarray, " chosen"]:
    """At most `most` of the first `count` numbers, at random but always the same for a name."""
    return torch.randperm(count, generator=generator(name, count))[:most].numpy()


def solved(
    factor: Float[np.ndarray, "value value"], right: Float[np.ndarray, "value column"]
) -> Float[np.ndarray, "value column"]:
    """L⁻¹ `right` for a lower triangular L, float64."""
    both = torch.from_numpy(factor), torch.from_numpy(np.ascontiguousarray(right))
    return torch.linalg.solve_triangular(*both, upper=False).numpy()


def cholesky(covariance: Float[np.ndarray, "value value"]) -> Float[np.ndarray, "value value"]:
    """The lower triangular L with L Lᵀ = `covariance`, float64."""
    return torch.linalg.cholesky(torch.from_numpy(covariance)).numpy()
