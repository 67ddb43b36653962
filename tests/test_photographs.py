"""What the model for photographs, as it ships, does with pictures that people bring."""

import numpy as np
import pytest

import npfill
from npfill import zoo


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.slow
def test_auto_is_the_model_for_photographs_whatever_the_picture() -> None:
    assert zoo.find(zoo.AUTO).name == zoo.find(zoo.DEFAULT).name == "convcnp-photo"
    digit, hole = picture(28, 28, 1)[..., 0], np.zeros((28, 28), dtype=bool)
    hole[10:15, 8:20] = True
    unnamed = npfill.complete(digit, hole)
    named = npfill.complete(digit, hole, "convcnp-photo")
    assert np.array_equal(unnamed.mean, named.mean)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slope", "side"), [(0.1, 32), (0.5, 32), (1.0, 16)], ids=["gentle", "plain", "steep"]
)
def test_a_smooth_gradient_comes_back_within_one_level(slope: float, side: int) -> None:
    rows, columns = np.mgrid[:96, :112]
    levels = np.rint(40 + slope * rows + 0.5 * slope * columns)
    gradient = np.stack([levels, 255 - levels, levels], axis=-1).astype(np.float32) / 255
    hole = np.zeros((96, 112), dtype=bool)
    hole[30 : 30 + side, 40 : 40 + side] = True
    completed = npfill.complete(gradient, hole, samples=0)
    plane = (40 + slope * rows + 0.5 * slope * columns) / 255
    truth = np.stack([plane, 1 - plane, plane], axis=-1)
    assert np.abs(completed.mean - truth)[hole].max() < 1.5 / 255  # levels are rounded by a half


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (3, 2), (40, 70)])
@pytest.mark.parametrize("missing", ["all", "one pixel", "borders"])
def test_any_picture_and_hole_has_a_finite_answer(size: tuple[int, int], missing: str) -> None:
    hole = np.zeros(size, dtype=bool)
    if missing == "borders":
        hole[[0, -1]], hole[:, [0, -1]] = True, True
    hole.flat[hole.size // 2] = True
    hole |= missing == "all"
    completed = npfill.complete(picture(*size), hole, samples=1)
    assert completed.std is not None
    for values in (completed.mean, completed.std, completed.samples):
        assert np.isfinite(values).all()
    assert (completed.std[hole] > 0).all()


@pytest.mark.slow
def test_a_grey_picture_is_completed_as_the_same_picture_in_colour_is() -> None:
    grey = picture(40, 50, 1)
    hole = np.random.default_rng(1).random((40, 50)) < 0.5
    one = npfill.complete(grey, hole, samples=0)
    as_colour = npfill.complete(grey.repeat(3, axis=-1), hole, samples=0)
    np.testing.assert_allclose(one.mean[..., 0], as_colour.mean.mean(-1), atol=5)
