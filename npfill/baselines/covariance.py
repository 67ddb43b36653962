"""Covariance of a process over the plane, fitted by likelihood."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from npfill.baselines.base import Points
from npfill.matern import matern

_CHUNK = 4096  # pixels that are predicted in one pass: bounds the memory
_LEAST = 1e-4  # std of the process at least: values that are flat say little about others
_SMOOTHNESS = (0.5, 1.5, 2.5, np.inf)
# Normal priors of the logarithms: of the inverse length in pixels, of the anisotropy's two parts,
# and of the noise's share of the variance.
_START, _PRIOR_STD = (-1.5, 0.0, 0.0, -5.0), (2.0, 0.4, 0.4, 4.0)
_FARTHEST = 30.0  # from 0, of these: a search that strays, as of a plane, stays within numbers


@dataclass(frozen=True)
class Covariance:
    """Covariance of a process and its noise.

    Attributes:
        smoothness: ν of the Matérn covariance: 1/2, 3/2, 5/2, or infinity (squared exponential).
        transform: Maps steps in pixels to those at which the covariance is that of length 1.
        variance: Variance of process and noise together.
        noise: Share of it that is white noise.
    """

    smoothness: float
    transform: Float[Tensor, "2 2"]
    variance: float
    noise: float

    def correlation(self, steps: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Correlation of the values of two pixels that are steps apart; noise but at none."""
        distance = (steps @ self.transform).norm(dim=-1)
        return matern(distance, self.smoothness) * (1.0 - self.noise)

    def weights(
        self,
        asked: Points,
        at: Float[np.ndarray, "given 2"],
        near: Int[np.ndarray, "point neighbor"],
    ) -> tuple[Float[np.ndarray, "point neighbor"], Float[np.ndarray, " point"]]:
        """Weights of the near pixels' values, which sum to 1, and the std of what they predict.

        Args:
            asked: The pixels to predict.
            at: The pixels that are given.
            near: For each pixel to predict, numbers of given ones.
        """
        parts = [
            self._weights(torch.from_numpy(asked[some]), torch.from_numpy(at[near[some]]))
            for some in np.array_split(np.arange(len(asked)), -(-len(asked) // _CHUNK))
        ]
        weights, variances = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
        return weights, np.sqrt(variances * self.variance)

    def _weights(
        self, asked: Float[Tensor, "point 2"], near: Float[Tensor, "point neighbor 2"]
    ) -> tuple[Float[Tensor, "point neighbor"], Float[Tensor, " point"]]:
        between = self.correlation(near[:, :, None] - near[:, None]) + _diagonal(near, self.noise)
        cross = self.correlation(near - asked[:, None])
        both = torch.stack([cross, torch.ones_like(cross)], dim=-1)
        own, ones = torch.cholesky_solve(both, torch.linalg.cholesky(between)).unbind(-1)
        missing = (1.0 - own.sum(1)) / ones.sum(1)
        # The variance is what the weights leave, and what the unknown mean adds: Stein, 1.5.
        left = 1.0 - (own * cross).sum(1) + missing.square() * ones.sum(1)
        return own + missing[:, None] * ones, left.clamp(min=1e-12)


@torch.inference_mode(False)
def fitted(
    at: Float[Tensor, "cluster pixel 2"], values: Float[Tensor, "cluster pixel"]
) -> Covariance:
    """Fit a covariance by restricted likelihood, and take the smoothness that has the highest.

    Args:
        at: Pixels in clusters; each cluster has a mean of its own.
        values: Their values.
    """
    if float(values.var()) < _LEAST**2:
        return Covariance(0.5, torch.eye(2, dtype=torch.float64), _LEAST**2, 0.5)
    # From rough to smooth, each search from where the last ended, until it no longer pays.
    best, covariance, parameters = np.inf, None, torch.tensor(_START, dtype=torch.float64)
    for smoothness in _SMOOTHNESS:
        value, found, parameters = _searched(at, values, smoothness, parameters)
        if covariance is not None and value >= best:
            break
        best, covariance = value, found
    assert covariance is not None
    return covariance


def _searched(
    at: Float[Tensor, "cluster pixel 2"],
    values: Float[Tensor, "cluster pixel"],
    smoothness: float,
    start: Float[Tensor, "4"],
) -> tuple[float, Covariance, Float[Tensor, "4"]]:
    """The least negative log-likelihood, its covariance and parameters."""
    prior, width = (torch.tensor(each, dtype=torch.float64) for each in (_START, _PRIOR_STD))
    parameters = start.clone().requires_grad_()
    search = torch.optim.LBFGS(
        [parameters],
        max_iter=20,
        tolerance_grad=0.02,
        tolerance_change=1e-3,
        line_search_fn="strong_wolfe",
    )
    scale = float(values.var())

    def loss() -> tuple[Tensor, Tensor, Tensor, Tensor]:
        transform, noise = _unpacked(parameters)
        steps = at[:, :, None] - at[:, None]
        distance = ((steps @ transform).square().sum(-1) + 1e-12).sqrt()
        between = matern(distance, smoothness) * (1.0 - noise) + _diagonal(at, noise)
        factor = torch.linalg.cholesky(between)
        both = torch.stack([values, torch.ones_like(values)], dim=-1)
        solved = torch.linalg.solve_triangular(factor, both, upper=False)
        own, ones = solved.unbind(-1)
        information = ones.square().sum(1)
        residual = own - ((own * ones).sum(1) / information)[:, None] * ones
        count = values.numel() - len(values)
        variance = residual.square().sum() / count
        determinants = 2.0 * factor.diagonal(dim1=1, dim2=2).log().sum() + information.log().sum()
        surprise = ((parameters - prior) / width).square().sum()
        total = count * (variance / scale + 1e-10).log() + determinants + surprise
        return total / 2.0, transform, variance, noise

    def closure() -> Tensor:
        search.zero_grad()
        value = loss()[0]
        value.backward()
        return value

    search.step(closure)
    with torch.no_grad():
        value, transform, variance, noise = loss()
    least = max(float(variance), _LEAST**2)
    covariance = Covariance(smoothness, transform, least, float(noise))
    return float(value), covariance, parameters.detach()


def _unpacked(parameters: Float[Tensor, "4"]) -> tuple[Float[Tensor, "2 2"], Float[Tensor, ""]]:
    """The transform, exp of a symmetric matrix, and the share of noise."""
    inverse, along, across, noise = parameters.clamp(-_FARTHEST, _FARTHEST)
    rows = torch.stack([inverse + along, across]), torch.stack([across, inverse - along])
    share = 1e-8 + (1.0 - 2e-8) * noise.sigmoid()
    return torch.linalg.matrix_exp(torch.stack(rows)), share


def _diagonal(
    at: Float[Tensor, "batch pixel 2"], noise: float | Float[Tensor, ""]
) -> Float[Tensor, "pixel pixel"]:
    """White noise of each pixel."""
    return torch.eye(at.shape[1], dtype=at.dtype) * noise
