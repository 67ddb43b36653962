"""Photographs at their own size are measured as they are completed."""

import numpy as np
import pytest
import torch

from npfill.evaluate.case import Case
from npfill.evaluate.metrics import scores_of
from npfill.evaluate.own_size import AtOwnSize
from npfill.predictor import load, self_check
from tests.conftest import of


@pytest.fixture(scope="module")
def case() -> tuple[Case, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    picture, hole = random.random((48, 52, 3), dtype=np.float32), random.random((48, 52)) < 0.5
    pixels = torch.from_numpy(picture).permute(2, 0, 1).unsqueeze(0)
    observed = torch.from_numpy(~hole)[None, None]
    prediction = AtOwnSize(load(of("convcnp", 3)), 0).predict(pixels, observed)
    return Case(prediction, pixels.double(), observed), picture, hole


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


def test_a_sample_takes_time_beside_mean_and_check() -> None:
    picture = torch.rand(1, 3, 40, 40)
    observed = torch.ones(1, 1, 40, 40, dtype=torch.bool)
    observed[..., 10:20, 10:20] = False
    prediction = AtOwnSize(load(of("convcnp", 3)), 0, "independent").predict(picture, observed)
    assert prediction.sample_seconds is not None
    assert prediction.sample_seconds.shape == (1,)
    assert prediction.sample_seconds.item() >= 0
