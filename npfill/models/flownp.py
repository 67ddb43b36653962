"""The flow-matching neural process."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from npfill.config import Length, Range
from npfill.context import Context, Latents, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Channels, Conditioned, GridSize, NeuralProcess, full_precision
from npfill.models.parts.velocity import VelocityNet

Grid = Float[Tensor, "batch channel height width"]
Times = Float[Tensor, " batch"]
Cells = Float[Tensor, "batch feature cell_rows cell_columns"]
# Side of the square that the density of observed pixels is averaged over.
_NEAR = 9


@dataclass(frozen=True, kw_only=True)
class FlowNPConfig:
    """Sizes of a `FlowNP`; `size` is the longer side of the grid that it is trained on."""

    latent: ClassVar[int] = 0
    scale_floor: ClassVar[float] = 0.0
    channels: Channels
    size: GridSize
    companions: Annotated[
        tuple[str, ...],
        Length(1, 32),
        "Models whose mean and std it starts from; the first is its own. Each step of a training "
        "has the next one: repeat one to have it more often.",
    ]
    least_std: Annotated[
        float, Range(1e-4, 1), "Lower bound of the std that residuals are divided by."
    ]
    fold: Annotated[int, Range(1, 8), "Side of the squares of pixels that become one cell."]
    widths: Annotated[
        tuple[int, ...], Range(8, 1024), Length(2, 5), "Channels of each stage of the U-Net."
    ]
    blocks: Annotated[int, Range(1, 8), "Residual blocks of a stage, each way."]
    deeper: Annotated[
        tuple[int, ...],
        Range(0, 8),
        Length(0, 5),
        "So many more of each stage, one number for each width.",
    ] = ()
    mirrored: Annotated[
        bool,
        "Whether pictures are as likely mirrored, left and right: outside of training the "
        "velocity is the mean of a picture's and its mirror image's.",
    ] = False

    def __post_init__(self) -> None:
        if any(width % 8 for width in self.widths):
            raise ValueError(f"widths = {list(self.widths)}", "each is a multiple of 8")
        if self.deeper and len(self.deeper) != len(self.widths):
            raise ValueError(f"deeper = {list(self.deeper)}", "it has one number for each width")


@dataclass(frozen=True)
class Start:
    """The beginning of a flow: what a companion says, and what is seen of the pictures.

    Attributes:
        mean: The companion's mean on the grid; the picture where it is observed.
        std: Its std, at least the configuration's `least_std`.
        hole: True where a pixel is not observed.
        seen: Features of these, which every step of a flow reads.
        mirrored: The same of the mirror image; none where it is not asked for.
        share: The root of the fraction of pixels that is observed.
    """

    mean: Grid
    std: Grid
    hole: Bool[Tensor, "batch 1 height width"]
    seen: Cells
    mirrored: Cells | None
    share: Times

    def repeated(self, times: int) -> "Start":
        """The same for `times` draws of each picture, draw by draw."""
        parts = {name: part for name, part in vars(self).items() if part is not None}
        draws = {name: part.repeat(times, *[1] * (part.ndim - 1)) for name, part in parts.items()}
        return replace(self, **draws)


@dataclass(frozen=True)
class Representation:
    """Of a context, before any target is asked for.

    Attributes:
        given: The companion given the context.
        predicted: The companion's distribution of each cell, "batch cell channel".
        start: The beginning of the flow.
        residual_mean: E[r | C], what is known of the residuals before any is drawn.
    """

    given: Conditioned
    predicted: Gaussian
    start: Start
    residual_mean: Grid

    def residuals_at(self, targets: Targets) -> Float[Tensor, "batch target channel"]:
        """E[r | C] at targets; on a finer grid it lies between the cells."""
        grid = self.residual_mean
        if targets.size != self.given.context.size:
            grid = F.interpolate(grid, targets.size, mode="bilinear")
        return targets.values(grid)


class FlowNP(NeuralProcess):
    """Flow-matching neural process (Hamad and Rosenbaum 2025, "Flow Matching Neural Processes").

    Targets are drawn jointly, by the flow of a velocity from standard normal noise; here on a grid,
    and of what another neural process, its companion, leaves over (as Whang et al. 2022,
    "Deblurring via Stochastic Refinement", figure 2, with a regression):

    r = (y - μ_C) / σ_C in the hole;  dr_t/dt = v(r_t, t, C, μ_C, σ_C),  r_0 ~ N(0, 1),  r_1 = r

    At t = 0 the velocity is E[r | C] - r_0 (Lipman et al. 2023, equation 8: nothing of r is known
    from r_0), so that of r_0 = 0 corrects the companion's mean: μ = μ_C + σ_C E[r | C]. The std is
    the companion's, calibrated.
    """

    variant = "flownp"
    configuration = FlowNPConfig
    summary = (
        "a flow-matching neural process: what a companion's mean and std leave over is drawn "
        "for the whole hole at once, and its mean corrects the companion's"
    )
    limits = (
        "a std of its own (it is its companion's, calibrated), and pictures much larger than its "
        "grid, which its samples are as coarse as"
    )
    config: FlowNPConfig

    def __init__(self, config: FlowNPConfig) -> None:
        super().__init__(config)
        channels = config.channels
        blocks = [config.blocks + more for more in config.deeper or [0] * len(config.widths)]
        self.network = VelocityNet(channels, 2 * channels + 2, config.fold, config.widths, blocks)
        # Not a part of the network: a tuple is not registered, moved or saved.
        self.companions: tuple[NeuralProcess, ...] = ()

    @property
    def companion(self) -> NeuralProcess:
        """The model that it starts from.

        Raises:
            ValueError: None was given to it.
        """
        if not self.companions:
            raise ValueError("a flow needs its companion")
        return self.companions[0]

    def encode(self, context: Context) -> Representation:
        """The companion given the context, and the first step of the flow from no noise at all."""
        given = self.companion.condition(context)
        predicted = _on_grid(given)
        start = self._begin(context, predicted)
        nothing = torch.zeros_like(start.mean)
        residual_mean = self.velocity(nothing, nothing.new_zeros(len(nothing)), start)
        return Representation(given, predicted, start, residual_mean)

    def predict(self, encoded: Representation, z: Latents | None, targets: Targets) -> Gaussian:
        """See `NeuralProcess.predict`; it has no z."""
        if targets.size == encoded.given.context.size:
            parts = (encoded.predicted.mean, encoded.predicted.scale)
            mean, scale = (targets.values(each.mT.unflatten(2, targets.size)) for each in parts)
        else:
            finer = _at_mean(encoded.given, targets)
            mean, scale = finer.mean, finer.scale
        return Gaussian(mean.clamp(0, 1) + scale * encoded.residuals_at(targets), scale)

    def start(self, given: Conditioned) -> Start:
        """The beginning of a flow for itself or a companion: the moments at the mean of its z."""
        if isinstance(given.encoded, Representation):
            return given.encoded.start
        return self._begin(given.context, _on_grid(given))

    def _begin(self, context: Context, predicted: Gaussian) -> Start:
        parts = (predicted.mean, predicted.scale)
        mean, std = (part.mT.unflatten(2, context.size) for part in parts)
        mean = torch.where(context.observed, context.pixels, mean.clamp(0, 1))
        std = std.clamp(self.config.least_std, 1.0)
        mask = context.observed.to(mean)
        inputs = [2.0 * mean - 1.0, torch.where(context.observed, 0.0, std.log() + 3.0)]
        near = F.avg_pool2d(mask, _NEAR, 1, _NEAR // 2, count_include_pad=False)
        grids = torch.cat([*inputs, mask, near.sqrt()], dim=1)
        seen, mirrored = self.network.look(self._padded(grids)), None
        if self.config.mirrored and not self.training:
            mirrored = self.network.look(self._padded(grids.flip(3)))
        return Start(mean, std, ~context.observed, seen, mirrored, mask.mean((1, 2, 3)).sqrt())

    def velocity(self, noisy: Grid, time: Times, start: Start) -> Grid:
        """The velocity v of residuals in the hole; zero outside of it.

        The network adds to the velocity of residuals that are standard normal and independent,
        E[r - ε | r_t] = (2t - 1) r_t / (t² + (1 - t)²), in units of the deviation that is left:
        an untrained flow gives the moments of the companion. Where pictures are as likely mirrored
        the network's part is the mean over a picture and its mirror image.

        Args:
            noisy: r_t, read in the hole alone.
            time: t, from 0 (noise) to 1 (residuals).
            start: The result of `start`.
        """
        t = time[:, None, None, None]
        spread = (t.square() + (1.0 - t).square()).rsqrt()
        inside = torch.where(start.hole, noisy, 0.0)
        scaled = inside * spread
        rest = self._rest(scaled, start.seen, time, start.share)
        if start.mirrored is not None:
            other = self._rest(scaled.flip(3), start.mirrored, time, start.share)
            rest = 0.5 * (rest + other.flip(3))
        whole = (2.0 * t - 1.0) * spread.square() * inside + spread * rest
        return torch.where(start.hole, whole, 0.0)

    def _rest(self, noisy: Grid, seen: Cells, time: Times, share: Times) -> Grid:
        """The network's part of the velocity, on the grid of `noisy`."""
        height, width = noisy.shape[-2:]
        padded = full_precision(self.network(self._padded(noisy), seen, time, share))
        return padded[..., :height, :width]

    def _padded(self, grid: Grid) -> Float[Tensor, "batch channel rows columns"]:
        """The grid with sides that the network takes."""
        height, width = grid.shape[-2:]
        below, right = (-side % self.network.multiple for side in (height, width))
        return F.pad(grid, (0, right, 0, below)) if below or right else grid


def _on_grid(given: Conditioned) -> Gaussian:
    """The predictive distribution of every cell, "batch cell channel", at the mean of z."""
    with torch.no_grad():
        return _at_mean(given, Targets.every(given.context.size, given.context.pixels.device))


def _at_mean(given: Conditioned, targets: Targets) -> Gaussian:
    """The predictive distribution of targets, "batch target channel", at the mean of z."""
    z = None if given.latent is None else given.latent.mean.unsqueeze(0)
    predicted = given.predict(z, targets)
    shape = predicted.mean.shape[-3:]
    return Gaussian(predicted.mean.reshape(shape), predicted.scale.reshape(shape))


def noise_width(config: FlowNPConfig) -> int:
    """Standard normal numbers that one draw of training takes: the time's, and each residual's."""
    return 1 + config.channels * math.prod((config.size, config.size))
