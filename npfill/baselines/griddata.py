"""Linear interpolation: between the observed pixels around each missing one."""

from typing import ClassVar

import numpy as np

from npfill.baselines.base import Baseline, BaselinePrediction, Hole, Picture


class Griddata(Baseline):
    """Linear interpolation in the triangles that observed pixels make (Delaunay).

    Beyond all triangles, or where there are none, the nearest observed pixel. Source: SciPy's
    `griddata`.
    """

    name: ClassVar[str] = "griddata"

    def fill(self, picture: Picture, hole: Hole) -> BaselinePrediction:
        """See `Baseline.fill`. There is no std and no joint distribution."""
        observed = self.observed(hole)
        interpolate = self.package("scipy.interpolate", "SciPy")
        at, values, asked = np.argwhere(observed), picture[observed], np.argwhere(hole)
        filled = np.full((len(asked), picture.shape[-1]), np.nan)
        if np.linalg.matrix_rank(at - at[0]) == 2:  # not all on one line
            filled = interpolate.griddata(at, values, asked)
        outside = np.isnan(filled).any(-1)
        if outside.any():
            nearest = interpolate.NearestNDInterpolator(at, values)
            filled[outside] = nearest(asked[outside])
        return BaselinePrediction(filled)
