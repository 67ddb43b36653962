"""The mean with grain: for holes so narrow or scattered that there is no texture to be seen in."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from npfill.sampling.scales import convolved, spread_into
from npfill.seeds import generator

# Fewest pixels whose grain is seen, the reach over which its strength is averaged, and the share
# of the std that stands for it where too few are.
_FEWEST, _AROUND, _UNSEEN = 400, 7, 0.5
_BINOMIAL = torch.tensor([0.25, 0.5, 0.25])


def grainy(
    picture: Float[Tensor, "channel height width"],
    hole: Bool[Tensor, "height width"],
    mean: Float[Tensor, "channel height width"],
    std: Float[Tensor, "channel height width"],
    seed: int,
    number: int,
) -> Float[Tensor, "pixel channel"]:
    """The mean in the hole, and noise with the spectrum and strength of what is observed around it.

    One white noise is convolved with what is fine in each channel (the asymptotic discrete spot
    noise of Galerne, Gousseau and Morel 2011), so that channels vary together as they do in the
    picture. It is nowhere stronger than the std. In a picture that shows too little of its grain,
    it is half the std, smooth over 3 pixels.

    Args:
        picture: The picture, unread where the hole is.
        hole: True where the values are asked for.
        mean: The predictive mean in the hole.
        std: Its standard deviation in the hole.
        seed: The seed.
        number: The number of the sample.
    """
    values = torch.where(hole, 0.0, picture)
    white = torch.randn(hole.shape, generator=generator(seed, "grain", number))
    seen = F.max_pool2d(hole.float()[None, None], 3, 1, 1)[0, 0] == 0
    if int(seen.sum()) < _FEWEST:
        noise = convolved(white[None], _BINOMIAL) / _BINOMIAL.square().sum()
        strength = _UNSEEN * std
    else:
        fine = torch.where(seen, values - convolved(values, _BINOMIAL), 0.0)
        spectrum = torch.fft.rfft2(fine) * torch.fft.rfft2(white)
        noise = torch.fft.irfft2(spectrum, s=hole.shape)
        noise = noise / noise.square().mean((1, 2), keepdim=True).sqrt().clamp(min=1e-9)
        # The mean magnitude: a few edges do not count as much as in a root of mean squares.
        strength = 1.25 * spread_into(fine.abs(), seen, _AROUND, hole)
        strength = torch.minimum(strength, std)
    return (mean + noise * strength)[:, hole].T
