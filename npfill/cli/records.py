"""The records of pictures as JSON: one object at the end, or a line for each once it is done."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from npfill.cli.console import error_record, print_result
from npfill.errors import NpfillError

if TYPE_CHECKING:
    from npfill.completion import Run

Record = dict[str, object]


@dataclass
class Records:
    """What a command says of its pictures, as JSON.

    A line is what `--json` prints of one picture alone.

    Attributes:
        lines: Each is printed at once.
        done: Those of pictures that were completed.
    """

    lines: bool
    done: list[Record] = field(default_factory=list)

    def begin(self, run: "Run") -> None:
        """Tell of the pictures that need no work, and of those that cannot be done."""
        for path in run.skipped if self.lines else ():
            print_result(0, skipped(path))
        for path, error in run.failures:
            self.fail(path, error)

    def add(self, record: Record) -> None:
        """Keep the record of a picture that is done."""
        self.done.append(record)
        if self.lines:
            print_result(0, record)

    def fail(self, path: Path, error: NpfillError) -> None:
        """Tell of a picture that cannot be done."""
        if self.lines:
            print_result(error.exit_code, {"input": str(path)}, [failure(path, error)])


def skipped(path: Path) -> Record:
    """The record of a picture whose results all exist."""
    return {"input": str(path), "outputs": {}, "warnings": []}


def failure(path: Path, error: NpfillError) -> dict[str, str]:
    """The record of a picture that cannot be done, and why."""
    text = str(error) if str(path) in str(error) else f"{path}: {error}"
    return {"file": str(path)} | error_record(error, text)
