"""The attentive neural process."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from npfill.config import Length, Range
from npfill.context import Context, Latents, Targets
from npfill.gaussian import Gaussian
from npfill.models.base import Channels, GridSize, NeuralProcess, ScaleFloor
from npfill.models.parts.attention import AttentionBlock, Memory, check_heads
from npfill.models.parts.basis import BasisEncoder
from npfill.models.parts.layers import MOST_LAYERS, LatentEncoder, Size, Sizes
from npfill.models.parts.points import Coordinates, Encoding, Points, check_frequencies, points_of
from npfill.models.parts.pointwise import PointwiseDecoder

# Widths of the kernels that attention starts as, in pixels of the training grid.
_NARROW, _WIDE = 0.6, 8.0


@dataclass(frozen=True, kw_only=True)
class ANPConfig:
    """Sizes of an `ANP`; `size` is the longer side of the grid that it is trained on."""

    channels: Channels
    size: GridSize
    coordinates: Annotated[Encoding, "Features of a position."]
    frequencies: Annotated[int, "Frequencies of the features on an axis; raw ones have none."]
    width: Annotated[Size, "Width of the representations r_i."]
    heads: Annotated[int, "Heads of attention; they divide the width."]
    self_blocks: Annotated[
        int, Range(1, MOST_LAYERS), "Blocks of self-attention among context points."
    ]
    cross_blocks: Annotated[
        int, Range(1, MOST_LAYERS), "Blocks of cross-attention from targets to them."
    ]
    latent: Annotated[Size, "Width of z."]
    latent_frequencies: Annotated[
        Size, "Cosines on an axis of the basis that the latent path reads the context in."
    ]
    latent_hidden: Annotated[
        Sizes, Length(0, MOST_LAYERS), "Widths of the hidden layers from there to q(z | C)."
    ]
    decoder_hidden: Annotated[
        Sizes, Length(1, MOST_LAYERS), "Widths of the hidden layers of the decoder."
    ]
    scale_floor: ScaleFloor

    def __post_init__(self) -> None:
        check_frequencies(self.coordinates, self.frequencies)
        check_heads(self.width, self.heads)


class SelfAttention(nn.Module):
    """Points (x_i, y_i) become representations that know of each other."""

    def __init__(self, config: ANPConfig) -> None:
        super().__init__()
        self.coordinates = Coordinates(config.coordinates, config.frequencies)
        self.embed = nn.Linear(self.coordinates.features + config.channels, config.width)
        self.blocks = nn.ModuleList(_block(config) for _ in range(config.self_blocks))

    def forward(self, points: Points) -> Float[Tensor, "batch point width"]:
        """The representations r_i; rows of invalid points hold nothing of use."""
        inputs = torch.cat([self.coordinates(points.positions), points.values], dim=-1)
        features = self.embed(inputs)
        for block in _each(self.blocks):
            memory = block.memory(features, points.positions, points.valid)
            features = block(features, points.positions, memory)
        return features


class ANP(NeuralProcess):
    """Attentive neural process (Kim et al. 2019, "Attentive Neural Processes", figure 2).

    r_i = self-attention over (x_i, y_i);  r_*(x) = cross-attention from x to (x_i, r_i)
    s_C = mean_i h_s(x_i, y_i);  q(z | C) = N(μ(s_C), σ²(s_C))
    p(y | x, C, z) = N(g(x, r_*(x), z))
    """

    variant = "anp"
    configuration = ANPConfig
    summary = (
        "an attentive neural process: self-attention over the context, cross-attention "
        "from each target to it, and a latent path"
    )
    limits = (
        "latent samples, which hardly differ, as z says little beside attention; and "
        "large pictures: its time grows with context times hole"
    )

    def __init__(self, config: ANPConfig) -> None:
        super().__init__(config)
        self.coordinates = Coordinates(config.coordinates, config.frequencies)
        self.deterministic_encoder = SelfAttention(config)
        self.query = nn.Linear(self.coordinates.features, config.width)
        self.cross_attention = nn.ModuleList(_block(config) for _ in range(config.cross_blocks))
        self.stochastic_encoder = BasisEncoder(
            Coordinates("cosine", config.latent_frequencies), config.channels
        )
        self.latent_encoder = LatentEncoder(
            self.stochastic_encoder.width, config.latent_hidden, config.latent
        )
        self.decoder = PointwiseDecoder(
            self.coordinates,
            (config.width, config.latent),
            config.decoder_hidden,
            config.channels,
            config.scale_floor,
        )

    def encode(self, context: Context) -> list[Memory]:
        """Keys and values of the context for each block of cross-attention."""
        points = points_of(context)
        features = self.deterministic_encoder(points)
        return [
            block.memory(features, points.positions, points.valid)
            for block in _each(self.cross_attention)
        ]

    def infer(self, context: Context) -> Gaussian:
        """The latent path q(z | C), through s_C as in an NP."""
        return self.latent_encoder(self.stochastic_encoder(context))

    def predict(self, encoded: list[Memory], z: Latents | None, targets: Targets) -> Gaussian:
        """g(x, r_*(x), z) at the targets, for each z."""
        if z is None:
            raise ValueError("an attentive neural process predicts from a z")
        positions = targets.positions(z)
        per_picture = positions.expand(z.shape[1], -1, -1)
        r = self.query(self.coordinates(per_picture))
        for block, memory in zip(_each(self.cross_attention), encoded, strict=True):
            r = block(r, per_picture, memory)
        return self.decoder(positions, r, z)


def _block(config: ANPConfig) -> AttentionBlock:
    return AttentionBlock(config.width, config.heads, _NARROW / config.size, _WIDE / config.size)


def _each(blocks: nn.ModuleList) -> Iterator[AttentionBlock]:
    for block in blocks:
        assert isinstance(block, AttentionBlock)
        yield block
