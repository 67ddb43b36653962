"""Holes from alpha and boxes, and what is done with holes wherever they come from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npfill.errors import InputError, UsageError
from npfill.pictures.hole import (
    Hole,
    adjusted,
    check,
    from_alpha,
    from_boxes,
    parse_box,
    union,
)
from npfill.pictures.picture import Picture

CORNER = np.zeros((6, 8), dtype=bool)
CORNER[:2, :3] = True
SMALL_HOLES = hnp.arrays(bool, st.tuples(st.integers(1, 8), st.integers(1, 8)))


def test_the_hole_is_where_a_picture_is_transparent() -> None:
    alpha = np.array([[0, 127, 128, 255]], dtype=np.uint8)
    values = np.stack([alpha * 0 + 9, alpha], axis=-1)
    for picture in (Picture(values, "PNG", "a.png"), Picture(values * np.uint16(257), "PNG", "a")):
        assert from_alpha(picture).selected.tolist() == [[True, True, False, False]]
    with pytest.raises(InputError, match=r"a\.png: has no alpha channel"):
        from_alpha(Picture(values.repeat(2, -1)[..., :3], "PNG", "a.png"))


@pytest.mark.parametrize(("rim", "noted"), [(128, True), (254, True), (255, False), (127, False)])
def test_what_a_soft_brush_left_half_transparent_is_said_unless_the_hole_grows(
    rim: int, noted: bool
) -> None:
    alpha = np.array([[0] * 16 + [rim] + [255] * 16], dtype=np.uint8)
    picture = Picture(np.stack([alpha, alpha], axis=-1), "PNG", "a")
    notes = from_alpha(picture).notes
    assert [note.split(" are ")[0] for note in notes] == ["1 px that"] * noted
    assert all("`grow` fills more of them" in note for note in notes)
    assert not from_alpha(picture, doubted=False).notes


def test_the_hole_is_the_union_of_boxes() -> None:
    hole = from_boxes([(0, 0, 3, 2), (2, 1, 1, 1), (7, 5, 1, 1)], (6, 8))
    expected = CORNER.copy()
    expected[5, 7] = True
    assert np.array_equal(hole.selected, expected)


def test_holes_unite_with_the_notes_of_all() -> None:
    both = union([Hole(CORNER, ("a",)), Hole(CORNER[::-1], ("b",))])
    assert np.array_equal(both.selected, CORNER | CORNER[::-1])
    assert both.notes == ("a", "b")


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((0, 0, 0, 2), "`box=(0,0,0,2)`: has no area"),
        ((0, 0, 2, -1), "`box=(0,0,2,-1)`: has no area"),
        ((7, 0, 2, 1), "`box=(7,0,2,1)`: reaches out of the picture, which is 8x6"),
        ((0, 6, 1, 1), "`box=(0,6,1,1)`: reaches out of the picture, which is 8x6"),
        ((-1, 0, 3, 1), "`box=(-1,0,3,1)`: reaches out of the picture, which is 8x6"),
    ],
)
def test_a_box_must_lie_in_the_picture(box: tuple[int, int, int, int], reason: str) -> None:
    with pytest.raises(UsageError) as refusal:
        from_boxes([(0, 0, 1, 1), box], (6, 8))
    assert str(refusal.value) == reason


@pytest.mark.parametrize("text", ["1,2,3,4", " 1, 2, 3, 4 "])
def test_a_box_is_four_whole_numbers(text: str) -> None:
    assert parse_box(text) == (1, 2, 3, 4)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "1,2,3,x", "1.5,2,3,4", "1 2 3 4"])
def test_a_box_that_is_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not four whole numbers"):
        parse_box(text)


@pytest.mark.slow
@given(selected=SMALL_HOLES, grow=st.integers(0, 10))
def test_growing_is_the_union_of_squares(selected: np.ndarray, grow: int) -> None:
    rows, columns = np.indices(selected.shape)
    expected = np.zeros_like(selected)
    for row, column in np.argwhere(selected):
        expected |= np.maximum(abs(rows - row), abs(columns - column)) <= grow
    assert np.array_equal(adjusted(Hole(selected), invert=False, grow=grow).selected, expected)


@pytest.mark.slow
@given(selected=SMALL_HOLES, grow=st.integers(-10, 10))
def test_shrinking_is_growing_what_is_kept(selected: np.ndarray, grow: int) -> None:
    shrunk = adjusted(Hole(selected), invert=False, grow=-grow).selected
    kept = adjusted(Hole(~selected), invert=False, grow=grow).selected
    assert np.array_equal(shrunk, ~kept)


@pytest.mark.slow
@given(selected=SMALL_HOLES, grow=st.integers(-3, 3))
def test_inverting_comes_before_growing(selected: np.ndarray, grow: int) -> None:
    both = adjusted(Hole(selected, ("a",)), invert=True, grow=grow)
    grown = adjusted(Hole(~selected, ("a",)), invert=False, grow=grow)
    assert np.array_equal(both.selected, grown.selected)
    assert both.notes == ("a",)


def test_selecting_nothing_is_an_error_and_everything_is_noted() -> None:
    with pytest.raises(InputError) as refusal:
        check(Hole(np.zeros((2, 2), dtype=bool)), "mask.png")
    assert str(refusal.value) == "mask.png: selects 0 px (white is filled)"
    assert "white where it is filled" in refusal.value.hint
    everything = check(Hole(np.ones((2, 2), dtype=bool), ("a",)), "mask.png")
    assert everything.notes[0] == "a"
    assert "a draw from the prior" in everything.notes[1]
    some = Hole(np.eye(2, dtype=bool))
    assert check(some, "mask.png") is some


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (24_330, "mask 1,024 x 768, 3.1 % selected (24,330 px)"),
        (3, "mask 1,024 x 768, less than 0.1 % selected (3 px)"),
        (0, "mask 1,024 x 768, 0.0 % selected (0 px)"),
        (786_432, "mask 1,024 x 768, 100.0 % selected (786,432 px)"),
    ],
)
def test_a_hole_is_described_in_a_line(count: int, expected: str) -> None:
    selected = np.arange(768 * 1024).reshape(768, 1024) < count
    assert Hole(selected).line == expected
