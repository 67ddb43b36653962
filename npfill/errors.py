"""The errors a person at the terminal can mend, each with its exit code and a way out."""

from typing import ClassVar

# The signals that have come to end the process.
received_signals: list[int] = []


class NpfillError(Exception):
    """An error with one line that names the file and the reason, and a hint that says what to do.

    Args:
        message: One line: what, which file, why.
        hint: One line: a way out.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(NpfillError):
    """The command line is wrong, or asks for a device that is not there."""

    exit_code = 2


class InputError(NpfillError):
    """An input cannot be found or used."""

    exit_code = 3


class OverwriteError(NpfillError):
    """A file exists and nothing said that it may be replaced."""

    exit_code = 4


class ModelError(NpfillError):
    """A model is unknown, unavailable or fails verification."""

    exit_code = 5


class BatchError(NpfillError):
    """Some pictures of a batch were not completed; the others were."""

    exit_code = 6


class CheckFailedError(NpfillError):
    """A check says no: a training that diverged, for example."""

    exit_code = 7
