"""The contract that every variant fulfils."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.config import Range
from npfill.context import Context, Latents, Masks, Pixels, Targets
from npfill.gaussian import Gaussian, factor_of

Channels = Annotated[int, Range(1, 4096), "Channels of a picture: 1 for grey, 3 for RGB."]
GridSize = Annotated[
    int, Range(2, 4096), "Longer side, in pixels, of the grids that the model is trained on."
]
ScaleFloor = Annotated[float, Range(0, 1 - 1e-9), "Lower bound of the predictive scale."]


@runtime_checkable
class Config(Protocol):
    """The sizes that every variant's configuration states."""

    @property
    def channels(self) -> int:
        """Channels of a picture: 1 for grey, 3 for RGB."""

    @property
    def size(self) -> int:
        """Longer side, in pixels, of the grids or crops that the model is trained on."""

    @property
    def scale_floor(self) -> float:
        """Lower bound of the predictive scale, in [0, 1)."""

    @property
    def latent(self) -> int:
        """Width of z; 0 for a conditional variant."""


class NeuralProcess(nn.Module, ABC):
    """A network that maps a context to a predictive distribution over any target pixels.

    A variant implements `encode`, `predict` and, if it is latent, `infer`, and knows nothing of
    losses, files or sizes of pictures. The type that `encode` returns is its own; callers pass it
    on to `predict`.
    Training optimises these; `condition` is for use, and applies the calibration of the scale.

    Attributes:
        variant: The word for it on the command line, in recipes and in weight files.
        configuration: The dataclass of its sizes.
        summary: The variant in half a sentence, for cards.
        limits: Its known weaknesses, for cards.
        default_sampler: The name of the sampler that suits it.
        any_size: True for a fully convolutional variant: it works on a picture's own grid, however
            large, and bounds its memory itself. Otherwise a grid has at most the configuration's
            `size`.
        reach: Pixels beyond which a picture changes next to nothing in holes that are narrower, and
            little in wider ones; None where all of it counts.
        in_unit: True where values are intensities in [0, 1], and samples stay there.
        widest: Upper bound of the calibrated scale.
        calibration: (a, b): the calibrated scale is the predicted one times exp(a + b log f), with
            the fraction f of pixels that is observed (`log_share`). Zeros until it is fitted.
        correlation: That of the channels' errors, as `npfill.gaussian.factor_of` reads it: three
            numbers for RGB. Empty until it is fitted.
        flows: The flow-matching process that draws its samples, where one was trained for it.
    """

    variant: ClassVar[str]
    configuration: ClassVar[type[Any]]
    summary: ClassVar[str] = ""
    limits: ClassVar[str] = ""
    default_sampler: str = "autoregressive"
    any_size: ClassVar[bool] = False
    reach: ClassVar[int | None] = None
    in_unit: ClassVar[bool] = True
    widest: ClassVar[float] = math.inf
    config: Config
    calibration: Float[Tensor, " 2"]

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("calibration", torch.zeros(2))
        self.correlation: tuple[float, ...] = ()
        # No part of the network: what is in a tuple is not registered, moved or saved.
        self.flows: tuple[NeuralProcess, ...] = ()

    @property
    def has_latent(self) -> bool:
        """True for a variant with a latent path."""
        return self.config.latent > 0

    @abstractmethod
    def encode(self, context: Context) -> Any:
        """Compute all that depends on the context alone: for all targets, chunks and samples."""

    def infer(self, context: Context) -> Gaussian | None:
        """The latent path q(z | C), "batch latent"; None for a conditional variant."""
        return None

    def infer_each(self, pixels: Pixels, observed: Masks) -> list[Gaussian]:
        """q(z | C) of a latent variant for several masks of the same pictures, one Gaussian each.

        The same as `infer` mask by mask. A variant whose encoder is pointwise encodes every pixel
        once.
        """
        latents = [self.infer(Context(pixels, mask)) for mask in observed]
        return [latent for latent in latents if latent is not None]

    @abstractmethod
    def predict(self, encoded: Any, z: Latents | None, targets: Targets) -> Gaussian:
        """The predictive distribution, "batch target channel", before calibration.

        With a z there is a leading sample axis. A target's distribution does not depend on the
        other targets.
        """

    def condition(self, context: Context) -> "Conditioned":
        """The predictive distribution given a context, calibrated, for any targets."""
        encoded = self.encode(context)
        log_share, factor = self.log_share(context, encoded), None
        if self.correlation:
            factor = factor_of(self.correlation, self.config.channels).to(context.pixels)
        return Conditioned(self, context, encoded, self.infer(context), log_share, factor)

    def log_share(self, context: Context, encoded: Any) -> Float[Tensor, "batch place"]:
        """The log observed fraction, the calibration's input.

        "batch 1" if it is global, "batch pixel" if each pixel of the grid has its own.
        """
        mask = context.mask()
        return (mask.sum(1, keepdim=True).clamp(min=1) / mask.shape[1]).log()


@dataclass(frozen=True)
class Conditioned:
    """A neural process given a context.

    Attributes:
        model: The model.
        context: The context.
        encoded: The result of `NeuralProcess.encode`.
        latent: q(z | C), "batch latent"; None for a conditional variant.
        log_share: The log observed fraction, as `NeuralProcess.log_share` returns it.
        factor: That of the channels' correlation; None where it is not known. The channels of a
            picture may be the batch of a model of one channel.
    """

    model: NeuralProcess
    context: Context
    encoded: Any
    latent: Gaussian | None
    log_share: Float[Tensor, "batch place"]
    factor: Float[Tensor, "channel channel"] | None = None

    def predict(self, z: Latents | None, targets: Targets) -> Gaussian:
        """The calibrated predictive distribution, "batch target channel".

        With a z there is a leading sample axis.
        """
        return self.calibrated(self.model.predict(self.encoded, z, targets), targets)

    def calibrated(self, predicted: Gaussian, targets: Targets) -> Gaussian:
        """The prediction with the scale calibrated, and with the channels' correlation."""
        offset, slope = self.model.calibration
        scale = predicted.scale * (offset + slope * self.log_share_at(targets)).exp().unsqueeze(-1)
        return Gaussian(predicted.mean, scale.clamp(max=self.model.widest), self.factor)

    @property
    def has_law(self) -> bool:
        """True where `simulated` draws targets of the context's size, all samples at once."""
        return False

    def simulated(
        self, targets: Targets, seed: int, numbers: range
    ) -> Float[Tensor, "sample batch target channel"] | None:
        """Exact joint draws of targets, one for each number, where there is a law to draw from."""
        return None

    def log_share_at(self, targets: Targets) -> Float[Tensor, "batch #target"]:
        """The log observed fraction at each target; a single one if it is global."""
        if self.log_share.shape[1] == 1:
            return self.log_share
        return self.log_share.gather(1, targets.index.expand(len(self.log_share), -1))


def full_precision(tensor: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The tensor in float32 at least, which distributions are computed in."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def floored_gaussian(outputs: Float[Tensor, "*shape channels"], floor: float) -> Gaussian:
    """Mean and pre-activation of the scale, side by side, become a Gaussian.

    The mean is free; the scale is floor + (1 - floor) softplus, so it never falls below `floor`.
    """
    mean, scale = full_precision(outputs).chunk(2, dim=-1)
    return Gaussian(mean, floor + (1.0 - floor) * F.softplus(scale))
