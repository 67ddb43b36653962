"""The parts that the variants are composed of, one concept per file, and the choice among them."""

from npfill.models.parts.basis import BasisDecoderConfig, BasisEncoder, BasisEncoderConfig
from npfill.models.parts.local import LocalDecoderConfig, LocalEncoder, LocalEncoderConfig
from npfill.models.parts.pointwise import (
    PointwiseDecoderConfig,
    PointwiseEncoder,
    PointwiseEncoderConfig,
)

# What a configuration chooses from by its `kind`.
Encoder = PointwiseEncoder | BasisEncoder | LocalEncoder
EncoderConfig = PointwiseEncoderConfig | BasisEncoderConfig | LocalEncoderConfig
# A decoder that reads z alone; with r, it may start at the averages of a local encoder.
LatentDecoderConfig = PointwiseDecoderConfig | BasisDecoderConfig
DecoderConfig = LatentDecoderConfig | LocalDecoderConfig


def check_pair(encoder: EncoderConfig, decoder: DecoderConfig) -> None:
    """Refuse a local decoder that does not start at its encoder's averages.

    Raises:
        ValueError: The encoder is not local, or has another number of nodes.
    """
    if not isinstance(decoder, LocalDecoderConfig):
        return
    if not isinstance(encoder, LocalEncoderConfig) or encoder.nodes != decoder.nodes:
        raise ValueError(
            f"decoder: local, on {decoder.nodes} nodes",
            "it goes with a local encoder of as many nodes",
        )
