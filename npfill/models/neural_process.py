"""The neural process: a deterministic and a latent path."""

from dataclasses import dataclass
from typing import Annotated

from jaxtyping import Float
from torch import Tensor

from npfill.config import Length
from npfill.context import Context, Latents, Masks, Pixels, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Channels, GridSize, NeuralProcess, ScaleFloor
from npfill.models.parts import DecoderConfig, EncoderConfig, check_pair
from npfill.models.parts.layers import MOST_LAYERS, LatentEncoder, Size, Sizes


@dataclass(frozen=True, kw_only=True)
class NPConfig:
    """Sizes of an `NP`; `size` is the longer side of the grid that it is trained on."""

    channels: Channels
    size: GridSize
    encoder: Annotated[EncoderConfig, "What the context becomes: see [model.encoder]."]
    latent: Annotated[Size, "Width of z."]
    latent_hidden: Annotated[
        Sizes, Length(0, MOST_LAYERS), "Widths of the hidden layers from r to q(z | C)."
    ]
    decoder: Annotated[DecoderConfig, "What targets become: see [model.decoder]."]
    scale_floor: ScaleFloor

    def __post_init__(self) -> None:
        check_pair(self.encoder, self.decoder)


class NP(NeuralProcess):
    """Neural process (Garnelo et al. 2018b, "Neural Processes"; both paths as in Kim et al. 2019).

    r_C = mean_i h_r(x_i, y_i);  s_C = mean_i h_s(x_i, y_i);  q(z | C) = N(μ(s_C), σ²(s_C))
    p(y | x, r_C, z) = N(g(x, r_C, z))

    The two paths have encoders of their own.
    """

    variant = "np"
    configuration = NPConfig
    summary = "a neural process: a deterministic and a latent path, both through means"
    limits = "detail: with every pixel observed, its means do not reproduce them"

    def __init__(self, config: NPConfig) -> None:
        super().__init__(config)
        channels, floor = config.channels, config.scale_floor
        self.deterministic_encoder = config.encoder.build(channels)
        self.stochastic_encoder = config.encoder.build(channels)
        width = self.stochastic_encoder.width
        self.latent_encoder = LatentEncoder(width, config.latent_hidden, config.latent)
        self.decoder = config.decoder.build((width, config.latent), channels, floor)

    def encode(self, context: Context) -> Float[Tensor, "batch width"]:
        """The deterministic path r_C."""
        return self.deterministic_encoder(context)

    def infer(self, context: Context) -> Gaussian:
        """The latent path q(z | C), through s_C."""
        return self.latent_encoder(self.stochastic_encoder(context))

    def infer_each(self, pixels: Pixels, observed: Masks) -> list[Gaussian]:
        """q(z | C) under each mask, with every pixel encoded once."""
        return [self.latent_encoder(r) for r in self.stochastic_encoder.each(pixels, observed)]

    def predict(
        self, encoded: Float[Tensor, "batch width"], z: Latents | None, targets: Targets
    ) -> Gaussian:
        """g(x, r_C, z) at the targets, for each z."""
        if z is None:
            raise ValueError("a neural process predicts from a z")
        return self.decoder(targets.positions(encoded), encoded.unsqueeze(1), z)
