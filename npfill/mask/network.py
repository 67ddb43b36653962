"""The network that finds scratches and dust: a small U-Net over the levels of a picture.

`python -m tools.marks` trains it, on photographs on which damage is drawn.
"""

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

KINDS = ("scratches", "dust")
# Widths at strides of 2, 4, 8 and 16 pixels; the side of the squares that become one cell.
_WIDTHS, _FOLD = (32, 48, 64, 96), 2
_MULTIPLE = _FOLD * 2 ** (len(_WIDTHS) - 1)
# Places of a picture that all others are told of, and the logits at the start of a training.
_TOLD, _RARE = 4, -3.0
_FILE = Path(__file__).with_name("marks.safetensors")


class MarksNet(nn.Module):
    """Levels become the chance of each pixel to be marked, as logits, one for each kind.

    A U-Net (Ronneberger et al. 2015) on cells of 2x2 pixels, with sums in place of joins. Marks of
    a picture have a colour in common: the features of some places, which the network looks for, are
    added to all others before the last block.
    """

    def __init__(self) -> None:
        super().__init__()
        first, pairs = _WIDTHS[0], list(pairwise(_WIDTHS))
        self.enter = _block(3 * _FOLD**2, first)
        self.down = nn.ModuleList(_block(fine, coarse) for fine, coarse in pairs)
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairs)
        self.after = nn.ModuleList(_block(fine, fine) for fine, _ in pairs)
        self.places = nn.Conv2d(first, _TOLD, 1)
        self.told = nn.Linear(_TOLD * first, first)
        self.last = _block(first, first)
        self.head = nn.Conv2d(first, len(KINDS) * _FOLD**2, 1)
        nn.init.constant_(self.head.get_parameter("bias"), _RARE)

    def forward(
        self, levels: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch kind height width"]:
        """The logits of each kind, of pictures of 0 to 255."""
        height, width = levels.shape[-2:]
        below, right = (-side % _MULTIPLE for side in (height, width))
        padded = F.pad(levels / 64 - 2, (0, right, 0, below), mode="replicate")
        cells = F.pixel_unshuffle(padded, _FOLD).contiguous(memory_format=torch.channels_last)
        x, skipped = self.enter(cells), []
        for block in self.down:
            skipped.append(x)
            x = block(F.max_pool2d(x, 2))
        for up, block in zip(reversed(self.up), reversed(self.after), strict=True):
            x = block(F.interpolate(up(x), scale_factor=2.0) + skipped.pop())
        weights = self.places(x).flatten(2).softmax(-1)
        told = torch.einsum("bkn,bcn->bkc", weights, x.flatten(2)).flatten(1)
        x = self.last(x + self.told(told)[..., None, None])
        logits = F.pixel_shuffle(self.head(x), _FOLD)
        return logits[..., :height, :width]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        convolution = nn.Conv2d(width, outputs, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


@cache
def network() -> MarksNet:
    """The network that ships with npfill."""
    with torch.random.fork_rng(devices=[]):
        net = MarksNet().float()
    net.load_state_dict(load_file(_FILE))
    return net.eval().requires_grad_(False)


def chances(levels: Float[np.ndarray, "height width 3"]) -> dict[str, np.ndarray]:
    """The probability of each pixel to be marked, "height width", by kind."""
    picture = torch.from_numpy(np.ascontiguousarray(levels, dtype=np.float32))
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        found = network()(picture.permute(2, 0, 1)[None])[0].sigmoid().numpy()
    return dict(zip(KINDS, found, strict=True))
