"""Talk goes to stderr, data to stdout, and an error is one line with a way out."""

import os
import traceback

from rich.console import Console
from rich.markup import escape

from npfill.errors import NpfillError

stderr = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
stdout = Console(highlight=False, soft_wrap=True, emoji=False)


def print_data(line: str) -> None:
    """A line on stdout."""
    stdout.print(_plain(line))


class Talk:
    """What one command tells its user; nothing but errors where `quiet`."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet, self.verbose = quiet, verbose
        self.warnings: list[str] = []

    def say(self, text: str) -> None:
        """One line; the text is never read as markup."""
        if not self.quiet:
            stderr.print(_plain(text))

    def detail(self, text: str) -> None:
        """One line for those who asked for more."""
        if self.verbose:
            self.say(text)

    def warn(self, text: str) -> None:
        """One line on what the user should know; kept for the result too."""
        self.warnings.append(text)
        if not self.quiet:
            stderr.print(f"[yellow]warning:[/yellow] {_plain(text)}")


def say_terms(talk: Talk, name: str, terms: str) -> None:
    """Warn where the data that weights were trained on may not be used for everything."""
    if "non-commercial" in terms:
        talk.warn(f"{name}: {terms}")


def as_npfill_error(error: Exception) -> NpfillError:
    """An error that is not ours is a bug, and says so."""
    if isinstance(error, NpfillError):
        return error
    problem = f"{type(error).__name__}: {error}".splitlines()[0]
    return NpfillError(
        f"a bug in npfill ({problem})", "NPFILL_DEBUG=1 shows where; please report it"
    )


def show(problem: str, hint: str) -> None:
    """Print what went wrong, and a way out."""
    stderr.print(f"[red]error:[/red] {_plain(problem)}")
    if hint:
        stderr.print(f"[bold]hint:[/bold] {_plain(hint)}")


def report(error: Exception) -> int:
    """Print an error and answer its exit code; NPFILL_DEBUG=1 adds the traceback."""
    if os.environ.get("NPFILL_DEBUG") == "1":
        stderr.print(escape("".join(traceback.format_exception(error))))
    known = as_npfill_error(error)
    show(str(known), known.hint)
    return known.exit_code


def _plain(text: str) -> str:
    """Text that rich shows as it is; what would steer a terminal, or is no text, is escaped."""
    return escape("".join(each if each.isprintable() else ascii(each)[1:-1] for each in text))
