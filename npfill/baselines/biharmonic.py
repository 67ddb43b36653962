"""Biharmonic completion: the smoothest surface through the observed pixels."""

from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from npfill.baselines.base import Baseline, Filled
from npfill.errors import InputError


class Biharmonic(Baseline):
    """The solution of Δ²u = 0 in the hole, clipped to the range of what is observed.

    Source: S. B. Damelin and N. S. Hoang, On Surface Completion and Image Inpainting by Biharmonic
    Functions, 2018; scikit-image's inpaint_biharmonic.
    """

    name: ClassVar[str] = "biharmonic"

    def fill(
        self,
        picture: Float[np.ndarray, "height width channel"],
        hole: Bool[np.ndarray, "height width"],
    ) -> Filled:
        """See `Baseline.fill`. There is no std and no joint distribution."""
        self.observed(hole)
        restoration = self.package("skimage.restoration", "scikit-image")
        known = np.where(hole[..., None], 0.0, picture.astype(np.float64))
        try:
            filled = restoration.inpaint_biharmonic(known, hole, channel_axis=-1)
        except ValueError as error:
            # It allots more entries to a hole at the border than it sets (0.26).
            raise InputError(
                f"scikit-image's biharmonic fails at this hole ({error})",
                "a hole that does not touch the border, or another model",
            ) from None
        return Filled(filled[hole])
