"""Data come in as they are, and go out in the format that they came in."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from npfill.errors import InputError
from npfill.pictures.formats import picture_bytes
from npfill.pictures.hole import from_mask
from npfill.pictures.picture import Picture
from npfill.pictures.read import glance, read_mask, read_picture
from tests.data_files import load, save

TYPES = ["u1", "i2", "<u2", ">u2", "i8", "u8", "f2", "<f4", ">f4", "f8"]
SHAPES = [(4, 5), (4, 5, 1), (4, 5, 2), (4, 5, 3), (4, 5, 7)]
FORMATS = [".npy", ".npz", ".tif"]
OF_4_BY_5 = Picture(np.zeros((4, 5, 1), dtype=np.uint8), "PNG", "a")


def measured(dtype: Any, *shape: int) -> np.ndarray:
    """Measurements of a type, the first of them NaN where there is such a thing."""
    values = np.random.default_rng(0).normal(1000, 300, shape).astype(dtype)
    if values.dtype.kind == "f":
        values[0, 0] = np.nan
    return values


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "dtype", "shape"),
    [
        (kind, dtype, shape)
        for kind, dtype, shape in product(FORMATS, TYPES, SHAPES)
        # Those are pictures, and TIFF files have no such shape.
        if kind != ".tif" or not (dtype[-2:] in {"u1", "u2"} or shape[2:] == (1,))
    ],
)
def test_data_go_out_as_they_came_in(
    tmp_path: Path, kind: str, dtype: str, shape: tuple[int, ...]
) -> None:
    values = measured(dtype, *shape)
    path = save(tmp_path / f"a{kind}", values)
    assert glance(path)[0] == kind
    picture = read_picture(path)
    assert picture.is_data
    assert picture.missing is not None
    assert np.array_equal(picture.missing.reshape(shape), np.isnan(values))
    (tmp_path / f"b{kind}").write_bytes(picture_bytes(picture, {}, keep=False))
    after = load(tmp_path / f"b{kind}")
    assert after.shape == shape
    assert after.dtype == (values.dtype if kind != ".tif" else values.dtype.newbyteorder("="))
    assert np.array_equal(after, values, equal_nan=values.dtype.kind == "f")


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_bands_that_are_no_colours_are_data(tmp_path: Path, dtype: str) -> None:
    values = measured(dtype, 4, 5, 6)
    picture = read_picture(save(tmp_path / "a.tif", values))
    assert picture.is_data
    assert np.array_equal(picture.values, values)


def test_planes_stay_planes(tmp_path: Path) -> None:
    values = measured("f4", 4, 5, 3)
    planes = np.moveaxis(values, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    picture = read_picture(tmp_path / "a.tif")
    assert np.array_equal(picture.values, values, equal_nan=True)
    (tmp_path / "b.tif").write_bytes(picture_bytes(picture, {}, keep=False))
    assert np.array_equal(tifffile.imread(tmp_path / "b.tif"), planes, equal_nan=True)


def test_what_stands_for_nothing_in_a_geotiff_is_missing_and_its_place_is_kept(
    tmp_path: Path,
) -> None:
    values = np.array([[1, -9999], [3, 4]], dtype=np.float32)
    scale = (33550, 12, 3, (30.0, 30.0, 0.0), True)
    tags = [scale, (42113, 2, 0, "-9999", True)]
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", extratags=tags)
    picture = read_picture(tmp_path / "a.tif")
    assert picture.missing is not None
    assert picture.missing[..., 0].tolist() == [[False, True], [False, False]]
    (tmp_path / "b.tif").write_bytes(picture_bytes(picture, {}, keep=False))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.pages[0].tags[33550].value == scale[3]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros((4, 5), dtype=complex), "values of type complex128 are not read"),
        (np.array([["a"]]), "values of type <U1 are not read"),
        (np.zeros(5), "an array of shape \\(5,\\)"),
        (np.zeros((1, 2, 3, 4)), "an array of shape \\(1, 2, 3, 4\\)"),
        (np.zeros((0, 4)), "an array of shape \\(0, 4\\)"),
        (np.zeros((2, 2), dtype=bool), "a mask, not a picture"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(
    tmp_path: Path, values: np.ndarray, reason: str
) -> None:
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(InputError, match=rf"a\.npy: .*{reason}"):
        read_picture(tmp_path / "a.npy")


def test_an_array_is_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="values of type object are not read"):
        read_picture(tmp_path / "a.npy")


def test_an_archive_of_several_arrays_or_of_none_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", left=np.ones((2, 2)), right=np.ones((2, 2)))
    with pytest.raises(InputError, match=r"holds 2 arrays \(left, right\), not one"):
        read_picture(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(InputError, match=r"b\.npz: cannot be read"):
        read_picture(tmp_path / "b.npz")


@pytest.mark.parametrize("kind", FORMATS)
def test_too_large_data_are_refused_before_they_are_read(tmp_path: Path, kind: str) -> None:
    path = save(tmp_path / f"a{kind}", measured("f4", 4, 5, 7))
    with pytest.raises(InputError, match="40 pixels, more than the 39"):
        read_picture(path, 39)
    assert read_picture(path, 40).size == (4, 5)


def test_a_header_that_claims_too_much_allocates_nothing(tmp_path: Path) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(InputError, match="1,000,000,000,000 pixels"):
        read_picture(tmp_path / "a.npy")


def test_channels_that_come_first_are_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 20, 30)))
    notes = read_picture(tmp_path / "a.npy").notes
    assert notes == ("read as 20x3 in 30 channels: channels come last",)


@pytest.mark.parametrize("one", [True, np.uint8(255), np.uint16(65535), 1, 1.0, np.float32(1)])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_mask_may_be_an_array(tmp_path: Path, kind: str, one: Any) -> None:
    selected = np.zeros((4, 5), dtype=bool)
    selected[1:3, 2:4] = True
    path = save(tmp_path / f"mask{kind}", np.where(selected, one, np.zeros_like(one)))
    hole = from_mask(read_mask(path), OF_4_BY_5)
    assert np.array_equal(hole.selected, selected)
    assert hole.notes == ()


def test_a_mask_array_of_several_channels_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.ones((4, 5, 2), dtype=bool))
    mask = read_mask(tmp_path / "mask.npy")
    with pytest.raises(InputError, match=r"mask\.npy: a mask of 2 channels"):
        from_mask(mask, OF_4_BY_5)
