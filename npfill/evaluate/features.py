"""Samples beside the truth as a fixed random network sees them: how far their distribution is."""

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from npfill.seeds import generator

Pictures = Float[Tensor, "*batch channel height width"]
# Features of each layer, and layers, each halving the picture.
_WIDTH, _LAYERS = 32, 3


def energy(
    samples: Float[Tensor, "sample batch feature"], truth: Float[Tensor, "batch feature"]
) -> Float[Tensor, " batch"]:
    """E|x - y| - E|x - x'|/2, the proper score of Gneiting and Raftery 2007, equation 22."""
    count = len(samples)
    apart = torch.cdist(samples.transpose(0, 1), samples.transpose(0, 1)).sum((1, 2))
    return (samples - truth).norm(dim=-1).mean(0) - 0.5 * apart / (count * (count - 1))


def features(pictures: Pictures) -> Float[Tensor, "*batch feature"]:
    """What random filters of three sizes answer, each layer with a weight of one in all.

    Rectified convolutions of 3x3 whose filters have no mean, of the picture and of its halves.
    """
    x, found = pictures.float().flatten(0, -4), list[Tensor]()
    for weights in _filters(x.shape[1]):
        x = F.relu(F.conv2d(x, weights.to(x), padding=1))
        x = F.avg_pool2d(x, 2, ceil_mode=True)
        found.append(x.flatten(1) / x[0].numel() ** 0.5)
    return torch.cat(found, dim=1).unflatten(0, pictures.shape[:-3])


@cache
def _filters(channels: int) -> list[Float[Tensor, "width inputs 3 3"]]:
    """Normal numbers of a fixed seed, of a size that keeps that of what they are given."""
    random, inputs, drawn = generator(0, "features", channels), channels, list[Tensor]()
    for _ in range(_LAYERS):
        weights = torch.randn(_WIDTH, inputs, 3, 3, generator=random)
        weights -= weights.mean((1, 2, 3), keepdim=True)
        drawn.append(weights * (2 / (9 * inputs)) ** 0.5)
        inputs = _WIDTH
    return drawn
