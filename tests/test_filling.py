"""A baseline completes a picture as a model does, with what it has to say."""

from typing import ClassVar

import numpy as np
import pytest
import torch

import npfill
from npfill import baselines, zoo
from npfill.baselines import Baseline, Filled
from npfill.errors import InputError, ModelError, UsageError

SIZE = (4, 5)
HOLE = np.zeros(SIZE, dtype=bool)
HOLE[1:3, 2:4] = True
PIXELS = int(HOLE.sum())


class Stated(Baseline):
    """Answers what it was told to, and remembers what it was shown."""

    name: ClassVar[str] = "stated"

    def __init__(self, filled: Filled) -> None:
        self.filled = filled
        self.shown = np.zeros(0)

    def fill(self, picture: np.ndarray, hole: np.ndarray) -> Filled:
        self.shown = picture
        return self.filled


def colour() -> np.ndarray:
    return np.random.default_rng(0).random((*SIZE, 3)).astype(np.float32)


def joint(scale: float = 0.01) -> Stated:
    """Three channels of one joint distribution about the middle of [0, 1]."""
    factor = scale * (np.tril(np.ones((PIXELS, PIXELS))) + np.eye(PIXELS))
    std = np.sqrt(np.square(factor).sum(1))[:, None].repeat(3, 1)
    return Stated(Filled(np.full((PIXELS, 3), 0.5), std, (factor,) * 3))


def test_mean_std_and_samples_stand_in_the_hole_and_the_picture_outside() -> None:
    completed = npfill.complete(colour(), HOLE, joint(), samples=2)
    assert completed.std is not None
    assert completed.mean[HOLE] == pytest.approx(0.5)
    assert completed.std[HOLE] == pytest.approx(joint().filled.std)
    assert not completed.std[~HOLE].any()
    for filled in (completed.mean, *completed.samples):
        assert np.array_equal(filled[~HOLE], colour()[~HOLE])


def test_samples_have_the_joint_distributions_std_and_correlation() -> None:
    drawn = npfill.complete(colour(), HOLE, joint(), samples=1000).samples[:, HOLE]
    assert drawn.std(0) == pytest.approx(joint().filled.std, rel=0.1)
    neighbours = np.corrcoef(drawn[:, 2, 0], drawn[:, 3, 0])[0, 1]
    channels = np.corrcoef(drawn[:, 3, 0], drawn[:, 3, 1])[0, 1]
    assert neighbours > 0.5
    assert abs(channels) < 0.15


def test_sample_k_depends_on_the_seed_and_k_alone() -> None:
    few, many = (npfill.complete(colour(), HOLE, joint(), count).samples for count in (2, 5))
    assert np.array_equal(many[:2], few)
    other = npfill.complete(colour(), HOLE, joint(), 2, seed=1).samples
    assert not np.array_equal(other, few)


def test_without_std_and_joint_distribution_there_is_none_of_either() -> None:
    completed = npfill.complete(colour(), HOLE, Stated(Filled(np.full((PIXELS, 3), 0.5))))
    assert completed.std is None
    assert completed.samples.shape == (0, *SIZE, 3)


def test_mean_and_samples_are_clipped_to_what_can_be_shown() -> None:
    wild = joint(scale=2.0)
    completed = npfill.complete(colour(), HOLE, wild, samples=3)
    assert completed.samples.min() >= 0
    assert completed.samples.max() <= 1
    low = Stated(Filled(np.full((PIXELS, 3), -0.5)))
    assert not npfill.complete(colour(), HOLE, low).mean[HOLE].any()


def test_a_baseline_is_not_shown_what_is_under_the_hole() -> None:
    spoiled, stated = colour(), joint()
    spoiled[HOLE] = np.nan
    npfill.complete(spoiled, HOLE, stated)
    assert np.isfinite(stated.shown).all()


def test_notes_reach_the_completion() -> None:
    noted = Stated(Filled(np.zeros((PIXELS, 3)), notes=("something to know",)))
    assert npfill.complete(colour(), HOLE, noted).notes == ("something to know",)


def test_a_completion_has_the_shape_of_its_tensor() -> None:
    tensor = torch.from_numpy(colour()).permute(2, 0, 1)
    completed = npfill.complete(tensor, torch.from_numpy(HOLE), joint(), samples=2)
    assert completed.std is not None
    assert completed.mean.shape == completed.std.shape == (3, *SIZE)
    assert completed.samples.shape == (2, 3, *SIZE)


def test_a_name_stands_for_the_baseline() -> None:
    picture = np.random.default_rng(0).random((28, 28)).astype(np.float32)
    hole = np.zeros((28, 28), dtype=bool)
    hole[10:20, 10:20] = True
    named = npfill.complete(picture, hole, "linear")
    built = npfill.complete(picture, hole, baselines.build("linear"))
    assert named.std is not None
    assert np.array_equal(named.mean, built.mean)
    assert np.array_equal(named.samples, built.samples)


def test_a_picture_that_a_baseline_cannot_take_is_an_input_error() -> None:
    with pytest.raises(InputError, match="pictures of 28x28, this one is 5x4"):
        npfill.complete(colour(), HOLE, "linear")


def test_a_device_that_is_not_there_is_said_for_a_baseline_too() -> None:
    with pytest.raises(UsageError):
        npfill.complete(colour(), HOLE, joint(), device="tpu")


def test_no_baseline_has_the_name_of_a_model() -> None:
    assert not set(baselines.NAMES) & set(zoo.entries())


def test_a_misspelt_baseline_is_suggested_and_an_unknown_name_lists_them() -> None:
    for name, expected in (("biharmonics", "did you mean biharmonic?"), ("qq", "navier-stokes")):
        with pytest.raises(ModelError, match="no model is called") as error:
            npfill.complete(colour(), HOLE, name)
        assert expected in error.value.hint


def test_a_baseline_has_no_weights_to_load() -> None:
    with pytest.raises(ModelError, match="telea is a baseline") as error:
        npfill.load("telea")
    assert "npfill complete -m telea" in error.value.hint
