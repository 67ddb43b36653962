"""Attention over the observed pixels that starts as kernel smoothing.

The logit of a query at x and a key at x' is a learned dot product, small at first, minus
|x - x'|² / 2h² with a learned width h per head. Before anything is learned, a head is therefore
the Nadaraya-Watson smoother of its width, which is already a useful completion.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.models.base import full_precision
from npfill.models.parts.layers import mlp

Features = Float[Tensor, "batch n width"]
Positions = Float[Tensor, "batch n 2"]
_DISTANCE_FEATURES = 3


def check_heads(width: int, heads: int) -> None:
    """Refuse a number of heads that leaves no room for content beside the distance.

    Raises:
        ValueError: They do not divide the width, or are too narrow.
    """
    narrowest = _DISTANCE_FEATURES + 1
    if heads < 1 or width % heads or width // heads < narrowest:
        raise ValueError(
            f"heads = {heads} is out of range",
            f"it divides the width into heads of at least {narrowest}",
        )


@dataclass(frozen=True)
class Memory:
    """Keys and values of a set of points, for any number of queries."""

    keys: Float[Tensor, "batch head point feature"]
    values: Float[Tensor, "batch head point value"]
    valid: Bool[Tensor, "batch 1 1 point"]


class KernelAttention(nn.Module):
    """Multi-head attention from positions with features to a set of points.

    Args:
        width: Features of queries and points; a multiple of `heads`.
        heads: Number of heads. Their widths h start evenly spread in log between the two below.
        narrow: The smallest initial h, in the units of the coordinates.
        wide: The largest.
    """

    def __init__(self, width: int, heads: int, narrow: float, wide: float) -> None:
        super().__init__()
        self.heads = heads
        # With the features of the distance term, a head is as wide as its values.
        content = heads * (width // heads - _DISTANCE_FEATURES)
        self.to_query = nn.Linear(width, content)
        self.to_key = nn.Linear(width, content, bias=False)
        self.to_value = nn.Linear(width, width)
        self.to_output = nn.Linear(width, width)
        steps = (number / max(heads - 1, 1) for number in range(heads))
        # Not by `linspace`: on the meta device, where weights are checked, it loads 500 modules.
        log_widths = [math.log(narrow) + step * math.log(wide / narrow) for step in steps]
        self.log_width = nn.Parameter(torch.tensor(log_widths))
        with torch.no_grad():
            self.to_key.weight.mul_(0.1)

    def memory(
        self, features: Features, positions: Positions, valid: Bool[Tensor, "batch n"]
    ) -> Memory:
        """Keys and values of the points, the same for all queries."""
        keys = full_precision(self._split(self.to_key(features)))
        values = full_precision(self._split(self.to_value(features)))
        scaled = self._scaled(positions)
        distance = torch.cat([scaled, -0.5 * scaled.square().sum(-1, keepdim=True)], dim=-1)
        # A picture without any observed pixel attends to nothing: equal logits over zero values.
        empty = ~valid.any(1, keepdim=True)
        values = values.masked_fill(~valid[:, None, :, None], 0.0)
        return Memory(torch.cat([keys, distance], -1), values, (valid | empty)[:, None, None])

    def forward(self, features: Features, positions: Positions, memory: Memory) -> Features:
        """Every query's weighted mean of the values, mixed over heads."""
        queries = full_precision(self._split(self.to_query(features)))
        queries = queries / queries.shape[-1] ** 0.5
        scaled = self._scaled(positions)
        distance = torch.cat([scaled, torch.ones_like(scaled[..., :1])], dim=-1)
        # -|x - x'|² / 2h² less the part that is the same for all keys, which softmax ignores.
        # Its terms are large and cancel, so this product is never taken in half precision.
        with torch.autocast(features.device.type, enabled=False):
            mixed = attend(torch.cat([queries, distance], -1), memory)
        return self.to_output(mixed.transpose(1, 2).flatten(2).to(features.dtype))

    def _split(self, features: Float[Tensor, "batch n all"]) -> Float[Tensor, "batch head n each"]:
        return features.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _scaled(self, positions: Positions) -> Float[Tensor, "batch {self.heads} n 2"]:
        """Centred positions in units of each head's width."""
        inverse = torch.exp(-self.log_width)[:, None, None]
        return (positions.unsqueeze(1) - 0.5) * inverse


def attend(
    queries: Float[Tensor, "batch head query feature"], memory: Memory
) -> Float[Tensor, "batch head query value"]:
    """softmax(queries · keys) values, over the valid points."""
    return F.scaled_dot_product_attention(
        queries, memory.keys, memory.values, attn_mask=memory.valid, scale=1.0
    )


class AttentionBlock(nn.Module):
    """Attention to a set of points, then a perceptron, each added to its input.

    The same block serves as self-attention, where the queries are the points, and as
    cross-attention, where they are targets.
    """

    def __init__(self, width: int, heads: int, narrow: float, wide: float) -> None:
        super().__init__()
        self.attention = KernelAttention(width, heads, narrow, wide)
        self.norm_points = nn.LayerNorm(width)
        self.norm_queries = nn.LayerNorm(width)
        self.norm_body = nn.LayerNorm(width)
        self.body = mlp(width, [2 * width], width)

    def memory(
        self, features: Features, positions: Positions, valid: Bool[Tensor, "batch n"]
    ) -> Memory:
        """Keys and values of the points, computed once for all queries."""
        return self.attention.memory(self.norm_points(features), positions, valid)

    def forward(self, features: Features, positions: Positions, memory: Memory) -> Features:
        """The queries after one block."""
        features = features + self.attention(self.norm_queries(features), positions, memory)
        return features + self.body(self.norm_body(features))
