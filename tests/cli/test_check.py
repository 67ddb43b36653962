"""What a tool changed outside the hole is counted."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from npfill.pictures.difference import difference
from npfill.pictures.picture import Picture
from tests.cli.conftest import Command

SELECTED = np.zeros((5, 6), dtype=bool)
SELECTED[1:4, 1:3] = True


@pytest.fixture
def values(photo: Path) -> np.ndarray:
    with Image.open(photo) as image:
        return np.array(image)


def test_a_change_in_the_hole_alone_is_none(
    npfill: Command, photo: Path, mask: Path, values: np.ndarray
) -> None:
    values[SELECTED] ^= 255
    after = photo.with_name("after.png")
    Image.fromarray(values).save(after)
    ended = npfill("check", photo, after, "--mask", mask)
    assert (ended.code, ended.out) == (0, b"outside changed: 0 of 24 px\n")
    assert npfill("check", photo, after, "--box", "1,1,1,1").code == 7


def test_changes_outside_are_counted_with_the_largest(
    npfill: Command, photo: Path, mask: Path, values: np.ndarray
) -> None:
    values[0, 0, 1] ^= 4
    values[4, 5] ^= 1
    after = photo.with_name("[after].bmp")
    Image.fromarray(values).save(after)
    ended = npfill("check", photo, after, "--mask", mask)
    assert ended.code == 7
    assert "outside changed: 2 of 24 px, by at most 4 of 255" in ended.err


def test_as_many_pixels_are_read_as_is_said(npfill: Command, photo: Path, mask: Path) -> None:
    words = ("check", photo, photo, "--mask", mask, "--max-pixels")
    assert npfill(*words, 30).code == 0
    ended = npfill(*words, 29)
    assert (ended.code, "--max-pixels 30 if it is what it claims to be" in ended.err) == (3, True)


def test_another_size_and_another_mode_are_said(
    npfill: Command, photo: Path, mask: Path, values: np.ndarray
) -> None:
    after = photo.with_name("after.png")
    Image.fromarray(values).convert("RGBA").save(after)
    ended = npfill("check", photo, after, "--mask", mask)
    assert ended.code == 0
    assert f"{after} is RGBA but {photo} is RGB" in ended.err
    Image.fromarray(values[:4]).save(after)
    ended = npfill("check", photo, after, "--mask", mask)
    assert ended.code == 7
    assert f"{after} is 6x4 but {photo} is 6x5" in ended.err


def test_each_plane_is_compared_by_its_own_hole(npfill: Command, tmp_path: Path) -> None:
    before, after = (np.arange(60.0).reshape(5, 6, 2) for _ in range(2))
    before[SELECTED, 0] = np.nan
    for name, values in (("before", before), ("after", after)):
        np.save(tmp_path / f"{name}.npy", values)
    asked = "check", tmp_path / "before.npy", tmp_path / "after.npy"
    assert npfill(*asked).code == 0
    after[2, 2, 1] += 3
    np.save(tmp_path / "after.npy", after)
    ended = npfill(*asked)
    assert ended.code == 7
    assert "outside changed: 1 of 30 px, by at most 3" in ended.err


@pytest.mark.slow
def test_every_result_of_npfill_passes(
    npfill: Command, photo: Path, mask: Path, weights: Path
) -> None:
    npfill("complete", photo, "--mask", mask, "-m", weights)
    for name in ("mean", "sample-1"):
        assert (
            npfill("check", photo, photo.with_name(f"photo_{name}.png"), "--mask", mask).code == 0
        )


@pytest.mark.slow
@given(
    st.sampled_from(["L", "LA", "RGB", "RGBA"]),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), unique=True),
    st.integers(1, 255),
)
def test_as_many_pixels_differ_as_were_changed(
    mode: str, changed: list[tuple[int, int]], by: int
) -> None:
    before = Image.new(mode, (6, 5))
    after = before.copy()
    last = (0,) * (len(mode) - 1)
    for row, column in changed:
        after.putpixel((column, row), (*last, by) if last else by)
    one, other = Picture.of(before, "a"), Picture.of(after, "b")
    found = difference(one, other)
    assert (found.count, found.largest) == (len(changed), by if changed else 0)
    assert difference(one, other, np.ones((5, 6, 1), dtype=bool)).count == 0


def test_levels_that_are_shown_otherwise_are_told(npfill: Command, photo: Path) -> None:
    other = photo.with_name("other.png")
    Image.open(photo).save(other, icc_profile=b"a profile")
    ended = npfill("check", photo, other, "--box", "1,1,2,3")
    assert ended.code == 0
    assert "other.png says other things of its colours than" in ended.err
    assert "other things" not in npfill("check", photo, photo, "--box", "1,1,2,3").err
