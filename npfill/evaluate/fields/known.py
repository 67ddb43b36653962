"""Random fields of known law, and their exact posterior."""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float

Distances = Float[np.ndarray, "..."]

# Variance of the white noise that a field has beside its process, so that the law can be computed.
_NUGGET = 1e-6
# Lengths of half a torus at the least: over a shorter one a kernel is no covariance.
_DECAY = 8

# Correlations at a distance in lengths (Rasmussen and Williams 2006, chapter 4).
KERNELS: dict[str, Callable[[Distances], Distances]] = {
    "squared-exponential": lambda r: np.exp(-0.5 * np.square(r)),
    "matern-3/2": lambda r: (1 + np.sqrt(3) * r) * np.exp(-np.sqrt(3) * r),
    "exponential": lambda r: np.exp(-r),
}


def draw(
    kernel: str, length: float, side: int, count: int, random: np.random.Generator
) -> Float[np.ndarray, "count side side"]:
    """Draw fields of unit variance by FFT on a torus of at least twice the side, and cut them out.

    The circulant embedding of Wood and Chan 1994, "Simulation of stationary Gaussian processes in
    [0, 1]^d".
    """
    torus = 2 * max(side, math.ceil(_DECAY * length))
    steps = np.minimum(np.arange(torus), torus - np.arange(torus))
    distances = np.hypot(steps[:, None], steps) / length
    power = np.fft.rfft2(KERNELS[kernel](distances)).real.clip(min=0)
    noise = np.fft.rfft2(random.standard_normal((count, torus, torus)))
    drawn = np.fft.irfft2(noise * np.sqrt(power), s=(torus, torus))[:, :side, :side]
    return np.asarray(drawn + np.sqrt(_NUGGET) * random.standard_normal(drawn.shape))


def posterior(
    kernel: str,
    length: float,
    fields: Float[np.ndarray, "field side side"],
    hole: Bool[np.ndarray, "side side"],
    asked: Bool[np.ndarray, "side side"],
) -> tuple[Float[np.ndarray, "field pixel"], Float[np.ndarray, " pixel"]]:
    """Mean and standard deviation of the asked pixels of each field, given those outside the hole.

    The cost grows with the cube of the number of observed pixels: of 8,192 it takes seconds.
    """
    at, to = (torch.from_numpy(np.argwhere(where)).double() for where in (~hole, asked))

    def covariance(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(KERNELS[kernel]((torch.cdist(one, other) / length).numpy()))

    among = covariance(at, at)
    among.diagonal().add_(_NUGGET)
    factor = torch.linalg.cholesky(among)
    solved = torch.linalg.solve_triangular(factor, covariance(at, to), upper=False)
    values = torch.from_numpy(fields[:, ~hole]).T
    means = solved.T @ torch.linalg.solve_triangular(factor, values, upper=False)
    variance = (1.0 + _NUGGET - solved.square().sum(0)).clamp(min=_NUGGET)
    return means.T.numpy(), variance.sqrt().numpy()
