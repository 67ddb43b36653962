"""The command as a process: signals, streams and what other programs do at the same time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

RUN = "from npfill.__main__ import main; main()"
SLOW_FSYNC = (
    "import os, time\nreal = os.fsync\n"
    "def fsync(number):\n    real(number)\n    {act}\n"
    "os.fsync = fsync\n"
)
COMPLETE = ("complete", "photo.png", "--box", "0,0,2,2", "-m", "nearest", "--emit", "mean", "-q")
posix = pytest.mark.skipif(os.name == "nt", reason="as POSIX has it")
pytestmark = [posix, pytest.mark.usefixtures("here")]


@pytest.fixture
def here(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photo.parent)


def start(*words: str, before: str = "", **options: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", before + RUN, *words]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen(command, **streams)  # type: ignore[call-overload]


def ended(*words: str, before: str = "", **options: object) -> tuple[int, str, str]:
    run = start(*words, before=before, **options)
    out, err = run.communicate(timeout=120)
    return run.returncode, out or "", err or ""


def test_nothing_is_imported_before_the_entry_point_owns_the_signals() -> None:
    code = (
        "import sys, signal; had = {*sys.modules}; import npfill.__main__; "
        "print({*sys.modules} - had)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert eval(run.stdout) == {"npfill", "npfill.__main__"}


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2])
def test_an_interruption_at_any_moment_is_silent(delay: float) -> None:
    before = "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    begun = "import npfill.__main__\nprint('begun', flush=True)\n"
    run = start(*COMPLETE, "-o", "out", before=before + begun)
    assert run.stdout is not None
    assert run.stdout.readline() == "begun\n"
    time.sleep(0.01 + delay)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode in {130, 0}
    assert "Traceback" not in err
    assert "bug" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_half_written(number: int) -> None:
    act = f"os.kill(os.getpid(), {int(number)}); time.sleep(5)"
    code, _, err = ended(*COMPLETE, "-o", "out", before=SLOW_FSYNC.format(act=act))
    assert code == 128 + number
    assert "Traceback" not in err
    assert list(Path("out").iterdir()) == []


def test_what_a_killed_run_left_goes_with_the_next() -> None:
    act = "os.kill(os.getpid(), 9); time.sleep(5)"
    assert ended(*COMPLETE, "-o", "out", before=SLOW_FSYNC.format(act=act))[0] == -9
    assert len(list(Path("out").iterdir())) == 1
    time.sleep(0.3)
    assert ended(*COMPLETE, "-o", "out/")[0] == 0
    assert [each.name for each in Path("out").iterdir()] == ["photo_mean.png"]


def test_a_file_that_appears_in_the_course_of_a_run_stays() -> None:
    act = "open('out/photo_mean.png', 'w').write('precious')"
    code, _, err = ended(*COMPLETE, "-o", "out", before=SLOW_FSYNC.format(act=act))
    assert code == 4
    assert "photo_mean.png: exists" in err
    assert Path("out/photo_mean.png").read_text() == "precious"
    assert len(list(Path("out").iterdir())) == 1


def test_what_is_private_stays_private() -> None:
    Path("photo_mean.png").touch(0o600)
    assert ended(*COMPLETE, "--overwrite")[0] == 0
    assert Path("photo_mean.png").stat().st_mode & 0o777 == 0o600
    Path("photo.png").chmod(0o640)
    assert ended(*COMPLETE, "-o", "out")[0] == 0
    assert Path("out/photo_mean.png").stat().st_mode & 0o007 == 0


def test_a_reader_that_has_gone_is_no_error() -> None:
    for words in (("complete", "photo.png", "--box", "0,0,2,2", "--dry-run"), ("--help",)):
        read, write = os.pipe()
        os.close(read)
        code, _, err = ended(*words, stdout=write)
        os.close(write)
        assert code == 141
        assert err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("more", [("--json", "-o", "out"), ("--dry-run",), ("-o", "-")])
def test_a_full_stdout_is_said(more: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        code, _, err = ended(*COMPLETE, *more, stdout=full)
        assert code == 3
        assert "stdout: cannot be written (No space left on device)" in err
        assert ended(*COMPLETE, "-o", "out", "--overwrite", stderr=full)[0] == 0


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_closed_stream_is_no_bug(number: int) -> None:
    command = [sys.executable, "-c", RUN, *COMPLETE, "-o", "-" if number == 1 else "out"]
    run = subprocess.run(
        ["sh", "-c", f'exec "$@" {number}{"<" if number == 0 else ">"}&-', "sh", *command],
        capture_output=True,
        check=False,
    )
    assert run.returncode == (3 if number == 1 else 0)
    assert b"bug" not in run.stderr


def test_names_that_the_encoding_cannot_say_are_escaped() -> None:
    Image.open("photo.png").save("é.png")
    plan = ("complete", "é.png", "--box", "0,0,2,2", "--dry-run")
    code, out, _ = ended(*plan, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert code == 0
    assert r"\xe9.png" in out


def test_no_library_writes_to_stderr() -> None:
    before = (
        "import PIL.Image, warnings, logging\nreal = PIL.Image.open\n"
        "def warn(*a, **k):\n"
        "    warnings.warn('a warning'); logging.getLogger('x').warning('a log')\n"
        "import npfill.completion.run as run\nplain = run.prepare\n"
        "def prepare(*a):\n    warn()\n    return plain(*a)\n"
        "run.prepare = prepare\n"
    )
    code, _, err = ended(*COMPLETE, "-o", "out", before=before)
    assert (code, err) == (0, "")
