"""Nearest neighbours: each missing pixel is the mean of the observed ones closest to it."""

from typing import ClassVar

import numpy as np

from npfill.baselines.base import Baseline, BaselinePrediction, Hole, Picture


class Nearest(Baseline):
    """The mean of the `k` nearest observed pixels, or of all where there are fewer.

    Distances are Euclidean, between pixel centres. Ties are broken by
    position alone. Source: scikit-learn's KNeighborsRegressor.
    """

    name: ClassVar[str] = "nearest"

    def __init__(self, k: int = 3) -> None:
        self.k = k

    def fill(self, picture: Picture, hole: Hole) -> BaselinePrediction:
        """See `Baseline.fill`. There is no std and no joint distribution."""
        observed = self.observed(hole)
        neighbors = self.package("sklearn.neighbors", "scikit-learn")
        at = np.argwhere(observed)
        regressor = neighbors.KNeighborsRegressor(min(self.k, len(at)), algorithm="kd_tree")
        regressor.fit(at, picture[observed])
        return BaselinePrediction(regressor.predict(np.argwhere(hole)))
