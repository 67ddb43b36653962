"""Details of a painted hole, brought nearer to the strength that they have around it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.pictures.planes import around
from npfill.sampling.scales import blurred, spread_into

# The spreads of the blurs between which details are told apart, in pixels; by how much those that
# are finer are made stronger at most; the reach over which their strength is averaged, in pixels.
_SPREADS, _MOST, _AROUND = (1.0, 2.2, 4.6), (1.75, 2.5, 4.0), 16
# How far from the hole what it depends on reaches: two averages and a blur.
_MARGIN = 64
# The root of the strength below which there is no detail, in intensities.
_NONE = 1e-2


def strengthened(
    painted: Float[Tensor, "channel height width"],
    hole: Bool[Tensor, "height width"],
    allowed: Bool[Tensor, "height width"],
) -> Float[Tensor, "pixel channel"]:
    """The hole with details of 1 to 2, 2 to 4 and 4 to 8 pixels as strong as around it.

    A mean of patches is smoother than they are, and the patches that fit a mean are smooth ones.
    Strength is a mean root of magnitudes, squared: a few edges do not count as much as in a root of
    mean squares. Nothing is made weaker, and nothing more than 1.75, 2.5 and 4 times as strong.

    Args:
        painted: The picture with the hole painted.
        hole: True where it was.
        allowed: True where strength is taken from; what is in neither is not read.
    """
    part = around(hole.numpy(), _MARGIN)
    painted, hole, allowed = painted[:, *part], hole[part], allowed[part]
    read = hole | allowed
    painted = torch.where(read, painted, spread_into(painted, read, _AROUND))
    shown, finer = painted[:, hole], painted
    for spread, most in zip(_SPREADS, _MOST, strict=True):
        level = blurred(painted, spread)
        detail = finer - level
        root = detail.abs().mean(0, keepdim=True).sqrt()
        beside, own = (
            spread_into(root, where, _AROUND, hole)[:, hole] for where in (allowed, hole)
        )
        factor = (beside / own.clamp(min=_NONE)).square().clamp(1.0, most)
        shown = shown + (factor - 1.0) * detail[:, hole]
        finer = level
    return shown.T
