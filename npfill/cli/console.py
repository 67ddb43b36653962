"""Talk goes to stderr, data to stdout, and an error is one line with a way out."""

import os
import traceback

from rich.console import Console
from rich.markup import escape

from npfill.errors import NpfillError

INTERRUPTED = 130

stderr = Console(stderr=True, highlight=False, soft_wrap=True)
stdout = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line of talk; the text is never read as markup."""
    stderr.print(escape(text))


def warn(text: str) -> None:
    """One line on what the user should know."""
    stderr.print(f"[yellow]warning:[/yellow] {escape(text)}")


def report(error: NpfillError | KeyboardInterrupt) -> int:
    """Print an error and answer its exit code; NPFILL_DEBUG=1 adds the traceback."""
    if os.environ.get("NPFILL_DEBUG") == "1":
        stderr.print(escape("".join(traceback.format_exception(error))))
    if isinstance(error, KeyboardInterrupt):
        stderr.print("interrupted")
        return INTERRUPTED
    stderr.print(f"[red]error:[/red] {escape(str(error))}")
    if error.hint:
        stderr.print(f"[bold]hint:[/bold] {escape(error.hint)}")
    return error.exit_code
