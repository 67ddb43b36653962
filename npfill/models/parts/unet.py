"""A U-Net of residual convolutions, without statistics over space, and windows for its grids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

# A side of every grid is a multiple of the coarsest cells of the networks.
MULTIPLE = 32
# The side of a window's own part, and what is computed around it unless told otherwise.
_SIDE, _MARGIN = 512, 64

Features = Float[Tensor, "batch width rows columns"]


class Residual(nn.Module):
    """x + W_2 ReLU(W_1 x) with 3x3 convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Features) -> Features:
        """The features of the same grid."""
        return x + self.second(F.relu(self.first(x)))


class UNet(nn.Module):
    """Features of a grid from its own values and from coarser features of the whole picture.

    Each stage has cells twice as wide as the one before. The last adds `beneath`, features on its
    own grid that come from elsewhere, to its own.

    Args:
        inputs: Channels of the grid.
        widths: Channels of each stage.
        beneath: Channels of what the last stage adds; 0 for nothing.
    """

    def __init__(self, inputs: int, widths: Sequence[int], beneath: int = 0) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        last = widths[-1]
        self.enter = nn.Conv2d(inputs, widths[0], 3, padding=1)
        self.before = nn.ModuleList(Residual(width) for width in widths[:-1])
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.beneath = nn.Conv2d(beneath, last, 1) if beneath else None
        self.bottom = nn.Sequential(Residual(last), Residual(last))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in pairs
        )
        self.after = nn.ModuleList(Residual(width) for width in widths[:-1])

    def forward(
        self,
        x: Float[Tensor, "batch input rows columns"],
        beneath: Float[Tensor, "batch beneath coarse_rows coarse_columns"] | None = None,
    ) -> Features:
        """Features on the grid of `x`, whose sides are multiples of the coarsest stage's cells."""
        x = self.enter(x)
        skipped = []
        for block, down in zip(self.before, self.down, strict=True):
            x = block(x)
            skipped.append(x)
            x = down(x)
        if self.beneath is not None and beneath is not None:
            x = x + self.beneath(beneath)
        x = self.bottom(x)
        for block, up in zip(reversed(self.after), reversed(self.up), strict=True):
            x = block(up(x) + skipped.pop())
        return x


@dataclass(frozen=True)
class Window:
    """Part of a grid: what it answers for, and the wider part that this is computed from.

    Attributes:
        rows: The first row that it answers for, and the one after the last.
        columns: The same for columns.
        top: The first row that is computed; with `bottom`, `left` and `right` all that is.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    top: int
    bottom: int
    left: int
    right: int

    def cut(self, grid: Tensor, stride: int = 1, top: int = 0, left: int = 0) -> Tensor:
        """The part that is computed of a grid of cells of `stride` pixels from `top`, `left` on."""
        rows = slice((self.top - top) // stride, (self.bottom - top) // stride)
        columns = slice((self.left - left) // stride, (self.right - left) // stride)
        return grid[..., rows, columns]

    def around(self, rows: Tensor, columns: Tensor, margin: int, cell: int = MULTIPLE) -> "Window":
        """The same window, but that no more is computed than for these rows and columns of it."""
        edges = []
        for at, first, last in ((rows, self.top, self.bottom), (columns, self.left, self.right)):
            low, high = int(at.min()) - margin, int(at.max()) + 1 + margin
            edges.append(max(first, low // cell * cell))
            edges.append(min(last, -(-high // cell) * cell))
        return Window(self.rows, self.columns, *edges)

    def finer(self, grid: Tensor, stride: int) -> Tensor:
        """The part that is computed of the interpolation of a grid of cells of `stride` pixels."""
        rows, columns = (first // stride for first in (self.top, self.left))
        above, left = min(rows, 1), min(columns, 1)  # cells beyond the part, where there are any
        ends = self.bottom // stride + 1, self.right // stride + 1
        near = grid[..., rows - above : ends[0], columns - left : ends[1]]
        wide = F.interpolate(near, scale_factor=float(stride), mode="bilinear")
        height, width = self.bottom - self.top, self.right - self.left
        return wide[..., above * stride :, left * stride :][..., :height, :width]


def windows(
    height: int, width: int, side: int | None = None, margin: int = _MARGIN
) -> Iterator[Window]:
    """The windows of a grid, of a side and a margin; one for a grid that is no larger than one."""
    side = side or _SIDE
    for top in range(0, height, side):
        for left in range(0, width, side):
            bottom, right = min(top + side, height), min(left + side, width)
            rows = max(0, top - margin), min(height, bottom + margin)
            columns = max(0, left - margin), min(width, right + margin)
            yield Window((top, bottom), (left, right), *rows, *columns)
