"""Random fields without end: processes of many covariances, trends, faults, warps and noise."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.data.gaps import draw_gap
from npfill.seeds import array_generator, generator

Field = Float[Tensor, "field height width"]
Each = Float[Tensor, "field 1 1"]
Waves = Float[Tensor, "field rows columns"]

# Lengths in pixels; of axes, the largest ratio; noise, in standard deviations of the field.
_LENGTHS, _RATIO, _NOISE = (1.0, 200.0), 4.0, (0.003, 0.3)
# Range of what is observed of a field, in that unit, at the least.
_FLAT = 0.1
# Exponents of fractal spectra along a line.
_EXPONENTS = (1.0, 4.0)
# Shares of fields with a second covariance, a second axis, a trend, a fault, a warp, and noise.
_SUMS, _TURNED, _TRENDS, _FAULTS, _WARPS, _NOISY = 0.3, 0.4, 0.2, 0.15, 0.25, 0.4


@dataclass(frozen=True)
class RandomFields:
    """The fields of a run, drawn where they are needed.

    Attributes:
        count: Fields of each kind of gap, to validate with.
        side: Their side.
        device: Where they are drawn.
    """

    count: int
    side: int
    device: torch.device

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, part: slice) -> "RandomFields":
        return RandomFields(len(range(self.count)[part]), self.side, self.device)

    def to(self, device: torch.device) -> "RandomFields":
        """The same fields, drawn on a device."""
        return RandomFields(self.count, self.side, device)

    def draw(
        self, count: int, side: int, *parts: int | str, gap: "str | float | None" = None
    ) -> tuple[Float[Tensor, "count 1 side side"], Bool[Tensor, "count 1 side side"]]:
        """Draw fields, and where they are observed, from a seed and more; of any gap, or of one.

        Where all that would be observed is nearly one value, nothing is: a prediction would be that
        value, with no std.
        """
        pixels = draw_fields(count, side, generator(*parts, "fields", device=self.device))
        random = array_generator(*parts, "gaps")
        gaps = [draw_gap((side, side), random, gap) for _ in range(count)]
        observed = ~torch.from_numpy(np.stack(gaps)[:, None]).to(self.device)
        most, least = (
            torch.where(observed, sign * pixels, -torch.inf).amax((-2, -1), keepdim=True)
            for sign in (1.0, -1.0)
        )
        return pixels, observed & (most + least > _FLAT)

    def held_out(
        self, gap: "str | float", seed: int
    ) -> tuple[Float[Tensor, "count 1 side side"], Bool[Tensor, "count 1 side side"]]:
        """The fields to validate with, with one kind of gap."""
        return self.draw(self.count, self.side, seed, "held out", f"{gap}", gap=gap)


def _squared_exponential(k: Waves, shape: Each) -> Waves:
    return (-0.5 * k.square()).exp()


def _matern(k: Waves, shape: Each) -> Waves:
    """Smoothness 1/2 (the exponential), 3/2, 5/2, or any between."""
    smoothness = torch.where(shape < 0.9, (shape / 0.3).floor() + 0.5, 20.0 * (shape - 0.87))
    return (2.0 * smoothness + k.square()).pow(-smoothness - 1.0)


def _rational_quadratic(k: Waves, shape: Each) -> Waves:
    """A mixture of squared exponentials."""
    parts = [scale**2 * (-0.5 * (scale * k).square()).exp() for scale in (0.5, 1.0, 2.0, 4.0)]
    return sum(parts[1:], start=parts[0] * shape)


def _periodic(k: Waves, shape: Each) -> Waves:
    return (-0.5 * ((k - 2.0) / (0.05 + 0.5 * shape)).square()).exp()


def _fractal(k: Waves, shape: Each) -> Waves:
    exponent = 1.0 + _EXPONENTS[0] + (_EXPONENTS[1] - _EXPONENTS[0]) * shape
    return (k.square() + 1e-4).pow(-0.5 * exponent)


# Spectra over wave numbers in inverse lengths (Rasmussen and Williams 2006, section 4.2), up to a
# factor; `shape` in [0, 1]. Exponential, Matérn 3/2 and 5/2 are of one family: it is drawn more.
SPECTRA: tuple[Callable[[Waves, Each], Waves], ...] = (
    _squared_exponential,
    _squared_exponential,
    _matern,
    _matern,
    _matern,
    _rational_quadratic,
    _periodic,
    _fractal,
)
# Spectra that are cut off at the pixels' wave number are folded back.
_FOLDED = (_matern, _fractal)


def draw_fields(
    count: int, side: int, generator: torch.Generator
) -> Float[Tensor, "count 1 side side"]:
    """Draw random fields of about unit variance: sums, trends, faults, warps, noise."""

    def uniform(low: float = 0.0, high: float = 1.0) -> Each:
        draws = torch.rand(count, 1, 1, generator=generator, device=generator.device)
        return low + (high - low) * draws

    field = _stationary(count, side, generator)
    other = _stationary(count, side, generator)
    field = torch.where(uniform() < _SUMS, field + uniform(0.1, 1.0) * other, field)
    axis = torch.linspace(-1.0, 1.0, side, device=generator.device)
    angle = uniform(0.0, 2.0 * math.pi)
    along = angle.cos() * axis[:, None] + angle.sin() * axis
    field = torch.where(uniform() < _TRENDS, field + uniform(0.0, 4.0) * along, field)
    # Beyond a curve there is another field, or the same one shifted; a front is a soft fault.
    curve = along - uniform(-0.7, 0.7) + 0.3 * uniform() * other
    beyond = torch.sigmoid(curve * side / 2.0 / uniform(0.1, 3.0))
    shifted = torch.where(uniform() < 0.5, field + uniform(-3.0, 3.0), other + uniform(-2.0, 2.0))
    field = torch.where(uniform() < _FAULTS, torch.lerp(field, shifted, beyond), field)
    field = torch.where(uniform() < _WARPS, _warped(field, uniform(), uniform()), field)
    field = _normalised(field)
    low, high = (math.log(each) for each in _NOISE)
    noise = torch.randn(field.shape, generator=generator, device=generator.device)
    noise = noise * uniform(low, high).exp()
    return torch.where(uniform() < _NOISY, field + noise, field)[:, None]


def _stationary(count: int, side: int, generator: torch.Generator) -> Field:
    """Draw stationary fields by FFT on a torus of twice the side, and cut them out."""
    device, torus = generator.device, 2 * side

    def uniform(low: float = 0.0, high: float = 1.0) -> Each:
        draws = torch.rand(count, 1, 1, generator=generator, device=device)
        return low + (high - low) * draws

    low, high = (math.log(each) for each in _LENGTHS)
    length, ratio = uniform(low, high).exp(), uniform(0.0, math.log(_RATIO)).exp()
    ratio, angle = torch.where(uniform() < _TURNED, ratio, 1.0), uniform(0.0, math.pi)
    kinds = torch.randint(len(SPECTRA), (count,), generator=generator, device=device)
    shape = uniform()
    rows = 2.0 * math.pi * torch.fft.fftfreq(torus, device=device)[:, None]
    columns = 2.0 * math.pi * torch.fft.rfftfreq(torus, device=device)
    power = torch.zeros(count, torus, side + 1, device=device)
    for number, spectrum in enumerate(SPECTRA):
        some = kinds == number
        if not some.any():
            continue
        sine, cosine = angle[some].sin(), angle[some].cos()
        shifts = (-1, 0, 1) if spectrum in _FOLDED else (0,)
        for down, right in product(shifts, shifts):
            y, x = rows + 2.0 * math.pi * down, columns + 2.0 * math.pi * right
            along, across = cosine * y + sine * x, cosine * x - sine * y
            k = length[some] * ((along * ratio[some]).square() + across.square()).sqrt()
            power[some] += spectrum(k, shape[some])
    noise = torch.randn(count, torus, torus, generator=generator, device=device)
    field = torch.fft.irfft2(torch.fft.rfft2(noise) * power.sqrt(), s=(torus, torus))
    return _normalised(field[:, :side, :side])


def _normalised(field: Field) -> Field:
    """Fields with mean zero and unit variance."""
    field = field - field.mean((-2, -1), keepdim=True)
    return field / field.square().mean((-2, -1), keepdim=True).sqrt().clamp(min=1e-6)


def _warped(field: Field, kind: Each, amount: Each) -> Field:
    """Log-normal, cut off, terraced or of two levels with soft edges."""
    levels = 1.0 + 3.0 * amount
    whole = (levels * field).floor()
    steps = whole + torch.sigmoid((levels * field - whole - 0.5) * 20.0)
    warps = [
        (field * (0.3 + 1.5 * amount)).clamp(max=6.0).exp(),
        torch.maximum(field, 1.0 - 2.0 * amount),
        steps / levels,
        (field * (1.0 + 20.0 * amount)).tanh(),
    ]
    return torch.stack(warps).gather(
        0, (kind * len(warps)).long().clamp(max=len(warps) - 1).expand(field.shape)[None]
    )[0]
