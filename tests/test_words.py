"""Words for a person: how sure a completion is, and which model is made for a picture."""

import numpy as np

import npfill
from npfill.completion.parameters import SamplingOptions
from npfill.completion.words import better_model, left_open, sureness
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import Picture

HOLE = np.ones((40, 60), dtype=bool)


def stds(*boxes: tuple[slice, slice]) -> np.ndarray:
    std = np.full((40, 60, 3), 0.02, np.float32)
    for box in boxes:
        std[box] = 0.3
    return std


def said_of(std: np.ndarray) -> str:
    grey = Picture(np.zeros((40, 60, 3), np.uint8), "PNG", "a")
    (line,) = sureness(std, MaskedPicture.of(grey, HOLE))
    return line


def test_how_sure_it_is_counts_places_and_says_where() -> None:
    assert said_of(stds()) == "sure everywhere"
    one = (slice(10, 14), slice(20, 24))
    assert said_of(stds(one)) == "sure nearly everywhere, unsure at a place about 22,12"
    wider = (slice(20, 40), slice(30, 50))
    said = said_of(stds(one, wider))
    assert said == "sure in most places, unsure at 2 places, the largest about 40,30"
    assert said_of(stds((slice(40), slice(60)))).startswith("a guess in much of the hole")


def test_single_pixels_are_no_places_and_count_all_the_same() -> None:
    assert said_of(stds((slice(3, 5), slice(3, 5)))) == "sure nearly everywhere"
    apart = (slice(None, None, 2), slice(None, None, 2))
    assert said_of(stds(apart)) == "sure in most places"


def test_what_stays_open_is_told_with_the_confidence_that_was_asked_for() -> None:
    picture = Picture(np.zeros((4, 6, 3), np.uint8), "PNG", "a")
    for confidence, said in ((None, "90 %"), (0.5, "50 %"), (0.999, "99.9 %")):
        how = SamplingOptions(confidence=confidence, tolerance=8.0)
        line = f"1,234 px stay open: their {said} interval is wider than 8"
        assert left_open(1234, how, picture) == line


def test_a_digit_and_a_face_are_told_of_the_models_made_for_them() -> None:
    digit = Picture(np.zeros((28, 28, 1), np.uint8), "PNG", "a")
    face = Picture(np.zeros((64, 64, 3), np.uint8), "PNG", "b")
    assert "flownp-mnist" in better_model(digit, "convcnp-photo")[0]
    assert "flownp-celeba" in better_model(face, "convcnp-photo")[0]
    assert better_model(digit, "cnp-mnist") == better_model(face, "telea") == []


def test_what_is_transparent_needs_no_mask_and_that_is_said() -> None:
    picture = np.full((20, 20, 4), 200, np.uint8)
    picture[5:9, 5:9, 3] = 0
    done = npfill.complete(picture, model="nearest", samples=0)
    assert done.hole.sum() == 16
    assert "what is transparent is filled" in done.notes[0]
    assert (done.mean[5:9, 5:9, 3] == 255).all()


def test_a_place_is_told_where_it_lies_in_the_picture() -> None:
    hole = np.zeros((40, 60), dtype=bool)
    hole[8:20, 15:40] = True
    masked = MaskedPicture.of(Picture(np.zeros((40, 60, 3), np.uint8), "PNG", "a"), hole)
    std, place = stds(), (slice(10, 14), slice(20, 24))
    std[place] = 0.101
    assert sureness(std, masked)[0].endswith("unsure at a place about 22,12")
    std[place] = 0.099
    assert sureness(std, masked) == ["sure everywhere"]
