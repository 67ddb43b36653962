"""Photographs at their own size are measured as they are completed."""

import numpy as np
import pytest
import torch

from npfill.evaluate.case import Case
from npfill.evaluate.metrics import scores_of
from npfill.evaluate.own_size import AtOwnSize
from npfill.predictor import Predictor, load, self_check
from npfill.predictor.best import BestPredictor
from tests.conftest import of


def case_of(picture: np.ndarray, hole: np.ndarray, predictor: Predictor) -> Case:
    pixels = torch.from_numpy(picture).permute(2, 0, 1).unsqueeze(0)
    observed = torch.from_numpy(~hole)[None, None]
    return Case(AtOwnSize(predictor, 0).predict(pixels, observed), pixels.double(), observed)


@pytest.fixture(scope="module")
def case() -> tuple[Case, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    grey, colours = (random.random((48, 52, c), dtype=np.float32) for c in (1, 3))
    picture, hole = 0.8 * grey + 0.2 * colours, random.random((48, 52)) < 0.5
    return case_of(picture, hole, load(of("convcnp", 3))), picture, hole


@pytest.mark.slow
def test_z_squared_and_coverage_are_those_of_the_check_and_beside_them_those_without(
    case: tuple[Case, np.ndarray, np.ndarray],
) -> None:
    measured, picture, hole = case
    scores = scores_of(measured)
    predictor = load(of("convcnp", 3))
    seen = np.where(hole[..., None], np.float32(0), picture)
    check, plain = self_check(predictor, seen, hole, 0), predictor.predict(seen, hole)
    assert plain.std is not None
    distance = np.abs(picture[hole] - plain.mean)
    std = check.rescaled(plain.std)
    assert scores["uncalibrated_z_squared"].item() == pytest.approx(
        np.square(distance / plain.std).mean(), rel=1e-5
    )
    assert scores["z_squared"].item() == pytest.approx(np.square(distance / std).mean(), rel=1e-5)
    for level in (0.5, 0.9):
        inside = (distance <= check.half_width(level) * std).mean()
        assert scores[f"coverage_{100 * level:.0f}"].item() == pytest.approx(inside, abs=0.01)


def test_likelihoods_are_those_of_whole_pixels_whose_channels_go_together(
    case: tuple[Case, np.ndarray, np.ndarray],
) -> None:
    measured, picture, hole = case
    seen, predictor = np.where(hole[..., None], np.float32(0), picture), load(of("convcnp", 3))
    predicted = predictor.predict(seen, hole, check=self_check(predictor, seen, hole, 0))
    assert predicted.std is not None
    assert predicted.correlation is not None
    covariance = predicted.std[:, :, None] * predicted.correlation * predicted.std[:, None]
    error = (picture[hole] - predicted.mean).astype(np.float64)
    inverse, (_, size) = np.linalg.inv(covariance), np.linalg.slogdet(2 * np.pi * covariance)
    density = -0.5 * (np.einsum("pi,pij,pj->p", error, inverse, error) + size)
    assert scores_of(measured)["pointwise"].item() == pytest.approx(density.mean(), rel=1e-4)


def test_a_choice_among_predictors_has_the_check_and_the_interval_of_what_it_chooses(
    case: tuple[Case, np.ndarray, np.ndarray],
) -> None:
    measured, picture, hole = case
    chooser = BestPredictor((load(of("convcnp", 3)),), name="best", word="best")
    alone, chosen = (scores_of(each) for each in (measured, case_of(picture, hole, chooser)))
    assert {*chosen} == {*alone} > {"uncalibrated_z_squared"}
    for name in {*alone} - {"seconds"}:
        torch.testing.assert_close(chosen[name], alone[name], equal_nan=True)


def test_a_sample_takes_time_beside_mean_and_check() -> None:
    picture = torch.rand(1, 3, 40, 40)
    observed = torch.ones(1, 1, 40, 40, dtype=torch.bool)
    observed[..., 10:20, 10:20] = False
    prediction = AtOwnSize(load(of("convcnp", 3)), 0, "independent").predict(picture, observed)
    assert prediction.sample_seconds is not None
    assert prediction.sample_seconds.shape == (1,)
    assert prediction.sample_seconds.item() >= 0
