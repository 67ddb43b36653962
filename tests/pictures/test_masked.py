"""A picture is filled, and nothing but its hole changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import npfill
from npfill.errors import InputError, NpfillError
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import Picture
from tests.conftest import of

DATA = [np.uint8, np.int16, np.uint16, np.int64, np.uint64, np.float16, np.float32, np.float64]


def picture_of(values: np.ndarray) -> Picture:
    return Picture(values, "PNG", "a.png")


def data_of(values: np.ndarray) -> Picture:
    return Picture(values, "NPY", "a.npy", is_data=True, missing=np.isnan(values))


def noise(dtype: type, channels: int, size: tuple[int, int] = (5, 7)) -> np.ndarray:
    limit = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, limit, (*size, channels), dtype, endpoint=True)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Levels, a hole in it, and values for its colour channels that may be anything outside."""
    size = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    levels = draw(hnp.arrays(dtype, (*size, draw(st.integers(1, 4)))))
    hole = draw(hnp.arrays(bool, size))
    shape = (*size, 1 if levels.shape[-1] < 3 else 3)
    values = draw(hnp.arrays(np.float32, shape, elements=st.floats(-1, 2, width=32)))
    values[~hole] = draw(st.sampled_from([np.nan, np.inf, 0.5]))
    return levels, hole, values


@settings(max_examples=200, deadline=None)
@given(picture=pictures(), opaque=st.booleans())
@pytest.mark.slow
def test_outside_the_hole_no_level_changes(
    picture: tuple[np.ndarray, np.ndarray, np.ndarray], opaque: bool
) -> None:
    levels, hole, values = picture
    before = picture_of(levels)
    original = before.values.copy()
    incomplete = MaskedPicture.of(before, hole)
    after = incomplete.filled(values, opaque=opaque)
    assert np.array_equal(before.values, original)
    assert (after.values.dtype, after.values.shape) == (original.dtype, original.shape)
    assert np.array_equal(after.values[~hole], original[~hole])
    assert incomplete.changed_outside(after) == (0, 0)
    colours = before.colours
    expected = np.rint(np.clip(values[hole].astype(float), 0, 1) * before.white)
    assert np.array_equal(after.values[hole, :colours], expected)
    alpha = original[hole, colours:]
    assert np.array_equal(
        after.values[hole, colours:], np.full_like(alpha, before.white) if opaque else alpha
    )


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_filling_with_its_own_intensities_changes_nothing(dtype: type, channels: int) -> None:
    picture = picture_of(noise(dtype, channels, (64, 64)))
    incomplete = MaskedPicture.of(picture, np.ones((64, 64), dtype=bool))
    assert incomplete.intensities.shape == (64, 64, 1 if channels < 3 else 3)
    assert incomplete.intensities.dtype == np.float32
    filled = incomplete.filled(incomplete.intensities)
    assert np.array_equal(filled.values, picture.values)


def test_half_levels_round_to_even() -> None:
    incomplete = MaskedPicture.of(
        picture_of(noise(np.uint8, 1, (1, 4))), np.ones((1, 4), dtype=bool)
    )
    values = np.array([0.5, 1.5, 2.5, 254.5]).reshape(1, 4, 1) / 255
    assert incomplete.filled(values).values.ravel().tolist() == [0, 2, 2, 254]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_changed_outside_are_counted_whichever_channel(dtype: type, channels: int) -> None:
    before = picture_of(noise(dtype, channels))
    values = before.values.copy()
    values[0, 0, -1] ^= 1
    values[2, 3] ^= 4
    values[4, 4] ^= 8
    hole = np.zeros((5, 7), dtype=bool)
    assert MaskedPicture.of(before, hole).changed_outside(picture_of(values)) == (3, 8)
    hole[4, 4] = True
    assert MaskedPicture.of(before, hole).changed_outside(picture_of(values)) == (2, 4)


def test_pictures_of_different_kinds_cannot_be_compared() -> None:
    incomplete = MaskedPicture.of(picture_of(noise(np.uint8, 1)), np.zeros((5, 7), dtype=bool))
    for other in (noise(np.uint8, 2), noise(np.uint16, 1)):
        with pytest.raises(ValueError, match="is not uint8"):
            incomplete.changed_outside(picture_of(other))


@st.composite
def data(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Data of any type and any number of channels, some of them NaN, and a hole."""
    size = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    dtype = np.dtype(draw(st.sampled_from(DATA)))
    elements = None
    if dtype.kind == "f":
        wide = dtype.itemsize * 8
        largest = float(np.finfo(dtype).max) / 4
        limits = st.floats(-largest, largest, width=wide)  # type: ignore[arg-type]
        elements = st.one_of(limits, st.just(np.nan))
    values = draw(hnp.arrays(dtype, (*size, draw(st.integers(1, 5))), elements=elements))
    return values, draw(hnp.arrays(bool, size))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(given=data(), share=st.floats(0, 1))
def test_data_come_back_in_their_type_within_what_was_observed(
    given: tuple[np.ndarray, np.ndarray], share: float
) -> None:
    measured, selected = given
    picture = data_of(measured)
    hole = np.broadcast_to(selected[..., None] | np.isnan(picture.values), picture.values.shape)
    if hole.all():
        with pytest.raises(InputError, match="nothing is observed"):
            MaskedPicture.of(picture, selected)
        return
    incomplete = MaskedPicture.of(picture, selected)
    dead = hole.all(axis=(0, 1))
    assert incomplete.dead.tolist() == dead.tolist()
    hole = hole & ~dead
    assert incomplete.intensities[~hole].min(initial=0) >= 0
    assert incomplete.intensities[~hole].max(initial=0) <= 1
    values = np.where(hole, share, np.nan)
    after = incomplete.filled(values).values
    assert after.dtype == picture.values.dtype
    assert after[~hole].tobytes() == picture.values[~hole].tobytes()
    assert incomplete.changed_outside(incomplete.filled(values)) == (0, 0)
    for channel in range(after.shape[-1]):
        missing = hole[..., channel]
        observed, filled = picture.values[~missing, channel], after[missing, channel]
        if observed.size and observed.min() < observed.max():
            # A float64 cannot hold every integer of 64 bits.
            slack = 1e-9 * float(np.abs(observed.astype(float)).max())
            assert (filled.astype(float) >= float(observed.min()) - slack).all()
            assert (filled.astype(float) <= float(observed.max()) + slack).all()
        assert np.isfinite(filled.astype(float)).all()


def test_nothing_is_filled_with_any_value_that_says_that_there_is_none() -> None:
    values = np.arange(35, dtype=np.int16).reshape(5, 7, 1)
    missing, no_data = np.zeros(values.shape, dtype=bool), {"no_data": 17, "others": [16, 18]}
    missing[2, 2:5] = True
    told = data_of(values.astype(float))
    picture = replace(told, values=values, missing=missing, info=no_data)
    incomplete = MaskedPicture.of(picture, np.zeros((5, 7), dtype=bool))
    filled = incomplete.filled(np.full((5, 7, 1), 0.5)).values[missing]  # 17 of 0 to 34
    assert set(filled.tolist()) <= {15, 19}
    assert set(incomplete.filled(np.full((5, 7, 1), 18 / 34)).values[missing]) <= {15, 19}


def test_alpha_of_data_is_as_high_where_they_are_filled_as_where_they_were_valid() -> None:
    values = np.stack([np.arange(35).reshape(5, 7), np.full((5, 7), 255)], -1).astype(np.int16)
    values[2, 3, 1] = 0
    missing = np.repeat(values[..., 1:] == 0, 2, axis=-1)
    picture = Picture(values, "TIFF", "a.tif", is_data=True, missing=missing, validity=True)
    filled = MaskedPicture.of(picture, np.zeros((5, 7), dtype=bool)).filled(np.full((5, 7, 1), 0.5))
    assert filled.values[2, 3].tolist() == [17, 255]


def test_zero_and_one_are_the_least_and_the_greatest_that_is_observed() -> None:
    values = np.array([[[-5.0, 100], [np.nan, 300], [15, 9e9]]])
    incomplete = MaskedPicture.of(data_of(values), np.array([[False, False, True]]))
    assert incomplete.hole.tolist() == [[[False, False], [True, False], [True, True]]]
    assert incomplete.intensities.tolist() == [[[0.5, 0], [0, 1], [0, 0]]]
    filled = incomplete.filled(np.full((1, 3, 2), 0.25)).values
    assert filled.tolist() == [[[-5, 100], [-6.25, 300], [-6.25, 150]]]
    assert incomplete.deviation(np.full((1, 3, 2), 0.1), np.zeros((1, 3, 2)))[
        0, 2
    ].tolist() == pytest.approx([0.5, 20])


def test_channels_that_lack_the_same_are_completed_together_if_they_may_be_colours() -> None:
    for channels, dimensions in ((1, 2), (2, 3), (3, 2), (4, 3)):
        values = np.ones((2, 2, channels))
        values[0, 0] = np.nan
        incomplete = MaskedPicture.of(data_of(values), np.zeros((2, 2), dtype=bool))
        assert incomplete.hole.ndim == dimensions


def test_infinite_data_are_refused_unless_they_are_in_the_hole() -> None:
    values = np.array([[[1.0], [np.inf], [2.0]]])
    with pytest.raises(InputError, match=r"a\.npy: its values are infinite"):
        MaskedPicture.of(data_of(values), np.zeros((1, 3), dtype=bool))
    incomplete = MaskedPicture.of(data_of(values), np.isinf(values[..., 0]))
    assert incomplete.intensities.ravel().tolist() == [0, 0, 1]


def test_a_change_outside_the_hole_is_a_bug_that_is_never_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    masked = MaskedPicture.of(picture_of(noise(np.uint8, 3)), np.eye(5, 7, dtype=bool))
    monkeypatch.setattr(MaskedPicture, "changed_outside", lambda *_: (2, 1.0))
    with pytest.raises(NpfillError, match="2 px outside the hole would change"):
        masked.filled(masked.intensities)


def test_a_deviation_is_in_intensities_or_in_the_unit_of_the_values() -> None:
    std = np.full((5, 7, 1), 0.1)
    picture = MaskedPicture.of(picture_of(noise(np.uint8, 1)), np.eye(5, 7, dtype=bool))
    assert picture.deviation(std, std) == pytest.approx(0.1)
    assert picture.deviation_of_values(std, std) == pytest.approx(25.5)
    data = MaskedPicture.of(data_of(np.arange(35.0).reshape(5, 7, 1)), np.zeros((5, 7), dtype=bool))
    assert data.deviation(std, std) == pytest.approx(3.4)
    assert data.deviation_of_values(std, std) == pytest.approx(3.4)


def test_colours_below_full_transparency_are_not_seen() -> None:
    picture = np.full((24, 24, 4), 90, np.uint8)
    picture[..., 3] = np.where(np.arange(24) < 16, 255, 0)
    hole = np.zeros((24, 24), bool)
    hole[8:12, 12:18] = True
    filled = []
    for hidden in (0, 255):
        picture[:, 16:, :3] = hidden
        completion = npfill.complete(picture, hole, of("cnp", 3), samples=0)
        filled.append(np.asarray(completion.mean)[hole][:, :3])
    assert np.array_equal(filled[0], filled[1])


@pytest.mark.slow
def test_a_sample_is_drawn_where_it_is_wanted_and_a_narrow_hole_beside_nothing_is_narrow() -> None:
    picture = np.random.default_rng(0).integers(60, 90, (96, 96, 4), dtype=np.uint8)
    picture[..., 3] = np.where(np.arange(96) < 50, 255, 0)
    hole = np.zeros((96, 96), bool)
    hole[30:50, 44:50] = True
    done = npfill.complete(picture, hole, of("convcnp", 3), samples=2, sampler="exemplar")
    assert not any("wider than" in note for note in done.notes)
    for sample in done.samples:
        changed = (np.asarray(sample) != picture).any(-1)
        assert changed[hole].any()
        assert not changed[~hole].any()


def test_where_nothing_that_can_be_seen_is_left_that_is_said() -> None:
    picture = np.full((12, 12, 4), 90, np.uint8)
    picture[:, :4, 3] = 0
    hole = np.zeros((12, 12), bool)
    hole[:, 4:] = True
    done = npfill.complete(picture, hole, of("cnp", 3), samples=0)
    assert any("nothing that can be seen" in note for note in done.notes)
