"""Masks that are proposed: they find damage that a script has put there, and little else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import npfill
from benchmarks import masks
from npfill import mask
from npfill.errors import InputError, UsageError
from npfill.pictures.planes import Pieces, above_surroundings, box_mean, grown

ROOT = Path(__file__).parents[1]


def cat() -> np.ndarray:
    """A photograph of 320x240 without damage."""
    return np.asarray(Image.open(ROOT / "examples/cat.jpg").convert("RGB"))


@pytest.mark.parametrize(
    ("kind", "least"),
    [("colour", 0.95), ("stripes", 0.95), ("depth", 0.95), ("like", 0.95), ("text", 0.85)],
)
@pytest.mark.slow
def test_damage_is_found_within_three_times_its_area(kind: str, least: float) -> None:
    recall, area, _, _ = masks.measured(kind, cat(), "cat.jpg", mend=False)
    assert recall >= least
    assert area <= 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scratches", "dust"])
def test_marks_of_one_colour_are_found_and_mended_closer_to_the_original(kind: str) -> None:
    recall, area, left, _ = masks.measured(kind, cat(), "cat.jpg")
    assert recall >= 0.85
    assert area <= 3
    assert left < 1


@pytest.mark.slow
def test_a_flat_picture_has_no_damage_that_is_seen() -> None:
    ramp = np.tile(np.linspace(50, 200, 80).astype(np.uint8), (60, 1))
    assert mask.sight(ramp) == ""
    with pytest.raises(InputError, match="no thin lines") as refusal:
        mask.propose(ramp)
    assert "`text` of a date" in refusal.value.hint


@pytest.mark.slow
def test_lines_are_seen_and_named_as_light_or_dark() -> None:
    ramp = np.tile(np.linspace(60, 160, 160).astype(np.uint8), (120, 1))
    for level, tone in ((255, "light"), (0, "dark")):
        lined = ramp.copy()
        for row in (20, 55, 90):
            np.fill_diagonal(lined[row : row + 25, 10:], level)
            lined[row : row + 2, 30:130] = level
        assert f"thin {tone} lines" in mask.sight(lined)


@pytest.mark.slow
def test_what_is_seen_is_found_and_grown_as_asked() -> None:
    lined = np.tile(np.linspace(60, 160, 160).astype(np.uint8), (120, 1))
    for row in (20, 55, 90):
        np.fill_diagonal(lined[row : row + 25, 10:], 255)
    lined[70] = 255
    usual = mask.propose(lined).selected
    assert (mask.propose(lined, grow=3).selected & ~grown(usual, 1)).any()
    assert mask.propose(lined, strength=5).selected.sum() > usual.sum()


def test_versions_of_different_sizes_are_refused() -> None:
    with pytest.raises(InputError, match=r"is 4x3 but .* is 4x4"):
        mask.like(np.zeros((4, 4), np.uint8), np.zeros((3, 4), np.uint8))


def test_versions_with_other_channels_are_refused() -> None:
    with pytest.raises(InputError, match=r"the other version has 3 channels but .* has 5"):
        mask.like(np.zeros((4, 4, 5)), np.zeros((4, 4, 3), np.uint8))


def test_a_version_may_be_grey() -> None:
    grey = np.full((20, 20), 90, np.uint8)
    colour = np.dstack([grey] * 3)
    colour[5:9, 5:9, 0] = 200
    for one, other in ((grey, colour), (colour, grey)):
        assert (mask.like(one, other, tolerance=9) == (colour[..., 0] == 200)).all()


def smooth() -> np.ndarray:
    """Data from -2 to 2 of 80x60."""
    rows, columns = np.mgrid[:60, :80]
    field: np.ndarray = np.sin(rows / 9) + np.cos(columns / 11)
    return field


@pytest.mark.parametrize("value", [10, -9999, np.nan])
@pytest.mark.parametrize("tolerance", [None, 5])
def test_versions_of_data_are_compared_on_one_scale(value: float, tolerance: float | None) -> None:
    field = smooth()
    other = field.copy()
    other[20:30, 20:40] = value
    expected = np.zeros(field.shape, dtype=bool)
    expected[20:30, 20:40] = True
    for one, another in ((field, other), (other, field)):
        assert (mask.like(one, another, tolerance=tolerance) == expected).all()
    assert not mask.like(other, other, tolerance=tolerance).any()


@pytest.mark.parametrize("values", [smooth(), (60 * smooth() + 120).astype(np.uint8)])
def test_versions_that_differ_nearly_everywhere_are_refused(values: np.ndarray) -> None:
    other = values * 2 + 5 if values.dtype.kind == "f" else values + np.uint8(14)
    with pytest.raises(InputError, match="in half of the picture: nothing stands out"):
        mask.like(values, other)


def test_what_is_erased_in_one_of_two_versions_differs() -> None:
    erased = np.dstack([cat(), np.full(cat().shape[:2], 255, np.uint8)])
    erased[5:9, 5:15, 3] = 0
    expected = erased[..., 3] == 0
    assert (mask.like(cat(), erased) == expected).all()
    assert (mask.like(erased, cat(), tolerance=9) == expected).all()


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_dead_rows_are_seen_in_any_band(bands: int) -> None:
    data = 3 * np.dstack([cat(), cat()])[..., :bands].astype(np.float32)
    data[30, :, -1] = 0
    rows = mask.propose(data).selected.all(axis=1)
    assert np.flatnonzero(rows).tolist() == [30]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("factor", "offset"), [(2.0**-1030, 0), (2.0**130, 0), (2.0**1022, 0), (1, 2**31), (-1, 9)]
)
@pytest.mark.parametrize("odd", [np.nan, -np.inf])
def test_data_have_the_same_dead_lines_in_every_unit(
    factor: float, offset: float, odd: float
) -> None:
    field = smooth()
    field[17] = 2
    dead = mask.stripes(field)
    assert dead[17].all()
    field[40, 30] = odd  # what is no number is none of the range
    assert np.array_equal(mask.stripes(factor * field + offset), dead)


def test_data_without_a_finite_value_have_no_dead_lines() -> None:
    assert not mask.stripes(np.full((20, 30), np.nan)).any()


@pytest.mark.parametrize(
    ("kinds", "grow", "message"),
    [
        ({"color": "#ff00ff"}, None, "`kinds`: 'color' is unknown"),
        ({"depth": True}, -1, "`grow=-1`"),
        (None, -1, "`grow=-1`"),
    ],
)
def test_what_a_proposal_cannot_be_asked_for_is_refused(
    kinds: dict[str, object] | None, grow: int | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        mask.propose(np.zeros((12, 12), np.uint8), kinds, grow=grow)


def test_a_strength_is_refused_where_nothing_takes_it_and_doubled_where_it_may_help() -> None:
    flat = np.full((20, 30), 90, np.uint8)
    with pytest.raises(UsageError, match="`strength=5`: is not for stripes, depth"):
        mask.propose(flat, {"stripes": True, "depth": True}, strength=5)
    for kinds, strength, hint in (
        ({"stripes": True}, 1.0, "paint the mask"),
        ({"like": flat}, 1.0, "paint the mask"),
        ({"text": True, "depth": True}, 3.0, "`strength=6`"),
        ({"text": True}, 9.0, "paint the mask"),
    ):
        with pytest.raises(InputError, match="nothing found") as refusal:
            mask.propose(flat, kinds, strength=strength)
        assert refusal.value.hint.startswith(hint)


def test_zeros_and_nan_are_what_a_depth_camera_did_not_measure() -> None:
    field = np.array([[0, 1.5, np.nan], [2, 0, 3]], np.float32)
    assert mask.depth(field).tolist() == [[True, False, True], [False, True, False]]


def test_pieces_are_connected_also_diagonally() -> None:
    drawn = ["##..#", "..#..", "#...#", "#..##"]
    selected = np.array([[each == "#" for each in row] for row in drawn])
    pieces = Pieces.of(selected)
    assert sorted(pieces.size) == [1, 2, 3, 3]
    assert sorted(zip(pieces.top, pieces.bottom, pieces.left, pieces.right, strict=True)) == [
        (0, 1, 4, 5),
        (0, 2, 0, 3),
        (2, 4, 0, 1),
        (2, 4, 3, 5),
    ]
    assert (pieces.chosen(pieces.size >= 1) == selected).all()
    assert pieces.chosen(pieces.size == 2).sum() == 2
    assert sorted(pieces.count(selected)) == [1, 2, 3, 3]


def test_planes_are_what_their_definitions_say() -> None:
    plane = np.random.default_rng(0).random((9, 7)).astype(np.float32)
    assert box_mean(plane, 1)[4, 3] == pytest.approx(plane[3:6, 2:5].mean())
    assert box_mean(plane, 1)[0, 0] == pytest.approx(plane[:2, :2].mean())
    spot = np.zeros((9, 9), np.float32)
    spot[4, 4:6] = 3
    assert (above_surroundings(spot, 3) == spot).all()
    assert grown(spot > 0, 1).sum() == 12


def test_the_functions_are_found_in_the_package() -> None:
    assert npfill.mask.scratches is mask.scratches
    assert "mask" in dir(npfill)


def test_of_colours_a_depth_that_was_not_measured_is_zero_in_all_channels() -> None:
    values = np.array([[[0, 0, 0], [0, 5, 5]], [[5, 0, 0], [5, 5, 5]]], dtype=np.uint8)
    assert mask.depth(values).tolist() == [[True, False], [False, False]]
    floats = np.array([[np.nan, 0.0, 2.0]])
    assert mask.depth(floats).tolist() == [[True, True, False]]
