"""A process of its own for what a test calls, forked from this one: nothing is imported again."""

import logging
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Never

import pytest

from npfill.errors import received_signals

posix = pytest.mark.skipif(os.name == "nt", reason="as POSIX has it")
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote to its streams."""

    code: int
    out: bytes
    err: str


@dataclass(frozen=True)
class Forked:
    """A process that runs, its streams files unless they were given."""

    pid: int
    out: IO[bytes]
    err: IO[bytes]

    def wait(self, seconds: float = 120) -> Ended:
        """Its end; a process that has none is killed."""
        deadline = time.monotonic() + seconds
        while not (found := os.waitpid(self.pid, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.002)
        texts = []
        for file in (self.out, self.err):
            file.seek(0)
            texts.append(file.read())
            file.close()
        return Ended(os.waitstatus_to_exitcode(found[1]), texts[0], texts[1].decode())


def forked(
    call: Callable[[], object],
    *,
    stdin: int = -1,
    stdout: int = -1,
    stderr: int = -1,
    closed: int | None = None,
) -> Forked:
    """A process that calls this, with these files as streams, and one of them closed."""
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
    nothing = os.open(os.devnull, os.O_RDONLY)
    files = [nothing if stdin < 0 else stdin]
    files += [out.fileno() if stdout < 0 else stdout, err.fileno() if stderr < 0 else stderr]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: none is needed there
        pid = os.fork()
    if not pid:
        _run(call, files, closed)
    os.close(nothing)
    return Forked(pid, out, err)


def _run(call: Callable[[], object], files: list[int], closed: int | None) -> Never:
    """End with the exit code that Python would end with, and nothing of pytest's."""
    code: int | str | None = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
        if closed is not None:
            os.close(closed)
        streams = [
            None if number == closed else open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            for number, mode in enumerate("rww")
        ]
        sys.stdin, sys.stdout, sys.stderr = streams
        for name in _SIGNALS:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        received_signals.clear()
        warnings.resetwarnings()
        logging.getLogger().handlers.clear()
        call()
        code = 0
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))
