"""What the extra `depth` brings, and all that works without it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from npfill.errors import InputError
from npfill.pictures.formats import picture_bytes, png_bytes
from npfill.pictures.formats.tiff import is_plain, pages_of
from npfill.pictures.picture import Picture
from npfill.pictures.read import glance, read_picture

Writer = Callable[[Path, np.ndarray], Path]


def levels(channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 65536, (5, 7, channels), dtype=np.uint16)


def write_tiff(path: Path, values: np.ndarray, photometric: Any, **options: Any) -> None:
    if values.shape[-1] == 1:
        values = values[..., 0]
    else:
        options["planarconfig"] = "contig"
    tifffile.imwrite(path, values, photometric=photometric, **options)


def is_refused(path: Path, kind: str, package: str = "imagecodecs") -> bool:
    """Whether reading a file ends with what it needs and the way to get it."""
    with pytest.raises(InputError) as refusal:
        read_picture(path)
    assert refusal.value.hint == "pip install 'npfill[depth]'"
    return str(refusal.value) == f"{path}: {kind} needs {package}, which is not installed"


@pytest.mark.usefixtures("without_depth")
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_a_png_that_pillow_would_cut_to_8_bits_is_refused(
    tmp_path: Path, channels: int, write_deep_png: Writer
) -> None:
    path = write_deep_png(tmp_path / "a.png", levels(channels))
    assert is_refused(path, "a PNG of 16 bits in colour or with alpha")
    with pytest.raises(InputError, match="needs imagecodecs"):
        png_bytes(Picture(levels(channels), "PNG", "a"), {})


@pytest.mark.usefixtures("without_depth")
def test_a_transparent_level_of_16_bits_is_not_lost_but_refused(tmp_path: Path) -> None:
    Image.fromarray(levels(1)[..., 0]).save(tmp_path / "a.png", transparency=520)
    assert is_refused(tmp_path / "a.png", "a PNG of 16 bits in colour or with alpha")


@pytest.mark.parametrize(
    "values",
    [levels(1), levels(3), levels(1).astype(np.float32), levels(6).astype(np.uint8)],
    ids=["16-bit grey", "16-bit RGB", "floats", "bands"],
)
def test_a_tiff_that_is_no_picture_of_8_bits_is_refused(
    tmp_path: Path, values: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiff(tmp_path / "a.tif", values, "rgb" if values.shape[-1] == 3 else "minisblack")
    # scikit-image brings tifffile, too, which alone decompresses little.
    for package in ("imagecodecs", "tifffile"):
        with monkeypatch.context() as hidden:
            hidden.setitem(sys.modules, package, None)
            assert is_refused(tmp_path / "a.tif", "a TIFF that is no picture of 8 bits", package)
            has_levels = values.dtype == np.uint16
            assert glance(tmp_path / "a.tif")[0] == ("" if has_levels else ".tif")


@pytest.mark.usefixtures("without_depth")
@pytest.mark.parametrize("mode", ["1", "P", "L", "LA", "RGB", "RGBA"])
def test_a_tiff_of_8_bits_takes_no_extra(tmp_path: Path, mode: str) -> None:
    shades = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    Image.fromarray(shades).convert(mode).save(tmp_path / "a.tif")
    picture = read_picture(tmp_path / "a.tif")
    assert (picture.format, picture.values.dtype.name) == ("TIFF", "uint8")
    assert not picture.is_data
    (tmp_path / "b.tif").write_bytes(picture_bytes(picture, {}, keep=True))
    assert np.array_equal(read_picture(tmp_path / "b.tif").values, picture.values)


def test_grey_of_16_bits_is_the_same_with_the_extra_and_without(
    tmp_path: Path, write_deep_png: Writer, request: pytest.FixtureRequest
) -> None:
    path = write_deep_png(tmp_path / "a.png", levels(1))
    contents = []
    for hide in (False, True):
        if hide:
            request.getfixturevalue("without_depth")
        picture = read_picture(path)
        assert np.array_equal(picture.values, levels(1))
        contents.append(png_bytes(picture, {"npfill_seed": "3"}))
    (tmp_path / "b.png").write_bytes(contents[1])
    assert contents[0] == contents[1]
    assert np.array_equal(read_picture(tmp_path / "b.png").values, levels(1))


@pytest.mark.slow
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("dtype", "channels", "photometric", "plain"),
    [
        ("u1", 1, "minisblack", True),
        ("u1", 2, "miniswhite", False),  # nothing says that the second is alpha
        ("u1", 3, "minisblack", False),
        ("u1", 3, "rgb", True),
        ("u1", 4, "separated", True),
        ("u1", 5, "rgb", False),
        ("i1", 1, "minisblack", False),
        ("u2", 1, "minisblack", False),
        ("u2", 3, "rgb", False),
        ("f4", 1, "minisblack", False),
        ("u4", 2, "minisblack", False),
    ],
)
def test_a_tiff_is_known_for_a_picture_of_8_bits_by_its_tags(
    tmp_path: Path,
    order: str,
    big: bool,
    dtype: str,
    channels: int,
    photometric: str,
    plain: bool,
) -> None:
    values = np.zeros((5, 7, channels), dtype)
    write_tiff(tmp_path / "a.tif", values, photometric, byteorder=order, bigtiff=big)
    with (tmp_path / "a.tif").open("rb") as file:
        assert is_plain(pages_of(file)[0]) == plain
