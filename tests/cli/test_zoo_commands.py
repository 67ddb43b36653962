"""models, demo and doctor from the command line."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from npfill import files, zoo
from npfill.cli import main


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


@pytest.mark.slow
def test_demo_makes_one_sheet_with_a_row_per_digit_model(tmp_path: Path) -> None:
    assert run("demo", "-o", str(tmp_path), "--samples", "1") == 0
    with Image.open(tmp_path / "npfill-demo.png") as sheet:
        assert sheet.width > sheet.height / len(zoo.entries())
    assert run("demo", "-o", str(tmp_path)) == 4


@pytest.mark.slow
def test_doctor_passes_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor") == 0
    assert "passed" in capsys.readouterr().out


@pytest.mark.slow
def test_doctor_says_no_where_weights_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(files.folder("pretrained"), tmp_path / "pretrained")
    monkeypatch.setattr(zoo, "folder", lambda name: tmp_path / name)
    name = next(name for name in zoo.entries() if name != zoo.DEFAULT)
    (tmp_path / "pretrained" / zoo.entries()[name].file).write_bytes(b"")
    assert run("doctor") == 7
    assert f"{name}.safetensors" in capsys.readouterr().err
