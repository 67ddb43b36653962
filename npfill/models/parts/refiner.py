"""A second look at an answer: residual convolutions that correct the picture that it fills."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.models.parts.unet import Residual

# Details are small beside one, and what is to be added to them smaller still: what brings both to
# the size that weights and their steps have.
DETAIL, CORRECTION = 4.0, 0.1
# What the pre-activation of the scale may fall by: no photograph asks for more, and stripes that
# are drawn with a ruler, unlike any of them, would have a scale of nothing.
_NARROWEST = -1.0
# Pixels that one more block sees on each side, and that the first and last convolutions do.
_BLOCK, _ENDS = 4, 6
_PIXELS = 4  # of a cell

Cells = Float[Tensor, "batch output rows columns"]


class Refiner(nn.Module):
    """What is to be added to a mean and to the pre-activation of its scale.

    Plain residual blocks on cells of 2x2 pixels, which see the picture filled in by the mean, the
    scale, what is observed, and the features that the mean was made of. It begins by adding
    nothing.

    Args:
        channels: Channels of the picture.
        width: Channels of the features that are given, and of its own.
        blocks: Residual blocks.

    Attributes:
        reach: Pixels that it sees on each side of one.
    """

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.channels, self.reach = channels, _BLOCK * blocks + _ENDS
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

    def forward(
        self,
        inputs: Float[Tensor, "batch input rows columns"],
        features: Float[Tensor, "batch feature rows columns"],
        mean: Cells,
        scale: Cells,
    ) -> tuple[Cells, Cells]:
        """The mean and the pre-activation of the scale after a second look at what they fill.

        The scale becomes as large as it takes, but little smaller, and reads features that the mean
        alone shapes. Rows and columns are of cells of 2x2 pixels.

        Args:
            inputs: The details of the picture, and what is observed of it.
            features: Those of the mean.
            mean: What is to be added to the picture where it is missing.
            scale: The pre-activation of the scale.
        """
        detail, seen = inputs[:, :-_PIXELS], inputs[:, -_PIXELS:]
        hole = DETAIL * (1.0 - seen.repeat(1, self.channels, 1, 1))
        answer = [detail + hole * mean, hole * F.softplus(scale), seen, features]
        x = self.blocks(F.relu(self.enter(torch.cat(answer, dim=1))))
        wider = self.scale(x.detach()).clamp(min=_NARROWEST)
        return mean + CORRECTION * self.mean(x), scale + wider
