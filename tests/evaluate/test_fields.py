"""`npfill evaluate --fields`: the law of random fields, their posterior, scores and tables."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import npfill
from npfill.cli import main
from npfill.errors import UsageError
from npfill.evaluate.fields import grids, known
from npfill.evaluate.fields.cells import EXACT, Fill, on_known, on_real
from npfill.evaluate.fields.held_out import WITHIN
from npfill.evaluate.fields.measured import evaluate_fields
from npfill.evaluate.fields.report import FieldResults
from npfill.evaluate.fields.tools import OTHERS, Filled, completed
from npfill.seeds import array_generator


def nothing_known(values: np.ndarray, hole: np.ndarray) -> Filled:
    assert np.isnan(values[hole]).all()
    return np.zeros(int(hole.sum())), np.ones(int(hole.sum())), WITHIN


def with_interval(values: np.ndarray, hole: np.ndarray, width: float) -> Filled:
    mean, std, _ = nothing_known(values, hole)
    return mean, std, width


def without_std(values: np.ndarray, hole: np.ndarray) -> Filled:
    return np.full(int(hole.sum()), np.nanmean(values)), None, WITHIN


@pytest.mark.parametrize("kernel", list(known.KERNELS))
def test_fields_have_the_variance_and_the_correlation_of_their_law(kernel: str) -> None:
    fields = known.draw(kernel, 3.0, 64, 40, array_generator(0))
    assert fields.var() == pytest.approx(1.0, abs=0.05)
    for step in (1, 4):
        found = (fields[:, step:] * fields[:, :-step]).mean()
        assert found == pytest.approx(known.KERNELS[kernel](np.array(step / 3)).item(), abs=0.05)


def test_the_posterior_says_how_far_it_is_off_and_nothing_is_nearer() -> None:
    fields = known.draw("exponential", 4.0, 24, 60, array_generator(1))
    hole = array_generator(2).random((24, 24)) > 0.2
    means, std = known.posterior("exponential", 4.0, fields, hole, hole)
    errors = means - fields[:, hole]
    assert np.square(errors / std).mean() == pytest.approx(1.0, abs=0.05)
    assert np.square(errors).mean() < np.square(0.9 * means - fields[:, hole]).mean()


@pytest.mark.parametrize("kernel", list(known.KERNELS))
def test_small_fields_of_a_long_length_have_their_law(kernel: str) -> None:
    fields = known.draw(kernel, 16.0, 32, 20, array_generator(0))
    hole = array_generator(2).random((32, 32)) > 0.2
    means, std = known.posterior(kernel, 16.0, fields, hole, hole)
    assert 0.8 < np.square((means - fields[:, hole]) / std).mean() < 1.25


@pytest.mark.slow
def test_scores_are_those_of_a_standard_normal_where_nothing_is_known() -> None:
    cells = list(on_known({"zero": nothing_known}, 32, 6, 0, (2,), lambda *_: None))
    assert {cell.tool for cell in cells} == {EXACT, "zero"}
    zero = [cell for cell in cells if cell.tool == "zero"]
    assert len(zero) == 3 * 5 * 6
    assert np.mean([cell.coverage_90 for cell in zero]) == pytest.approx(0.9, abs=0.03)
    assert np.mean([cell.z_squared for cell in zero]) == pytest.approx(1.0, abs=0.1)
    assert np.mean([cell.crps for cell in zero]) == pytest.approx(1 / np.sqrt(np.pi), abs=0.03)
    exact = [cell for cell in cells if cell.tool == EXACT]
    assert np.mean([cell.rmse for cell in exact]) < np.mean([cell.rmse for cell in zero])


def test_without_a_std_the_score_is_the_mean_error_and_there_is_no_coverage() -> None:
    cells = list(on_known({"mean": without_std}, 16, 1, 0, (2,), lambda *_: None))
    (first, *_) = [cell for cell in cells if cell.tool == "mean"]
    assert first.z_squared is None
    assert first.coverage_90 is None
    assert 0 < first.crps < first.rmse


@pytest.mark.parametrize(("width", "share"), [(0.0, 0.0), (1.0, 0.68), (9.0, 1.0)])
def test_the_truth_is_counted_in_the_interval_that_the_tool_has(width: float, share: float) -> None:
    fills: dict[str, Fill] = {"own": partial(with_interval, width=width)}
    cells = [*on_known(fills, 16, 4, 0, (2,), lambda *_: None)]
    found = [cell.coverage_90 for cell in cells if cell.tool == "own"]
    assert np.mean([each or 0.0 for each in found]) == pytest.approx(share, abs=0.05)


def test_a_model_has_the_interval_of_its_completions() -> None:
    values = known.draw("exponential", 4.0, 40, 1, array_generator(1))[0]
    hole = array_generator(2).random((40, 40)) < 0.4
    *_, half_width = completed("convcnp-field", "cpu", 0)(np.where(hole, np.nan, values), hole)
    done = npfill.complete(values, hole, "convcnp-field", samples=0, kind="data", device="cpu")
    assert done.check is not None
    assert half_width == pytest.approx(done.check.half_width)
    assert half_width != pytest.approx(WITHIN, abs=0.001)


def test_tables_have_a_column_for_each_tool_and_a_ratio_to_the_exact_error() -> None:
    cells = tuple(on_known({"zero": nothing_known}, 16, 2, 0, (2,), lambda *_: None))
    first, *rest = FieldResults(cells, 16, 2, 0, {"zero": None}).tables()
    assert first.head == ["", EXACT, "zero"]
    assert [row[0] for row in first.rows] == [f"{kernel}, 2 px" for kernel in known.KERNELS]
    assert all(row[1] == "1" and float(row[2]) > 1 for row in first.rows)
    assert all("|" in table.markdown for table in [first, *rest])
    assert "| a\\|b |" in replace(first, head=["", EXACT, "a|b"]).markdown


@pytest.mark.slow
def test_real_grids_come_with_packages_and_each_has_eight_gaps() -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("skimage")
    cells = list(on_real({"zero": nothing_known}, 48, 0, lambda *_: None))
    assert len(cells) == 8 * len(grids.GRIDS)
    assert len(grids.GRIDS) >= 6
    assert all(0.05 < cell.rmse < 5 for cell in cells)


def test_a_gap_that_misses_a_grid_gives_no_scores() -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("skimage")
    cells = list(on_real({"mean": without_std}, 16, 0, lambda *_: None, ["MRI"]))
    assert cells
    assert all(np.isfinite(cell.rmse) for cell in cells)


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(UsageError, match="'reel' is no part"):
        evaluate_fields(["nearest"], parts=["reel"])


def test_fields_too_small_for_a_gap_are_refused() -> None:
    with pytest.raises(UsageError, match="`size=5`: too few pixels"):
        evaluate_fields(["nearest"], side=5)


@pytest.mark.parametrize("name", ["linear (SciPy)", "cubic (SciPy)"])
def test_points_on_one_line_make_no_triangles_and_the_nearest_is_taken(name: str) -> None:
    pytest.importorskip("scipy")
    values, hole = np.arange(9.0).reshape(3, 3), np.ones((3, 3), dtype=bool)
    hole[:, 0] = False
    mean, *_ = OTHERS[name][1](values, hole)
    assert mean.tolist() == [0, 0, 3, 3, 6, 6]


def test_a_tool_that_can_complete_nothing_is_told_of() -> None:
    results = evaluate_fields(["nearest", "linear"], parts=["known"], side=8, count=1)
    assert "linear" not in {cell.tool for cell in results.cells}
    (note,) = results.notes
    assert note.startswith("linear is left out: linear completes pictures of 28x28")
    assert note in results.as_markdown("")


@pytest.mark.slow
def test_the_command_prints_tables_and_writes_a_page_and_all_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--fields", "nearest", "--contexts", "known", "--size", "12"]
    words += ["--images", "1", "-o", str(tmp_path / "report")]
    with pytest.raises(SystemExit, match="0"):
        main(words)
    assert "Random fields: RMSE over that of the exact posterior" in capsys.readouterr().out
    page = (tmp_path / "report" / "report.md").read_text("utf-8")
    assert "npfill evaluate --fields nearest" in page
    results = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
    assert {cell["tool"] for cell in results["cells"]} >= {EXACT, "nearest"}
    assert results["side"] == 12


@pytest.mark.parametrize(
    ("words", "count"), [([], 10), (["--images", "50"], 50), (["--contexts", "known, real"], 10)]
)
def test_as_many_fields_are_drawn_as_are_asked_for(
    words: list[str], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []

    def measure(*_: object, count: int, parts: list[str], **__: object) -> FieldResults:
        assert parts in ([], ["known", "real"])
        counts.append(count)
        return FieldResults((), 128, count, 0, {})

    monkeypatch.setattr("npfill.evaluate.evaluate_fields", measure)
    with pytest.raises(SystemExit, match="0"):
        main(["evaluate", "--fields", *words])
    assert counts == [count]


@pytest.mark.parametrize("words", [["--data", "x"], ["--photos"], ["--samplers", "latent"]])
def test_options_of_pictures_are_not_for_fields(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "--fields", "nearest", *words])
    assert "--fields with options of pictures" in capsys.readouterr().err


def test_without_fields_there_must_be_data(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "nearest"])
    assert "give --data PATH, or --fields" in capsys.readouterr().err
