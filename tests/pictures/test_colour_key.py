"""A colour of the picture may mark its hole."""

import numpy as np
import pytest

from npfill.errors import InputError, UsageError
from npfill.pictures.colours import of_colour
from npfill.pictures.picture import Picture

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
    with pytest.raises(InputError, match="selects 0 px of a exactly"):
        of_colour(picture, "color:#808000")


@pytest.mark.parametrize(
    "text", ["color:", "color:reddish", "color:#ff00ff80", "color:#ff00ff~", "color:#ff00ff~x"]
)
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a colour") as refusal:
        of_colour(Picture(COLOURS, "PNG", "a"), text)
    assert "color:#rrggbb~TOLERANCE" in refusal.value.hint


def test_data_have_no_colours() -> None:
    data = Picture(COLOURS, "NPY", "a.npy", is_data=True, missing=COLOURS > 255)
    with pytest.raises(InputError, match=r"a\.npy: data have no colours"):
        of_colour(data, "color:#ff00ff")
