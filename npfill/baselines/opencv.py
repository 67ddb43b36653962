"""Two classics that continue a picture into its hole from the edge inwards, of OpenCV."""

from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from npfill.baselines.base import Baseline, Filled

_RADIUS = 3  # pixels around each missing one that are looked at


class _OpenCV(Baseline):
    """`cv2.inpaint`, which works on 8 bits: intensities are rounded to 255 levels."""

    flag: ClassVar[str]

    def fill(
        self,
        picture: Float[np.ndarray, "height width channel"],
        hole: Bool[np.ndarray, "height width"],
    ) -> Filled:
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
        return Filled(inside[hole] / np.float32(255))


class Telea(_OpenCV):
    """Fast marching: a weighted mean of what is known nearby, from the hole's edge inwards.

    Source: A. Telea, An Image Inpainting Technique Based on the Fast Marching Method, 2004.
    """

    name: ClassVar[str] = "telea"
    flag: ClassVar[str] = "INPAINT_TELEA"


class NavierStokes(_OpenCV):
    """Lines of equal intensity are continued as those of a fluid's stream function.

    Source: M. Bertalmio, A. L. Bertozzi and G. Sapiro, Navier-Stokes, Fluid Dynamics, and Image and
    Video Inpainting, 2001.
    """

    name: ClassVar[str] = "navier-stokes"
    flag: ClassVar[str] = "INPAINT_NS"
