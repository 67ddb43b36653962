"""evaluate from the command line."""

import json
import shutil
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npfill import checkpoint, load
from npfill.evaluate import evaluate
from npfill.evaluate.sampling import evaluate_sampling
from tests.cli.conftest import Command
from tests.conftest import TINY, tiny


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ramps of 6x6 RGB pixels in a folder with train and test parts."""
    random, axis = np.random.default_rng(0), np.linspace(-1, 1, 6)
    for part, count in (("train", 30), ("test", 7)):
        folder = tmp_path / "data" / part
        folder.mkdir(parents=True)
        for number in range(count):
            slopes = random.uniform(-0.3, 0.3, (2, 3))
            ramp = 0.5 + axis[:, None, None] * slopes[0] + axis[:, None] * slopes[1]
            Image.fromarray(np.rint(ramp * 255).astype(np.uint8)).save(folder / f"{number:02}.png")
    return tmp_path / "data"


@pytest.mark.slow
def test_models_and_baselines_stand_in_one_report(
    npfill: Command, data: Path, weights: Path, tmp_path: Path
) -> None:
    words = ("evaluate", weights, "linear", "--data", data, "--draws", 3, "--contexts")
    ended = npfill(*words, "random:5,random:20,top-half", "-o", tmp_path / "report")
    assert ended.code == 0, ended.err
    assert b"MSE" in ended.out
    assert b"top-half" in ended.out
    results = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
    assert results["npfill_evaluate_version"] == "3"
    assert results["budget"] == {"images": 7, "draws": 3, "seed": 0}
    assert [(r["predictor"], r["context"]) for r in results["results"]] == [
        (name, context)
        for name in (str(weights), "linear")
        for context in ("random:5", "random:20", "top-half")
    ]
    linear, model = results["results"][3]["scores"], results["results"][0]["scores"]
    assert linear["mse"]["value"] < model["mse"]["value"]
    assert linear["mse"]["error"] > 0
    assert "kl" in model
    assert "kl" not in linear
    text = (tmp_path / "report" / "report.md").read_text("utf-8")
    assert "| random:5 |" in text
    assert f"    npfill evaluate {weights} linear --data {data}" in text
    for name in ("mse-random.png", "reliability-random-5.png"):
        with Image.open(tmp_path / "report" / name) as chart:
            assert chart.width > chart.height
    again = npfill(*words, "random:5,random:20,top-half", "-o", tmp_path / "report")
    assert again.code == 4
    npfill(*words, "random:5,random:20,top-half", "-o", tmp_path / "second")
    second = json.loads((tmp_path / "second" / "results.json").read_text("utf-8"))
    assert second["results"] == results["results"]


@pytest.mark.slow
def test_a_baseline_without_a_std_has_errors_only(
    npfill: Command, data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("scipy")
    words = (
        "evaluate",
        "nearest",
        "--data",
        data,
        "--contexts",
        "random:9",
        "-o",
        tmp_path / "out",
    )
    assert npfill(*words).code == 0
    (result,) = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["results"]
    assert set(result["scores"]) == {"mse", "psnr", "ssim"}


@pytest.mark.slow
def test_each_sampler_of_a_model_is_measured_beside_the_others(
    npfill: Command, data: Path, weights: Path, tmp_path: Path
) -> None:
    conditional, samplers = tmp_path / "cnp.safetensors", "independent,autoregressive,latent"
    checkpoint.save(conditional, tiny("cnp", channels=3).float(), {})
    words = ("evaluate", weights, conditional, "--data", data, "--draws", 2, "--images", 2)
    ended = npfill(*words, "--contexts", 9, "--samplers", samplers, "-o", tmp_path / "report")
    assert ended.code == 0, ended.err
    assert b"Seconds a sample" in ended.out
    text = (tmp_path / "report" / "results.json").read_text("utf-8")
    results = json.loads(text)["results"]
    assert [result["predictor"] for result in results] == [
        f"{path} {kind}"
        for path, kinds in (
            (weights, ("independent", "autoregressive", "latent")),
            (conditional, ("independent", "autoregressive")),
        )
        for kind in kinds
    ]
    likelihoods = [result["scores"]["log_likelihood"]["value"] for result in results]
    assert len(set(likelihoods)) == len(likelihoods)
    assert len({result["scores"]["mse"]["value"] for result in results}) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("linear", "--contexts", "random:37"), 2, "more than the 36"),
        (("linear", "--contexts", "thirds"), 2, "'thirds' is unknown"),
        (("nearst",), 5, "nearest"),
        (("cnp-mnist", "--samplers", "gibbs"), 2, "unknown sampler 'gibbs'"),
        (("cnp-mnist", "nosuch.safetensors"), 3, "nosuch.safetensors"),
        ((), 2, "6x6 RGB"),
    ],
)
def test_wrong_words_are_one_line(
    npfill: Command, data: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    ended = npfill("evaluate", *words, "--data", data)
    assert ended.code == code
    assert says in ended.err
    assert len(ended.err.strip().splitlines()) <= 2


def test_a_folder_without_pictures_is_refused(npfill: Command, tmp_path: Path) -> None:
    ended = npfill("evaluate", "linear", "--data", tmp_path)
    assert ended.code == 3
    assert "no pictures" in ended.err


def test_a_baseline_that_learns_wants_a_training_part(npfill: Command, data: Path) -> None:
    ended = npfill("evaluate", "linear", "--data", data / "test")
    assert ended.code == 3
    assert "training part" in ended.err


def test_models_for_different_pictures_are_not_mixed(
    npfill: Command, data: Path, weights: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.safetensors"
    checkpoint.save(other, tiny("cnp").float(), {})
    ended = npfill("evaluate", weights, other, "--data", data)
    assert ended.code == 2
    assert "evaluate them apart" in ended.err


@pytest.mark.slow
def test_photographs_are_measured_at_their_own_size(npfill: Command, tmp_path: Path) -> None:
    weights, random = tmp_path / "tiny.safetensors", np.random.default_rng(0)
    checkpoint.save(weights, tiny("convcnp", channels=3).float(), {})
    for name, values in (
        ("photos/a.png", random.integers(0, 256, (40, 30, 3), dtype=np.uint8)),
        ("photos/b.png", random.integers(0, 256, (20, 50, 3), dtype=np.uint8)),
        ("masks/a.png", 255 * np.eye(20, dtype=np.uint8)),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(values).save(tmp_path / name)
    words = ("evaluate", weights, "--photos", "--data", tmp_path / "photos")
    report = tmp_path / "report"
    ended = npfill(*words, "--masks", tmp_path / "masks", "-o", report)
    assert ended.code == 0, ended.err
    results = json.loads((report / "results.json").read_text("utf-8"))
    assert results["predictors"].keys() == {str(weights)}
    scores = {result["context"]: result["scores"] for result in results["results"]}
    assert scores.keys() == {
        *(f"keep {share} %" for share in (5, 10, 20, 50)),
        "text",
        "scratches",
        "irregular 1-10 %",
    }
    assert {"psnr", "ssim", "z_squared", "coverage_90", "seconds"} <= scores["text"].keys()
    assert "kl" not in scores["text"]
    assert "| keep 5 % |" in (report / "report.md").read_text("utf-8")


@pytest.mark.parametrize("words", [["--photos", "--size", 8], ["--masks", "m.zip"]])
@pytest.mark.slow
def test_options_that_do_not_go_together_are_refused(
    npfill: Command, data: Path, words: list[object]
) -> None:
    assert npfill("evaluate", "nearest", "--data", data, *words).code == 2


@pytest.mark.slow
def test_weights_are_tested_on_what_their_run_held_out_where_there_is_no_test_part(
    npfill: Command, pictures: Path, tmp_path: Path
) -> None:
    run, changes = tmp_path / "runs" / "mine", ("schedule.steps=2",)
    assert npfill("train", TINY, *changes, "--data", pictures, "--run-dir", run).code == 0
    held_out = tomllib.loads((run / "recipe.toml").read_text("utf-8"))["data"]["validation"]
    found = []
    for name in (run, run / "best.safetensors"):
        words = ("evaluate", name, "linear", "nearest", "--data", pictures, "--overwrite")
        ended = npfill(*words, "--contexts", "random:9", "-o", tmp_path / "report")
        assert ended.code == 0, ended.err
        assert f"{run} held out" in ended.err
        results = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))
        assert results["part"] == "validation pictures"
        assert results["budget"]["images"] == held_out
        fitted = results["predictors"]["linear"]
        assert fitted == f"fitted to {40 - held_out} training pictures"
        found.append([result["scores"]["mse"] for result in results["results"]])
    assert found[0] == found[1]
    loaded = evaluate([load(run)], pictures, contexts="random:9")
    assert (loaded.part, loaded.budget.images) == ("validation pictures", held_out)
    rules = evaluate_sampling(run, pictures, rules=[], images=99)
    assert (rules.pictures, f"{run} held out" in rules.notes[-1]) == (held_out, True)
    more, wider = tmp_path / "runs" / "more", f"data.validation={held_out + 3}"
    assert npfill("train", TINY, *changes, wider, "--data", pictures, "--run-dir", more).code == 0
    both = ("evaluate", more, run, "--data", pictures, "--contexts", "random:9")
    assert npfill(*both, "-o", tmp_path / "both").code == 0
    results = json.loads((tmp_path / "both" / "results.json").read_text("utf-8"))
    assert results["budget"]["images"] == held_out


@pytest.mark.slow
def test_pictures_that_a_run_never_saw_are_not_called_held_out(
    npfill: Command, pictures: Path, tmp_path: Path
) -> None:
    run, before = tmp_path / "run", np.load(pictures)
    assert npfill("train", TINY, "schedule.steps=2", "--data", pictures, "--run-dir", run).code == 0
    for changed in (before[1:], np.concatenate([before[3:], before[:3]]), 255 - before):
        np.save(pictures, changed)
        measured = evaluate([run], pictures, contexts="random:9", images=1)
        assert measured.part == "all pictures"
        assert f"is not what {run} was trained on: all its pictures" in measured.notes[-1]
    np.save(pictures, before)
    for size in (8, 9):
        kept = evaluate([run], pictures, contexts="random:9", images=1, size=size)
        assert (kept.part, f"{run} held out" in kept.notes[-1]) == ("validation pictures", True)


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--sampling"], ["--protocol", "tnp", "--size", 16]])
def test_the_terms_of_what_is_measured_are_said(
    npfill: Command, data: Path, tmp_path: Path, more: list[object]
) -> None:
    own, terms = tmp_path / "own.safetensors", "for non-commercial research only"
    checkpoint.save(own, tiny("np-basis", channels=3).float(), {"terms": terms})
    for number in range(16):
        shutil.copy(data / "test" / "00.png", data / "test" / f"more{number}.png")
    words = ("evaluate", own, "--data", data, "--images", 16, *more)
    ended = npfill(*words, *([] if more else ["--contexts", "random:9"]))
    assert ended.code == 0, ended.err
    assert f"{own}: {terms}" in ended.err + ended.out.decode()


@pytest.mark.slow
def test_where_nothing_is_known_of_the_pictures_that_is_said(
    npfill: Command, pictures: Path, tmp_path: Path
) -> None:
    ended = npfill("evaluate", "nearest", "--data", pictures, "--contexts", "random:9")
    assert ended.code == 0, ended.err
    assert f"{pictures} has no test part" in ended.err


def test_a_damaged_test_picture_is_named_and_others_are_not_measured_for_it(
    npfill: Command, data: Path, weights: Path
) -> None:
    picture = data / "test" / "00.png"
    picture.write_bytes(picture.read_bytes()[:40])
    ended = npfill("evaluate", weights, "--data", data, "--contexts", "random:9")
    assert (ended.code, str(picture) in ended.err) == (3, True)


def test_a_sampler_that_no_model_has_is_refused_beside_baselines(
    npfill: Command, data: Path, weights: Path
) -> None:
    words = ("evaluate", weights, "nearest", "--data", data, "--contexts", "random:9")
    ended = npfill(*words, "--samplers", "flow")
    assert (ended.code, "no model has a sampler flow" in ended.err) == (2, True)


def test_one_model_may_be_named_alone(data: Path) -> None:
    assert [*evaluate("nearest", data, contexts="random:9", images=1).predictors] == ["nearest"]


@pytest.mark.slow
def test_without_matplotlib_there_are_no_plots_and_a_way_to_them(
    npfill: Command, data: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    words = ("evaluate", weights, "--data", data, "--contexts", "random", "--images", 1)
    ended = npfill(*words, "-o", tmp_path / "report")
    assert ended.code == 0, ended.err
    assert "pip install 'npfill[report]'" in ended.err
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.md", "results.json"}


def test_a_picture_that_is_no_set_of_pictures_is_refused_with_advice(
    npfill: Command, photo: Path
) -> None:
    ended = npfill("evaluate", "nearest", "--data", photo)
    assert ended.code == 3
    assert "one picture" in ended.err
    assert "folder" in ended.err


@pytest.mark.slow
def test_rules_of_measuring_stand_in_one_report(
    npfill: Command, data: Path, weights: Path, tmp_path: Path
) -> None:
    words = ("evaluate", weights, "--data", data, "--sampling", "--images", 2)
    ended = npfill(*words, "-o", tmp_path / "report")
    assert ended.code == 0, ended.err
    assert b"low-discrepancy" in ended.out
    assert "| measured | raster | random |" in (tmp_path / "report/report.md").read_text("utf-8")
    assert (tmp_path / "report/psnr.png").exists()
    results = json.loads((tmp_path / "report/results.json").read_text("utf-8"))
    assert len(results["psnr"]["random"]) == len(results["shares"])
    assert results["needed"].keys() == results["psnr"].keys()
    assert npfill(*words, "--draws", 3).code == 2
    assert npfill(*words, "--contexts", "keep", "-o", tmp_path / "other").code == 2
    assert npfill("evaluate", weights, "linear", "--data", data, "--sampling").code == 2


@pytest.mark.parametrize("more", [["--sampling"], ["--protocol", "tnp"], ["--draws", 3]])
def test_grids_of_numbers_take_no_option_of_pictures(npfill: Command, more: list[object]) -> None:
    ended = npfill("evaluate", "--fields", *more)
    assert (ended.code, "options of pictures" in ended.err) == (2, True)


def test_rules_of_measuring_are_no_protocol(npfill: Command, data: Path) -> None:
    for more in (["sampling"], ["tnp", "--sampling"]):
        ended = npfill("evaluate", "cnp-mnist", "--data", data, "--protocol", *more)
        assert (ended.code, "npfill or tnp" in ended.err) == (2, True)
