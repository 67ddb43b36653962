"""What the command makes of the library's messages, and how it shows progress."""

from pathlib import Path

import pytest

from npfill.cli.console import Reporter, as_flags, progress
from npfill.notes import News, about
from tests.cli.conftest import Command


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("`fit_mask=True` resizes it", "--fit-mask resizes it"),
        ("0/1 mask? `mask_threshold=1`", "0/1 mask? --mask-threshold 1"),
        ('use `device="cpu"`', "use --device cpu"),
        ("`output=DIR/` takes them all", "-o DIR/ takes them all"),
        ("`output` names another file", "-o names another file"),
        ("`box=(20, 10, 64, 48)`: no", "--box 20,10,64,48: no"),
        ("`mask='color:#ff00ff~8'`", "--mask color:#ff00ff~8"),
        ('`format="keep"` and `samples=0`', "--format keep and --samples 0"),
        ("`run_dir` takes another", "--run-dir takes another"),
        ("a file `photo.png`, `nonsense=1`", "a file `photo.png`, `nonsense=1`"),
        ("wrote `overwrite`_mask.png", "wrote `overwrite`_mask.png"),
        ("npfill mask './`output`.jpg' (`model`)", "npfill mask './`output`.jpg' (-m)"),
    ],
)
def test_parameters_become_flags(said: str, shown: str) -> None:
    assert as_flags(said) == shown


def test_progress_is_a_line_at_the_end_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress(None, "work") as shown:
        shown.expect(4)
        shown.advance(2)
        shown.reach(4, "[all] of it")
    with progress(1, "silent", quiet=True) as shown:
        shown.advance()
    assert capsys.readouterr().err == "[all] of it  100 %\n"


@pytest.mark.slow
def test_a_word_that_is_a_file_is_answered_with_the_command_that_completes_it(
    npfill: Command, photo: Path
) -> None:
    ended = npfill(photo)
    assert ended.code == 2
    assert f"npfill complete {photo}" in ended.err
    assert "No such command" in npfill("complte", photo).err


def test_what_merely_tells_is_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    for note in (about("a.png", News("turned")), about("a.png", "wild")):
        reporter.note(note)
    assert reporter.said == {"warnings": ["a.png: wild"], "notes": ["a.png: turned"]}
    assert capsys.readouterr().err == "note: a.png: turned\nwarning: a.png: wild\n"
