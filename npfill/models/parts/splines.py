"""Smoothing splines on a grid: surfaces that bend as little as the observed pixels let them."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from npfill.models.parts.pyramid import Level

# How much more an observed pixel counts than bending where a spline goes through it; iterations on
# each grid; the side of the smallest.
_THROUGH, _ROUNDS, _SMALLEST = 1e5, 12, 4
_TINY = 1e-30
# Pixels of the largest grid on which splines are made together; on larger ones, one by one.
_TOGETHER = 2**16
# Of processes: iterations, variance of the noise, and pixels between one end and the next; pixels
# of the largest grid that is small.
_KRIGED, _NUGGET, _APART, _SMALL = 20, 1e-4, 32, 2**12

Bending = list[Tensor | None]  # the factors of the first, second and third derivatives
Grid = Float[Tensor, "batch surface height width"]
Single = Float[Tensor, "batch _ height width"]


@dataclass(frozen=True)
class Spline:
    """The u that minimises Σ_j c_j |∇^j u|² + w Σ_i (u(x_i) - y_i)², j = 1, 2, 3.

    With c_1 alone it is a membrane, with c_2 alone a thin plate (Duchon 1977, "Splines minimizing
    rotation-invariant semi-norms in Sobolev spaces"): the mean of a process with the spectrum
    1 / Σ_j c_j k^2j and white noise of variance 1/w.

    Attributes:
        bending: c_1, c_2, c_3.
        weight: w; infinite where it goes through the pixels.
    """

    bending: tuple[float, float, float]
    weight: float = math.inf


def splines(levels: list[Level], kinds: list[Spline]) -> Grid:
    """Splines of one channel, from the pyramid of what is observed.

    From coarse to fine, conjugate gradients begin at the interpolation of the grid above
    (Deuflhard 1994, "Cascadic conjugate gradient methods for elliptic partial differential
    equations"). A mean belongs to the centroid of its pixels: it is moved to its cell's centre
    along the gradient.
    """
    surface = levels[-1].mean.expand(-1, len(kinds), -1, -1)
    for level in reversed(levels[:-1]):
        height, width = level.mean.shape[-2:]
        surface = F.interpolate(surface, scale_factor=2.0, mode="bilinear")[..., :height, :width]
        if min(height, width) < _SMALLEST:
            continue
        mean = level.centred(surface).expand(-1, len(kinds), -1, -1)
        parts, step = [], len(kinds) if height * width <= _TOGETHER else 1
        for first in range(0, len(kinds), step):
            some = slice(first, first + step)
            bending = [_factor(kinds[some], order, level) for order in (1, 2, 3)]
            own = _diagonal(bending, height, width).to(surface)
            weights = torch.tensor([[[kind.weight]] for kind in kinds[some]]).to(surface)
            through = _THROUGH * own.amax((-2, -1), keepdim=True)
            weight = torch.where(weights.isinf(), through, weights) * level.density
            parts.append(_relaxed(surface[:, some], mean[:, some], bending, own, weight))
        surface = torch.cat(parts, dim=1)
    return surface


def kriged(values: Single, observed: Tensor, lengths: Float[Tensor, "batch surface"]) -> Grid:
    """Means of Gaussian processes of a squared exponential covariance, of each length in pixels.

    Conjugate gradients over the observed pixels of one channel; the covariance is applied by FFT
    (Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", section 8.3.6). The
    process has mean zero, and noise of a hundredth of its standard deviation. On small grids it is
    computed in double precision where the device has it, with residuals kept orthogonal to those
    before, as they are but for rounding: that grows there until an answer hangs on it.
    """
    height, width = values.shape[-2:]
    given, small = values, height * width <= _SMALL
    if small and values.device.type != "mps":
        values, lengths = values.double(), lengths.double()
    torus = height + _APART, width + _APART
    spectrum = (
        _spectrum(lengths, torus[0])[..., :, None]
        * (_spectrum(lengths, torus[1])[..., None, : torus[1] // 2 + 1])
    )
    seen = observed.to(values.dtype)

    def smoothed(grid: Grid) -> Grid:
        waves = torch.fft.rfft2(grid, s=torus)
        return torch.fft.irfft2(waves * spectrum, s=torus)[..., :height, :width]

    residual = (values * seen).repeat(1, lengths.shape[1], 1, 1)
    weights, direction = torch.zeros_like(residual), residual.clone()
    now = _product(residual, residual)
    past = residual.new_zeros(*residual.shape[:2], _KRIGED, height * width if small else 0)
    for number in range(_KRIGED):
        if small:
            past[..., number, :] = (residual / now.clamp(min=_TINY).sqrt()).flatten(2)
        pushed = smoothed(direction).mul_(seen).add_(direction, alpha=_NUGGET)
        length = now / _product(direction, pushed).clamp(min=_TINY)
        weights.addcmul_(length, direction)
        residual.addcmul_(length, pushed, value=-1.0)
        if small:
            shares = past @ residual.flatten(2).unsqueeze(-1)
            residual -= (shares.mT @ past).view_as(residual)
        before, now = now, _product(residual, residual)
        torch.addcmul(residual, now / before.clamp(min=_TINY), direction, out=direction)
    return smoothed(weights).to(given)


def _spectrum(lengths: Float[Tensor, "batch surface"], side: int) -> Tensor:
    """The Fourier transform of a bell of each length on a circle."""
    steps = torch.arange(side).to(lengths)
    near = torch.minimum(steps, side - steps)
    bells = (-0.5 * (near / lengths[..., None]).square()).exp()
    return torch.fft.fft(bells).real.clamp(min=0.0)


def _factor(kinds: list[Spline], order: int, level: Level) -> Tensor | None:
    """The factors of derivatives of an order on a level; None where all are zero."""
    factors = [[[kind.bending[order - 1] * 4.0 ** (-level.number * order)]] for kind in kinds]
    found = torch.tensor(factors).to(level.mean)
    return found if found.any() else None


def _relaxed(surface: Grid, mean: Grid, bending: Bending, own: Tensor, weight: Tensor) -> Grid:
    """Conjugate gradients, preconditioned by the diagonal."""
    scale = 1.0 / (own + weight).clamp(min=_TINY)
    residual = weight * (mean - surface) - _bent(surface, bending)
    surface, step = surface.clone(), scale * residual
    direction, now = step.clone(), _product(residual, step)
    for _ in range(_ROUNDS):
        pushed = _bent(direction, bending).addcmul_(weight, direction)
        length = now / _product(direction, pushed).clamp(min=_TINY)
        surface.addcmul_(length, direction)
        residual.addcmul_(length, pushed, value=-1.0)
        torch.mul(scale, residual, out=step)
        before, now = now, _product(residual, step)
        torch.addcmul(step, now / before.clamp(min=_TINY), direction, out=direction)
    return surface


def _product(one: Grid, other: Grid) -> Float[Tensor, "batch surface 1 1"]:
    """The scalar product of each pair of grids."""
    return torch.linalg.vecdot(one.flatten(2), other.flatten(2))[..., None, None]


def _bent(surface: Grid, bending: Bending) -> Grid:
    """Half the gradient of Σ_j c_j |∇^j u|², with derivatives inside the grid only.

    Second derivatives are the Laplacian inside, and those along the edges there.
    """
    first, second, third = bending
    result = torch.zeros_like(surface) if first is None else _flattened(surface).mul_(first)
    if second is None and third is None:
        return result
    curved, both = _laplacian(surface), sum(each for each in bending[1:] if each is not None)
    inner = curved if third is None else _flattened(curved).mul_(third)
    if second is not None:
        inner = curved.mul_(second) if third is None else inner.add_(curved.mul_(second))
    result[..., 1:-1, 1:-1].sub_(inner, alpha=4.0)
    for rows, columns in ((1, 2), (1, 0), (2, 1), (0, 1)):
        result.narrow(-2, rows, inner.shape[-2]).narrow(-1, columns, inner.shape[-1]).add_(inner)
    for axis in (-2, -1):
        ends = (
            surface[..., :: surface.shape[axis] - 1, :]
            if axis == -2
            else (surface[..., :: surface.shape[axis] - 1])
        )
        along, edges = -3 - axis, (2, 2) if axis == -2 else (0, 0, 2, 2)
        bent = both * F.pad(ends.diff(n=2, dim=along), edges).diff(n=2, dim=along)
        result.narrow(axis, 0, 1).add_(bent.narrow(axis, 0, 1))
        result.narrow(axis, -1, 1).add_(bent.narrow(axis, 1, 1))
    return result


def _laplacian(surface: Grid) -> Float[Tensor, "batch surface rows columns"]:
    """The Laplacian inside the grid."""
    total = surface[..., 1:-1, 2:] + surface[..., 1:-1, :-2]
    total += surface[..., 2:, 1:-1]
    total += surface[..., :-2, 1:-1]
    return total.sub_(surface[..., 1:-1, 1:-1], alpha=4.0)


def _flattened(surface: Grid) -> Grid:
    """Half the gradient of |∇u|²: each cell less its neighbours."""
    result = torch.empty_like(surface)
    across, down = surface.diff(dim=-1), surface.diff(dim=-2)
    result[..., 0] = 0.0
    result[..., 1:] = across
    result[..., :-1] -= across
    result[..., 1:, :] += down
    result[..., :-1, :] -= down
    return result


def _diagonal(bending: Bending, height: int, width: int) -> Float[Tensor, "surface height width"]:
    """The diagonal of what `_bent` applies, inside; about it at the edges."""
    first, second, third = (torch.zeros(1, 1, 1) if each is None else each for each in bending)
    flat = 4.0 * torch.ones(height, width).to(first)
    flat[[0, -1]] -= 1.0
    flat[:, [0, -1]] -= 1.0
    square = (flat / 4.0).square()
    return first * flat + (20.0 * second + 112.0 * third) * square
