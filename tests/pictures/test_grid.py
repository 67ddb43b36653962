"""A coarser grid says of a picture what was observed, and nothing of what was not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npfill.context import observed_average
from npfill.pictures.picture import match_channels


@st.composite
def pictures(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Values, which of them are observed, and how long a grid may be."""
    height, width = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    shape = (height, width, draw(st.sampled_from([1, 3])))
    values = draw(hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    return values, draw(hnp.arrays(bool, (height, width))), draw(st.integers(1, 20))


def averaged_slowly(
    values: np.ndarray, observed: np.ndarray, grid: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The definition, cell by cell."""
    (height, width), (rows, columns) = observed.shape, grid
    averages = np.zeros((rows, columns, values.shape[-1]), dtype=np.float32)
    any_observed = np.zeros((rows, columns), dtype=bool)
    for row, column in np.ndindex(rows, columns):
        cell = (
            slice(row * height // rows, (row + 1) * height // rows),
            slice(column * width // columns, (column + 1) * width // columns),
        )
        if observed[cell].any():
            averages[row, column] = values[cell][observed[cell]].mean(axis=0, dtype=np.float64)
            any_observed[row, column] = True
    return averages, any_observed


@pytest.mark.slow
@settings(deadline=None)
@given(picture=pictures())
def test_a_cell_is_the_mean_of_its_observed_pixels(
    picture: tuple[np.ndarray, np.ndarray, int],
) -> None:
    values, observed, longest = picture
    averages, any_observed = observed_average(values, observed, longest)
    if max(observed.shape) <= longest:
        assert averages is values
        assert any_observed is observed
        return
    assert max(any_observed.shape) == longest
    assert averages.dtype == np.float32
    expected, expected_observed = averaged_slowly(values, observed, any_observed.shape)
    assert np.array_equal(any_observed, expected_observed)
    np.testing.assert_allclose(averages, expected, atol=1e-6)


@pytest.mark.slow
@settings(deadline=None)
@given(picture=pictures(), hidden=st.sampled_from([np.nan, np.inf, -7.0, 1.0]))
def test_what_lies_under_the_hole_never_matters(
    picture: tuple[np.ndarray, np.ndarray, int], hidden: float
) -> None:
    values, observed, longest = picture
    other = np.where(observed[..., None], values, np.float32(hidden))
    ours, theirs = (observed_average(each, observed, longest) for each in (values, other))
    assert np.array_equal(ours[1], theirs[1])
    assert np.array_equal(ours[0][ours[1]], theirs[0][ours[1]])


@pytest.mark.parametrize(
    ("size", "longest", "grid"),
    [
        ((100, 200), 64, (32, 64)),
        ((200, 100), 64, (64, 32)),
        ((1, 1000), 64, (1, 64)),
        ((3, 1000), 64, (1, 64)),
        ((65, 64), 64, (64, 63)),
        ((64, 64), 64, (64, 64)),
        ((28, 20), 64, (28, 20)),
    ],
)
def test_the_grid_has_the_shape_of_the_picture(
    size: tuple[int, int], longest: int, grid: tuple[int, int]
) -> None:
    values = np.full((*size, 3), 0.3, dtype=np.float32)
    averages, observed = observed_average(values, np.ones(size, dtype=bool), longest)
    assert observed.shape == grid
    assert observed.all()
    assert np.array_equal(averages, np.full((*grid, 3), 0.3, dtype=np.float32))


def test_of_scattered_pixels_none_is_lost() -> None:
    observed = np.zeros((640, 640), dtype=bool)
    observed[::10, ::10] = True
    _, any_observed = observed_average(np.ones((640, 640, 1), dtype=np.float32), observed, 64)
    assert any_observed.all()


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_that_match_are_left_alone(channels: int) -> None:
    values = np.ones((2, 2, channels), dtype=np.float32)
    assert match_channels(values, channels) is values


@given(hnp.arrays(np.float32, (3, 4, 1), elements=st.floats(0, 1, width=32)))
@pytest.mark.slow
def test_grey_survives_rgb(grey: np.ndarray) -> None:
    rgb = match_channels(grey, 3)
    assert (rgb == grey).all()
    assert rgb.shape == (3, 4, 3)
    back = match_channels(rgb, 1)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, grey, atol=1e-6)
    assert back.max() <= 1


def test_rgb_becomes_its_luminance() -> None:
    primaries = np.eye(3, dtype=np.float32).reshape(1, 3, 3)
    assert match_channels(primaries, 1)[0, :, 0].tolist() == pytest.approx([0.299, 0.587, 0.114])


def test_other_numbers_of_channels_have_no_conversion() -> None:
    with pytest.raises(ValueError, match="2 channels cannot become 3"):
        match_channels(np.zeros((2, 2, 2), dtype=np.float32), 3)
