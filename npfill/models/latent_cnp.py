"""The latent conditional neural process: the latent path alone."""

from dataclasses import dataclass
from typing import Annotated

from npfill.config import Length
from npfill.context import Context, Latents, Masks, Pixels, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Channels, GridSize, NeuralProcess, ScaleFloor
from npfill.models.parts import EncoderConfig, LatentDecoderConfig
from npfill.models.parts.layers import MOST_LAYERS, LatentEncoder, Size, Sizes


@dataclass(frozen=True, kw_only=True)
class LatentCNPConfig:
    """Sizes of a `LatentCNP`; `size` is the longer side of the grid that it is trained on."""

    channels: Channels
    size: GridSize
    encoder: Annotated[EncoderConfig, "What the context becomes: see [model.encoder]."]
    latent: Annotated[Size, "Width of z."]
    latent_hidden: Annotated[
        Sizes, Length(0, MOST_LAYERS), "Widths of the hidden layers from r to q(z | C)."
    ]
    decoder: Annotated[LatentDecoderConfig, "What targets become: see [model.decoder]."]
    scale_floor: ScaleFloor


class LatentCNP(NeuralProcess):
    """Latent CNP (the latent-variable model of Garnelo et al. 2018a, section 3, and 2018b).

    r = mean_i h(x_i, y_i);  q(z | C) = N(μ(r), σ²(r));  p(y | x, z) = N(g(x, z))

    The decoder sees z and x, never r.
    """

    variant = "lcnp"
    configuration = LatentCNPConfig
    summary = "a latent conditional neural process: everything passes through one latent z"
    limits = "detail: with every pixel observed, the bottleneck z still does not reproduce them"

    def __init__(self, config: LatentCNPConfig) -> None:
        super().__init__(config)
        channels, floor = config.channels, config.scale_floor
        self.encoder = config.encoder.build(channels)
        self.latent_encoder = LatentEncoder(self.encoder.width, config.latent_hidden, config.latent)
        self.decoder = config.decoder.build((0, config.latent), channels, floor)

    def encode(self, context: Context) -> None:
        """Nothing: there is no deterministic path."""

    def infer(self, context: Context) -> Gaussian:
        """q(z | C)."""
        return self.latent_encoder(self.encoder(context))

    def infer_each(self, pixels: Pixels, observed: Masks) -> list[Gaussian]:
        """q(z | C) under each mask, with every pixel encoded once."""
        return [self.latent_encoder(r) for r in self.encoder.each(pixels, observed)]

    def predict(self, encoded: None, z: Latents | None, targets: Targets) -> Gaussian:
        """g(x, z) at the targets, for each z."""
        if z is None:
            raise ValueError("a latent CNP predicts from a z")
        return self.decoder(targets.positions(z), encoded, z)
