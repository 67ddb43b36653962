"""The convolutional conditional neural process, on a picture's own grid.

Gordon et al. 2020, "Convolutional Conditional Neural Processes".
"""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.config import Length, Range
from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Channels, NeuralProcess, ScaleFloor, floored_gaussian
from npfill.models.parts.layers import Size, Sizes
from npfill.models.parts.pyramid import filled, pyramid, unseen
from npfill.models.parts.refiner import CORRECTION, DETAIL, Refiner
from npfill.models.parts.unet import MULTIPLE, UNet, Window, windows
from npfill.steps import Steps

# Levels of the pyramid: where the two networks meet, and the means that are taken off.
_MEETING, _REFERENCE = 3, 5
# Strides of each network: with more or fewer, their grids would not meet.
_STRIDES = 3
# The networks' fine grid has cells of 2x2 pixels.
_FOLD = 2
# Pixels that the fine network sees on each side of one.
_SEEN = 62
# Where the scale starts in training: softplus(-3) is 0.05.
_FIRST_SCALE = -3.0


@dataclass(frozen=True, kw_only=True)
class ConvCNPConfig:
    """Sizes of a `ConvCNP`; `size` is the side of the crops that it is trained on.

    `fine` are the widths at strides of 2, 4 and 8 pixels, `coarse` those at 8, 16 and 32.
    """

    latent: ClassVar[int] = 0
    channels: Channels
    size: Annotated[Size, "Side, in pixels, of the crops that the model is trained on."]
    fine: Annotated[Sizes, Length(_STRIDES, _STRIDES), "Widths at strides of 2, 4 and 8 pixels."]
    coarse: Annotated[
        Sizes, Length(_STRIDES, _STRIDES), "Widths at strides of 8, 16 and 32 pixels."
    ]
    scale_floor: ScaleFloor
    refined: Annotated[
        int, Range(0, 64), "Residual blocks that go over the answer once more, on cells of 2x2."
    ] = 0


@dataclass(frozen=True)
class Maps:
    """The features of a whole picture, before any target is asked for.

    The grids are padded at the bottom and the right to a multiple of the coarsest cells.

    Attributes:
        start: The picture as the pyramid fills it: where the mean begins.
        observed: True where the picture is observed.
        means: Its means over 32 pixels, which the networks see it without.
        coarse: Features at a stride of 8 pixels.
        unseen: For each pixel, how many levels of the coarse network's grid and above see nothing
            there.
        size: Height and width of the picture.
    """

    start: Float[Tensor, "batch channel height width"]
    observed: Bool[Tensor, "batch 1 height width"]
    means: Float[Tensor, "batch channel cell_rows cell_columns"]
    coarse: Float[Tensor, "batch feature rows columns"]
    unseen: Float[Tensor, "batch 1 height width"]
    size: tuple[int, int]


class ConvCNP(NeuralProcess):
    """Convolutional conditional neural process (Gordon et al. 2020, section 4 and figure 1).

    E = set convolutions of C with their density channels, at every scale;
    p(y | x, C) = N(μ, σ²) with (μ - μ_E, σ) = CNN(E)(x)

    μ_E is the picture that the set convolutions suggest, coarse filled in under fine. The network
    sees it less its local means, so that adding a constant to the context adds it to μ. A coarse
    network sees the whole picture, a fine one windows around the targets; a refiner may follow.
    """

    variant = "convcnp"
    configuration = ConvCNPConfig
    summary = (
        "a convolutional conditional neural process: set convolutions at every scale, "
        "then convolutional networks, on the picture's own grid"
    )
    limits = (
        "wide holes, which its mean fills in smoothly; and samples of its own (its pixels are "
        "independent given the context): those of `auto` are pictures that would fit, painted with "
        "patches of the picture, and not draws from the predictive distribution"
    )
    # Whole photographs: sixteen rounds of them take minutes, and what they draw has no texture.
    default_sampler = "exemplar"
    any_size = True
    # The coarse network sees 240. The pyramid adds from beyond, in smooth waves, 1e-6 in a hole 100
    # pixels wide, 2e-4 in one of 300, 1.3e-3 of 600 and 8e-3 of 1000.
    reach = 256
    # The std of a uniform distribution on [0, 1]: who knows nothing of a pixel is no less sure.
    widest = 12**-0.5

    def __init__(self, config: ConvCNPConfig) -> None:
        super().__init__(config)
        channels = config.channels
        self.coarse = UNet(channels + 2, config.coarse)
        self.fine = UNet(_FOLD**2 * (channels + 1), config.fine, beneath=config.coarse[0])
        width, outputs = config.fine[0], _FOLD**2 * channels
        self.mean = nn.Conv2d(width, outputs, 3, padding=1)
        self.scale = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, outputs, 3, padding=1),
        )
        # Both begin at a value, whatever they are given.
        for last, value in ((self.mean, 0.0), (self.scale[-1], _FIRST_SCALE)):
            nn.init.zeros_(last.get_parameter("weight"))
            nn.init.constant_(last.get_parameter("bias"), value)
        self.refiner = Refiner(channels, width, config.refined) if config.refined else None
        seen = _SEEN + (self.refiner.reach if self.refiner else 0)
        self.margin = -(-seen // MULTIPLE) * MULTIPLE

    def encode(self, context: Context) -> Maps:
        """The pyramid, the picture that it suggests, and the coarse features."""
        height, width = context.pixels.shape[-2:]
        edges = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        observed = F.pad(context.observed, edges)
        # Pixel after pixel of a channel, as all that follows is then: that takes half the time.
        levels = pyramid(F.pad(context.pixels.contiguous(), edges), observed)
        pictures = filled(levels)
        means, meeting = pictures[_REFERENCE], levels[_MEETING]
        smooth = F.interpolate(means, scale_factor=2.0 ** (_REFERENCE - _MEETING), mode="bilinear")
        detail = DETAIL * (pictures[_MEETING] - smooth)
        coarse = self.coarse(torch.cat([detail, meeting.density, meeting.trust], dim=1))
        share = unseen(levels, _MEETING)
        return Maps(pictures[0], observed, means, coarse, share, (height, width))

    def log_share(self, context: Context, encoded: Maps) -> Float[Tensor, "batch pixel"]:
        """The log of the share observed around each pixel: 0 where something is within about 8.

        Each level that sees nothing stands for cells of four times as many pixels, so the share
        falls with the square of the distance to the nearest observed pixel. Nearer, the network
        says by itself how sure it is.
        """
        height, width = encoded.size
        return -math.log(4.0) * encoded.unseen[..., :height, :width].flatten(1)

    def predict(self, encoded: Maps, z: Tensor | None, targets: Targets) -> Gaussian:
        """The predictive distribution, from the windows in which there are targets.

        Raises:
            ValueError: The targets are of another grid than the context.
        """
        if targets.size != encoded.size:
            raise ValueError(f"targets of a grid of {targets.size}, not of {encoded.size}")
        start, width = encoded.start, encoded.size[1]
        index = targets.index.expand(len(start), -1)
        rows, columns = torch.div(index, width, rounding_mode="floor"), index % width
        outputs = start.new_zeros(*index.shape, 2 * self.config.channels)
        wanted = [*windows(start.shape[-2], start.shape[-1], margin=self.margin)]
        steps = Steps(len(wanted))
        for window in wanted:
            (top, bottom), (left, right) = window.rows, window.columns
            inside = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
            number, target = inside.nonzero(as_tuple=True)
            if len(number):
                where = number, rows[number, target], columns[number, target]
                values = self._within(encoded, window.around(*where[1:], self.margin), where)
                outputs[number, target] = values.to(outputs.dtype)
            steps.advance()
        return floored_gaussian(outputs, self.config.scale_floor)

    def _within(
        self, encoded: Maps, window: Window, where: tuple[Tensor, Tensor, Tensor]
    ) -> Float[Tensor, "target output"]:
        """Mean and pre-activation of the scale at (picture, row, column)s within a window."""
        smooth = window.finer(encoded.means, 2**_REFERENCE)
        detail = DETAIL * (window.cut(encoded.start) - smooth)
        inputs = torch.cat([detail, window.cut(encoded.observed).to(detail.dtype)], dim=1)
        folded = F.pixel_unshuffle(inputs, _FOLD)
        features = self.fine(folded, window.cut(encoded.coarse, 2**_MEETING))
        # The scale reads features that the mean alone shapes: its gradient, the larger of the two
        # for long, would leave little of them to the mean.
        mean, scale = CORRECTION * self.mean(features), self.scale(features.detach())
        number, rows, columns = where
        if self.refiner is not None:
            inner = window.around(rows, columns, self.refiner.reach, _FOLD)
            place = _FOLD, window.top, window.left
            parts = (inner.cut(each, *place) for each in (folded, features, mean, scale))
            (mean, scale), window = self.refiner(*parts), inner
        outputs = F.pixel_shuffle(torch.cat([mean, scale], dim=1), _FOLD)
        values = outputs[number, :, rows - window.top, columns - window.left]
        start = encoded.start[number, :, rows, columns]
        return values + F.pad(start, (0, start.shape[1]))
