"""A mask means one thing, whatever numbers it comes in; what is doubtful is refused."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from npfill.errors import InputError, UsageError
from npfill.pictures.convert import as_masks
from npfill.pictures.hole import Hole, from_mask
from npfill.pictures.picture import Picture
from npfill.pictures.read import from_bytes, read_mask

SIZE = (40, 60)
HOLE = np.zeros(SIZE, dtype=bool)
HOLE[8:18, 20:35] = True
OTHER = np.zeros(SIZE, dtype=bool)
OTHER[25:35, 5:45] = True
RIM = np.zeros(SIZE, dtype=bool)
RIM[6:8, 20:35] = True
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]]
PHOTO = np.stack([ROWS * 4 + 40, COLUMNS * 3 + 50, 220 - COLUMNS * 2], axis=-1).astype(np.uint8)
OF_PHOTO = Picture(PHOTO, "PNG", "photo.png")
VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0] + [224, 224, 192] * 253
TYPES = ["u1", "<u2", ">u2", "i2", ">i4", "i8", "u8", "f2", "<f4", ">f8"]


def hole_of(mask: Any, **options: Any) -> np.ndarray:
    """The hole that a mask in memory selects in the photo."""
    (picture,) = as_masks(mask, "mask")
    assert isinstance(picture, Picture)
    return from_mask(picture, OF_PHOTO, **options).selected


def refusal_of(mask: Any, **options: Any) -> InputError:
    with pytest.raises(InputError) as refusal:
        hole_of(mask, **options)
    return refusal.value


def indexed(numbers: np.ndarray) -> Image.Image:
    image = Image.fromarray(numbers.astype(np.uint8))
    image.putpalette(VOC)
    return image


@pytest.mark.parametrize("kind", TYPES)
def test_white_is_255_in_numbers_of_any_type_and_byte_order(kind: str, tmp_path: Path) -> None:
    mask = np.where(HOLE, 255, 0).astype(kind)
    if kind.endswith("u2"):  # its white is 65535
        assert "`mask_threshold=128`" in refusal_of(mask).hint
        assert np.array_equal(hole_of(mask, threshold=128.0), HOLE)
        mask = np.where(HOLE, 65535, 0).astype(kind)
    assert np.array_equal(hole_of(mask), HOLE)
    np.save(tmp_path / "mask.npy", mask)
    saved = from_mask(read_mask(tmp_path / "mask.npy"), OF_PHOTO)
    assert saved == Hole(saved.selected)
    assert np.array_equal(saved.selected, HOLE)


@pytest.mark.parametrize("kind", [each for each in TYPES if each[-2:] not in {"u1", "u2"}])
def test_one_is_white_where_nothing_is_greater(kind: str) -> None:
    assert np.array_equal(hole_of(HOLE.astype(kind)), HOLE)


def test_noise_of_a_few_levels_of_255_is_black_in_floats_too() -> None:
    noisy = np.where(HOLE, 255, np.where(OTHER, 3, 0)).astype(np.float32)
    assert np.array_equal(hole_of(noisy), HOLE)
    assert np.array_equal(hole_of(noisy / 255), HOLE)


def test_what_resampling_adds_to_black_and_white_changes_nothing() -> None:
    ringing = np.where(HOLE, 1, 0) + 0.02 * np.sin(COLUMNS)
    assert np.array_equal(hole_of(ringing), HOLE)
    assert np.array_equal(hole_of(ringing * 255), HOLE)


def test_straight_rims_of_what_is_resized_are_no_classes() -> None:
    large = np.zeros((80, 120), np.uint8)
    large[20:60, 10:14], large[20:24, 30:100], large[30:70, 40:90] = 255, 255, 255
    small = Image.fromarray(large).resize(SIZE[::-1], Image.Resampling.BICUBIC)
    assert len(np.unique(np.asarray(small))) > 4
    assert np.array_equal(hole_of(small), large[::2, ::2] > 0)


def test_true_and_false_of_an_image_of_one_bit_are_made_clean() -> None:
    bits = np.asarray(Image.fromarray(HOLE))
    assert set(np.unique(bits.view(np.uint8))) == {0, 255}
    found = hole_of(bits)
    assert set(np.unique(found.view(np.uint8))) == {0, 1}
    assert np.array_equal(found, HOLE)


@pytest.mark.parametrize(
    "levels", [(0, 100), (-1, 1), (0, 7), (1, 2), (0.0, 100.0), (-1.0, 1.0), (0, 32767), (0, 2**40)]
)
def test_numbers_of_an_unknown_white_are_refused_and_the_hint_selects_the_greater(
    levels: tuple[float, float],
) -> None:
    mask = np.where(HOLE, levels[1], levels[0])
    refusal = refusal_of(mask)
    assert "white may be 1, 255 or 65535" in str(refusal)
    threshold = re.search("`mask_threshold=([^`]+)`", refusal.hint)
    assert threshold is not None
    assert np.array_equal(hole_of(mask, threshold=float(threshold[1])), HOLE)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_is_neither_black_nor_white(value: float) -> None:
    assert "NaN or infinite" in str(refusal_of(np.where(HOLE, value, 0)))


@pytest.mark.parametrize("level", [0, 1, 20, 255])
def test_no_hint_of_a_mask_of_one_level_leads_to_all_of_it(level: int) -> None:
    mask = np.full(SIZE, level, np.uint8)
    if level in {0, 255}:
        assert hole_of(mask).all() == (level == 255)
    else:
        assert "mask_threshold" not in refusal_of(mask).hint


def test_channels_that_agree_are_one_in_floats_as_in_bytes() -> None:
    for dtype, white in ((np.uint8, 255), (np.float32, 1)):
        channels = np.stack([HOLE] * 3, axis=-1).astype(dtype) * white
        assert np.array_equal(hole_of(channels), HOLE)


def test_a_palette_of_classes_is_refused_and_the_hint_chooses_one() -> None:
    mask = indexed(np.where(RIM, 255, np.where(HOLE, 1, 0)))
    refusal = refusal_of(mask)
    assert "a map of classes" in str(refusal)
    assert "`mask_label=1`" in refusal.hint
    assert np.array_equal(hole_of(mask, labels=[1]), HOLE)
    assert np.array_equal(hole_of(mask, labels=["1", 255]), HOLE | RIM)
    assert np.array_equal(hole_of(mask, labels=["#800000"]), HOLE)
    assert "nothing in it is of class 7" in str(refusal_of(mask, labels=[7]))
    with pytest.raises(UsageError, match="neither a number nor a colour"):
        hole_of(mask, labels=["dog"])


@pytest.mark.parametrize("suffix", [".png", ".gif", ".bmp", ".tif"])
def test_classes_of_a_file_are_the_numbers_in_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"classes{suffix}"
    indexed(np.where(RIM, 2, np.where(HOLE, 1, 0))).save(path)
    with pytest.raises(InputError, match="a map of classes"):
        from_mask(read_mask(path), OF_PHOTO)
    if suffix != ".gif":  # which sorts its palette by use
        assert np.array_equal(from_mask(read_mask(path), OF_PHOTO, labels=[2]).selected, RIM)
    red = from_mask(read_mask(path), OF_PHOTO, labels=["#800000"])
    assert np.array_equal(red.selected, HOLE)


def test_classes_in_grey_are_refused_even_if_one_is_white() -> None:
    for kind in (np.uint8, np.int64):
        mask = np.where(RIM, 255, np.where(HOLE, 1, 0)).astype(kind)
        refusal = refusal_of(mask)
        assert "`mask_label=1`" in refusal.hint
        assert "`mask_threshold=128`" in refusal.hint
        assert np.array_equal(hole_of(mask, labels=[1]), HOLE)
        assert np.array_equal(hole_of(mask, threshold=1.0), HOLE | RIM)
        assert np.array_equal(hole_of(mask, threshold=128.0), RIM)


def test_a_trimap_is_refused_as_its_grey_is_neither() -> None:
    refusal = refusal_of(np.where(HOLE, 255, np.where(OTHER, 128, 0)).astype(np.uint8))
    assert "a map of classes" in str(refusal)


def test_a_map_of_colours_is_refused_and_a_colour_chooses() -> None:
    mask = np.zeros((*SIZE, 3), np.uint8)
    mask[HOLE], mask[OTHER] = (0, 255, 0), (255, 0, 0)
    refusal = refusal_of(mask)
    assert "`mask_label=#ff0000`" in refusal.hint
    assert np.array_equal(hole_of(mask, labels=["#ff0000"]), OTHER)
    assert np.array_equal(hole_of(mask, labels=["lime", "red"]), HOLE | OTHER)


@pytest.mark.parametrize("colours", [PHOTO, PHOTO[..., :1]])
def test_the_picture_with_its_hole_erased_is_no_mask_but_has_one(colours: np.ndarray) -> None:
    alpha = np.where(HOLE, 0, 255).astype(np.uint8)[..., None]
    erased = np.concatenate([colours, alpha], axis=-1)
    for mask in (erased, erased / 255):
        refusal = refusal_of(mask)
        assert "holds a picture" in str(refusal)
        assert refusal.hint == "complete mask itself, by `mask=alpha`"


def test_a_colour_of_a_lossy_map_is_met_within_what_coding_changes() -> None:
    mask = np.zeros((*SIZE, 3), np.uint8)
    mask[8:24, 16:40] = 255, 0, 0
    content = io.BytesIO()
    Image.fromarray(mask).save(content, "JPEG", quality=85, subsampling=0)
    hole = from_mask(from_bytes(content.getvalue(), "map.jpg"), OF_PHOTO, labels=["red"])
    assert np.array_equal(hole.selected, mask[..., 0] > 0)


@pytest.mark.parametrize("paint", [(255, 255, 255), (0, 0, 0), (255, 0, 255)])
def test_the_picture_with_its_hole_painted_is_no_mask(paint: tuple[int, int, int]) -> None:
    painted = PHOTO.copy()
    painted[HOLE] = paint
    assert "holds a picture" in str(refusal_of(painted))


def test_a_grey_picture_is_no_mask_of_itself_even_if_most_of_it_is_black() -> None:
    dark = np.where(OTHER, ROWS * 4, 0).astype(np.uint8)
    (mask,) = as_masks(dark, "mask")
    with pytest.raises(InputError, match="holds a picture"):
        from_mask(mask, Picture(dark[..., None], "PNG", "dark.png"))  # type: ignore[arg-type]


def test_a_digit_without_greys_is_no_mask_of_itself() -> None:
    digit = np.where(HOLE | OTHER, 255, 0).astype(np.uint8)
    picture = Picture(digit[..., None], "PNG", "digit.png")
    alpha = np.where(ROWS < 20, 255, 0).astype(np.uint8)
    for mask in (digit, np.stack([digit, alpha], axis=-1), np.stack([digit] * 3 + [alpha], -1)):
        (given,) = as_masks(mask, "mask")
        assert isinstance(given, Picture)
        with pytest.raises(InputError, match="holds a picture"):
            from_mask(given, picture)
    assert np.array_equal(hole_of(digit), HOLE | OTHER)


def test_a_mask_that_is_mostly_grey_is_refused_and_the_hint_cuts_it() -> None:
    mask = np.where(HOLE, 200, 100).astype(np.uint8)
    refusal = refusal_of(mask)
    assert "100 % of it is neither black nor white" in str(refusal)
    assert np.array_equal(hole_of(mask, threshold=128.0), HOLE)
    assert "`mask_threshold=128`" in refusal.hint


def test_one_colour_that_is_mostly_opaque_may_mean_either() -> None:
    alpha = np.where(HOLE, 0, 255).astype(np.uint8)
    mask = np.stack([np.full(SIZE, 255, np.uint8)] * 3 + [alpha], axis=-1)
    refusal = refusal_of(mask)
    assert "which part is meant" in str(refusal)
    assert np.array_equal(~hole_of(mask, inverted=True), HOLE)
    assert "`mask_threshold=128`" in refusal.hint
    assert np.array_equal(~hole_of(mask, threshold=128.0), HOLE)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_lossy_mask_and_a_blurred_one_are_as_they_were(kind: str) -> None:
    content, round_hole = io.BytesIO(), np.hypot(ROWS - 20, COLUMNS - 30) < 9
    Image.fromarray(np.where(round_hole, 255, 0).astype(np.uint8)).save(content, kind, quality=60)
    hole = from_mask(from_bytes(content.getvalue(), "mask"), OF_PHOTO)
    assert np.array_equal(hole.selected, round_hole)
    near = np.hypot(ROWS - 20, COLUMNS - 30)
    soft = np.clip(255 - 40 * (near - 8), 0, 255).astype(np.uint8)
    assert np.array_equal(hole_of(soft), soft >= 128)


def test_what_a_masked_array_masks_is_a_mask_of_its_own() -> None:
    masked = np.ma.masked_array(HOLE, OTHER)
    found = [each.values[..., 0] for each in as_masks(masked, "mask") if isinstance(each, Picture)]
    assert np.array_equal(np.logical_or(*found), (HOLE & ~OTHER) | OTHER)


def test_a_mask_that_selects_all_but_a_spot_is_asked_back() -> None:
    mask = np.where(HOLE, 0, 255).astype(np.uint8)
    refusal = refusal_of(mask)
    assert "all but a spot of 150 px" in str(refusal)
    assert refusal.hint.startswith("`invert_mask=True` fills the spot, `mask_threshold=128` all")
    assert np.array_equal(~hole_of(mask, inverted=True), HOLE)
    assert np.array_equal(~hole_of(mask, threshold=128.0), HOLE)
    assert np.array_equal(~hole_of(~HOLE), HOLE)
    scattered = np.random.default_rng(0).random(SIZE) < 0.95
    assert np.array_equal(hole_of(scattered * np.uint8(255)), scattered)


def test_noise_of_a_few_levels_is_black_in_bytes_too() -> None:
    noise = np.random.default_rng(0).integers(0, 3, SIZE, np.uint8)
    assert np.array_equal(hole_of(np.where(HOLE, np.uint8(255), noise)), HOLE)


@pytest.mark.parametrize("deep", [1, 257])
def test_paint_in_a_picture_is_named_by_its_colour(deep: int) -> None:
    painted = PHOTO.copy() * np.uint16(deep) if deep > 1 else PHOTO.copy()
    painted[HOLE] = np.array([255, 0, 16]) * deep
    photo = Picture(PHOTO * np.uint16(deep) if deep > 1 else PHOTO, "PNG", "photo.png")
    (mask,) = as_masks(painted, "red.png")
    assert isinstance(mask, Picture)
    with pytest.raises(InputError) as refusal:
        from_mask(mask, photo)
    assert refusal.value.hint == "complete red.png itself, by `mask=color:#ff0010`"


def test_a_batch_of_one_is_a_mask() -> None:
    for axes in (None, (None, None)):
        assert np.array_equal(hole_of(HOLE[axes]), HOLE)
        assert np.array_equal(hole_of(torch.from_numpy(HOLE)[axes]), HOLE)
    assert "mask[0]" in refusal_of(np.stack([HOLE, OTHER])).hint


def test_numbers_of_objects_are_classes_however_dark() -> None:
    for kind in (np.uint8, np.int32):
        mask = np.where(HOLE, 96, np.where(OTHER, 32, 0)).astype(kind)
        refusal = refusal_of(mask)
        assert "`mask_label=32`" in refusal.hint
        assert np.array_equal(hole_of(mask, labels=[96]), HOLE)


def test_white_that_is_transparent_may_mean_either() -> None:
    colours = np.where(HOLE, 255, 0).astype(np.uint8)
    mask = np.stack([colours, 255 - colours], axis=-1)
    assert "what is light in it is transparent" in str(refusal_of(mask))


def test_a_list_of_masks_is_several_and_a_list_of_rows_one() -> None:
    assert len(as_masks([HOLE, "mask.png", Image.fromarray(OTHER)], "mask")) == 3
    assert len(as_masks(HOLE.tolist(), "mask")) == 1
    assert len(as_masks([*HOLE], "mask")) == 1
