"""Talk goes to stderr, data to stdout, and an error is one line with a way out."""

import os
import traceback
import unicodedata

from rich.console import Console
from rich.markup import escape

from npfill.errors import NpfillError

stderr = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
stdout = Console(highlight=False, soft_wrap=True, emoji=False)


def printable(text: str) -> str:
    """Text with control characters spelled out: what files say of themselves may hold any."""
    return "".join(
        each.encode("unicode_escape").decode()
        if each not in "\n\t" and unicodedata.category(each) in {"Cc", "Cs"}
        else each
        for each in text
    )


class Talk:
    """What one command tells its user; nothing but errors where `quiet`."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet, self.verbose = quiet, verbose
        self.warnings: list[str] = []

    def say(self, text: str) -> None:
        """One line; the text is never read as markup."""
        if not self.quiet:
            stderr.print(escape(printable(text)))

    def detail(self, text: str) -> None:
        """One line for those who asked for more."""
        if self.verbose:
            self.say(text)

    def warn(self, text: str) -> None:
        """One line on what the user should know; kept for the result too."""
        self.warnings.append(text)
        if not self.quiet:
            stderr.print(f"[yellow]warning:[/yellow] {escape(printable(text))}")


def say_terms(talk: Talk, name: str, terms: str) -> None:
    """Warn where the data that weights were trained on may not be used for everything."""
    if "non-commercial" in terms:
        talk.warn(f"{name}: {terms}")


def report(error: Exception) -> int:
    """Print an error and answer its exit code; NPFILL_DEBUG=1 adds the traceback."""
    if os.environ.get("NPFILL_DEBUG") == "1":
        stderr.print(escape("".join(traceback.format_exception(error))))
    if not isinstance(error, NpfillError):
        problem = f"{type(error).__name__}: {error}".splitlines()[0]
        error = NpfillError(
            f"a bug in npfill ({problem})", "NPFILL_DEBUG=1 shows where; please report it"
        )
    stderr.print(f"[red]error:[/red] {escape(printable(str(error)))}")
    if error.hint:
        stderr.print(f"[bold]hint:[/bold] {escape(printable(error.hint))}")
    return error.exit_code
