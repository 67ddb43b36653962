"""Values that are no numbers on a line: classes, angles, and grids whose columns close."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

import npfill
from npfill.errors import InputError, UsageError
from npfill.pictures.asked import as_asked
from npfill.pictures.picture import Asked, Picture
from npfill.pictures.read import read_picture
from npfill.predictor import Prediction, Predictor
from tests.conftest import of

HOLE = np.zeros((6, 8), dtype=bool)
HOLE[2:4, 3:6] = True


class Rows(Predictor):
    """A predictor of rows: the mean of what is observed in each, and a sample a little above it."""

    variant = "rows"

    def __init__(self) -> None:
        super().__init__(name="rows", word="rows")

    def check_sampler(self, *given: Any, **options: Any) -> None:
        pass

    def level(self, picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        seen = np.where(hole[..., None], np.nan, picture)
        means: np.ndarray = np.nanmean(seen, axis=1)[np.nonzero(hole)[0]]
        return means

    def _predict(
        self, picture: Any, hole: Any, samples: int, seed: int, how: object, spread: object
    ) -> Prediction:
        level = self.level(picture, hole).astype(np.float32)
        drawn = [level + np.float32(0.01)] * samples
        return Prediction(level, np.full_like(level, 0.1), drawn, ())


class Columns(Rows):
    """A predictor that knows the columns beside a hole alone, and whether there is one."""

    def level(self, picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        values = []
        for row, column in np.argwhere(hole):
            seen = np.flatnonzero(~hole[row])
            left, right = seen[seen < column], seen[seen > column]
            values.append(picture[row, [*left[-1:], *right[:1]]].mean(axis=0))
        return np.stack(values)


def hidden(values: np.ndarray, hole: np.ndarray = HOLE) -> np.ndarray:
    mask = hole if values.ndim == 2 else np.broadcast_to(hole[..., None], values.shape)
    return np.ma.masked_array(values, mask)


@pytest.mark.parametrize(
    ("dtype", "codes"),
    [
        (np.uint8, (1, 7, 255)),
        (np.int64, (-(2**62), 2**62, 2**62 + 1)),
        (np.float32, (-9.5, 0.1, 1e30)),
        (np.float64, (-np.inf, 1, np.inf)),
        (np.uint16, (3, 4, 5)),
    ],
)
def test_a_class_is_chosen_or_drawn_and_exists(dtype: Any, codes: tuple[float, ...]) -> None:
    table = np.array(codes, dtype=dtype)
    which = np.repeat(np.arange(6) % 3, 8).reshape(6, 8)
    which[:, :2] = (which[:, :2] + 1) % 3  # the rest of the row outvotes them
    done = npfill.complete(hidden(table[which]), model=Rows(), kind="classes", samples=2)
    assert done.mean.dtype == dtype
    assert np.array_equal(done.mean[~HOLE], table[which][~HOLE])
    assert np.array_equal(done.mean[HOLE], table[which][HOLE])
    assert set(np.unique(done.samples)) <= set(table)
    assert done.std is not None
    assert done.std[HOLE] == pytest.approx(2 / 5)  # of five that are observed, two are others
    assert not done.std[~HOLE].any()


def test_of_two_classes_one_is_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, level = [], Rows.level

    def counted(*given: Any) -> np.ndarray:
        calls.append(1)
        return level(*given)

    monkeypatch.setattr(Rows, "level", counted)
    which = np.repeat(np.arange(6) % 2, 8).reshape(6, 8)
    which[:, 0] = 1 - which[:, 0]
    done = npfill.complete(hidden(which * 6 + 1), model=Rows(), kind="classes", samples=1)
    assert len(calls) == 1
    assert np.array_equal(done.mean[HOLE], (which * 6 + 1)[HOLE])
    assert done.std is not None
    assert done.std[HOLE] == pytest.approx(1 / 5)


def test_the_only_class_there_is_is_certain() -> None:
    done = npfill.complete(hidden(np.full((6, 8), 4)), model=Rows(), kind="classes", samples=1)
    assert (done.mean == 4).all()
    assert done.std is not None
    assert not done.std.any()


@pytest.mark.parametrize("asked", [{"tolerance": 1.0}, {"tolerance": 20.0}, {"confidence": 0.5}])
def test_of_classes_a_tolerance_is_a_chance_and_a_confidence_nothing(
    asked: dict[str, Any],
) -> None:
    which = (np.arange(48).reshape(6, 8) % 3).astype(np.int16)
    with pytest.raises(UsageError, match="between classes there is no order"):
        npfill.complete(which, HOLE, Rows(), kind="classes", samples=0, **asked)
    for kind, more in (("classes", {"tolerance": 0.99}), ("data", {"nodata": -1, **asked})):
        npfill.complete(which, HOLE, Rows(), kind=kind, samples=0, **more)


def test_a_colour_is_a_class_as_a_whole() -> None:
    colours = np.array([[200, 0, 0], [0, 200, 0], [200, 200, 0]], dtype=np.uint8)
    values = colours[np.repeat(np.arange(6) % 3, 8).reshape(6, 8)]
    done = npfill.complete(values, HOLE, model=Rows(), kind="classes", samples=1)
    assert np.array_equal(done.mean, values)
    assert {tuple(each) for each in done.samples[0].reshape(-1, 3)} <= {*map(tuple, colours)}


def test_too_many_values_are_no_classes() -> None:
    values = np.arange(300.0).reshape(15, 20)
    with pytest.raises(InputError, match="291 different values are no classes"):
        npfill.complete(hidden(values, values < 9), model=Rows(), kind="classes")
    few = np.where(values < 9, values, values % 256)  # under a hole there may be anything else
    done = npfill.complete(hidden(few, values < 9), model=Rows(), kind="classes", samples=0)
    assert np.unique(done.mean).size == 256


@pytest.mark.parametrize(
    ("kind", "turn", "start", "dtype"),
    [
        ("angle", 360, 0, np.float64),
        ("angle", 360, 0, np.int16),
        ("angle", 360, -180, np.float32),
        (f"angle:{2 * np.pi}", 2 * np.pi, 0, np.float64),
        (f"angle:{2 * np.pi}", 2 * np.pi, -np.pi, np.float64),
        ("angle:180", 180, 0, np.uint8),
        ("angle:24", 24, 0, np.float32),
    ],
)
def test_angles_on_both_sides_of_zero_have_their_mean_there(
    kind: str, turn: float, start: float, dtype: Any
) -> None:
    share = np.where(np.arange(8) % 2, 0.99, 0.01) + np.zeros((6, 1))
    share[:, [1, 3]] = 0.99, 0.01  # under the hole, too
    if start:
        share = np.where(share > 0.5, share - 1, share)
    values = np.rint(share * turn) if np.dtype(dtype).kind in "iu" else share * turn
    if start < 0:
        values[0, 0] = start / 2
    done = npfill.complete(hidden(values.astype(dtype)), model=Rows(), kind=kind, samples=1)
    for filled, nearest in ((done.mean[HOLE], turn / 20), (done.samples[0][HOLE], turn / 8)):
        away = np.minimum(filled % turn, turn - filled % turn)
        assert (away < nearest).all()
        assert (filled >= start).all()
        assert (filled < start + turn).all()
    assert done.std is not None
    assert (done.std[HOLE] > 0).all()
    assert (done.std[HOLE] <= turn / np.sqrt(12) * 1.0001).all()


def test_directions_are_completed_alike_from_0_and_about_0() -> None:
    values = np.random.default_rng(0).uniform(0, 360, (6, 8))
    options: dict[str, Any] = {"model": of("convcnp", 1), "kind": "angle", "samples": 1}
    plain, about = (
        npfill.complete(hidden(each), **options)
        for each in (values, np.where(values < 180, values, values - 360))
    )
    for one, other in ((plain.mean, about.mean), (plain.samples[0], about.samples[0])):
        assert -180 <= other.min() < 0 < other.max() < 180
        np.testing.assert_allclose((one - other + 180) % 360, 180, atol=1e-2)
    np.testing.assert_allclose(np.asarray(plain.std), np.asarray(about.std), rtol=1e-4)


def test_the_deviation_of_an_angle_of_which_nothing_is_known_is_that_of_a_full_turn() -> None:
    values = np.broadcast_to(np.arange(8) % 2 * 180.0, (6, 8)) + 0.5
    balanced = hidden(values, np.isin(np.arange(48).reshape(6, 8) % 8, (6, 7)))
    done = npfill.complete(balanced, model=Rows(), kind="angle", samples=0)
    assert done.std is not None
    assert done.std[:, 6:] == pytest.approx(360 / np.sqrt(12))


def test_angles_that_may_be_in_either_unit_are_asked_back() -> None:
    values = hidden(np.linspace(-3, 3, 48).reshape(6, 8))
    with pytest.raises(InputError, match="in degrees or in radians") as refusal:
        npfill.complete(values, model=Rows(), kind="angle")
    assert "`kind=angle:6.28319`" in refusal.value.hint
    assert npfill.complete(values, model=Rows(), kind="angle:360", samples=0).std is not None


def test_what_is_no_angle_is_refused() -> None:
    with pytest.raises(InputError, match="are no angles of a turn of 360"):
        npfill.complete(hidden(np.linspace(0, 361, 48).reshape(6, 8)), model=Rows(), kind="angle")


@pytest.mark.parametrize(
    "kind", ["numbers", "angle:", "angle:0", "angle:-1", "angle:nan", "data:2"]
)
def test_an_unknown_kind_is_refused(kind: str) -> None:
    with pytest.raises(UsageError, match="`kind="):
        npfill.complete(hidden(np.zeros((6, 8))), model=Rows(), kind=kind)


AREA = np.zeros((24, 24), dtype=bool)
AREA[6:18, 6:18] = True


@pytest.mark.parametrize("columns", ["", "columns"])
def test_samples_of_classes_differ_from_the_mean_as_often_as_its_chance_says(columns: str) -> None:
    rows, which = np.arange(24)[:, None], np.arange(24) % 12
    labels = (5 * ((rows // 4 + (which < 3)) % 4)).astype(np.uint8)
    asked: dict[str, Any] = {"model": Rows(), "kind": "classes", "wrap": columns}
    done = npfill.complete(hidden(labels, AREA), samples=60, **asked)
    assert done.std is not None
    assert (done.samples != done.mean)[:, AREA].mean() == pytest.approx(
        done.std[AREA].mean(), abs=0.05
    )
    few = npfill.complete(hidden(labels, AREA), samples=2, **asked)
    assert np.array_equal(few.samples, done.samples[:2])


def smooth_angles() -> np.ndarray:
    rows, columns = np.indices((24, 24))
    return np.asarray((20 * np.sin(rows / 4) + 20 * np.cos(columns / 3)) % 360)


@pytest.mark.parametrize("kind", ["classes", "angle:360"])
def test_samples_of_planes_of_a_kind_are_drawn_each_by_itself(kind: str) -> None:
    values = np.random.default_rng(0).integers(0, 5, (16, 18)) * 70.0
    hole = np.zeros(values.shape, dtype=bool)
    hole[4:12, 5:13] = True
    stack = np.repeat(values[..., None], 2, axis=-1)
    done = npfill.complete(stack, hole, of("convcnp", 1), samples=1, kind=kind)
    assert np.array_equal(done.mean[..., 0], done.mean[..., 1])
    assert (done.samples[0, ..., 0] != done.samples[0, ..., 1])[hole].mean() > 0.3


@pytest.mark.parametrize("together", [True, False])
def test_samples_of_angles_lie_about_the_mean_as_its_std_says(together: bool) -> None:
    hole = AREA if together else np.random.default_rng(0).random((24, 24)) < 0.2
    done = npfill.complete(
        hidden(smooth_angles(), hole), model=Rows(), kind="angle:360", samples=400
    )
    assert done.std is not None
    away = (done.samples - done.mean + 180) % 360 - 180
    spread = np.sqrt(np.square(away).mean(0)[hole] / np.square(done.std[hole]))
    assert spread.mean() == pytest.approx(1, abs=0.1)
    beside = hole[:, 1:] & hole[:, :-1]
    alike = np.corrcoef(away[:, :, 1:][:, beside].ravel(), away[:, :, :-1][:, beside].ravel())
    assert (alike[0, 1] > 0.8) == together  # of scattered pixels each has its own


def test_what_samples_have_at_one_side_says_nothing_of_the_other() -> None:
    sides = np.isin(np.arange(24), [0, 1, 2, 21, 22, 23])[None].repeat(24, axis=0)
    values = hidden(smooth_angles(), sides)
    done = npfill.complete(values, model=Rows(), kind="angle:360", samples=60)
    away = (done.samples - done.mean + 180) % 360 - 180
    assert np.corrcoef(away[..., 0].ravel(), away[..., 1].ravel())[0, 1] > 0.6
    assert abs(np.corrcoef(away[..., 0].ravel(), away[..., -1].ravel())[0, 1]) < 0.3


def test_what_a_named_sampler_makes_of_classes_is_said_to_be_no_draw() -> None:
    values = hidden(np.arange(48).reshape(6, 8) % 3)
    asked: dict[str, Any] = {"model": Rows(), "kind": "classes", "samples": 1}
    said = "do not differ as the std says"
    assert not any(said in note for note in npfill.complete(values, **asked).notes)
    named = npfill.complete(values, **asked, sampler="independent")
    assert any(said in note for note in named.notes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["auto", "classes"])
@pytest.mark.parametrize("shift", range(8))
def test_a_closed_grid_may_be_cut_open_anywhere(kind: str, shift: int) -> None:
    values = np.random.default_rng(0).integers(0, 4, (6, 8)).astype(np.float64)
    options: dict[str, Any] = {"model": Columns(), "wrap": "columns", "samples": 1, "kind": kind}
    done = npfill.complete(hidden(values), **options)
    rolled = npfill.complete(hidden(np.roll(values, shift, 1), np.roll(HOLE, shift, 1)), **options)
    for name in ("mean", "std", "samples"):
        assert np.array_equal(getattr(rolled, name), np.roll(getattr(done, name), shift, -1))


def test_the_far_side_of_a_closed_grid_is_seen() -> None:
    values = np.broadcast_to(np.abs(np.arange(8) - 3.5), (6, 8)).copy()
    edges = np.zeros((6, 8), dtype=bool)
    edges[2:4, [0, 7]] = True
    options: dict[str, Any] = {"model": Columns(), "samples": 0}
    open_, closed = (
        npfill.complete(hidden(values, edges), wrap=wrap, **options).mean[2, 0]
        for wrap in ("", "columns")
    )
    assert open_ == closed == pytest.approx(values[0, 1])
    tilted = values + np.arange(8)
    closed = npfill.complete(hidden(tilted, edges), wrap="columns", **options).mean[2, 0]
    assert closed == pytest.approx((tilted[0, 1] + tilted[0, 6]) / 2)


def test_too_narrow_a_grid_does_not_close() -> None:
    with pytest.raises(InputError, match="it has 3 columns"):
        npfill.complete(hidden(np.eye(3), np.eye(3) > 0), model=Rows(), wrap="columns")
    with pytest.raises(UsageError, match="`wrap=rows`: unknown"):
        npfill.complete(hidden(np.zeros((6, 8))), model=Rows(), wrap="rows")


@pytest.mark.parametrize(
    ("step", "model", "reason"),
    [
        (45.0, 2, ""),
        (360 / 7, 2, ""),  # the first column once more at the end
        (10.0, 2, "it spans 80 degrees of longitude"),
        (30.0, 1, "it is projected"),
    ],
)
def test_a_raster_that_does_not_go_around_the_earth_does_not_close(
    tmp_path: Path, step: float, model: int, reason: str
) -> None:
    keys = (34735, 3, 8, (1, 1, 0, 1, 1024, 0, 1, model), True)
    tags = [(33550, 12, 3, (step, step, 0.0), True), keys]
    values = np.zeros((6, 8), np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", extratags=tags)
    picture = read_picture(tmp_path / "a.tif")
    if reason:
        with pytest.raises(InputError, match=reason):
            as_asked(picture, Asked(wrap="columns"))
    else:
        assert as_asked(picture, Asked(wrap="columns")).wraps


def test_levels_are_numbers_where_the_user_says_so(tmp_path: Path) -> None:
    depth = (1000 + np.arange(48).reshape(6, 8)).astype(np.uint16)
    Image.fromarray(depth).save(tmp_path / "a.png")
    done = npfill.complete(tmp_path / "a.png", HOLE, model=Rows(), kind="data", samples=1)
    assert done.mean.dtype == np.uint16
    assert done.mean[HOLE].min() >= 1000
    assert done.std is not None
    assert done.std[HOLE] == pytest.approx(0.1 * 47)  # of the range that is observed
    files = done.save(tmp_path / "out")
    assert {path.suffix for path in files.values()} == {".png"}
    with Image.open(files["std"]) as std:
        assert float(std.info["npfill_std_full_scale"]) == pytest.approx(4.7)
    with Image.open(files["mean"]) as mean:
        assert np.array_equal(np.asarray(mean), done.mean)


def test_floats_from_0_to_1_are_measurements_where_the_user_says_so() -> None:
    values = np.linspace(0.2, 0.3, 48).reshape(6, 8)
    values[0, 0] = 1.0  # wild
    done = npfill.complete(hidden(values), model=Rows(), kind="data", samples=0)
    assert done.std is not None
    assert done.std[HOLE] == pytest.approx(0.1 * np.ptp(values.ravel()[1:]))
    assert any("wild" in note for note in done.notes)
    with pytest.raises(InputError, match="nothing is observed"):
        npfill.complete(values + 280, np.ones_like(HOLE), Rows(), kind="data")


def test_transparent_pixels_of_data_are_missing() -> None:
    values = np.full((6, 8, 4), 200, dtype=np.uint8)
    values[HOLE] = 0
    asked = as_asked(Picture(values, "PNG", "a"), Asked("classes"))
    assert np.array_equal(asked.lacking, HOLE)


def test_files_that_change_values_hold_no_data(tmp_path: Path) -> None:
    Image.new("L", (8, 6)).save(tmp_path / "a.jpg")
    for kind in ("data", "classes", "angle"):
        with pytest.raises(InputError, match=f"JPEG files change values, so they hold no {kind}"):
            npfill.complete(tmp_path / "a.jpg", HOLE, model=Rows(), kind=kind)


@pytest.mark.parametrize(("count", "few"), [(3, True), (40, False)])
def test_the_nearest_of_a_few_whole_numbers_is_one_of_them(count: int, few: bool) -> None:
    values = (np.arange(48).reshape(6, 8) % count).astype(np.int16)
    data = Picture(
        values[..., None], "NPY", "a", is_data=True, missing=np.zeros((6, 8, 1), dtype=bool)
    )
    assert (as_asked(data, model="nearest").measure == "classes") == few
    assert as_asked(data, Asked("data"), model="nearest").measure == ""
    assert as_asked(data, model="gp").measure == ""
