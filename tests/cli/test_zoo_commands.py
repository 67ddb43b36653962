"""models, demo and doctor from the command line."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from npfill import checkpoint, files, zoo
from npfill.cli import main
from tests.conftest import TINY


def run(*arguments: str) -> int:
    """The exit code of a command line, in this process."""
    try:
        main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize("arguments", [["models"], ["models", "list"]])
def test_models_lists_names_scores_and_terms(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 0
    text = capsys.readouterr().out
    for name, entry in zoo.entries().items():
        assert name in text
        assert entry.terms in text


def test_demo_makes_one_sheet_with_a_row_per_digit_model(tmp_path: Path) -> None:
    assert run("demo", "-o", str(tmp_path), "--samples", "1") == 0
    with Image.open(tmp_path / "npfill-demo.png") as sheet:
        assert sheet.width > sheet.height / len(zoo.entries())
    assert run("demo", "-o", str(tmp_path)) == 4


def test_doctor_passes_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor") == 0
    assert "passed" in capsys.readouterr().out


def test_doctor_says_no_where_weights_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(files.folder("pretrained"), tmp_path / "pretrained")
    monkeypatch.setattr(zoo, "folder", lambda name: tmp_path / name)
    name = next(name for name in zoo.entries() if name != zoo.DEFAULT)
    (tmp_path / "pretrained" / zoo.entries()[name].file).write_bytes(b"")
    assert run("doctor") == 7
    assert f"{name}.safetensors" in capsys.readouterr().err


def test_a_finished_run_is_taken_into_the_zoo(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file, its row, its card and a picture are written, and the model has a name."""
    changes = ["schedule.steps=20", "--data", str(pictures), "--run-dir", str(tmp_path / "run")]
    assert run("train", str(TINY), *changes) == 0
    (tmp_path / "pretrained").mkdir()
    (tmp_path / "train").mkdir()
    shutil.copy(TINY, tmp_path / "train" / "np-ramps.toml")
    shutil.copytree(files.folder("examples"), tmp_path / "examples")
    for module in ("npfill.zoo", "npfill.evaluate.shipping"):
        monkeypatch.setattr(f"{module}.folder", lambda name: tmp_path / name)
    assert run("models", "add", str(tmp_path / "run"), "--name", "np-ramps") == 0
    entry = zoo.entries()["np-ramps"]
    weights = checkpoint.load(zoo.find("np-ramps").path)
    assert weights.provenance["steps"] == entry.steps == 20
    scores = weights.provenance["scores"]
    assert list(entry.mse) == [scores[f"random:{count}"]["mse"] for count in entry.counts]
    assert weights.model.calibration.abs().sum() > 0
    card = (tmp_path / "pretrained" / "np-ramps.md").read_text()
    for value in entry.mse:
        assert f"{value:.4f}" in card
    assert "(np-ramps.png)" in card
    with Image.open(tmp_path / "pretrained" / "np-ramps.png") as picture:
        assert picture.width > picture.height > 5 * 8


def test_weights_without_a_recipe_of_their_name_are_not_taken(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = ["schedule.steps=5", "--data", str(pictures), "--run-dir", str(tmp_path / "run")]
    assert run("train", str(TINY), *changes) == 0
    assert run("models", "add", str(tmp_path / "run"), "--name", "no-recipe") == 3
    assert "train/no-recipe.toml" in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "add", str(tmp_path)) == 3
    assert str(tmp_path) in capsys.readouterr().err
