"""The Gaussian process follows what is smooth, and is sure only near what it has seen."""

from importlib.util import find_spec

import numpy as np
import pytest

from npfill.baselines import gp
from npfill.baselines.gp import GaussianProcess
from tests.baselines.conftest import a_hole, noise

# scikit-learn takes over a second to import, hence not when tests are collected.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("sklearn") is None, reason="needs scikit-learn"),
]

SIZE = (20, 24)


def smooth(channels: int = 1) -> np.ndarray:
    """Waves of several pixels, another phase in each channel."""
    rows, columns = np.indices(SIZE)
    waves = [0.5 + 0.4 * np.sin(rows / 4 + k) * np.cos(columns / 5) for k in range(channels)]
    return np.stack(waves, axis=-1).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_smooth_function_is_interpolated_closely(channels: int) -> None:
    picture, hole = smooth(channels), a_hole(*SIZE, 0.8)
    filled = GaussianProcess().fill(picture, hole)
    assert np.sqrt(np.square(filled.mean - picture[hole]).mean()) < 0.02
    assert filled.std is not None
    assert filled.std.max() < 0.2


def test_std_grows_away_from_the_context() -> None:
    hole = np.ones(SIZE, dtype=bool)
    hole[:, :6] = False
    filled = GaussianProcess().fill(smooth(), hole)
    assert filled.std is not None
    by_column = filled.std.reshape(SIZE[0], -1).mean(0)
    assert (np.diff(by_column) > -1e-9).all()
    assert by_column[-1] > 3 * by_column[0]


def test_std_and_joint_covariance_agree() -> None:
    filled = GaussianProcess().fill(smooth(3), a_hole(*SIZE, 0.5))
    assert filled.std is not None
    assert filled.factors is not None
    for channel, factor in enumerate(filled.factors):
        assert np.sqrt(np.square(factor).sum(1)) == pytest.approx(filled.std[:, channel])


def test_noise_is_never_taken_for_none() -> None:
    filled = GaussianProcess().fill(np.full((*SIZE, 1), 0.5, np.float32), a_hole(*SIZE, 0.5))
    assert filled.std is not None
    assert filled.std.min() >= 0.01


def test_a_large_hole_has_marginals_alone_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, hole = smooth(3), a_hole(*SIZE, 0.5)
    whole = GaussianProcess().fill(picture, hole)
    monkeypatch.setattr(gp, "_JOINT", 10)
    monkeypatch.setattr(gp, "_CHUNK", 7)
    chunked = GaussianProcess().fill(picture, hole)
    assert chunked.factors is None
    assert chunked.notes == ("the hole has more than 10 pixels: gp has no samples of it",)
    assert chunked.mean == pytest.approx(whole.mean, abs=1e-9)
    assert chunked.std == pytest.approx(whole.std, abs=1e-9)


def test_of_a_large_context_a_part_is_used_always_the_same_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gp, "_CONTEXT", 30)
    picture, hole = noise(*SIZE, 1), a_hole(*SIZE, 0.5)
    one, again = (GaussianProcess().fill(picture, hole) for _ in range(2))
    assert np.array_equal(one.mean, again.mean)
    assert one.notes == (f"gp goes by 30 random pixels of the {(~hole).sum()} observed ones",)


def test_the_mean_is_close_to_the_contexts_far_away_from_it() -> None:
    hole = np.ones(SIZE, dtype=bool)
    hole[:3, :3] = False
    picture = 0.5 + 0.3 * (noise(*SIZE, 1) - 0.5)
    filled = GaussianProcess().fill(picture, hole)
    assert filled.mean[-1, 0] == pytest.approx(picture[~hole].mean(), abs=0.02)
