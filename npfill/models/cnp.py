"""The conditional neural process."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import NeuralProcess
from npfill.models.parts.coordinates import Coordinates, Encoding
from npfill.models.parts.decoder import DecoderKind, decoder
from npfill.models.parts.encoder import EncoderKind, encoder


@dataclass(frozen=True, kw_only=True)
class CNPConfig:
    """Sizes of a `CNP`; `size` is the longer side of the grid that it is trained on."""

    latent: ClassVar[int] = 0
    channels: int
    size: int
    coordinates: Encoding
    frequencies: int
    encoder: EncoderKind
    encoder_hidden: tuple[int, ...]
    width: int
    decoder: DecoderKind
    decoder_hidden: tuple[int, ...]
    scale_floor: float


class CNP(NeuralProcess[Tensor]):
    """Conditional neural process (Garnelo et al. 2018a, "Conditional Neural Processes", figure 1).

    r = mean_i h(x_i, y_i);  p(y | x, C) = N(μ, σ²) with (μ, σ) = g(x, r)
    """

    variant = "cnp"
    summary = "a conditional neural process: the mean of point encodings, and no latent"
    limits = (
        "samples of its own (its pixels are independent given the context: only "
        "autoregressive ones cohere) and detail (with every pixel observed it does not "
        "reproduce them)"
    )

    def __init__(self, config: CNPConfig) -> None:
        super().__init__()
        self.config = config
        coordinates = Coordinates(config.coordinates, config.frequencies)
        self.encoder = encoder(
            config.encoder, coordinates, config.channels, config.encoder_hidden, config.width
        )
        self.decoder = decoder(
            config.decoder,
            coordinates,
            (self.encoder.width, 0),
            config.decoder_hidden,
            config.channels,
            config.scale_floor,
        )

    def encode(self, context: Context) -> Float[Tensor, "batch width"]:
        """The mean representation r."""
        return self.encoder(context)

    def infer(self, context: Context) -> None:
        """No latent path."""
        return

    def predict(
        self, encoded: Float[Tensor, "batch width"], z: Tensor | None, targets: Targets
    ) -> Gaussian:
        """g(x, r) at the targets."""
        return self.decoder(targets.positions(encoded), encoded.unsqueeze(1), z)
