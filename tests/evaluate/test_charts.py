"""Line charts: what is drawn where."""

import math

import numpy as np
import pytest
from PIL import Image

from npfill.evaluate.axes import axis_around
from npfill.evaluate.charts import COLOURS, Point, line_chart

# Columns of the plot; the legend stands on the right of them.
PLOT = slice(0, 600)
LEGEND = slice(605, 700)
EVERYWHERE = slice(0, 700)


def chart_of(*lines: list[Point], log_x: bool = False, diagonal: bool = False) -> Image.Image:
    series = {f"line {number}": line for number, line in enumerate(lines)}
    return line_chart("title", "x", "y", series, log_x=log_x, diagonal=diagonal)


def drawn(chart: Image.Image, number: int, columns: slice = PLOT) -> np.ndarray:
    """Rows and columns, "pixel 2", where a line's colour stands, mixed with paper at most."""
    ink = 255.0 - np.asarray(chart)[:, columns]
    colour = 255.0 - np.array(COLOURS[number])
    share = ink @ colour / (colour @ colour)
    mixed = np.abs(ink - share[..., None] * colour).max(-1) < 12
    return np.argwhere(mixed & (share > 0.4))


def test_a_chart_is_700_by_450() -> None:
    assert chart_of([(1, 2, 0)]).size == (700, 450)


def test_a_higher_value_is_drawn_higher() -> None:
    chart = chart_of([(1, 0.8, 0), (2, 0.8, 0)], [(1, 0.2, 0), (2, 0.2, 0)])
    assert drawn(chart, 0)[:, 0].max() < drawn(chart, 1)[:, 0].min()


def test_a_larger_x_is_drawn_further_to_the_right() -> None:
    rows, columns = drawn(chart_of([(1, 0.1, 0), (3, 0.9, 0)]), 0).T
    assert columns[rows.argmin()] > columns[rows.argmax()]


def test_a_value_half_way_is_drawn_half_way() -> None:
    heights = [drawn(chart_of([(0, 0, 0)], [(1, y, 0)], [(2, 1, 0)]), 1)[:, 0] for y in (0, 0.5, 1)]
    low, middle, high = (height.mean() for height in heights)
    assert middle == pytest.approx((low + high) / 2, abs=1)


def test_equal_factors_are_equally_far_on_a_logarithmic_axis() -> None:
    lines: list[list[Point]] = [[(x, 0.5, 0)] for x in (1, 10, 100)]
    chart = chart_of(*lines, log_x=True)
    first, second, third = (drawn(chart, number)[:, 1].mean() for number in range(3))
    assert second - first == pytest.approx(third - second, abs=1)


def test_points_are_joined_by_x_in_whatever_order_they_come() -> None:
    points: list[Point] = [(1, 0.1, 0), (2, 0.5, 0), (3, 0.2, 0)]
    assert chart_of(points).tobytes() == chart_of(points[::-1]).tobytes()


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf])
def test_a_point_without_a_finite_value_is_left_out(nothing: float | None) -> None:
    points: list[Point] = [(1, 0.1, 0), (3, 0.9, 0)]
    assert chart_of([*points, (2, nothing, 0)]).tobytes() == chart_of(points).tobytes()


def test_an_x_of_zero_has_no_place_on_a_logarithmic_axis() -> None:
    points: list[Point] = [(1, 0.1, 0), (3, 0.9, 0)]
    assert chart_of([(0, 9, 0), *points], log_x=True) == chart_of(points, log_x=True)


def test_an_error_bar_reaches_as_far_as_the_error() -> None:
    chart = chart_of([(1, 0.0, 0.0), (1, 1.0, 0.0)], [(2, 0.5, 0.5)])
    ends, bar = drawn(chart, 0)[:, 0], drawn(chart, 1)[:, 0]
    assert bar.min() == pytest.approx(ends.min() + 4, abs=2)  # a marker's radius less
    assert bar.max() == pytest.approx(ends.max() - 4, abs=2)


@pytest.mark.parametrize("error", [None, math.nan])
def test_an_error_that_is_not_known_has_no_bar(error: float | None) -> None:
    assert chart_of([(1, 0.5, error), (2, 0.6, 0)]) == chart_of([(1, 0.5, 0), (2, 0.6, 0)])


def test_the_range_holds_the_error_bars() -> None:
    rows = drawn(chart_of([(1, 0.5, 100.0)]), 0)[:, 0]
    assert rows.max() - rows.min() > 250


def test_a_name_without_points_leaves_the_others_their_colours() -> None:
    chart = chart_of([(1, None, 0)], [(1, 0.5, 0)])
    assert not drawn(chart, 0, EVERYWHERE).size
    assert drawn(chart, 1).size
    assert drawn(chart, 1, LEGEND).size


@pytest.mark.parametrize("name", ["a", "a name of forty letters, which is a lot"])
def test_the_legend_stands_beside_the_lines(name: str) -> None:
    chart = line_chart("title", "x", "y", {name: [(x, x, 0) for x in range(5)]})
    columns = np.unique(drawn(chart, 0, EVERYWHERE)[:, 1])
    assert np.diff(columns).max() > 16
    assert (np.asarray(chart)[:, -15:] == 255).all()


def test_without_points_the_axes_are_empty() -> None:
    chart = chart_of()
    assert chart.size == (700, 450)
    assert chart_of([], [(1, None, 0)]).tobytes() == chart.tobytes()


def test_the_diagonal_runs_through_equal_values() -> None:
    chart = chart_of([(0.1, 0.1, 0)], [(0.9, 0.9, 0)], diagonal=True)
    inside = np.asarray(chart)[50:380, 90:580]
    grey = (np.ptp(inside, axis=-1) == 0) & (inside[..., 0] < 200)
    rows, columns = np.argwhere(grey).T
    slope, start = np.polyfit(columns + 90, rows + 50, 1)
    for number in (0, 1):
        row, column = drawn(chart, number).mean(0)
        assert row == pytest.approx(start + slope * column, abs=1.5)


def test_there_is_no_diagonal_on_a_logarithmic_axis() -> None:
    with pytest.raises(ValueError, match="linear"):
        chart_of([(1, 1, 0)], log_x=True, diagonal=True)


def test_many_more_lines_than_colours_are_drawn() -> None:
    lines: list[list[Point]] = [[(1, number, 0)] for number in range(20)]
    assert chart_of(*lines).size == (700, 450)


@pytest.mark.parametrize(
    ("low", "high", "log", "written"),
    [
        (0.0, 1.0, False, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.01, 0.06, False, ["0.01", "0.02", "0.03", "0.04", "0.05", "0.06"]),
        (-2000.0, 3000.0, False, ["-2,000", "-1,000", "0", "1,000", "2,000", "3,000"]),
        (1.0, 784.0, True, ["1", "2", "5", "10", "20", "50", "100", "200", "500", "1,000"]),
        (0.01, 100_000.0, True, ["0.01", "0.1", "1", "10", "100", "1,000", "10,000", "100,000"]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, log: bool, written: list[str]) -> None:
    ticks = axis_around([low, high], 0.0, 100.0, log=log).ticks()
    assert [text for _, text in ticks] == written
    assert all(float(text.replace(",", "")) == pytest.approx(value) for value, text in ticks)


def test_an_axis_around_one_value_has_it_in_the_middle() -> None:
    assert axis_around([3.0], 0.0, 100.0).at(3.0) == pytest.approx(50)
    assert axis_around([3.0], 0.0, 100.0, log=True).at(3.0) == pytest.approx(50)
    assert axis_around([0.0], 0.0, 100.0).at(0.0) == pytest.approx(50)
