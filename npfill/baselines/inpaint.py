"""Classical inpainting: two methods of OpenCV, from the edge inwards, and the smoothest surface."""

from typing import ClassVar

import numpy as np

from npfill.baselines.base import Baseline, BaselinePrediction, Hole, Picture
from npfill.errors import InputError

_RADIUS = 3  # of the neighbourhood of each missing pixel, in pixels


class _OpenCV(Baseline):
    """`cv2.inpaint`, which works on 8 bits: intensities are rounded to 256 levels."""

    flag: ClassVar[str]

    def fill(self, picture: Picture, hole: Hole) -> BaselinePrediction:
        """See `Baseline.fill`. There is no std and no joint distribution."""
        self.observed(hole)
        cv2 = self.package("cv2", "OpenCV")
        levels = np.rint(np.where(hole[..., None], 0, picture) * 255).astype(np.uint8)
        # OpenCV mistreats a hole that touches the picture's border (its issues 25389 and 28648):
        # with a missing pixel all around, the border is inside.
        padded = np.pad(levels, ((1, 1), (1, 1), (0, 0)))
        missing = np.pad(hole, 1, constant_values=True).astype(np.uint8)
        filled = cv2.inpaint(padded, missing, _RADIUS, getattr(cv2, self.flag))
        inside = filled.reshape(padded.shape)[1:-1, 1:-1]
        return BaselinePrediction(inside[hole] / np.float32(255))


class Telea(_OpenCV):
    """Fast marching: a weighted mean of the observed neighbourhood, from the edge inwards.

    Source: A. Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004.
    """

    name: ClassVar[str] = "telea"
    flag: ClassVar[str] = "INPAINT_TELEA"


class NavierStokes(_OpenCV):
    """Isophotes continued into the hole like the streamlines of a fluid.

    Source: M. Bertalmio, A. L. Bertozzi and G. Sapiro, Navier-Stokes, Fluid Dynamics, and Image and
    Video Inpainting, 2001.
    """

    name: ClassVar[str] = "navier-stokes"
    flag: ClassVar[str] = "INPAINT_NS"


class Biharmonic(Baseline):
    """The solution of Δ²u = 0 in the hole, clipped to the range of the observed pixels.

    Source: S. B. Damelin and N. S. Hoang, On Surface Completion and Image Inpainting by Biharmonic
    Functions, 2018; scikit-image's inpaint_biharmonic.
    """

    name: ClassVar[str] = "biharmonic"

    def fill(self, picture: Picture, hole: Hole) -> BaselinePrediction:
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
        return BaselinePrediction(filled[hole])
