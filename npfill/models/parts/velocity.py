"""A U-Net that knows the time: the velocities of a flow on a grid, given what is seen of it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

Features = Float[Tensor, "batch width rows columns"]
Embedding = Float[Tensor, "batch embedding"]

_GROUPS, _HEADS = 8, 4
_EMBEDDING, _FREQUENCIES = 128, 16


class TimedResidual(nn.Module):
    """x + W_2 σ(a(e) norm(W_1 σ(norm(x))) + b(e)) with 3x3 convolutions and an embedding e."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first_norm = nn.GroupNorm(_GROUPS, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.modulation = nn.Linear(_EMBEDDING, 2 * width)
        self.second_norm = nn.GroupNorm(_GROUPS, width)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        for parameter in (*self.modulation.parameters(), *self.second.parameters()):
            nn.init.zeros_(parameter)

    def forward(self, x: Features, embedding: Embedding) -> Features:
        """The features of the same grid."""
        inner = self.second_norm(self.first(F.silu(self.first_norm(x))))
        scale, shift = self.modulation(embedding)[..., None, None].chunk(2, dim=1)
        return x + self.second(F.silu(inner * (1.0 + scale) + shift))


class GridAttention(nn.Module):
    """Self-attention among the cells of a small grid, added to them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_GROUPS, width)
        self.inputs = nn.Conv2d(width, 3 * width, 1)
        self.output = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.output.weight)

    def forward(self, x: Features) -> Features:
        """The features of the same grid."""
        parts = self.inputs(self.norm(x)).flatten(2).unflatten(1, (3, _HEADS, -1)).mT
        query, key, value = parts.unbind(1)
        attended = F.scaled_dot_product_attention(query, key, value).mT
        return x + self.output(attended.reshape(x.shape))


class VelocityNet(nn.Module):
    """Values on a grid, what is seen of it and a time become values on the grid.

    Sides of grids are multiples of `multiple`.

    Args:
        noisy: Channels of the values, in and out.
        seen: Channels of what is seen.
        fold: Side of the squares of pixels that become one cell.
        widths: Channels of each stage; each has cells twice as wide as the one before.
        blocks: Residuals of each stage, on its way down and on its way up.
    """

    def __init__(
        self, noisy: int, seen: int, fold: int, widths: Sequence[int], blocks: Sequence[int]
    ) -> None:
        super().__init__()
        first, last, pairs = widths[0], widths[-1], list(pairwise(widths))
        stages = list(zip(widths, blocks, strict=True))
        self.multiple = fold * 2 ** len(pairs)
        self.unfold, self.fold = nn.PixelUnshuffle(fold), nn.PixelShuffle(fold)
        self.embed = nn.Sequential(
            nn.Linear(2 * _FREQUENCIES + 1, _EMBEDDING),
            nn.SiLU(),
            nn.Linear(_EMBEDDING, _EMBEDDING),
            nn.SiLU(),
        )
        self.enter = nn.Conv2d(noisy * fold**2, first, 3, padding=1, bias=False)
        self.see = nn.Conv2d(seen * fold**2, first, 3, padding=1)
        self.before = nn.ModuleList(_residuals(*stage) for stage in stages[:-1])
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.bottom = _residuals(*stages[-1])
        self.attention = GridAttention(last)
        self.top = _residuals(*stages[-1])
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in pairs
        )
        self.after = nn.ModuleList(_residuals(*stage) for stage in stages[:-1])
        self.last_norm = nn.GroupNorm(_GROUPS, first)
        self.leave = nn.Conv2d(first, noisy * fold**2, 3, padding=1)
        for parameter in self.leave.parameters():
            nn.init.zeros_(parameter)

    def look(self, seen: Features) -> Float[Tensor, "batch feature cell_rows cell_columns"]:
        """Turn what is seen into features, once for all times and draws."""
        return self.see(self.unfold(seen).contiguous(memory_format=torch.channels_last))

    def forward(
        self,
        noisy: Features,
        seen: Float[Tensor, "batch feature cell_rows cell_columns"],
        time: Float[Tensor, " batch"],
        share: Float[Tensor, " batch"],
    ) -> Features:
        """Values on the grid of `noisy`.

        Args:
            noisy: Values on the grid, near standard normal.
            seen: The result of `look`.
            time: From 0 to 1.
            share: A number from 0 to 1 that the embedding of the time is joined by.
        """
        waves = time[:, None] * torch.logspace(0, 2, _FREQUENCIES, device=time.device)
        embedding = self.embed(torch.cat([waves.sin(), waves.cos(), share[:, None]], dim=1))
        cells = self.unfold(noisy).contiguous(memory_format=torch.channels_last)
        x, skipped = self.enter(cells) + seen, []
        for blocks, down in zip(_each(self.before), self.down, strict=True):
            x = _through(blocks, x, embedding)
            skipped.append(x)
            x = down(x)
        x = self.attention(_through(self.bottom, x, embedding))
        x = _through(self.top, x, embedding)
        for blocks, up in zip(reversed(list(_each(self.after))), reversed(self.up), strict=True):
            x = _through(blocks, up(x) + skipped.pop(), embedding)
        return self.fold(self.leave(F.silu(self.last_norm(x))))


def _residuals(width: int, count: int) -> nn.ModuleList:
    return nn.ModuleList(TimedResidual(width) for _ in range(count))


def _each(stages: nn.ModuleList) -> Iterator[nn.ModuleList]:
    for stage in stages:
        assert isinstance(stage, nn.ModuleList)
        yield stage


def _through(blocks: nn.ModuleList, x: Features, embedding: Embedding) -> Features:
    for block in blocks:
        x = block(x, embedding)
    return x
