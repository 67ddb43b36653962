"""A Gaussian as plain tensors: mean, scale, and how the channels of a pixel go together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Gaussian:
    """N(mean, scale²), elementwise, or with the elements of the last axis correlated.

    Attributes:
        mean: The mean.
        scale: The standard deviation of each element, positive.
        factor: The lower Cholesky factor of the correlation along the last axis, which changes no
            element's own distribution; None where they are independent.
    """

    mean: Float[Tensor, "*shape"]
    scale: Float[Tensor, "*shape"]
    factor: Float[Tensor, "channel channel"] | None = None

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Log density of each element of `value`, in nats; broadcasts against the mean.

        With a `factor`, that of each given those before it in the last axis: the sum over the axis
        is the joint one.
        """
        standardised, spread = (value - self.mean) / self.scale, self.scale.log()
        if self.factor is not None:
            standardised = standardised @ torch.linalg.inv(self.factor).mT
            spread = spread + self.factor.diagonal().log()
        return -0.5 * standardised.square() - spread - _HALF_LOG_TWO_PI

    def crps(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Continuous ranked probability score of each element (Gneiting and Raftery 2007, 4.2)."""
        z = (value - self.mean) / self.scale
        density = (-0.5 * z.square()).exp() / math.sqrt(2.0 * math.pi)
        within = torch.erf(z / math.sqrt(2.0))
        return self.scale * (z * within + 2.0 * density - 1.0 / math.sqrt(math.pi))

    def kl(self, other: "Gaussian") -> Float[Tensor, "*shape"]:
        """KL(self || other) of each element alone, in nats, in closed form."""
        ratio = (self.scale / other.scale).square()
        shift = ((self.mean - other.mean) / other.scale).square()
        return 0.5 * (ratio + shift - 1.0 - ratio.log())

    def rsample(self, noise: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The draw of standard normal `noise`, differentiable in mean and scale."""
        return self.mean + self.scale * correlated(noise, self.factor)


def mixture_moments(components: Gaussian) -> Gaussian:
    """Mean and std of the equal mixture along the first axis, by the law of total variance."""
    if len(components.mean) == 1:  # whose square may be too small for a number
        return Gaussian(components.mean[0], components.scale[0])
    mean = components.mean.mean(0)
    between = (components.mean - mean).square().mean(0)
    within = components.scale.square().mean(0)
    return Gaussian(mean, (within + between).sqrt())


def correlated(
    noise: Float[Tensor, "... channel"], factor: Float[Tensor, "channel channel"] | None
) -> Float[Tensor, "... channel"]:
    """Standard normal noise with the correlation of a factor; as it is without one."""
    return noise if factor is None else noise @ factor.mT


def factor_of(correlation: Sequence[float], channels: int) -> Float[Tensor, "channel channel"]:
    """The lower Cholesky factor of a matrix of correlations, in float64.

    Args:
        correlation: Those below the diagonal, row by row: of RGB, those of green with red, of blue
            with red and of blue with green.
        channels: The number of channels.

    Raises:
        ValueError: They are not so many, or the matrix is not positive definite.
    """
    if len(correlation) != channels * (channels - 1) // 2:
        raise ValueError(f"{len(correlation)} correlations of {channels} channels")
    matrix = torch.eye(channels, dtype=torch.float64)
    rows, columns = torch.tril_indices(channels, channels, offset=-1)
    matrix[rows, columns] = torch.tensor(correlation, dtype=torch.float64)
    factor, problem = torch.linalg.cholesky_ex(matrix)
    if problem or not factor.isfinite().all():
        raise ValueError(f"{tuple(correlation)}: no correlations")
    return factor
