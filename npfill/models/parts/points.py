"""The observed pixels of a context as a set of points."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Context


@dataclass(frozen=True)
class Points:
    """A padded set of points per picture; rows where `valid` is False hold zeros."""

    positions: Float[Tensor, "batch point 2"]
    values: Float[Tensor, "batch point channel"]
    valid: Bool[Tensor, "batch point"]


def points_of(context: Context) -> Points:
    """The observed pixels, padded to the largest number of them in the batch (at least one row)."""
    mask, values, positions = context.mask(), context.values(), context.positions()
    most = context.at_most if context.at_most is not None else int(mask.sum(1).max())
    most = min(max(most, 1), mask.shape[1])
    if most == mask.shape[1]:
        everywhere = positions.expand(mask.shape[0], -1, -1)
        return Points(everywhere, values, mask)
    # A stable sort brings the observed pixels to the front in row-major order.
    index = mask.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
    valid = mask.gather(1, index)
    return Points(
        positions=positions[index],
        values=values.gather(1, index.unsqueeze(-1).expand(-1, -1, values.shape[-1])),
        valid=valid,
    )
