"""What a network says of a picture and of its mirror images, taken together.

Lim et al. 2017, "Enhanced Deep Residual Networks for Single Image Super-Resolution", section 4.3,
without the turns.
"""

from dataclasses import replace

import torch

from npfill.context import Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Conditioned
from npfill.sampling import moments

# The axes of a batch of pictures that each image is mirrored along.
_MIRRORED = ((2,), (3,), (2, 3))


def mirrored_moments(given: Conditioned, targets: Targets, seed: int) -> Gaussian:
    """Moments "batch target channel": their means over the picture and its three mirror images."""
    (height, width), context = targets.size, given.context
    rows, columns = torch.div(targets.index, width, rounding_mode="floor"), targets.index % width
    found = [moments(given, targets, seed)]
    for axes in _MIRRORED:
        pixels, observed = (each.flip(axes) for each in (context.pixels, context.observed))
        other = given.model.condition(replace(context, pixels=pixels, observed=observed))
        row = height - 1 - rows if 2 in axes else rows
        column = width - 1 - columns if 3 in axes else columns
        found.append(moments(other, Targets(row * width + column, targets.size), seed))
    mean, scale = (
        torch.stack([getattr(each, part) for each in found]).mean(0) for part in ("mean", "scale")
    )
    return Gaussian(mean, scale)
