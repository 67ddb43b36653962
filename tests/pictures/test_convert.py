"""Pictures from Python keep their type, shape and unit, whatever they come as."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.ExifTags import Base

import npfill
from npfill.errors import InputError
from npfill.pictures.convert import as_masks, as_picture, as_values, turned_as
from npfill.pictures.formats import png_bytes
from npfill.pictures.hole import from_mask
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.nodata import with_missing
from npfill.pictures.picture import Picture
from npfill.pictures.read import read_picture

SIZE = (5, 7)
HOLE = np.zeros(SIZE, dtype=bool)
HOLE[1:3, 2:6] = True
PICTURE = Picture(np.zeros((*SIZE, 1), dtype=np.uint8), "PNG", "picture")


def values(dtype: Any, *shape: int) -> np.ndarray:
    """Random values: integers over their whole range, floats in [0, 1]."""
    random = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return random.random(shape).astype(dtype)
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def filled(thing: Any, share: float = 0.5) -> np.ndarray:
    """What came in, completed with one intensity and in its own layout again."""
    given = as_picture(thing)
    masked = MaskedPicture.of(given.picture, HOLE)
    answer = np.full((*SIZE, given.picture.colours), share, np.float32)
    return given.restore(masked.filled(answer).values)


ARRAYS = [
    (dtype, shape)
    for dtype in (np.uint8, np.uint16, np.int16, np.int64, np.float16, np.float32, np.float64)
    for shape in (SIZE, (*SIZE, 1), (*SIZE, 2), (*SIZE, 3), (*SIZE, 4), (*SIZE, 6))
]


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "shape"), ARRAYS)
def test_an_array_comes_back_in_its_type_and_shape_and_equals_itself_outside(
    dtype: Any, shape: tuple[int, ...]
) -> None:
    before = values(dtype, *shape)
    copy = before.copy()
    after = filled(before)
    assert (after.dtype, after.shape) == (before.dtype, before.shape)
    assert after[~HOLE].tobytes() == before[~HOLE].tobytes()
    assert (after[HOLE] != before[HOLE]).any()
    assert np.array_equal(before, copy)


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "shape"), ARRAYS)
def test_a_tensor_has_its_channels_first_and_equals_itself_outside(
    dtype: Any, shape: tuple[int, ...]
) -> None:
    before = values(dtype, *shape[2:], *SIZE)
    tensor = torch.from_numpy(before)
    if tensor.is_floating_point():
        tensor.requires_grad_()
    after = filled(tensor)
    assert (after.dtype, after.shape) == (before.dtype, before.shape)
    assert after[..., ~HOLE].tobytes() == before[..., ~HOLE].tobytes()


def test_bfloat16_which_numpy_lacks_comes_back_as_float32() -> None:
    tensor = torch.rand(3, *SIZE).bfloat16()
    after = filled(tensor)
    assert after.dtype == np.float32
    assert np.array_equal(after[:, ~HOLE], tensor.float().numpy()[:, ~HOLE])


def test_a_tensor_may_be_the_negative_of_what_it_stores() -> None:
    tensor = torch.complex(torch.rand(*SIZE), torch.rand(*SIZE)).conj().imag
    assert tensor.is_neg()
    assert np.array_equal(as_picture(tensor).picture.values[..., 0], -np.array((-tensor).tolist()))


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (torch.zeros(SIZE, dtype=torch.complex64).conj(), "complex64"),
        (torch.zeros(SIZE).to_sparse(), "torch.sparse_coo"),
        (torch.zeros(SIZE).to(torch.float8_e4m3fn), "torch.float8_e4m3fn"),
        (torch.zeros(SIZE, device="meta"), "on meta"),
    ],
)
def test_tensors_that_numpy_has_not_are_refused(tensor: torch.Tensor, said: str) -> None:
    with pytest.raises(InputError, match=f"^a tensor.*{said}.* not read"):
        as_picture(tensor, "a tensor")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_bytes_are_pictures_whose_white_is_their_largest_level_and_alpha_is_kept(
    dtype: Any,
) -> None:
    before = values(dtype, *SIZE, 4)
    after = filled(before, 1.0)
    assert (after[HOLE][:, :3] == np.iinfo(dtype).max).all()
    assert np.array_equal(after[..., 3], before[..., 3])


def test_floats_in_the_unit_interval_are_intensities_and_others_are_data() -> None:
    small = values(np.float32, *SIZE, 3) / 2
    assert (filled(small, 1.0)[HOLE] == 1).all()
    assert np.array_equal(filled(small * 100, 1.0)[HOLE].max(0), (small * 100)[~HOLE].max(0))
    two = np.ascontiguousarray(small[..., :2])
    assert np.array_equal(filled(two, 1.0)[HOLE].max(0), two[~HOLE].max(0))
    masked = MaskedPicture.of(as_picture(small).picture, HOLE)
    assert np.array_equal(masked.intensities[~HOLE], small[~HOLE])


@pytest.mark.parametrize("hidden", [np.nan, np.inf, -1.0, 255.0])
def test_values_in_the_hole_do_not_decide_what_floats_are(hidden: float) -> None:
    picture = values(np.float64, *SIZE, 3)
    picture[HOLE] = hidden
    assert (filled(picture, 1.0)[HOLE] == 1).all()


def test_nan_and_masked_entries_are_missing() -> None:
    floats = values(np.float32, *SIZE)
    floats[0, 0] = np.nan
    assert as_picture(floats).picture.lacking.sum() == 1
    for dtype in (np.uint8, np.float32):
        before = values(dtype, *SIZE, 3)
        given = as_picture(np.ma.masked_array(before, HOLE[..., None].repeat(3, -1)))
        assert np.array_equal(given.picture.lacking, HOLE)
        masked = MaskedPicture.of(given.picture, np.zeros(SIZE, dtype=bool))
        assert np.array_equal(masked.hole, HOLE)
        after = given.restore(masked.filled(np.zeros((*SIZE, 3), np.float32)).values)
        assert type(after) is np.ndarray
        assert np.array_equal(after[~HOLE], before[~HOLE])
        assert not after[HOLE].any()


def test_channels_of_a_picture_may_lack_different_pixels_and_its_alpha_is_kept() -> None:
    before = values(np.uint8, *SIZE, 4)
    missing = np.zeros(before.shape, dtype=bool)
    missing[0, 0, 0], missing[1, 1, 2], missing[2, 2, 3] = True, True, True
    given = as_picture(np.ma.masked_array(before, missing))
    masked = MaskedPicture.of(given.picture, np.zeros(SIZE, dtype=bool))
    assert masked.hole.sum() == 2
    after = masked.filled(np.full((*SIZE, 3), 2.0))
    expected = before.copy()
    expected[0, 0, 0] = expected[1, 1, 2] = 255
    assert np.array_equal(after.values, expected)
    assert masked.changed_outside(after) == (0, 0)
    assert masked.filled(np.ones((*SIZE, 3)), opaque=True).values[0, 0, 3] == 255
    assert with_missing(given.picture, missing[..., ::-1]).missing.sum() == 6  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F"])
def test_a_pillow_image_is_what_numpy_makes_of_it_or_of_its_colours(mode: str) -> None:
    image = Image.fromarray(values(np.uint8, *SIZE, 4))
    for through in {"P": ["RGB"], "I;16": ["L"], "I": ["L"], "F": ["L"]}.get(mode, []):
        image = image.convert(through)
    image = image.convert(mode)
    plain = {"1": "L", "P": "RGB"}.get(mode, mode)
    expected = np.asarray(image.convert(plain))
    given = as_picture(image)
    restored = given.restore(given.picture.values)
    assert np.array_equal(restored, expected)
    assert restored.shape == expected.shape
    assert given.picture.is_data == (mode in {"I", "F"})


def test_a_pillow_image_is_not_turned_but_keeps_its_orientation(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    Image.fromarray(values(np.uint8, *SIZE)).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        given = as_picture(image)
    assert given.picture.size == SIZE
    assert "ImageOps.exif_transpose" in given.picture.notes[0]
    assert given.picture.image.getexif()[Base.Orientation] == 6
    assert as_picture(tmp_path / "a.png").picture.size == SIZE[::-1]


@pytest.mark.parametrize("orientation", [1, 6])
def test_all_that_is_saved_of_a_pillow_image_is_shown_turned_alike(
    tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    Image.fromarray(values(np.uint8, *SIZE)).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        done = npfill.complete(image, HOLE, "nearest")
    saved = done.save(tmp_path / "out", emit="mean,preview,npz")
    shown = {read_picture(saved[name]).size for name in ("mean", "preview")}
    assert shown == {SIZE if orientation == 1 else SIZE[::-1]}


def test_a_text_that_looks_like_pixels_does_not_break_what_is_turned() -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    picture = Picture(values(np.uint8, *SIZE, 1), "PNG", "a", info={"exif": exif.tobytes()})
    png = turned_as(png_bytes(Image.fromarray(picture.values[..., 0]), {"Title": "IDAT"}), picture)
    with Image.open(io.BytesIO(png)) as image:
        assert image.info["Title"] == "IDAT"
        assert image.getexif()[Base.Orientation] == 6
        assert np.array_equal(np.asarray(image), picture.values[..., 0])


def test_a_file_is_read_and_comes_back_in_its_shape(tmp_path: Path) -> None:
    for shape in (SIZE, (*SIZE, 1), (*SIZE, 3)):
        before = values(np.float32, *shape) * 100
        np.save(tmp_path / "a.npy", before)
        assert np.array_equal(filled(tmp_path / "a.npy")[~HOLE], before[~HOLE])
        assert filled(str(tmp_path / "a.npy")).shape == shape
    Image.fromarray(values(np.uint8, *SIZE)).save(tmp_path / "a.png")
    assert filled(tmp_path / "a.png").shape == SIZE
    with pytest.raises(InputError, match=r"a\.png: 35 pixels, more than the 34"):
        as_picture(tmp_path / "a.png", max_pixels=34)


def test_an_array_whose_channels_may_come_first_is_told_from_its_file_alike(tmp_path: Path) -> None:
    thing = values(np.float64, 3, 20, 30)
    np.save(tmp_path / "a.npy", thing)
    said = ("read as 20x3 in 30 channels: channels come last",)
    assert as_picture(thing).picture.notes == said
    assert as_picture(tmp_path / "a.npy").picture.notes == said


@pytest.mark.parametrize("scale", [1e-46, 1e-300])
def test_numbers_too_small_for_a_model_are_no_intensities(scale: float) -> None:
    plain = 10 + values(np.float64, *SIZE)
    np.testing.assert_allclose(filled(plain * scale) / scale, filled(plain), rtol=1e-5)


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        (np.zeros(SIZE, dtype=bool), "the photo: true and false are a mask, not a picture"),
        (torch.zeros(SIZE, dtype=torch.bool), "true and false are a mask"),
        (np.zeros(SIZE, dtype=complex), "values of type complex128 are not read"),
        (np.zeros(3), r"an array of shape \(3,\)"),
        (torch.zeros(1, 3, 4, 5), r"an array of shape \(1, 3, 4, 5\)"),
        (np.zeros((0, 4)), r"an array of shape \(0, 4\)"),
        (object(), "values of type object are not read"),
        (Image.new("YCbCr", (2, 2)), "its colour mode YCbCr is not read"),
        (Image.new("CMYK", (2, 2)), "CMYK without a colour profile"),
    ],
)
def test_what_is_no_picture_is_refused_by_its_name(thing: Any, reason: str) -> None:
    with pytest.raises(InputError, match=f"the photo: .*{reason}|{reason}") as refusal:
        as_picture(thing, "the photo")
    assert str(refusal.value).startswith("the photo: ")


def test_who_gives_nothing_is_told_what_is_taken() -> None:
    with pytest.raises(InputError) as refusal:
        as_picture(None, "the photo")
    assert refusal.value.hint.startswith("a file, an image")


@pytest.mark.parametrize(
    "mask",
    [
        HOLE,
        HOLE.tolist(),
        HOLE.astype(np.uint8) * 255,
        HOLE.astype(int),
        HOLE.astype(np.float32) * 0.5,
        HOLE[..., None],
        torch.from_numpy(HOLE)[None],
        Image.fromarray(HOLE),
        Image.fromarray(HOLE.astype(np.uint8) * 128),
    ],
)
def test_a_mask_may_come_as_anything_too(mask: Any) -> None:
    given = as_values(mask, "mask").picture
    hole = from_mask(given, PICTURE)
    assert np.array_equal(hole.selected, HOLE)


def test_a_mask_of_bytes_0_and_1_is_refused_as_in_a_file() -> None:
    given = as_values(HOLE.astype(np.uint8), "mask").picture
    with pytest.raises(InputError, match="mask: brightest value is 1 of 255") as refusal:
        from_mask(given, PICTURE)
    assert refusal.value.hint == "0/1 mask? `mask_threshold=1`"


def test_what_is_masked_once_it_is_read_is_missing_and_selected() -> None:
    class Lazy:
        def __array__(self, *_: object, **__: object) -> np.ndarray:
            return np.ma.masked_array(values(np.float64, *SIZE), HOLE)

    given = as_picture(Lazy()).picture
    assert given.missing is not None
    assert np.array_equal(given.missing[..., 0], HOLE)
    (_, masked) = as_masks(Lazy(), "mask")
    assert isinstance(masked, Picture)
    assert np.array_equal(masked.values[..., 0], HOLE)


@pytest.mark.slow
def test_torch_is_not_imported_to_tell_that_an_array_is_no_tensor() -> None:
    program = (
        "import sys, numpy; from npfill.pictures.convert import as_picture; "
        "as_picture(numpy.zeros((2, 2))); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
