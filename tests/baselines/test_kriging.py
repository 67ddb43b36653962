"""Kriging knows fields of a known law nearly as well as their exact posterior does."""

import numpy as np
import pytest

from npfill.baselines.kriging import Kriging
from tests.baselines.conftest import a_hole, noise

pytest.importorskip("scipy")

SIDE = 32


def a_field(length: float, seed: int, stretch: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A draw of a Gaussian process of Matérn 3/2, in [0, 1], and its correlations."""
    at = np.argwhere(np.ones((SIDE, SIDE))) * (1.0, 1.0 / stretch)
    steps = np.sqrt(3) * np.linalg.norm(at[:, None] - at[None], axis=-1) / length
    correlations = (1 + steps) * np.exp(-steps)
    root = np.linalg.cholesky(correlations + 1e-9 * np.eye(len(at)))
    drawn = root @ np.random.default_rng(seed).normal(size=len(at))
    scaled = (drawn - drawn.min()) / np.ptp(drawn)
    return scaled.reshape(SIDE, SIDE, 1).astype(np.float32), correlations


def exact(field: np.ndarray, correlations: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The mean of the hole by ordinary kriging from all observed pixels."""
    missing, observed = np.flatnonzero(hole), np.flatnonzero(~hole)
    known = field.reshape(-1)[observed].astype(np.float64)
    between = correlations[np.ix_(observed, observed)] + 1e-9 * np.eye(len(observed))
    solved = np.linalg.solve(between, np.stack([known, np.ones_like(known)], 1))
    centre = solved[:, 0].sum() / solved[:, 1].sum()
    rest = solved[:, 0] - centre * solved[:, 1]
    return centre + correlations[np.ix_(missing, observed)] @ rest


@pytest.mark.slow
def test_it_is_within_a_tenth_of_the_exact_posterior_and_its_std_is_right() -> None:
    own, best, scaled = [], [], []
    for seed in range(3):
        field, correlations = a_field(5.0, seed)
        hole = a_hole(SIDE, SIDE, 0.75, seed)
        filled = Kriging().fill(field, hole)
        assert filled.std is not None
        own.append(filled.mean[:, 0] - field[hole][:, 0])
        best.append(exact(field, correlations, hole) - field[hole][:, 0])
        scaled.append(own[-1] / filled.std[:, 0])
    assert np.concatenate(own).std() < 1.1 * np.concatenate(best).std()
    assert 0.8 < np.square(np.concatenate(scaled)).mean() < 1.25


@pytest.mark.slow
def test_what_is_stretched_is_followed_along() -> None:
    field, _ = a_field(2.0, 0, stretch=6.0)
    hole = np.zeros((SIDE, SIDE), dtype=bool)
    hole[8:24, 10:14] = True
    across = np.ascontiguousarray(field.transpose(1, 0, 2))
    along = Kriging().fill(field, hole)
    turned = Kriging().fill(across, hole.T)
    assert along.std is not None
    assert along.std.mean() < 0.5 * field.std()
    by_column = turned.mean.reshape(4, 16).T.reshape(-1)
    assert by_column == pytest.approx(along.mean[:, 0], abs=0.05)


@pytest.mark.slow
def test_adding_and_scaling_change_the_result_alike() -> None:
    field, _ = a_field(5.0, 1)
    hole = a_hole(SIDE, SIDE, 0.5)
    plain, other = (Kriging().fill(f, hole) for f in (field, 0.25 * field + 0.5))
    assert plain.std is not None
    assert other.std is not None
    assert other.mean == pytest.approx(0.25 * plain.mean + 0.5, abs=1e-3)
    assert other.std == pytest.approx(0.25 * plain.std, rel=0.05)


@pytest.mark.slow
def test_samples_have_the_mean_and_the_std_and_cohere() -> None:
    field, _ = a_field(5.0, 2)
    hole = np.zeros((SIDE, SIDE), dtype=bool)
    hole[10:22, 10:22] = True
    filled = Kriging().fill(field, hole)
    assert filled.std is not None
    draws = np.random.default_rng(0).normal(size=(128, *filled.mean.shape))
    samples = np.stack([filled.sample(draw) for draw in draws])
    assert np.abs(samples.mean(0) - filled.mean).mean() < 0.35 * filled.std.mean()
    assert samples.std(0).mean() == pytest.approx(filled.std.mean(), rel=0.15)
    # Neighbours go together: a sample is as smooth as the field, its pixels are no white noise.
    steps = np.diff(samples.reshape(-1, 12, 12), axis=1).std()
    assert 0.5 < steps / np.diff(field[..., 0], axis=0).std() < 2.0


@pytest.mark.slow
def test_the_joint_likelihood_of_a_draw_is_that_of_its_noise() -> None:
    field, _ = a_field(5.0, 3)
    hole = a_hole(SIDE, SIDE, 0.05)
    filled = Kriging().fill(field, hole)
    zero, one = (np.full(filled.mean.shape, value) for value in (0.0, 1.0))
    lost = filled.log_likelihood(filled.sample(zero), 0.0) - filled.log_likelihood(
        filled.sample(one), 0.0
    )
    assert lost == pytest.approx(zero.size / 2, rel=1e-6)
    assert np.array_equal(filled.sample(one), filled.sample(one))


@pytest.mark.slow
def test_a_constant_field_is_sure_of_itself() -> None:
    flat = Kriging().fill(np.full((SIDE, SIDE, 1), 0.25, np.float32), a_hole(SIDE, SIDE, 0.5))
    assert flat.mean == pytest.approx(0.25)
    assert flat.std is not None
    assert flat.std.max() < 1e-3


def test_a_ramp_which_has_no_length_is_completed() -> None:
    ramp = np.tile(np.arange(48, dtype=np.float32) / 48, (48, 1))[..., None]
    hole = np.zeros((48, 48), dtype=bool)
    hole[12:36, 12:36] = True
    filled = Kriging().fill(ramp, hole)
    assert np.abs(filled.mean - ramp[hole]).max() < 0.25
    assert filled.std is not None
    assert np.isfinite(filled.std).all()


@pytest.mark.slow
def test_of_two_pixels_nothing_is_known_but_their_mean() -> None:
    picture = noise(1, 5, 1)
    hole = np.array([[False, True, True, True, False]])
    filled = Kriging().fill(picture, hole)
    assert filled.mean == pytest.approx(picture[~hole].mean())
    assert filled.std == pytest.approx(0.2887, abs=1e-4)
    assert not filled.is_joint
