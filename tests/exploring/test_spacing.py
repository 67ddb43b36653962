"""Evenly spread points, distances and tours."""

import numpy as np

from npfill.exploring.spacing import distances, low_discrepancy
from npfill.exploring.tour import length, tour


def test_distances_are_those_to_the_nearest_measured_pixel() -> None:
    measured = np.random.default_rng(0).random((23, 31)) < 0.02
    rows, columns = np.mgrid[:23, :31]
    known = np.argwhere(measured)
    expected = np.min([np.hypot(rows - y, columns - x) for y, x in known], axis=0)
    np.testing.assert_allclose(distances(measured), expected)


def test_without_a_measured_pixel_all_are_as_far_as_the_diagonal() -> None:
    assert (distances(np.zeros((3, 4), dtype=bool)) == 5).all()


def test_every_window_has_its_share_of_evenly_spread_points() -> None:
    chosen = np.zeros((64, 64), dtype=bool)
    chosen.ravel()[low_discrepancy(~chosen, 256, seed=0)] = True
    windows = chosen.reshape(4, 16, 4, 16).sum(axis=(1, 3))
    assert windows.min() >= 12  # at random, from 8 to 24
    assert windows.max() <= 20


def test_evenly_spread_points_are_free_and_different_until_none_is_left() -> None:
    free = np.random.default_rng(0).random((9, 11)) < 0.5
    found = low_discrepancy(free, 99, seed=1)
    assert sorted(found) == np.flatnonzero(free).tolist()


def test_the_sequence_goes_on_where_it_was() -> None:
    free = np.ones((20, 20), dtype=bool)
    whole = low_discrepancy(free, 30, seed=2)
    free.ravel()[whole[:10]] = False
    assert (low_discrepancy(free, 20, seed=2) == whole[10:]).all()


def test_a_tour_of_a_line_is_its_length() -> None:
    points = np.array([[0, x] for x in (0, 5, 2, 9, 1, 7)])
    order = tour(points)
    assert sorted(order) == list(range(6))
    assert length(points[order]) == 9
    assert tour(points[:0]).size == 0
