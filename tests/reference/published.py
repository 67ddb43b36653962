"""The networks of the fastest published code, written anew, with random weights.

Layers as in github.com/juho-lee/bnp and github.com/tung-nd/TNP-pytorch: width 128, eight heads,
deeper for colour. A prediction is mean and scale at every missing pixel, for each of five z.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from npfill.models import NeuralProcess, build, config_of
from npfill.models.parts.layers import mlp

WIDTH, HEADS = 128, 8
# Layers before the mean, after it, of the decoder, and of queries and keys, by channels.
_BEFORE, _AFTER, _DECODER, _QUERY = {1: 5, 3: 6}, 3, {1: 4, 3: 5}, 3


def published_config(variant: str, channels: int) -> NeuralProcess:
    """The npfill model with these layers.

    The published CNP has two encoders side by side, this one the layers of both in a row. In the
    deterministic path of the ANP are as many attentions, in blocks that have a perceptron; its
    latent path has none.
    """
    size, before = {1: 28, 3: 64}[channels], _BEFORE[channels]
    fields: dict[str, Any] = {
        "channels": channels,
        "size": size,
        "coordinates": "raw",
        "frequencies": 0,
        "decoder_hidden": [WIDTH] * (_DECODER[channels] - 1),
        "scale_floor": 0.1,
    }
    points = {"encoder": "pointwise", "width": WIDTH, "decoder": "pointwise"}
    latent = {"latent": WIDTH, "latent_hidden": [WIDTH] * (_AFTER - 1)}
    fields |= {
        "cnp": points | {"encoder_hidden": [WIDTH] * (2 * before - 1)},
        "np": points | latent | {"encoder_hidden": [WIDTH] * (before - 1)},
        "anp": latent
        | {"width": WIDTH, "heads": HEADS, "self_blocks": 1, "cross_blocks": 1}
        | {"latent_frequencies": 16},
    }[variant]
    torch.manual_seed(0)
    return build(variant, config_of(variant, fields, "published")).eval().requires_grad_(False)


class Attention(nn.Module):
    """Multi-head attention with its queries added, then a layer, each normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(3))
        self.output, self.first, self.second = (
            nn.Linear(WIDTH, WIDTH),
            nn.LayerNorm(WIDTH),
            nn.LayerNorm(WIDTH),
        )

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Every query's mixture, "query width"."""
        query = self.query(queries)
        heads = [
            part.unflatten(-1, (HEADS, -1)).transpose(-3, -2)
            for part in (query, self.key(keys), self.value(values))
        ]
        logits = heads[0] @ heads[1].mT / WIDTH**0.5
        mixed = (logits.softmax(-1) @ heads[2]).transpose(-3, -2).flatten(-2)
        normal = self.first(query + mixed)
        return self.second(normal + F.relu(self.output(normal)))


class Encoder(nn.Module):
    """A perceptron over points, attention if wanted, the mean, another perceptron."""

    def __init__(self, channels: int, outputs: int, *, attends: bool = False) -> None:
        super().__init__()
        depth = _BEFORE[channels] - (2 if attends else 0)
        self.before = mlp(2 + channels, [WIDTH] * (depth - 1), WIDTH)
        self.attention = Attention() if attends else None
        self.after = mlp(WIDTH, [WIDTH] * (_AFTER - 1), outputs)

    def forward(self, points: Tensor) -> Tensor:
        """The representation, "output"."""
        each = self.before(points)
        if self.attention is not None:
            each = F.relu(each)
            each = self.attention(each, each, each)
        return self.after(each.mean(-2))


class Published(nn.Module):
    """A CNP, NP or ANP."""

    def __init__(self, variant: str, channels: int) -> None:
        super().__init__()
        self.variant, self.latent = variant, None
        if variant == "anp":
            depth = _BEFORE[channels] - 2
            self.value = mlp(2 + channels, [WIDTH] * (depth - 1), WIDTH)
            self.place = mlp(2, [WIDTH] * (_QUERY - 1), WIDTH)
            self.within, self.across = Attention(), Attention()
        else:
            self.encoder = Encoder(channels, WIDTH)
        if variant == "cnp":
            self.other = Encoder(channels, WIDTH)
        else:
            self.latent = Encoder(channels, 2 * WIDTH, attends=variant == "anp")
        self.decoder = mlp(2 * WIDTH + 2, [WIDTH] * (_DECODER[channels] - 1), 2 * channels)

    def forward(self, at: Tensor, values: Tensor, asked: Tensor, noise: Tensor) -> Tensor:
        """Means and scales, "sample target channel"; a CNP's have one sample.

        Args:
            at: "point 2".
            values: "point channel".
            asked: "target 2".
            noise: "sample latent", what z is drawn by.
        """
        points = torch.cat([at, values], dim=-1)
        if self.variant == "anp":
            value = self.value(points)
            r = self.across(self.place(asked), self.place(at), self.within(value, value, value))
        else:
            r = self.encoder(points).expand(len(asked), -1)
        if self.latent is None:
            given = torch.cat([r, self.other(points).expand(len(asked), -1)], dim=-1)[None]
        else:
            mean, scale = self.latent(points).chunk(2, dim=-1)
            z = mean + (0.1 + 0.9 * scale.sigmoid()) * noise
            shape = len(noise), len(asked), WIDTH
            given = torch.cat([r.expand(shape), z[:, None].expand(shape)], dim=-1)
        beside = torch.cat([given, asked.expand(len(given), -1, -1)], dim=-1)
        means, scales = self.decoder(beside).chunk(2, dim=-1)
        return torch.cat([means, 0.1 + 0.9 * F.softplus(scales)], dim=-1)
