"""models, demo and doctor from the command line."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from npfill import completion, files, hub, zoo
from npfill.cli import main
from npfill.errors import ModelError


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


def test_the_default_comes_first_and_each_says_what_it_is_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("models") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:4] == [zoo.DEFAULT, "(default)", "photographs", "of"]
    assert sum("handwritten digits" in line for line in lines) == 5


@pytest.mark.parametrize("command", ["models", "train"])
def test_names_are_whole_in_a_narrow_terminal(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert run(command) == 0
    words = capsys.readouterr().out.split()
    names = {*zoo.entries()}
    if command == "train":
        names = {path.stem for path in files.folder("train").glob("*.toml")}
    assert names <= {*words}


@pytest.mark.slow
def test_demo_mends_a_photograph_and_prints_commands_that_do_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("demo") == 0
    said = capsys.readouterr()
    assert "sure nearly everywhere" in said.err
    with Image.open("npfill-demo/npfill-demo.png") as sheet:
        assert sheet.width > 3 * 400
    first, second = said.out.splitlines()
    assert run(*first.split()[1:]) == 0
    assert run(*second.split()[1:], "--samples", "0") == 0
    assert Path("npfill-demo/scratched_mean.png").is_file()
    assert run("demo") == 4


@pytest.mark.slow
def test_demo_of_digits_has_a_row_for_each_of_their_models(tmp_path: Path) -> None:
    assert run("demo", "--digits", "-o", str(tmp_path), "--samples", "1") == 0
    with Image.open(tmp_path / "npfill-digits.png") as sheet:
        assert sheet.width > sheet.height / len(zoo.entries())
    digits = [name for name, entry in zoo.shipped().items() if entry.is_of_digits]
    assert digits == ["anp-mnist", "cnp-mnist", "flownp-mnist", "lcnp-mnist", "np-mnist"]


def test_without_a_word_three_commands_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    shown = [
        line.split()[:2] for line in capsys.readouterr().out.splitlines() if "  npfill" in line
    ]
    assert shown == [["npfill", "demo"], ["npfill", "mask"], ["npfill", "complete"]]


WORDS = ["complete", "mask", "paint", "train", "demo", "models show", "figure reveal"]


@pytest.mark.parametrize("name", WORDS)
def test_help_opens_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*name.split(), "--help") == 0
    usage, example = capsys.readouterr().out.split("Example:")
    assert "Options" not in usage
    assert " ".join(example.split()).startswith(f"npfill {name}")


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


def test_doctor_looks_at_everything_before_a_variable_that_is_wrong_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong() -> bool:
        raise ModelError("HF_HOME is wrong", "correct or unset it")

    monkeypatch.setattr(hub, "offline", wrong)
    monkeypatch.setattr(completion, "self_test", lambda: (0.0, ""))
    assert run("doctor") == 5
    said = capsys.readouterr()
    assert "bundled, none damaged" in said.out
    assert "passed" in said.out
    assert "error: HF_HOME is wrong" in said.err
