"""The conditional neural process."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from jaxtyping import Float
from torch import Tensor

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Channels, GridSize, NeuralProcess, ScaleFloor
from npfill.models.parts import DecoderConfig, EncoderConfig, check_pair


@dataclass(frozen=True, kw_only=True)
class CNPConfig:
    """Sizes of a `CNP`; `size` is the longer side of the grid that it is trained on."""

    latent: ClassVar[int] = 0
    channels: Channels
    size: GridSize
    encoder: Annotated[EncoderConfig, "What the context becomes: see [model.encoder]."]
    decoder: Annotated[DecoderConfig, "What targets become: see [model.decoder]."]
    scale_floor: ScaleFloor

    def __post_init__(self) -> None:
        check_pair(self.encoder, self.decoder)


class CNP(NeuralProcess):
    """Conditional neural process (Garnelo et al. 2018a, "Conditional Neural Processes", figure 1).

    r = mean_i h(x_i, y_i);  p(y | x, C) = N(μ, σ²) with (μ, σ) = g(x, r)
    """

    variant = "cnp"
    configuration = CNPConfig
    summary = "a conditional neural process: the mean of point encodings, and no latent"
    limits = (
        "samples of its own (its pixels are independent given the context: those of rounds and of "
        "a flow cohere) and detail (with every pixel observed it does not reproduce them)"
    )

    def __init__(self, config: CNPConfig) -> None:
        super().__init__(config)
        channels, floor = config.channels, config.scale_floor
        self.encoder = config.encoder.build(channels)
        self.decoder = config.decoder.build((self.encoder.width, 0), channels, floor)

    def encode(self, context: Context) -> Float[Tensor, "batch width"]:
        """The mean representation r."""
        return self.encoder(context)

    def predict(
        self, encoded: Float[Tensor, "batch width"], z: Tensor | None, targets: Targets
    ) -> Gaussian:
        """g(x, r) at the targets."""
        return self.decoder(targets.positions(encoded), encoded.unsqueeze(1), z)
