"""Interrupts, kills, full disks and too little memory: files are whole or not there."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from npfill import gaussian, memory
from npfill.cli.console import as_npfill_error
from npfill.errors import InputError
from npfill.predictor import NeuralPredictor
from npfill.sampling import predictive
from tests.cli.conftest import Command, at_fsync, process
from tests.forked import posix
from tests.test_package import ROOT

BOX = ("--box", "1,1,2,3")


@posix
@pytest.mark.slow
def test_an_interrupt_ends_with_130_and_every_file_is_whole(photo: Path, weights: Path) -> None:
    folder = photo.parent / "in"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.png").hardlink_to(photo)
    out = photo.parent / "out"
    words = ("complete", folder, *BOX, "-m", weights, "-o", out)
    run = process(*words)
    deadline = time.monotonic() + 60
    while not list(out.glob("*_std.png")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGINT)
    ended = run.wait()
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert "--skip-existing goes on" in ended.err
    written = list(out.iterdir())
    assert 0 < len(written) < 1500
    for path in written:
        assert path.suffix == ".png"
        with Image.open(path) as image:
            image.load()


@pytest.mark.slow
@posix
@pytest.mark.parametrize("before", [None, b"precious"])
def test_a_kill_while_a_file_is_written_leaves_what_was_there(
    photo: Path, weights: Path, before: bytes | None
) -> None:
    result = photo.with_name("mean.png")
    if before is not None:
        result.write_bytes(before)
    words = ("complete", photo, *BOX, "-m", weights, "-o", result, "--overwrite", "-q")
    killed = at_fsync(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert process(*words, before=killed).wait().code == -signal.SIGKILL
    assert (result.read_bytes() if result.exists() else None) == before


def test_a_full_disk_is_said_and_leaves_nothing(
    npfill: Command, photo: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ended = npfill("complete", photo, *BOX, "-m", weights)
    assert ended.code == 3
    assert "photo_mean.png: cannot be written (No space left on device)" in ended.err
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


def test_a_read_only_folder_is_refused_before_the_model_is_loaded(
    npfill: Command, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    ended = npfill("complete", photo, *BOX, "-m", "no-such-model")
    assert ended.code == 3
    assert f"{photo.parent}: no permission to write there" in ended.err


class Device:
    """Has no memory for more than some predictions in one pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
        self.refused = 0
        predict = gaussian.mixture_moments

        def limited(predicted: object) -> object:
            size = predicted.mean.shape[-2]  # type: ignore[attr-defined]
            if size > most:
                self.refused += 1
                raise torch.OutOfMemoryError("CUDA out of memory")
            return predict(predicted)  # type: ignore[arg-type]

        monkeypatch.setattr(predictive, "mixture_moments", limited)


@pytest.mark.slow
def test_a_full_device_is_asked_again_in_smaller_parts(
    npfill: Command, photo: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictive, "CHUNK", 64)
    device = Device(monkeypatch, most=4)
    ended = npfill("complete", photo, *BOX, "-m", weights, "--json")
    assert ended.code == 0
    assert device.refused == 1
    assert any("in smaller parts" in note for note in json.loads(ended.out)["data"]["warnings"])


def test_a_device_that_stays_full_is_said_with_what_to_set(
    npfill: Command, photo: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Device(monkeypatch, most=0)
    ended = npfill("complete", photo, *BOX, "-m", weights)
    assert ended.code == InputError.exit_code
    assert device.refused == 2
    assert "needs more memory than cpu has left" in ended.err
    assert "hint: --device cpu" in ended.err


@pytest.mark.slow
def test_samples_that_cannot_fit_are_refused_before_the_work(
    npfill: Command, photo: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "left", lambda: 300_000.0)
    monkeypatch.setattr(NeuralPredictor, "predict", lambda *_, **__: pytest.fail("it began"))
    ended = npfill("complete", photo, *BOX, "-m", weights, "--samples", 1000)
    assert ended.code == InputError.exit_code
    assert "error: 1,000 samples of 6x5 pixels: 0.0 GB of memory or more, and 0.0 GB" in ended.err
    assert "hint: fewer --samples" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 1011. MiB for an array"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ..."),
        RuntimeError("std::bad_alloc"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)
@pytest.mark.parametrize("place", ["npfill.completion.run.render", "npfill.pictures.read._format"])
def test_memory_that_runs_out_anywhere_is_no_bug(
    npfill: Command,
    photo: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    place: str,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(place, fails)
    ended = npfill("complete", photo, *BOX, "-m", weights)
    assert ended.code == InputError.exit_code
    assert "more memory" in ended.err
    assert "hint: " in ended.err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the system: No space left"),
        (OSError(errno.EIO, "Input/output error", "a.png"), "a.png: Input/output error"),
        (OSError("torn"), ""),
    ],
)
def test_what_the_system_refuses_is_no_bug(error: Exception, said: str) -> None:
    known = as_npfill_error(error)
    assert known.exit_code == (3 if said else 1)
    assert str(known).startswith(said or "a bug in npfill")


def test_an_error_that_names_a_file_called_so_is_not_of_memory() -> None:
    assert not memory.is_out_of_memory(OSError(errno.ENOENT, "none", "out of memory.png"))
    assert not memory.is_out_of_memory(InputError("out of memory.png: no such file"))


@pytest.mark.skipif(sys.platform != "linux", reason="as Linux limits memory")
def test_what_is_left_is_what_the_limit_of_the_process_leaves() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + 2**28, before[1]))
    try:
        assert 0 < memory.left() <= 2**28
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_what_is_left_in_a_container_is_what_it_has_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"max": "9000", "current": "8000", "stat": "anon 5000\ninactive_file 2500\n"}
    for name, text in said.items():
        (tmp_path / f"memory.{name}").write_text(text)
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    assert memory.left() == 3500
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.left() > 3500


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="as Linux limits memory")
def test_under_a_limit_of_memory_a_command_ends_in_one_line(photo: Path, weights: Path) -> None:
    resource = pytest.importorskip("resource")
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (taken + 2**30,) * 2)

    Image.new("RGB", (3000, 3000)).save(photo)
    words = ("complete", photo, *BOX, "-m", weights, "--samples", 300)
    ended = process(*words, before=limited).wait()
    assert ended.code == InputError.exit_code
    assert "300 samples of 3000x3000 pixels: 32.6 GB of memory or more" in ended.err
    assert [path.name for path in photo.parent.iterdir()] == ["photo.png"]


@pytest.mark.slow
def test_through_pipes_there_is_a_png_and_nothing_else(photo: Path, weights: Path) -> None:
    words = ("complete", "-", *BOX, "-m", weights, "-o", "-")
    done = subprocess.run(
        [sys.executable, "-m", "npfill", *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input=photo.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = photo.with_name("piped.png")
    result.write_bytes(done.stdout)
    with Image.open(result) as image:
        image.load()
        assert image.size == (6, 5)
    assert done.stdout.endswith(b"IEND\xaeB`\x82")


@pytest.mark.slow
@posix
def test_stdin_is_left_alone_where_nothing_asks_for_it(photo: Path, weights: Path) -> None:
    read, write = os.pipe()  # never written to
    assert process("complete", photo, *BOX, "-m", weights, "-q", stdin=read).wait().code == 0
    os.close(read)
    os.close(write)


@pytest.mark.usefixtures("no_network")
@pytest.mark.slow
def test_bundled_weights_need_no_network(npfill: Command, photo: Path) -> None:
    assert npfill("complete", photo, *BOX, "--samples", 0).code == 0
