"""What holds for every baseline that needs a package: they only read the observed pixels."""

import subprocess
import sys

import numpy as np
import pytest

from npfill import baselines
from npfill.baselines import Baseline
from npfill.baselines.nearest import Nearest
from npfill.completion.lacking import BARE
from npfill.errors import InputError, ModelError
from tests.baselines.conftest import PACKAGES, a_hole, available, noise

SIZES = [(1, 2), (1, 30), (30, 1), (2, 3), (7, 7), (9, 20)]
# Telea adds a rounded gradient to each pixel, and so does not keep a constant exactly.
OFF_CONSTANT = {"telea": 6 / 255, "navier-stokes": 1 / 255, "gp": 1e-3}


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("share", [0.1, 0.95])
def test_any_picture_is_filled_with_finite_values(
    optional: Baseline, size: tuple[int, int], channels: int, share: float
) -> None:
    hole = a_hole(*size, share)
    filled = optional.fill(noise(*size, channels), hole)
    assert filled.mean.shape == (hole.sum(), channels)
    assert np.isfinite(filled.mean).all()
    assert filled.std is None or (filled.std > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_under_the_hole_is_not_read(optional: Baseline, channels: int) -> None:
    picture, hole = noise(9, 8, channels), a_hole(9, 8, 0.5)
    expected = optional.fill(picture, hole).mean
    for hidden in (np.nan, -7.0):
        spoiled = np.where(hole[..., None], np.float32(hidden), picture)
        assert np.array_equal(optional.fill(spoiled, hole).mean, expected)


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("size", SIZES)
def test_a_constant_picture_stays_constant(
    optional: Baseline, size: tuple[int, int], level: float
) -> None:
    hole = a_hole(*size, 0.5)
    filled = optional.fill(np.full((*size, 3), level, np.float32), hole)
    assert filled.mean == pytest.approx(level, abs=OFF_CONSTANT.get(optional.name, 1e-6))


@pytest.mark.slow
def test_a_ramp_is_continued_across_a_small_hole(optional: Baseline) -> None:
    picture = np.repeat(np.linspace(0.2, 0.8, 9, dtype=np.float32)[:, None, None], 9, axis=1)
    hole = np.zeros((9, 9), dtype=bool)
    hole[3:6, 3:6] = True
    assert np.abs(optional.fill(picture, hole).mean - picture[hole]).max() < 0.15


def test_nothing_observed_is_nothing_to_go_by(optional: Baseline) -> None:
    with pytest.raises(InputError, match=f"{optional.name} has nothing to go by") as refusal:
        optional.fill(noise(4, 4, 1), np.ones((4, 4), dtype=bool))
    assert refusal.value.hint


@pytest.mark.slow
def test_one_neighbour_is_copied() -> None:
    pytest.importorskip("scipy")
    picture = noise(5, 7, 3)
    hole = np.zeros((5, 7), dtype=bool)
    hole[2, 3] = hole[0, 0] = True
    filled = Nearest(k=1).fill(picture, hole)
    beside = {tuple(picture[at]) for at in ((1, 3), (3, 3), (2, 2), (2, 4))}
    assert tuple(filled.mean[1]) in beside
    assert tuple(filled.mean[0]) in {tuple(picture[0, 1]), tuple(picture[1, 0])}


@pytest.mark.slow
def test_more_neighbours_than_are_observed_are_all_of_them() -> None:
    pytest.importorskip("scipy")
    picture, hole = noise(3, 3, 1), a_hole(3, 3, 0.5)
    filled = Nearest(k=100).fill(picture, hole)
    assert filled.mean == pytest.approx(picture[~hole].mean(), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seen", ["scattered", "a row", "a pixel"])
def test_griddata_gives_planes_back_where_it_is_among_what_is_observed(seen: str) -> None:
    pytest.importorskip("scipy")
    row, column = np.indices((9, 11))
    picture = np.stack([0.03 * row + 0.05 * column, 0.9 - 0.06 * row], axis=-1).astype(np.float32)
    hole = a_hole(9, 11, 0.6) if seen == "scattered" else np.ones((9, 11), dtype=bool)
    if seen == "scattered":
        hole[[0, 0, -1, -1], [0, -1, 0, -1]] = False
    hole[4, slice(None, None, 5) if seen == "a row" else 5] = False
    filled = baselines.build("griddata").fill(picture, hole).mean
    if seen == "scattered":
        np.testing.assert_allclose(filled, picture[hole], atol=1e-5)
    else:
        np.testing.assert_allclose(filled[:, 1], picture[4, 0, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("nearest", "scipy.spatial", "SciPy"),
        ("griddata", "scipy.interpolate", "SciPy"),
        ("gp", "sklearn.gaussian_process", "scikit-learn"),
        ("kriging", "scipy.spatial", "SciPy"),
        ("telea", "cv2", "OpenCV"),
        ("navier-stokes", "cv2", "OpenCV"),
        ("biharmonic", "skimage.restoration", "scikit-image"),
    ],
)
def test_a_missing_package_is_named_with_the_way_to_get_it(
    name: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelError) as error:
        baselines.build(name).fill(noise(3, 3, 1), a_hole(3, 3, 0.5))
    assert str(error.value) == f"{name} needs {package}, which is not installed"
    assert error.value.hint == "pip install 'npfill[baselines]'"
    assert error.value.exit_code == 5


@pytest.mark.slow
def test_a_failure_of_the_biharmonic_solver_is_an_input_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    restoration = pytest.importorskip("skimage.restoration")

    def fail(*_: object, **__: object) -> None:
        raise ValueError("axis 0 index 9 exceeds matrix dimension 4")

    monkeypatch.setattr(restoration, "inpaint_biharmonic", fail)
    with pytest.raises(InputError, match="biharmonic fails at this hole"):
        baselines.build("biharmonic").fill(noise(3, 3, 1), a_hole(3, 3, 0.5))


@pytest.mark.slow
def test_importing_and_building_import_none_of_the_packages() -> None:
    code = (
        "import sys; from npfill.baselines import BASELINES, build; [build(n) for n in BASELINES]"
    )
    report = "; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code + report], capture_output=True, text=True, check=True
    )
    assert not {"sklearn", "cv2", "skimage"} & set(done.stdout.split())


def test_the_names_are_these_in_this_order() -> None:
    words = (
        "nearest",
        "griddata",
        "linear",
        "gp",
        "kriging",
        "telea",
        "navier-stokes",
        "biharmonic",
    )
    assert words == tuple(baselines.BASELINES)
    assert set(PACKAGES) | {"linear"} == set(words)


@pytest.mark.parametrize("name", baselines.BASELINES)
def test_a_baseline_is_built_by_its_name(name: str) -> None:
    assert available(name).name == name


def test_an_unknown_name_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="no baseline is called 'farthest'"):
        baselines.build("farthest")


def test_it_is_known_beforehand_what_a_baseline_never_gives(optional: Baseline) -> None:
    filled = optional.fill(noise(7, 7, 1), a_hole(7, 7, 0.2))
    assert (filled.std is None) == (not filled.is_joint) == (optional.name in BARE)
