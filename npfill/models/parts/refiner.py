"""A second look at an answer: residual convolutions that correct the picture that it fills."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.models.parts.unet import Features, Residual

# Pixels that one more block sees on each side, and that the first and last convolutions do.
_BLOCK, _ENDS = 4, 6
_PIXELS = 4  # of a cell


class Refiner(nn.Module):
    """What is to be added to a mean and to the pre-activation of its scale.

    Plain residual blocks on cells of 2x2 pixels, which see the picture filled in by the mean, the
    scale, what is observed, and the features that the mean was made of. It begins by adding
    nothing.

    Args:
        channels: Channels of the picture.
        width: Channels of the features that are given, and of its own.
        blocks: Residual blocks.
    """

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        # In a cell: the picture, the scale and what is observed; and what is added to the mean.
        inputs, outputs = _PIXELS * (2 * channels + 1), _PIXELS * channels
        self.enter = nn.Conv2d(inputs + width, width, 3, padding=1)
        self.blocks = nn.Sequential(*(Residual(width) for _ in range(blocks)))
        self.mean = nn.Conv2d(width, outputs, 3, padding=1)
        self.scale = nn.Sequential(
            nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, outputs, 3, padding=1)
        )
        for last in (self.mean, self.scale[-1]):
            nn.init.zeros_(last.get_parameter("weight"))
            nn.init.zeros_(last.get_parameter("bias"))

    @property
    def reach(self) -> int:
        """Pixels that it sees on each side of one."""
        return _BLOCK * len(self.blocks) + _ENDS

    def forward(
        self, cells: Float[Tensor, "batch input rows columns"], features: Features
    ) -> tuple[Features, Features]:
        """What the mean and the scale are off by, in cells of 2x2 pixels.

        The scale reads features that the mean alone shapes.
        """
        x = self.blocks(F.relu(self.enter(torch.cat([cells, features], dim=1))))
        return self.mean(x), self.scale(x.detach())
