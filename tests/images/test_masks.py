"""White is filled and black is kept, whatever a mask file holds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from PIL.ExifTags import Base

from npfill.errors import InputError, UsageError
from npfill.images.masks import (
    Hole,
    adjusted,
    check,
    describe,
    from_alpha,
    from_boxes,
    parse_box,
    read_mask,
)

CORNER = np.zeros((6, 8), dtype=bool)
CORNER[:2, :3] = True
SMALL_HOLES = hnp.arrays(bool, st.tuples(st.integers(1, 8), st.integers(1, 8)))


def read(path: Path, size: tuple[int, int] = (6, 8), **options: Any) -> Hole:
    """The hole of a mask file for photo.jpg."""
    defaults: dict[str, Any] = {"picture_name": "photo.jpg", "threshold": None, "fit": False}
    return read_mask(path, size, **defaults | options)


def saved(values: np.ndarray, path: Path, **options: Any) -> Path:
    Image.fromarray(values).save(path, **options)
    return path


def painted(inside: Any, outside: Any) -> np.ndarray:
    """Bytes "height width channel": one colour in the corner, another elsewhere."""
    corner = CORNER[..., None]
    return np.where(corner, np.uint8(inside), np.uint8(outside)).squeeze()


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (CORNER, None),
        (painted([255], [0]), None),
        (painted([128], [127]), "neither black nor white"),
        (painted([250] * 3, [0] * 3), None),
        (painted([255, 255, 0], [0, 0, 255]), "luminance"),
        (painted([255, 255], [255, 0]), "its alpha is the mask"),
        (painted([0, 255], [0, 0]), "its alpha is the mask"),
        (painted([255, 255], [0, 255]), None),
        (painted([255, 255], [0, 0]), "colour times its alpha"),
        (painted([255, 0, 0, 255], [255, 0, 0, 0]), "its alpha is the mask"),
        (painted([255, 255, 255, 255], [255, 255, 0, 100]), "colour times its alpha"),
        (painted([255, 255, 255, 255], [0, 0, 0, 255]), None),
        (CORNER.astype(np.uint16) * 65535, None),
    ],
)
def test_a_mask_is_decoded_by_what_it_holds(
    tmp_path: Path, values: np.ndarray, note: str | None
) -> None:
    hole = read(saved(values, tmp_path / "mask.png"))
    assert np.array_equal(hole.selected, CORNER)
    if note is None:
        assert hole.notes == ()
    else:
        assert any(note in line for line in hole.notes)


def test_16_bit_grey_is_cut_at_half_of_its_true_maximum(tmp_path: Path) -> None:
    levels = np.array([[0, 1000, 32767, 32768, 65535]], dtype=np.uint16)
    hole = read(saved(levels, tmp_path / "mask.png"), (1, 5))
    assert hole.selected.tolist() == [[False, False, False, True, True]]


def test_16_bit_colour_is_cut_at_half(
    tmp_path: Path, write_deep_png: Callable[[Path, np.ndarray], Path]
) -> None:
    levels = np.array([[[32767] * 3, [32768] * 3]], dtype=np.uint16)
    hole = read(write_deep_png(tmp_path / "mask.png", levels), (1, 2))
    assert hole.selected.tolist() == [[False, True]]


def test_a_palette_is_looked_up_and_its_numbers_mean_nothing(tmp_path: Path) -> None:
    indexed = Image.fromarray(painted([0], [1]))
    indexed.putpalette([255, 255, 255, 0, 0, 0])
    indexed.save(tmp_path / "mask.png")
    hole = read(tmp_path / "mask.png")
    assert np.array_equal(hole.selected, CORNER)
    assert hole.notes == ("read through its palette",)


@pytest.mark.parametrize(
    ("values", "threshold"),
    [
        (painted([1], [0]), 1.0),
        (painted([101], [100]), 101.0),
        (np.where(CORNER, np.uint16(700), np.uint16(600)), 650.0),
    ],
)
def test_a_threshold_is_in_the_levels_of_the_file(
    tmp_path: Path, values: np.ndarray, threshold: float
) -> None:
    hole = read(saved(values, tmp_path / "mask.png"), threshold=threshold)
    assert np.array_equal(hole.selected, CORNER)
    assert hole.notes == ()


@pytest.mark.parametrize(
    ("values", "brightest", "hint"),
    [
        (painted([1], [0]), "1 of 255", "0/1 mask? --mask-threshold 1"),
        (CORNER.astype(np.uint16), "1 of 65535", "0/1 mask? --mask-threshold 1"),
        (painted([20], [0]), "20 of 255", "--mask-threshold N fills from level N upwards"),
        (painted([127], [0]), "127 of 255", "--mask-threshold N fills from level N upwards"),
    ],
)
def test_a_mask_too_dark_to_select_anything_is_refused(
    tmp_path: Path, values: np.ndarray, brightest: str, hint: str
) -> None:
    path = saved(values, tmp_path / "mask.png")
    with pytest.raises(InputError) as refusal:
        read(path)
    assert str(refusal.value) == f"{path}: brightest value is {brightest}, nothing is selected"
    assert refusal.value.hint == hint


def test_a_black_mask_is_left_for_the_check_as_inverting_it_makes_sense(tmp_path: Path) -> None:
    hole = read(saved(painted([0], [0]), tmp_path / "mask.png"))
    assert not hole.selected.any()
    assert adjusted(hole, invert=True, grow=0).selected.all()


def test_a_mask_of_another_size_is_refused_with_both_sizes(tmp_path: Path) -> None:
    path = saved(CORNER, tmp_path / "mask.png")
    with pytest.raises(InputError) as refusal:
        read(path, (60, 80))
    assert str(refusal.value) == f"{path} is 8x6 but photo.jpg is 80x60"
    assert refusal.value.hint == "--fit-mask resizes it"


def test_swapped_sizes_look_like_a_rotation(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        read(saved(CORNER, tmp_path / "mask.png"), (8, 6))
    assert refusal.value.hint.startswith("looks like an EXIF rotation")


def test_a_mask_is_turned_upright_before_sizes_are_compared(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    hole = read(saved(CORNER, tmp_path / "mask.png", exif=exif), (8, 6))
    assert np.array_equal(hole.selected, np.rot90(CORNER, -1))
    assert hole.notes == ("turned upright by its EXIF orientation",)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_fitted_mask_is_resized_by_nearest_neighbour(tmp_path: Path, times: int) -> None:
    large = CORNER.repeat(times, 0).repeat(times, 1)
    larger = read(saved(CORNER, tmp_path / "mask.png"), large.shape, fit=True)
    smaller = read(saved(large, tmp_path / "large.png"), CORNER.shape, fit=True)
    assert np.array_equal(larger.selected, large)
    assert np.array_equal(smaller.selected, CORNER)
    if times > 1:
        assert larger.notes == (f"resized from 8x6 to {8 * times}x{6 * times}",)


@pytest.mark.parametrize(("columns", "noted"), [(4, False), (5, True), (7, True), (8, False)])
def test_more_than_half_but_not_all_is_doubted(tmp_path: Path, columns: int, noted: bool) -> None:
    mask = np.zeros((6, 8), dtype=bool)
    mask[:, :columns] = True
    hole = read(saved(mask, tmp_path / "mask.png"))
    assert any("--invert-mask" in note for note in hole.notes) == noted
    assert not adjusted(hole, invert=True, grow=0).notes


@pytest.mark.parametrize(("grey_rows", "noted"), [(5, False), (6, True)])
def test_a_mask_with_more_than_a_trace_of_grey_is_doubted(
    tmp_path: Path, grey_rows: int, noted: bool
) -> None:
    levels = np.zeros((100, 10), dtype=np.uint8)
    levels[:grey_rows], levels[50:60], levels[60:70] = 140, 255, 8
    path = saved(levels, tmp_path / "mask.png")
    hole = read(path, (100, 10))
    assert any("6 % of it is neither black nor white" in note for note in hole.notes) == noted
    assert not read(path, (100, 10), threshold=200.0).notes


def test_a_broken_mask_is_refused_like_a_broken_picture(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"mask\.png: an empty file"):
        read(tmp_path / "mask.png")


def test_the_hole_is_where_a_picture_is_transparent() -> None:
    alpha = np.array([[0, 127, 128, 255]], dtype=np.uint8)
    image = Image.fromarray(np.stack([alpha * 0 + 9, alpha], axis=-1))
    assert from_alpha(image, "a.png").selected.tolist() == [[True, True, False, False]]
    with pytest.raises(InputError, match=r"a\.png: has no alpha channel"):
        from_alpha(Image.new("RGB", (2, 2)), "a.png")


def test_the_hole_is_the_union_of_boxes() -> None:
    hole = from_boxes([(0, 0, 3, 2), (2, 1, 1, 1), (7, 5, 1, 1)], (6, 8))
    expected = CORNER.copy()
    expected[5, 7] = True
    assert np.array_equal(hole.selected, expected)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((0, 0, 0, 2), "--box 0,0,0,2: has no area"),
        ((0, 0, 2, -1), "--box 0,0,2,-1: has no area"),
        ((7, 0, 2, 1), "--box 7,0,2,1: reaches out of the picture, which is 8x6"),
        ((0, 6, 1, 1), "--box 0,6,1,1: reaches out of the picture, which is 8x6"),
        ((-1, 0, 3, 1), "--box -1,0,3,1: reaches out of the picture, which is 8x6"),
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


@given(selected=SMALL_HOLES, grow=st.integers(0, 10))
def test_growing_is_the_union_of_squares(selected: np.ndarray, grow: int) -> None:
    rows, columns = np.indices(selected.shape)
    expected = np.zeros_like(selected)
    for row, column in np.argwhere(selected):
        expected |= np.maximum(abs(rows - row), abs(columns - column)) <= grow
    assert np.array_equal(adjusted(Hole(selected), invert=False, grow=grow).selected, expected)


@given(selected=SMALL_HOLES, grow=st.integers(-10, 10))
def test_shrinking_is_growing_what_is_kept(selected: np.ndarray, grow: int) -> None:
    shrunk = adjusted(Hole(selected), invert=False, grow=-grow).selected
    kept = adjusted(Hole(~selected), invert=False, grow=grow).selected
    assert np.array_equal(shrunk, ~kept)


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
    assert "--invert-mask" in refusal.value.hint
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
    assert describe(Hole(selected)) == expected
