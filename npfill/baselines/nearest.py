"""Nearest neighbours: each missing pixel is the mean of the observed ones closest to it."""

from typing import ClassVar

import numpy as np

from npfill.baselines.base import Baseline, BaselinePrediction, Hole, Picture


class Nearest(Baseline):
    """The mean of the `k` nearest observed pixels, or of all where there are fewer.

    Distances are Euclidean, between pixel centres. Ties are broken by
    position alone. Source: SciPy's KDTree.
    """

    name: ClassVar[str] = "nearest"

    def __init__(self, k: int = 3) -> None:
        self.k = k

    def fill(self, picture: Picture, hole: Hole) -> BaselinePrediction:
        """See `Baseline.fill`. There is no std and no joint distribution."""
        observed = self.observed(hole)
        spatial = self.package("scipy.spatial", "SciPy")
        at, values = np.argwhere(observed), picture[observed]
        ranks = np.arange(1, min(self.k, len(at)) + 1)
        _, near = spatial.KDTree(at).query(np.argwhere(hole), ranks)
        return BaselinePrediction(values[near].mean(1))
