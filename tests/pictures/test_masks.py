"""White is filled and black is kept, whatever a mask file holds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base

import npfill
from npfill.errors import InputError
from npfill.notes import News
from npfill.pictures.hole import Hole, adjusted, from_mask
from npfill.pictures.picture import Picture
from npfill.pictures.read import read_mask
from tests.conftest import of

CORNER = np.zeros((6, 8), dtype=bool)
CORNER[:2, :3] = True


def read(path: Path, size: tuple[int, int] = (6, 8), **options: Any) -> Hole:
    """The hole of a mask file for photo.jpg, which is black."""
    photo = Picture(np.zeros((*size, 1), dtype=np.uint8), "JPEG", "photo.jpg")
    return from_mask(read_mask(path), photo, **options)


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
        (painted([128], [0]), "neither black nor white"),
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
    levels = np.array([[[level] * 3 for level in (0, 0, 0, 0, 32767, 32768)]], dtype=np.uint16)
    hole = read(write_deep_png(tmp_path / "mask.png", levels), (1, 6))
    assert hole.selected.tolist() == [[False] * 5 + [True]]


def test_a_palette_is_looked_up_and_its_numbers_mean_nothing(tmp_path: Path) -> None:
    indexed = Image.fromarray(painted([0], [1]))
    indexed.putpalette([255, 255, 255, 0, 0, 0])
    indexed.save(tmp_path / "mask.png")
    hole = read(tmp_path / "mask.png")
    assert np.array_equal(hole.selected, CORNER)
    assert hole.notes == ("palette picture converted to RGB",)


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
        (painted([1], [0]), "1 of 255", "0/1 mask? `mask_threshold=1`"),
        (CORNER.astype(np.uint16), "1 of 65535", "0/1 mask? `mask_threshold=1`"),
        (painted([20], [0]), "20 of 255", "`mask_threshold=10` fills from level 10 upwards"),
        (painted([127], [5]), "127 of 255", "`mask_threshold=66` fills from level 66 upwards"),
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
    assert refusal.value.hint == "`fit_mask=True` resizes it"


def test_what_a_size_may_come_from_is_said_where_sizes_differ(tmp_path: Path) -> None:
    Image.new("L", (8, 6)).save(tmp_path / "mask.png")
    note = "several pages: only the first is used"
    page = Picture(np.zeros((3, 4, 1), np.uint8), "TIFF", "a.tif", notes=(note,))
    with pytest.raises(InputError, match=f"is 8x6 but a.tif is 4x3; {note}"):
        from_mask(read_mask(tmp_path / "mask.png"), page)


def test_swapped_sizes_look_like_a_rotation(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        read(saved(CORNER, tmp_path / "mask.png"), (8, 6))
    assert refusal.value.hint.startswith("looks like an EXIF rotation")


@pytest.mark.parametrize(("size", "fits"), [((8, 6), False), ((9, 5), False), ((9, 9), True)])
def test_a_mask_that_lies_is_not_fitted_to_a_picture_that_stands(
    tmp_path: Path, size: tuple[int, int], fits: bool
) -> None:
    path = saved(CORNER, tmp_path / "mask.png")
    if fits:
        (note,) = read(path, size, fit=True).notes
        assert note.endswith("from 8x6 to 9x9: stretched")
        assert not isinstance(note, News)
        return
    with pytest.raises(InputError, match=f"is 8x6 but .* is {size[1]}x{size[0]}") as refusal:
        read(path, size, fit=True)
    assert refusal.value.hint.endswith("turn it as the picture is shown")


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
    assert any("`invert_mask=True`" in note for note in hole.notes) == noted
    assert not adjusted(hole, invert=True, grow=0).notes


@pytest.mark.parametrize(("grey_rows", "noted"), [(5, False), (6, True)])
def test_a_mask_with_more_than_a_trace_of_grey_is_doubted(
    tmp_path: Path, grey_rows: int, noted: bool
) -> None:
    levels = np.zeros((100, 10), dtype=np.uint8)
    levels[50:60] = 255
    levels[:grey_rows], levels[60:70] = 140 + np.arange(10), np.arange(10)  # no areas of a level
    path = saved(levels, tmp_path / "mask.png")
    hole = read(path, (100, 10))
    assert any("6 % of it is neither black nor white" in note for note in hole.notes) == noted
    assert not read(path, (100, 10), threshold=200.0).notes


def test_a_broken_mask_is_refused_like_a_broken_picture(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"mask\.png: an empty file"):
        read(tmp_path / "mask.png")


def test_a_mask_of_16_bits_may_have_alpha(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("imagecodecs")
    opaque = np.full(CORNER.shape, 65535, dtype=np.uint16)
    values = np.stack([CORNER * np.uint16(65535), opaque], axis=-1)
    how = {"photometric": "minisblack", "extrasamples": ["unassalpha"], "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "mask.tif", values, metadata=None, **how)
    assert np.array_equal(read(tmp_path / "mask.tif").selected, CORNER)


def test_a_nearly_square_mask_is_no_turned_one() -> None:
    picture, mask = np.zeros((100, 101), np.uint8), np.zeros((200, 199), bool)
    mask[:20, :20] = True
    done = npfill.complete(picture, mask, of("cnp", 1), samples=0, fit_mask=True)
    assert done.hole.sum() == 100
