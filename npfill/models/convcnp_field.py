"""The convolutional conditional neural process for grids of numbers in any unit."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.config import Length
from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Channels, Conditioned, NeuralProcess, ScaleFloor, full_precision
from npfill.models.lawful import Lawful, laws_of
from npfill.models.parts.layers import Size, Sizes
from npfill.models.parts.pyramid import pyramid
from npfill.models.parts.splines import Spline, kriged, splines
from npfill.models.parts.unet import MULTIPLE, UNet, Window, windows

# The surfaces that the mean is made of: through the pixels and, with a weight, past them.
_SPLINES = [
    Spline((1.0, 0.0, 0.0)),
    Spline((1.0, 0.0, 0.0), 0.03),
    Spline((0.0, 1.0, 0.0)),
    Spline((0.0, 1.0, 0.0), 0.1),
    Spline((0.0, 1.0, 0.0), 0.002),
    Spline((0.0, 0.0, 1.0)),
]
# Lengths of the processes, as shares of that which the slopes of the thin plate have, in pixels.
_SHARES, _LENGTHS = (1.0, 0.6), (1.2, 8.0)
# The thin plate, from which the others are measured; those that pass by the pixels; all with the
# mean; and those that say how rough the picture is.
_PLATE, _PAST, _COUNT, _SHARP = 2, (1, 3, 4), 9, (0, 5)
# The fine grid has cells of 2x2 pixels; local statistics are of 8x8; levels of the densities.
_FOLD, _LOCAL, _DENSITIES = 2, 8, (1, 2, 3, 4, 5)
# The least spread, in spreads of the picture; and what brings logarithms to unit size.
_LEAST, _LOG = 1e-6, 4.0
# Spreads from the median at which a value counts as no farther.
_WILDEST = 100.0
# Statistics of the whole picture, as the network sees them.
_WHOLE = 8


@dataclass(frozen=True, kw_only=True)
class FieldConvCNPConfig:
    """Sizes of a `FieldConvCNP`; `size` is the side of the fields that it is trained on."""

    latent: ClassVar[int] = 0
    channels: Channels
    size: Annotated[Size, "Side, in pixels, of the fields that the model is trained on."]
    widths: Annotated[Sizes, Length(3, 3), "Widths at strides of 2, 4 and 8 pixels."]
    scale_floor: ScaleFloor


@dataclass(frozen=True)
class Surfaces:
    """The features of a whole picture, each channel a picture of its own.

    Attributes:
        means: The surfaces, in spreads of the picture, around its centre.
        signed: Their differences by the size that these have around, and what is observed.
        local: Logarithms of sizes and densities on cells of 2x2 pixels.
        centre: The median of what is observed.
        spread: Its spread.
        size: Height and width of the picture.
        channels: Channels of the picture.
    """

    means: Float[Tensor, "picture surface height width"]
    signed: Float[Tensor, "picture input height width"]
    local: Float[Tensor, "picture feature rows columns"]
    centre: Float[Tensor, "picture 1 1 1"]
    spread: Float[Tensor, "picture 1 1 1"]
    size: tuple[int, int]
    channels: int


class FieldConvCNP(NeuralProcess):
    """Convolutional conditional neural process that weighs surfaces through the observed pixels.

    p(y | x, C) = N(Σ_k w_k μ_k + s v, s² u²) with (w, v, u) = CNN(E)(x), Σ_k w_k = 1

    The μ_k are smoothing splines, means of Gaussian processes and the mean of the context; s is
    made of the sizes of their differences around x (Gordon et al. 2020, section 4, with these in
    place of set convolutions of one width). All is measured from the median of what is observed,
    in spreads of it: with a y + b in place of y, it is a μ + b and a s for any a > 0. Channels are
    completed one by one. In use, `condition` follows a Gaussian process where the picture does.
    """

    variant = "convcnp-field"
    configuration = FieldConvCNPConfig
    summary = (
        "a convolutional conditional neural process for grids of numbers: convolutional networks "
        "weigh smoothing splines and means of Gaussian processes, and say how far off they are"
    )
    limits = "textures and objects of photographs; and samples of its own, pixel by pixel"
    any_size = True
    in_unit = False

    def __init__(self, config: FieldConvCNPConfig) -> None:
        super().__init__(config)
        width, logs = config.widths[0], _COUNT - 1 + len(_PAST)
        signed, local = _COUNT + 1, logs + len(_DENSITIES)
        self.whole = nn.Linear(local, _WHOLE)
        self.network = UNet(_FOLD**2 * signed + local + _WHOLE, config.widths)
        self.head = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, _FOLD**2 * (_COUNT + 2), 1),
        )
        self.size_of = nn.Parameter(torch.zeros(logs))
        first = torch.zeros(_COUNT + 2, _FOLD**2)
        first[_PLATE], first[-1] = 2.0, 1.0
        with torch.no_grad():
            self.head[-1].get_parameter("weight").mul_(0.1)
            self.head[-1].get_parameter("bias").copy_(first.flatten())
            self.size_of[list(_SHARP[:1])] = 0.5
            self.size_of[_SHARP[1] - 1] = 0.5

    def encode(self, context: Context) -> Surfaces:
        """The surfaces of each channel, and what their differences say."""
        channels, size = context.pixels.shape[1], context.size
        observed = context.observed.repeat_interleave(channels, 0)
        pixels = torch.where(observed, context.pixels.flatten(0, 1)[:, None], 0.0)
        centre, spread = _robust(full_precision(pixels), observed)
        values = ((full_precision(pixels) - centre) / spread).clamp(-_WILDEST, _WILDEST)
        values = torch.where(observed, values, 0.0)
        edges = (0, -size[1] % MULTIPLE, 0, -size[0] % MULTIPLE)
        with torch.no_grad():
            values, observed = F.pad(values, edges), F.pad(observed, edges)
            means, signed, local = _features(values, observed)
        return Surfaces(means, signed, local, centre, spread, size, channels)

    def predict(self, encoded: Surfaces, z: Tensor | None, targets: Targets) -> Gaussian:
        """The predictive distribution, from the windows in which there are targets.

        Raises:
            ValueError: The targets are of another grid than the context.
        """
        if targets.size != encoded.size:
            raise ValueError(f"targets of a grid of {targets.size}, not of {encoded.size}")
        count, width = len(encoded.means), encoded.size[1]
        index = targets.index.expand(count // encoded.channels, -1)
        index = index.repeat_interleave(encoded.channels, 0)
        rows, columns = torch.div(index, width, rounding_mode="floor"), index % width
        result = encoded.means.new_zeros(2, *index.shape)
        whole = self.whole(encoded.local.mean((-2, -1)))
        for window in windows(encoded.means.shape[-2], encoded.means.shape[-1]):
            (top, bottom), (left, right) = window.rows, window.columns
            inside = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
            number, target = inside.nonzero(as_tuple=True)
            if len(number):
                mean, scale = self._within(encoded, whole, window)
                at = number, rows[number, target] - top, columns[number, target] - left
                result[0, number, target] = mean[at]
                result[1, number, target] = scale[at]
        mean, scale = result.unflatten(1, (-1, encoded.channels)).transpose(2, 3)
        spread = encoded.spread.view(-1, 1, encoded.channels)
        mean = encoded.centre.view(-1, 1, encoded.channels) + spread * mean
        return Gaussian(mean, spread * scale)

    def condition(self, context: Context) -> Conditioned:
        """See `NeuralProcess.condition`; where a picture follows a law, its posterior is taken."""
        given = super().condition(context)
        return Lawful(**vars(given), laws=laws_of(context))

    def _within(
        self, encoded: Surfaces, whole: Float[Tensor, "picture _"], window: Window
    ) -> tuple[Float[Tensor, "picture rows columns"], Float[Tensor, "picture rows columns"]]:
        """Mean and scale of a window's own part, in spreads around the centre."""
        local = window.cut(encoded.local, _FOLD)
        everywhere = whole[..., None, None].expand(-1, -1, *local.shape[-2:])
        folded = F.pixel_unshuffle(window.cut(encoded.signed), _FOLD)
        features = self.network(torch.cat([folded, local, everywhere], dim=1))
        outputs = full_precision(F.pixel_shuffle(self.head(features), _FOLD))
        means = window.cut(encoded.means)
        logs = _LOG * (local[:, : len(self.size_of)] - 1.0)
        size = (logs * self.size_of[:, None, None]).sum(1, keepdim=True)
        size = F.interpolate(size, scale_factor=float(_FOLD), mode="bilinear")[:, 0]
        weighted = (outputs[:, :_COUNT].softmax(1) * means).sum(1)
        shift, log_scale = outputs[:, _COUNT:].unbind(1)
        mean = weighted + shift * size.exp()
        floor = self.config.scale_floor
        scale = floor + (size + log_scale).clamp(-14.0, 4.0).exp()
        (top, bottom), (left, right) = window.rows, window.columns
        rows = slice(top - window.top, bottom - window.top)
        columns = slice(left - window.left, right - window.left)
        return mean[..., rows, columns], scale[..., rows, columns]


def _robust(
    pixels: Float[Tensor, "picture 1 height width"],
    observed: Bool[Tensor, "picture 1 height width"],
) -> tuple[Float[Tensor, "picture 1 1 1"], Float[Tensor, "picture 1 1 1"]]:
    """Median and spread of what is observed.

    The spread is that of the middle 90 %, or if these are one value, the mean distance of the
    others from it; of a constant it is next to nothing. Without two pixels nothing is known:
    values are intensities in [0, 1].
    """
    flat, mask = pixels.flatten(1), observed.flatten(1)
    count = mask.sum(1, keepdim=True)
    ordered = torch.where(mask, flat, math.inf).sort(1).values
    last = (count - 1).clamp(min=0)
    low, middle, high = (
        ordered.gather(1, (share * last).round().long()) for share in (0.05, 0.5, 0.95)
    )
    centre = torch.where(count > 0, middle, 0.5)
    away = torch.where(mask, (flat - centre).abs(), 0.0)
    around = away.sum(1, keepdim=True) / (away > 0).sum(1, keepdim=True).clamp(min=1)
    spread = torch.where((high > low) & (count > 0), (high - low) / 3.3, around)
    tiny = torch.finfo(pixels.dtype).tiny
    spread = torch.where(count > 1, spread.clamp(min=tiny), 12**-0.5)
    return centre[..., None, None], spread[..., None, None]


def _features(
    values: Float[Tensor, "picture 1 height width"],
    observed: Bool[Tensor, "picture 1 height width"],
) -> tuple[Tensor, Tensor, Tensor]:
    """The surfaces, the signed features and the local ones."""
    seen = observed.to(values.dtype)
    count = seen.sum((-2, -1), keepdim=True).clamp(min=1.0)
    mean = (values * seen).sum((-2, -1), keepdim=True) / count
    values = torch.where(observed, values - mean, 0.0)
    levels = pyramid(values, observed)
    drawn = splines(levels, _SPLINES)
    plate = drawn[:, _PLATE : _PLATE + 1]
    slopes = plate.diff(dim=-1).square().mean((-2, -1)) + plate.diff(dim=-2).square().mean((-2, -1))
    variance = values.square().sum((-2, -1)) / count.flatten(1)
    length = (2.0 * variance / slopes.clamp(min=_LEAST**2)).sqrt()
    lengths = torch.cat([(share * length).clamp(*_LENGTHS) for share in _SHARES], dim=1)
    surfaces = torch.cat([drawn, kriged(values, observed, lengths), torch.zeros_like(plate)], 1)
    others = [number for number in range(_COUNT) if number != _PLATE]
    apart = surfaces[:, others] - plate
    past = torch.where(observed, values - surfaces[:, list(_PAST)], 0.0)
    sizes = F.avg_pool2d(apart.square(), _LOCAL)
    share = F.avg_pool2d(seen, _LOCAL)
    ofall = past.square().sum((-2, -1), keepdim=True) / count
    missed = (F.avg_pool2d(past.square(), _LOCAL) + 0.02 * ofall) / (share + 0.02)
    # Differences say nothing where fewer than two pixels are observed.
    least = torch.where(count > 1.0, _LEAST**2, 1.0)
    sizes = (torch.cat([sizes, missed], dim=1) + least).sqrt()
    wide = F.interpolate(sizes, scale_factor=float(_LOCAL), mode="bilinear")
    signed = torch.cat(
        [apart / wide[:, : _COUNT - 1], past[:, 1:2] / wide[:, _COUNT : _COUNT + 1], seen], 1
    )
    logs = F.interpolate(sizes.log(), scale_factor=_LOCAL / _FOLD, mode="bilinear")
    side = logs.shape[-2:]
    dense = [
        F.interpolate((levels[number].density + 1e-4).log(), size=side, mode="bilinear")
        for number in _DENSITIES
    ]
    local = torch.cat([logs, *dense], dim=1) / _LOG + 1.0
    return surfaces + mean, signed.clamp(-8.0, 8.0), local
