"""Kriging knows fields of a known law nearly as well as their exact posterior does."""

import numpy as np
import pytest
import torch

from npfill.baselines.covariance import Covariance, fitted
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


def test_weights_and_std_are_those_of_the_system_of_ordinary_kriging() -> None:
    at = np.random.default_rng(0).uniform(0, 20, (9, 2))
    asked = np.array([[10.0, 11.0], [60.0, 70.0]])  # among them, and far away
    known = Covariance(1.5, torch.eye(2, dtype=torch.float64) / 5, 0.04, 0.1)
    weights, std = known.weights(asked, at, np.tile(np.arange(9), (2, 1)))
    system = np.ones((10, 10))
    system[:9, :9] = known.correlation(torch.from_numpy(at[:, None] - at)).numpy()
    system[range(10), range(10)] = [1.0] * 9 + [0.0]
    for place, weight, deviation in zip(asked, weights, std, strict=True):
        right = np.append(known.correlation(torch.from_numpy(at - place)).numpy(), 1.0)
        solved = np.linalg.solve(system, right)
        assert weight == pytest.approx(solved[:9])
        assert deviation == pytest.approx(0.2 * (1 - solved @ right) ** 0.5)


def test_the_mean_of_a_cluster_costs_one_of_its_values() -> None:
    apart = 1000 * torch.tensor([[[0.0, 0], [0, 1], [1, 0], [1, 1]]], dtype=torch.float64)
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 4)))
    assert fitted(apart, values).variance == pytest.approx(float(values.var()), rel=1e-6)


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
    assert np.array_equal(filled.sample(one), Kriging().fill(field, hole).sample(one))


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


def test_it_is_the_same_in_inference_mode() -> None:
    picture, hole = noise(12, 12, 1), a_hole(12, 12, 0.3)
    with torch.inference_mode():
        within = Kriging().fill(picture, hole)
    assert np.array_equal(within.mean, Kriging().fill(picture, hole).mean)


@pytest.mark.slow
def test_of_two_pixels_nothing_is_known_but_their_mean() -> None:
    picture = noise(1, 5, 1)
    hole = np.array([[False, True, True, True, False]])
    filled = Kriging().fill(picture, hole)
    assert filled.mean == pytest.approx(picture[~hole].mean())
    assert filled.std == pytest.approx(0.2887, abs=1e-4)
    assert not filled.is_joint
