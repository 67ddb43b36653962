"""A tiny recipe and pictures to train on."""

from pathlib import Path

import numpy as np
import pytest

TINY = Path(__file__).parent / "recipe_tiny.toml"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Forty ramps of 8x8, each of its own direction and height, in an .npy file."""
    random, axis = np.random.default_rng(0), np.linspace(-1, 1, 8)
    slopes, heights = random.uniform(-0.2, 0.2, (2, 40, 1, 1)), random.uniform(0.4, 0.6, (40, 1, 1))
    ramps = heights + slopes[0] * axis[:, None] + slopes[1] * axis
    path = tmp_path / "pictures.npy"
    np.save(path, np.rint(ramps * 255).astype(np.uint8))
    return path
