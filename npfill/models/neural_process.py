"""The neural process: a deterministic and a latent path."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import NeuralProcess
from npfill.models.parts.coordinates import Coordinates, Encoding
from npfill.models.parts.decoder import DecoderKind, decoder
from npfill.models.parts.encoder import EncoderKind, encoder
from npfill.models.parts.latent import LatentEncoder


@dataclass(frozen=True, kw_only=True)
class NPConfig:
    """Sizes of an `NP`; `size` is the longer side of the grid that it is trained on."""

    channels: int
    size: int
    coordinates: Encoding
    frequencies: int
    encoder: EncoderKind
    encoder_hidden: tuple[int, ...]
    width: int
    latent: int
    latent_hidden: tuple[int, ...]
    decoder: DecoderKind
    decoder_hidden: tuple[int, ...]
    scale_floor: float


class NP(NeuralProcess[Tensor]):
    """Neural process (Garnelo et al. 2018b, "Neural Processes"; both paths as in Kim et al. 2019).

    r_C = mean_i h_r(x_i, y_i);  s_C = mean_i h_s(x_i, y_i);  q(z | C) = N(μ(s_C), σ²(s_C))
    p(y | x, r_C, z) = N(g(x, r_C, z))

    The two paths have encoders of their own.
    """

    variant = "np"
    summary = "a neural process: a deterministic and a latent path, both through means"
    limits = "detail: with every pixel observed, its means do not reproduce them"

    def __init__(self, config: NPConfig) -> None:
        super().__init__()
        self.config = config
        coordinates = Coordinates(config.coordinates, config.frequencies)
        self.deterministic_encoder = encoder(
            config.encoder, coordinates, config.channels, config.encoder_hidden, config.width
        )
        self.stochastic_encoder = encoder(
            config.encoder, coordinates, config.channels, config.encoder_hidden, config.width
        )
        self.latent_encoder = LatentEncoder(
            self.stochastic_encoder.width, config.latent_hidden, config.latent
        )
        self.decoder = decoder(
            config.decoder,
            coordinates,
            (self.deterministic_encoder.width, config.latent),
            config.decoder_hidden,
            config.channels,
            config.scale_floor,
        )

    def encode(self, context: Context) -> Float[Tensor, "batch width"]:
        """The deterministic path r_C."""
        return self.deterministic_encoder(context)

    def infer(self, context: Context) -> Gaussian:
        """The latent path q(z | C), through s_C."""
        return self.latent_encoder(self.stochastic_encoder(context))

    def infer_each(
        self,
        pixels: Float[Tensor, "batch channel height width"],
        observed: Bool[Tensor, "mask batch 1 height width"],
    ) -> list[Gaussian]:
        """q(z | C) under each mask, with every pixel encoded once."""
        return [self.latent_encoder(r) for r in self.stochastic_encoder.each(pixels, observed)]

    def predict(
        self,
        encoded: Float[Tensor, "batch width"],
        z: Float[Tensor, "sample batch latent"] | None,
        targets: Targets,
    ) -> Gaussian:
        """g(x, r_C, z) at the targets, for each z."""
        if z is None:
            raise ValueError("a neural process predicts from a z")
        return self.decoder(targets.positions(encoded), encoded.unsqueeze(1), z)
