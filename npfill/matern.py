"""The Matérn correlation, of the baselines and of the network for data."""

import math

from jaxtyping import Float
from torch import Tensor


def matern(distance: Float[Tensor, "*shape"], smoothness: float) -> Float[Tensor, "*shape"]:
    """Matérn correlation with length 1: Rasmussen and Williams 2006, equations 4.16 and 4.17.

    Args:
        distance: Distances in lengths.
        smoothness: ν: 1/2, 3/2, 5/2, or infinity, which is the squared exponential.
    """
    if smoothness == math.inf:
        return (distance.square() / -2.0).exp()
    scaled = (2.0 * smoothness) ** 0.5 * distance
    rising = {0.5: 1.0, 1.5: 1.0 + scaled, 2.5: 1.0 + scaled + scaled.square() / 3.0}
    return rising[smoothness] * (-scaled).exp()
