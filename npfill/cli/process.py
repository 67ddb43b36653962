"""The process of the command `npfill`: its signals and streams, once there is something to end."""

import io
import logging
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from types import FrameType
from typing import Any

from npfill import cli
from npfill.cli import console
from npfill.errors import InputError, received_signals

_SIGNALLED = 128  # and the number of the signal: the exit code of what a signal ends
_IMPORTING = "<frozen importlib._bootstrap>"  # the file, as Python says, of what imports


def run(signals: Sequence[int]) -> None:
    """Run the command line; signals, streams and warnings of the process are the command's."""
    try:
        _own_streams()
        if not sys.warnoptions:  # unless Python was told to show them
            warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())
        for number in signals:
            signal.signal(number, _interrupt)
        try:
            cli.main()
        finally:
            try:
                sys.stdout.flush()
            except InputError as error:
                sys.exit(console.report(error))
    finally:
        for number in signals:  # all is done, and the interpreter ends without a word
            signal.signal(number, signal.SIG_IGN)
        if received_signals:  # libraries make anything of an interruption
            sys.exit(_SIGNALLED + received_signals[0])


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End by an exception, so that nothing half done is left; what it breaks is silent."""
    if _is_importing(frame):  # an exception there makes torch's C++ abort the process
        os._exit(_SIGNALLED + number)
    received_signals.append(number)
    sys.unraisablehook = lambda _: None
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(_SIGNALLED + number)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported."""
    while frame and frame.f_code.co_filename != _IMPORTING:
        frame = frame.f_back
    return frame is not None


def _own_streams() -> None:
    """Make the streams of the process safe: closed, full or without a reader, in any encoding.

    What cannot be written to stdout ends the command in one line, or silently where its reader has
    had enough. What cannot be written to stderr is lost. Libraries write to neither.
    """
    for number in range(3):  # what is opened next must not become a standard stream
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if os.name != "nt":
        sys.stdout, sys.stderr = _stream(sys.stdout, 1), _stream(sys.stderr, 2)


class _Stream(io.FileIO):
    """A standard stream that ends the command, or is left alone, once it cannot be written."""

    def write(self, content: Any) -> int:
        """Write bytes."""
        try:
            return super().write(content) or 0
        except OSError as error:
            number = self.fileno()
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)  # what is still buffered goes there
            if number != 1:
                return len(content)
            if isinstance(error, BrokenPipeError):
                sys.exit(141)  # as of SIGPIPE
            raise InputError(
                f"stdout: cannot be written ({error.strerror})", "`output` names a file or folder"
            ) from None


def _stream(before: io.TextIOBase | Any, number: int) -> io.TextIOWrapper:
    if before is not None:
        before.flush()
    raw = _Stream(number, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=raw.isatty() or number != 1,
    )
