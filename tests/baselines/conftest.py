"""Small pictures, and every baseline that can be built here."""

import importlib.util

import numpy as np
import pytest

from npfill import baselines
from npfill.baselines import Baseline
from npfill.baselines.linear import Linear, Statistics

PACKAGES = {
    "nearest": "scipy",
    "griddata": "scipy",
    "gp": "sklearn",
    "kriging": "scipy",
    "telea": "cv2",
    "navier-stokes": "cv2",
    "biharmonic": "skimage",
}


def available(name: str) -> Baseline:
    """A baseline, or a skip where the package that it needs is not installed."""
    package = PACKAGES.get(name)
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f"{name} needs {package}")
    return baselines.build(name)


@pytest.fixture(params=PACKAGES)
def optional(request: pytest.FixtureRequest) -> Baseline:
    """Each baseline that needs a package of the extra."""
    return available(request.param)


def noise(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    """A random picture, float32 in [0, 1]."""
    values = np.random.default_rng(seed).random((height, width, channels))
    return values.astype(np.float32)


def a_hole(height: int, width: int, share: float, seed: int = 0) -> np.ndarray:
    """Random pixels, and never all or none."""
    hole = np.random.default_rng(seed).random((height, width)) < share
    hole.flat[0], hole.flat[-1] = False, True
    return hole


def a_gaussian(channels: int, height: int, width: int) -> Statistics:
    """Random moments of pictures of a size."""
    random, values = np.random.default_rng(0), channels * height * width
    root = random.normal(size=(values, values)) * 0.2
    return Statistics(random.random((channels, height, width)), root @ root.T)


def a_linear(channels: int = 1, height: int = 3, width: int = 4) -> Linear:
    """The linear baseline over random moments."""
    return Linear(a_gaussian(channels, height, width))
