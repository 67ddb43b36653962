"""A diagonal Gaussian as a plain pair of tensors."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Gaussian:
    """N(mean, scale²), elementwise. `scale` is the standard deviation, positive."""

    mean: Float[Tensor, "*shape"]
    scale: Float[Tensor, "*shape"]

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Log density of each element of `value`, in nats; broadcasts against the mean."""
        standardised = (value - self.mean) / self.scale
        return -0.5 * standardised.square() - self.scale.log() - _HALF_LOG_TWO_PI

    def kl(self, other: "Gaussian") -> Float[Tensor, "*shape"]:
        """KL(self || other) of each element, in nats, in closed form."""
        ratio = (self.scale / other.scale).square()
        shift = ((self.mean - other.mean) / other.scale).square()
        return 0.5 * (ratio + shift - 1.0 - ratio.log())

    def rsample(self, noise: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The draw of standard normal `noise`, differentiable in mean and scale."""
        return self.mean + self.scale * noise


def mixture_moments(components: Gaussian) -> Gaussian:
    """Mean and std of the equal mixture along the first axis, by the law of total variance."""
    mean = components.mean.mean(0)
    between = (components.mean - mean).square().mean(0)
    within = components.scale.square().mean(0)
    return Gaussian(mean, (within + between).sqrt())
