"""The command as a process: signals, streams and what other programs do at the same time."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from npfill.completion.hole import prepare
from tests.cli.conftest import at_fsync, process
from tests.forked import posix

RUN = "from npfill.__main__ import main; main()"
PLAN = ("complete", "photo.png", "--box", "0,0,2,2", "--emit", "mean", "-q")
COMPLETE = (*PLAN, "-m", "tiny.safetensors")
pytestmark = [posix, pytest.mark.usefixtures("here")]


@pytest.fixture
def here(photo: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(weights, photo.parent)
    monkeypatch.chdir(photo.parent)


def start(*words: str, before: str = "", **options: object) -> "subprocess.Popen[str]":
    """The command in a new interpreter."""
    command = [sys.executable, "-c", before + RUN, *words]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen(command, **streams)  # type: ignore[call-overload]


def kill(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(5)


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2])
def test_an_interruption_at_any_moment_is_silent(delay: float) -> None:
    before = "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    begun = "import npfill.__main__\nprint('begun', flush=True)\n"
    run = start(*PLAN, "-m", "nearest", "-o", "out", before=before + begun)
    assert run.stdout is not None
    assert run.stdout.readline() == "begun\n"
    time.sleep(0.01 + delay)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode in {130, 0}
    assert "Traceback" not in err
    assert "bug" not in err


@pytest.mark.slow
def test_an_interruption_while_torch_starts_is_silent() -> None:
    before = """
import os, signal, sys

def interrupt(frame, event, argument):
    if event == "c_call" and argument.__name__ == "_multiprocessing_init":
        interrupt.inside = True
    elif event == "call" and interrupt.inside:
        sys.setprofile(None)
        os.kill(os.getpid(), signal.SIGINT)

interrupt.inside = False
sys.setprofile(interrupt)
"""
    run = start(*COMPLETE, "-o", "out", before=before)
    assert run.communicate(timeout=120) == ("", "")
    assert run.returncode == 128 + signal.SIGINT


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_half_written(number: int) -> None:
    ended = process(*COMPLETE, "-o", "out", before=at_fsync(lambda: kill(number))).wait()
    assert ended.code == 128 + number
    assert "Traceback" not in ended.err
    assert list(Path("out").iterdir()) == []


@pytest.mark.slow
def test_what_a_killed_run_left_goes_with_the_next() -> None:
    before = at_fsync(lambda: kill(signal.SIGKILL))
    assert process(*COMPLETE, "-o", "out", before=before).wait().code == -signal.SIGKILL
    assert len(list(Path("out").iterdir())) == 1
    time.sleep(0.3)
    assert process(*COMPLETE, "-o", "out/").wait().code == 0
    assert [each.name for each in Path("out").iterdir()] == ["photo_mean.png"]


@pytest.mark.slow
def test_a_file_that_appears_in_the_course_of_a_run_stays() -> None:
    appears = at_fsync(lambda: Path("out/photo_mean.png").write_text("precious"))
    ended = process(*COMPLETE, "-o", "out", before=appears).wait()
    assert ended.code == 4
    assert "photo_mean.png: exists" in ended.err
    assert Path("out/photo_mean.png").read_text() == "precious"
    assert len(list(Path("out").iterdir())) == 1


@pytest.mark.slow
def test_what_is_private_stays_private() -> None:
    Path("photo_mean.png").touch(0o600)
    assert process(*COMPLETE, "--overwrite").wait().code == 0
    assert Path("photo_mean.png").stat().st_mode & 0o777 == 0o600
    Path("photo.png").chmod(0o640)
    assert process(*COMPLETE, "-o", "out").wait().code == 0
    assert Path("out/photo_mean.png").stat().st_mode & 0o007 == 0


@pytest.mark.slow
def test_a_reader_that_has_gone_is_no_error() -> None:
    for words in (("complete", "photo.png", "--box", "0,0,2,2", "--dry-run"), ("--help",)):
        read, write = os.pipe()
        os.close(read)
        ended = process(*words, stdout=write).wait()
        os.close(write)
        assert ended.code == 141
        assert ended.err == ""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("more", [("--json", "-o", "out"), ("--dry-run",), ("-o", "-")])
def test_a_full_stdout_is_said(more: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = process(*COMPLETE, *more, stdout=full.fileno()).wait()
        assert ended.code == 3
        assert "stdout: cannot be written (No space left on device)" in ended.err
        words = (*COMPLETE, "-o", "out", "--overwrite")
        assert process(*words, stderr=full.fileno()).wait().code == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_closed_stream_is_no_bug(number: int) -> None:
    ended = process(*COMPLETE, "-o", "-" if number == 1 else "out", closed=number).wait()
    assert ended.code == (3 if number == 1 else 0)
    assert "bug" not in ended.err


@pytest.mark.slow
def test_names_that_the_encoding_cannot_say_are_escaped() -> None:
    Image.open("photo.png").save("é.png")
    plan = ("complete", "é.png", "--box", "0,0,2,2", "--dry-run")
    run = start(*plan, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    out, _ = run.communicate(timeout=120)
    assert run.returncode == 0
    assert r"\xe9.png" in out


@pytest.mark.slow
def test_no_library_writes_to_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    def talks(*arguments: Any) -> object:
        warnings.warn("a warning", stacklevel=1)
        logging.getLogger("x").warning("a log")
        return prepare(*arguments)

    monkeypatch.setattr("npfill.completion.run.prepare", talks)
    ended = process(*COMPLETE, "-o", "out").wait()
    assert (ended.code, ended.err) == (0, "")
