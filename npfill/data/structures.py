"""Crops that are drawn: lines, letters, checks and textures, in whatever number, of no licence."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from npfill.data.holes import FAMILIES

Crop = Float[Tensor, "3 side side"]
Share = Float[np.ndarray, "side side"]
# Shapes of holes that are shapes of things, too, drawn so many times as large: edges are soft.
_SHAPES, _FINER = ("text", "scratches", "strokes", "boxes", "blobs", "lines"), 2
# Periods of waves in pixels; exponents of the power of textures.
_PERIODS, _SLOPES = (3.0, 40.0), (1.5, 4.0)


def structure(first: Crop, second: Crop, random: np.random.Generator) -> Crop:
    """Two crops in [0, 1], mixed by a shape that is drawn, in 8 bits."""
    draw = _DRAWN[int(random.integers(len(_DRAWN)))]
    share = torch.from_numpy(draw(first.shape[-1], random)).to(first)
    return ((first + share * (second - first)) * 255).round() / 255


def _shape(side: int, random: np.random.Generator) -> Share:
    """Letters, lines or islands: a hole of one of the families."""
    name = str(random.choice(_SHAPES))
    fine = FAMILIES[name]((_FINER * side, _FINER * side), random)
    return fine.reshape(side, _FINER, side, _FINER).mean((1, 3))


def _waves(side: int, random: np.random.Generator) -> Share:
    """Waves or stripes of a random direction; or their product with others, which is checks."""
    share, sharpness = np.ones((side, side)), np.exp(random.uniform(-1, 2.5))
    rows, columns = np.mgrid[:side, :side]
    for _ in range(int(random.integers(1, 3))):
        angle, period = random.uniform(0, np.pi), np.exp(random.uniform(*np.log(_PERIODS)))
        along = rows * np.sin(angle) + columns * np.cos(angle) + random.uniform(0, period)
        share *= np.tanh(sharpness * np.sin(2 * np.pi * along / period)) / np.tanh(sharpness)
    return (1 + share) / 2


def _texture(side: int, random: np.random.Generator) -> Share:
    """A field whose power falls with the frequency to a random exponent."""
    along = np.fft.fftfreq(side)
    frequency = np.hypot(along[:, None], along)
    frequency[0, 0] = np.inf
    spectrum = np.fft.fft2(random.normal(size=(side, side))) * frequency ** (
        -random.uniform(*_SLOPES) / 2
    )
    values = np.fft.ifft2(spectrum).real
    return (0.5 + values / (4 * values.std())).clip(0, 1)


_DRAWN: tuple[Callable[[int, np.random.Generator], Share], ...] = (_shape, _waves, _texture)
