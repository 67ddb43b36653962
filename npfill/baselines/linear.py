"""A linear Gaussian model: the training pictures' mean and covariance, given the context."""

from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from npfill.baselines.base import Baseline, Filled, cholesky, solved
from npfill.baselines.statistics import Statistics
from npfill.errors import InputError

# The std of the noise in every value: with it, pixels that are the same in every training picture
# have a density too.
NOISE = 0.01


class Linear(Baseline):
    """N(m, S + `NOISE`² I) over whole pictures, conditioned on the observed pixels.

    The distribution is exact and joint, so that samples are coherent. Without any observed pixel
    it is the prior. A colour picture under statistics of grey ones is completed channel by channel.

    Args:
        statistics: m and S of pictures of one size; no other is completed.
    """

    name: ClassVar[str] = "linear"

    def __init__(self, statistics: Statistics) -> None:
        self._mean = statistics.mean
        self._covariance = statistics.covariance + NOISE**2 * np.eye(self._mean.size)

    def fill(
        self,
        picture: Float[np.ndarray, "height width channel"],
        hole: Bool[np.ndarray, "height width"],
    ) -> Filled:
        """See `Baseline.fill`. Exact, in float64."""
        channels = picture.shape[-1]
        self._refuse_other(hole.shape, channels)
        groups = channels // len(self._mean)
        missing = np.tile(hole.ravel(), len(self._mean))
        # With what is observed first, the last block of the factor is that of the conditional
        # covariance: no system needs to be solved for it.
        order = np.argsort(missing, kind="stable")
        seen = len(order) - int(missing.sum())
        factor = cholesky(self._covariance[np.ix_(order, order)])
        own = np.ascontiguousarray(factor[seen:, seen:])
        values = np.moveaxis(picture, -1, 0).reshape(groups, -1)[:, order[:seen]]
        prior = self._mean.ravel()[order]
        white = solved(factor[:seen, :seen], (values - prior[:seen]).T)
        mean = prior[seen:, None] + factor[seen:, :seen] @ white
        std = np.tile(np.sqrt(np.square(own).sum(1)), groups)
        notes = ("linear knows grey pictures: each colour channel is completed by itself",)
        return Filled(
            mean=mean.T.reshape(channels, -1).T,
            std=std.reshape(channels, -1).T,
            factors=(own,) * groups,
            notes=notes if groups > 1 else (),
        )

    def _refuse_other(self, size: tuple[int, ...], channels: int) -> None:
        known, height, width = self._mean.shape
        if size != (height, width):
            raise InputError(
                f"linear completes pictures of {width}x{height}, this one is {size[1]}x{size[0]}",
                f"resize the picture to {width}x{height}, or name another model",
            )
        if channels % known:
            raise InputError(
                f"linear was fitted to pictures of {known} channels, this one has {channels}",
                "convert the picture, or name another model",
            )
