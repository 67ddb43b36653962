"""Draws of intensities: in [0, 1], with the mean and standard deviation that are predicted."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from npfill.gaussian import Gaussian

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NEWTON_STEPS = 6
# Values integrated at once: their nodes stay in the cache.
_PART = 2**14
# Least distance of means from 0 and 1; largest fraction of the greatest possible variance.
_LEAST, _MOST = 1e-3, 0.99


def bounded(predicted: Gaussian, noise: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
    """The draw in [0, 1] that corresponds to standard normal `noise`.

    v = Φ((h + √ρ e) / √(1 - ρ)) with h = Φ⁻¹(mean) has the predicted mean for any ρ (Vasicek
    1987), and ρ is chosen for the predicted std. The distribution is close to the Gaussian where
    that lies well within [0, 1]; near a mean of 0 or with a large std most of its mass is close to
    0 and 1, as with intensities. A Gaussian clipped to [0, 1] has another mean and std: 0.1 and 0.2
    become 0.14 and 0.15.
    """
    mean = predicted.mean.clamp(_LEAST, 1.0 - _LEAST)
    variance = torch.minimum(predicted.scale.square(), _MOST * mean * (1.0 - mean))
    h = torch.special.ndtri(mean)
    pairs = zip(h.flatten().split(_PART), variance.flatten().split(_PART), strict=True)
    rho = torch.cat([_angle(*pair) for pair in pairs]).view_as(h).sin()
    drawn = (rho.sqrt() * noise).add_(h).div_((1.0 - rho).sqrt())
    return torch.special.ndtr(drawn, out=drawn)


def _angle(h: Float[Tensor, " n"], variance: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """The θ = arcsin ρ that gives v its variance, by Newton's method.

    Var v = (1/2π) ∫ exp(-h² / (1 + sin t)) dt from 0 to θ. It is convex in θ, so that steps from
    the largest θ end at the solution without passing it.
    """
    nodes, weights = (
        torch.from_numpy(array).to(h) for array in ((_NODES + 1.0) / 2.0, _WEIGHTS / 2.0)
    )
    angle = torch.full_like(h, math.pi / 2)
    for _ in range(_NEWTON_STEPS):
        inside = torch.exp(-h.square().unsqueeze(-1) / (1.0 + (angle.unsqueeze(-1) * nodes).sin()))
        reached = angle * (inside @ weights) / (2.0 * math.pi)
        slope = torch.exp(-h.square() / (1.0 + angle.sin())) / (2.0 * math.pi)
        angle = (angle - (reached - variance) / slope).clamp(1e-6, 1.55)
    return angle
