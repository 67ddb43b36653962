"""A U-Net of residual convolutions, without statistics over space."""

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class Residual(nn.Module):
    """x + W_2 ReLU(W_1 x) with 3x3 convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(
        self, x: Float[Tensor, "batch width rows columns"]
    ) -> Float[Tensor, "batch width rows columns"]:
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
    ) -> Float[Tensor, "batch width rows columns"]:
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
