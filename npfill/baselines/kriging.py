"""Ordinary kriging from near pixels, with a covariance fitted by likelihood to near pixels."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int

from npfill.baselines.base import Baseline, BaselinePrediction, Hole, Picture, Points, chosen
from npfill.baselines.covariance import Covariance, fitted
from npfill.gaussian import Gaussian

_NEAR = 32
_CLUSTERS, _CLUSTER = 10, 40  # places, and pixels around each, that the covariance is fitted to
# With fewer observed pixels nothing is fitted, and the std is that of a value anywhere in [0, 1].
_FEWEST, _UNKNOWN = 3, 12**-0.5


class Kriging(Baseline):
    """Ordinary kriging: Matérn 1/2, 3/2, 5/2 or ∞, stretched and turned, plus white noise.

    Length, stretch, angle, share of noise, variance and smoothness have the highest restricted
    likelihood of ten clusters of 40 near pixels, each with a mean of its own; every channel is
    fitted by itself. A missing pixel is predicted from the 32 observed ones nearest to it.
    Samples are drawn in turn, coarse pixels before fine, each given the observed ones and the
    drawn ones nearest to it. Sources: M. L. Stein, Interpolation of Spatial Data, 1999, chapters 1
    and 6; A. V. Vecchia, Estimation and Model Identification for Continuous Spatial Processes,
    1988; C. V. Deutsch and A. G. Journel, GSLIB, 1998, section V.2 (sequential simulation).
    """

    name: ClassVar[str] = "kriging"

    def fill(self, picture: Picture, hole: Hole) -> BaselinePrediction:
        """See `Baseline.fill`."""
        observed = self.observed(hole)
        trees = self.package("scipy.spatial", "SciPy")
        at, asked = (np.argwhere(where).astype(np.float64) for where in (observed, hole))
        values = picture[observed].astype(np.float64)
        if len(at) < _FEWEST:
            mean = np.repeat(values.mean(0)[None], len(asked), axis=0)
            return BaselinePrediction(mean, np.full_like(mean, _UNKNOWN))
        tree = trees.cKDTree(at)
        # No more clusters than cover the observed pixels twice.
        centres = np.sort(chosen("kriging", len(at), min(_CLUSTERS, -(-2 * len(at) // _CLUSTER))))
        clusters = tree.query(at[centres], min(_CLUSTER, len(at)))[1]
        covariances = [
            fitted(torch.from_numpy(at[clusters]), torch.from_numpy(channel[clusters]))
            for channel in values.T
        ]
        near = tree.query(asked, min(_NEAR, len(at)))[1]
        given = [each.weights(asked, at, near) for each in covariances]
        pairs = zip(given, values.T, strict=True)
        means = [(weights * channel[near]).sum(1) for (weights, _), channel in pairs]
        return KrigingPrediction(
            np.stack(means, axis=-1),
            np.stack([std for _, std in given], axis=-1),
            at=at,
            values=values,
            asked=asked,
            covariances=covariances,
            tree=trees.cKDTree,
        )


@dataclass(frozen=True, kw_only=True)
class KrigingPrediction(BaselinePrediction):
    """Prediction by kriging, whose joint distribution is a sequence of conditional ones.

    Attributes:
        at, values: The observed pixels and their values.
        asked: The missing pixels.
        covariances: The covariance of each channel.
        tree: The search for near pixels.
    """

    at: Float[np.ndarray, "observed 2"]
    values: Float[np.ndarray, "observed channel"]
    asked: Float[np.ndarray, "pixel 2"]
    covariances: list[Covariance]
    tree: type

    @property
    def is_joint(self) -> bool:
        """See `BaselinePrediction.is_joint`."""
        return True

    def log_likelihood(self, truth: Float[np.ndarray, "pixel channel"], floor: float) -> float:
        """See `BaselinePrediction.log_likelihood`."""
        known = np.concatenate([self.values, truth.astype(np.float64)])
        total = 0.0
        for channel, steps in enumerate(self._sequence):
            for step in steps:
                given = known[step.near, channel]
                mean = torch.from_numpy((step.weights * given).sum(1))
                std = torch.from_numpy(step.std).clamp(min=floor)
                here = torch.from_numpy(known[len(self.values) + step.pixels, channel])
                total += float(Gaussian(mean, std).log_prob(here).sum())
        return total

    def sample(
        self, noise: Float[np.ndarray, "pixel channel"]
    ) -> Float[np.ndarray, "pixel channel"]:
        """See `BaselinePrediction.sample`."""
        known = np.concatenate([self.values, np.zeros(self.mean.shape)])
        for channel, steps in enumerate(self._sequence):
            for step in steps:
                mean = (step.weights * known[step.near, channel]).sum(1)
                drawn = mean + step.std * noise[step.pixels, channel]
                known[len(self.values) + step.pixels, channel] = drawn
        return known[len(self.values) :]

    @cached_property
    def _sequence(self) -> "list[list[_Step]]":
        """The steps of each channel, which depend on no value."""
        found: list[list[_Step]] = [[] for _ in self.covariances]
        everywhere = np.concatenate([self.at, self.asked])
        known = np.arange(len(self.at))
        for pixels in _coarse_to_fine(self.asked):
            tree = self.tree(everywhere[known])
            near = known[tree.query(self.asked[pixels], min(_NEAR, len(known)))[1]]
            for steps, covariance in zip(found, self.covariances, strict=True):
                weights, std = covariance.weights(self.asked[pixels], everywhere, near)
                steps.append(_Step(pixels, near, weights, std))
            known = np.concatenate([known, len(self.at) + pixels])
        return found


@dataclass(frozen=True)
class _Step:
    """Missing pixels that are drawn at once, and what each is drawn from.

    Attributes:
        pixels: Their numbers among the missing ones.
        near: The numbers of the pixels nearest to each: observed ones, then missing ones.
        weights: The weights of their values.
        std: Its std given these.
    """

    pixels: Int[np.ndarray, " pixel"]
    near: Int[np.ndarray, "pixel neighbor"]
    weights: Float[np.ndarray, "pixel neighbor"]
    std: Float[np.ndarray, " pixel"]


def _coarse_to_fine(at: Points) -> list[Int[np.ndarray, " pixel"]]:
    """Pixels in groups: a coarse grid, then what lies between, each group of a finer one.

    The pixels of a group are drawn independently, given those before: they lie two steps of
    their grid apart.
    """
    whole = at.astype(np.int64)
    step = 1 << int(max(1, np.ptp(whole, axis=0).max())).bit_length()
    left = np.ones(len(at), dtype=bool)
    groups = []
    while step:
        on_grid = left & (whole % step == 0).all(1)
        phase = (whole // step % 2) @ (2, 1)
        groups += [np.flatnonzero(on_grid & (phase == number)) for number in range(4)]
        left &= ~on_grid
        step //= 2
    return [group for group in groups if len(group)]
