"""A colour of the picture may mark its hole."""

import io

import numpy as np
import pytest
from PIL import Image

from npfill.errors import InputError, UsageError
from npfill.pictures.colours import of_colour
from npfill.pictures.picture import Picture
from npfill.pictures.read import from_bytes

COLOURS = np.array([[[255, 0, 255], [247, 8, 255], [246, 0, 255], [0, 0, 0]]], dtype=np.uint8)


@pytest.mark.parametrize("deep", [1, 257])
@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("color:#ff00ff", [True, False, False, False]),
        ("color:#FF00FF~8", [True, True, False, False]),
        ("color:#ff00ff~9", [True, True, True, False]),
        ("color:#000000~0", [False, False, False, True]),
    ],
)
def test_the_hole_is_where_no_channel_differs_by_more_than_the_tolerance(
    text: str, selected: list[bool], deep: int
) -> None:
    values = COLOURS * np.uint16(deep) if deep > 1 else COLOURS
    assert of_colour(Picture(values, "PNG", "a"), text)[0].tolist() == [selected]


def test_grey_has_three_equal_channels_and_alpha_does_not_count() -> None:
    values = np.array([[[128, 0], [128, 255], [129, 255]]], dtype=np.uint8)
    picture = Picture(values, "PNG", "a")
    assert of_colour(picture, "color:#808080")[0].tolist() == [[True, True, False]]
    with pytest.raises(InputError, match=r"color:#808000: no pixel of a is within 48 levels$"):
        of_colour(picture, "color:#808000")
    with pytest.raises(InputError, match=r"no pixel of a is within 60 levels$"):
        of_colour(picture, "color:#808000~60")


@pytest.mark.parametrize(
    "text", ["color:", "color:reddish", "color:#ff00ff80", "color:#ff00ff~", "color:#ff00ff~x"]
)
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a colour") as refusal:
        of_colour(Picture(COLOURS, "PNG", "a"), text)
    assert "color:#rrggbb~TOLERANCE" in refusal.value.hint


def jpeg_of(hole: np.ndarray) -> Picture:
    """A photo with a hole in magenta, as it comes back from a lossy file."""
    rows, columns = np.mgrid[: hole.shape[0], : hole.shape[1]]
    values = np.stack([rows % 200, columns % 150, (rows + columns) % 180], -1).astype(np.uint8)
    values[hole] = 255, 0, 255
    content = io.BytesIO()
    Image.fromarray(values).save(content, "JPEG", quality=80)
    return from_bytes(content.getvalue(), "a")


def test_a_jpeg_has_a_tolerance_of_its_own_which_is_said() -> None:
    hole = np.zeros((160, 200), dtype=bool)
    hole[40:100, 50:130] = True
    selected, (note,) = of_colour(jpeg_of(hole), "color:magenta")
    assert not selected[~hole].any()
    assert selected[hole].mean() > 0.9
    assert "within 24 levels are taken" in note
    assert "npfill mask a with `colour` takes rims, too" in note
    assert "`grow" not in note
    assert of_colour(jpeg_of(hole), "color:magenta~24")[0].sum() == selected.sum()


def test_a_colour_that_selects_next_to_nothing_is_refused_with_what_others_would() -> None:
    values = np.full((160, 200, 3), 100, np.uint8)
    values[40:100, 50:130] = 255, 0, 255
    values[40:100, 50:130, 1] = np.arange(1, 41).repeat(2)  # off by 1 to 40 levels
    picture = Picture(values, "PNG", "a")
    with pytest.raises(InputError) as refusal:
        of_colour(picture, "color:magenta")
    assert "selects 0 px of a exactly, 1,440 px within 12 levels" in str(refusal.value)
    assert "2,880 px within 24 levels, 4,800 px within 48 levels" in str(refusal.value)
    assert refusal.value.hint == "`mask=color:magenta~12` fills those, too"
    assert of_colour(picture, "color:magenta~12")[0].sum() == 1440


def test_a_colour_without_tolerance_that_many_nearly_have_is_asked_back() -> None:
    values = np.full((40, 60, 1), 128, np.uint8)
    values[:5], values[0, :7] = 250, 255
    with pytest.raises(InputError, match="7 px of a exactly, 300 px within 12") as refusal:
        of_colour(Picture(values, "PNG", "a"), "color:white")
    assert refusal.value.hint.endswith("~12` fills those, too; ~0 is these alone")
    assert of_colour(Picture(values, "PNG", "a"), "color:white~0")[0].sum() == 7


@pytest.mark.slow
def test_a_pixel_of_a_million_is_not_what_was_meant_even_with_a_tolerance() -> None:
    values = np.full((1000, 1000, 1), 128, np.uint8)
    values[0, :500], values[0, 0] = 250, 255
    with pytest.raises(InputError, match=r"1 px of a within 2 levels, 500 px within 12"):
        of_colour(Picture(values, "PNG", "a"), "color:white~2")
    values[0, 1:500] = 128
    assert of_colour(Picture(values, "PNG", "a"), "color:white~2")[0].sum() == 1


@pytest.mark.parametrize("text", ["color:magenta", "color:#f0f", "COLOR:Fuchsia~0"])
def test_colours_have_names(text: str) -> None:
    assert of_colour(Picture(COLOURS[:, :1], "PNG", "a"), text)[0].tolist() == [[True]]


def test_data_other_than_levels_have_no_colours() -> None:
    content = io.BytesIO()
    np.save(content, COLOURS.astype(np.int16))
    with pytest.raises(InputError, match=r"a\.npy: data have no colours"):
        of_colour(from_bytes(content.getvalue(), "a.npy"), "color:#ff00ff")


def test_levels_that_are_data_have_colours_and_floats_have_none() -> None:
    depth = np.array([[[0], [1]], [[1300], [0]]], dtype=np.uint16)
    missing = np.zeros(depth.shape, dtype=bool)
    data = Picture(depth, "PNG", "a", is_data=True, missing=missing)
    selected, _ = of_colour(data, "color:black")
    assert selected.tolist() == [[True, False], [False, True]]
    floats = Picture(depth.astype(np.float32), "NPY", "a", is_data=True, missing=missing)
    with pytest.raises(InputError, match="data have no colours"):
        of_colour(floats, "color:black")
