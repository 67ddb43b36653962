"""Reports: one schema for grids and photographs, and metrics that follow from their table."""

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill.errors import InputError, UsageError
from npfill.evaluate import Results, evaluate
from npfill.evaluate.case import Case
from npfill.evaluate.contexts import kind
from npfill.evaluate.metrics import METRICS, Metric, Score
from npfill.evaluate.protocol import Budget, Estimate, Result
from npfill.evaluate.report import as_json, as_markdown, draw_lines, plots, tables
from tests.conftest import of

KEYS = {
    "": {
        "npfill_evaluate_version",
        "npfill",
        "command",
        "data",
        "part",
        "size",
        "channels",
        "masks",
        "budget",
        "floor",
        "notes",
        "predictors",
        "contexts",
        "metrics",
        "results",
    },
    "budget": {"images", "draws", "seed"},
    "metric": {"title", "meaning"},
    "result": {"predictor", "context", "pictures", "scores"},
    "score": {"value", "error", "pictures", "infinite"},
}


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two photographs, of different sizes."""
    random = np.random.default_rng(0)
    for number, size in enumerate(((24, 30), (20, 17))):
        values = random.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(values).save(tmp_path / f"{number}.png")
    return tmp_path


def on_a_grid(pictures: Path) -> Results:
    return evaluate([of("np", 1)], pictures, contexts="random:5,random:20", images=4, draws=2)


def on_photographs(data: Path) -> Results:
    return evaluate([of("convcnp", 3)], data, contexts="keep", photos=True)


def keys_of(text: str) -> dict[str, set[str]]:
    value = json.loads(text)
    (metric,) = {tuple(sorted(each)) for each in value["metrics"].values()}
    (result,) = {tuple(sorted(each)) for each in value["results"]}
    (score,) = {tuple(sorted(s)) for each in value["results"] for s in each["scores"].values()}
    assert all(set(each["scores"]) <= set(value["metrics"]) for each in value["results"])
    return {
        "": set(value),
        "budget": set(value["budget"]),
        "metric": set(metric),
        "result": set(result),
        "score": set(score),
    }


@pytest.mark.slow
def test_a_grid_and_photographs_have_results_of_one_schema(
    pictures: Path, photographs: Path
) -> None:
    for results in (on_a_grid(pictures), on_photographs(photographs)):
        assert keys_of(as_json(results, "npfill evaluate")) == KEYS


@pytest.mark.slow
def test_a_metric_from_outside_is_one_record(
    pictures: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def largest_error(case: Case) -> Score:
        return (case.prediction.mean - case.truth).abs().flatten(1).amax(1)

    toy = Metric("largest", "Largest error", "of all intensities", largest_error, 1)
    monkeypatch.setitem(METRICS, "largest", toy)
    for results in (on_a_grid(pictures), on_photographs(photographs)):
        assert "## Largest error\n\nOf all intensities.\n" in as_markdown(results, "")
        (table,) = tables(results, ["largest"])
        assert all(0 < float(cell) < 3 for row in table.cells(errors=False) for cell in row[1:])
        assert json.loads(as_json(results, ""))["metrics"]["largest"]["title"] == "Largest error"


@pytest.mark.slow
def test_equal_evaluations_have_equal_results_but_for_time(pictures: Path) -> None:
    assert on_a_grid(pictures) == on_a_grid(pictures)


def results_of(scores: dict[str, dict[str, Estimate]]) -> Results:
    return Results(
        data="here",
        part="test pictures",
        size=None,
        channels=3,
        masks=None,
        budget=Budget(2),
        predictors={"telea": "fitted to each picture"},
        results=tuple(Result("telea", kind(name), 2, row) for name, row in scores.items()),
        notes=("the pictures are few",),
    )


def test_a_metric_that_no_predictor_has_gets_no_table() -> None:
    scores = {"text": {"psnr": Estimate(25.0, 0.5, 2), "ssim": Estimate(0.9, 0.0, 2)}}
    lines = as_markdown(results_of(scores | {"scratches": {}}), "npfill evaluate").splitlines()
    assert [line for line in lines if line.startswith("## ")] == ["## PSNR", "## SSIM"]
    assert "| text | 25.00 ± 0.50 |" in lines
    assert "| scratches |  |" in lines
    assert "Note: the pictures are few." in lines


def test_no_name_of_a_file_is_markup_of_a_report_or_changed_otherwise() -> None:
    name = "<img src=x>[a](b)\x1b&.npy"
    found = replace(
        results_of({"text": {"psnr": Estimate(25.0, 0.5, 2)}}),
        data=name,
        masks=name,
        predictors={"telea": name},
        notes=("data.npy has no test part", f"{name} is large"),
    )
    report = as_markdown(found, "npfill evaluate")
    assert report.count(r"&lt;img src=x>\[a](b)\x1b&amp;.npy") == 4
    assert "<" not in report
    assert "\x1b" not in report
    assert " data.npy has no test part." in report


@pytest.mark.slow
def test_plots_are_drawn_of_what_was_measured(pictures: Path) -> None:
    pytest.importorskip("matplotlib")
    drawn = plots(on_a_grid(pictures))
    assert {"mse-random.png", "reliability-random-5.png"} <= drawn.keys()
    assert all(content.startswith(b"\x89PNG") for content in drawn.values())
    assert plots(results_of({"text": {"psnr": Estimate(25.0, 0.5, 2)}})) == {}


def test_photographs_have_as_many_samples_as_draws_are_asked_for(photographs: Path) -> None:
    asked: dict[str, Any] = {"contexts": "keep", "photos": True}
    network, samplers, found = of("convcnp", 3), ["independent"], []
    for draws in (None, 3, 5):
        results = evaluate([network], photographs, samplers=samplers, draws=draws, **asked)
        assert f", {draws or 3} samples of each sampler, seed 0" in as_markdown(results, "")
        found.append({each.scores["diversity"] for each in results.results})
    assert found[0] == found[1] != found[2]
    with pytest.raises(UsageError, match="`draws` of `photos` are samples"):
        evaluate([network], photographs, draws=16, **asked)
    with pytest.raises(UsageError, match="`draws=0`"):
        evaluate([network], photographs, samplers=samplers, draws=0, **asked)


def test_a_picture_that_a_baseline_refuses_has_no_scores(photographs: Path) -> None:
    pytest.importorskip("cv2")
    results = evaluate(["telea"], photographs, contexts="keep:0,keep:50", photos=True)
    assert [bool(result.scores) for result in results.results] == [False, True]
    assert results.results[0].pictures == 2
    assert "telea refuses pictures, the first: nothing of the picture" in results.notes[-1]
    with pytest.raises(InputError, match="no picture has a score; telea refuses"):
        evaluate(["telea"], photographs, contexts="keep:0", photos=True)


def test_an_error_that_is_not_known_is_left_out(photographs: Path) -> None:
    results = evaluate(["nearest"], photographs, contexts="keep", photos=True, images=1)
    assert "±" not in as_markdown(results, "")
    assert json.loads(as_json(results, ""))["results"][0]["scores"]["mse"]["error"] is None


def test_an_amount_of_nothing_has_its_place_in_a_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    """About as far from the least of the others as a number is from ten times as many."""
    figure = pytest.importorskip("matplotlib.figure").Figure
    save, drawn = figure.savefig, []
    monkeypatch.setattr(figure, "savefig", lambda self, *words, **more: drawn.append(self))
    amounts = [0.0, 5.0, 50.0]
    line = [(amount, Estimate(-math.inf, math.nan, 2)) for amount in amounts]
    draw_lines("", "", "", {"one": line}, log=True)
    save(drawn[0], io.BytesIO())
    places = drawn[0].axes[0].transData.transform([(amount, 0) for amount in amounts])[:, 0]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], rel=0.2)
    assert places[1] - places[0] > 100


@pytest.mark.slow
@pytest.mark.parametrize("model", ["np", "convcnp"])
def test_models_in_memory_stay_where_they_are(model: str, pictures: Path) -> None:
    network: Any = of(model, 1)
    results = evaluate([network], pictures, contexts="random:9", images=2, draws=2)
    assert list(results.predictors) == [network.variant]
    assert math.isfinite(results.results[0].scores["mse"].value)
