"""The command's voice: talk goes to stderr, data to stdout, an error is a line and a way out."""

import os
import re
import shlex
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich import progress as rich_progress
from rich.console import Console
from rich.markup import escape

from npfill.errors import InputError, NpfillError, received_signals
from npfill.files import STDIO, json_text
from npfill.memory import is_out_of_memory
from npfill.notes import News

if TYPE_CHECKING:
    from npfill.completion import Run

stderr = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
stdout = Console(highlight=False, soft_wrap=True, emoji=False)

_SECONDS_BETWEEN_LINES = 30.0
# A parameter in Python: `fit_mask=True`, `samples`; within a word it is a part of a file's name.
_PARAMETER = re.compile(r"(?<![\w./-])`([a-z_]+)(?:=([^`]*))?`(?!\.?\w)")
_SHORT = {"output": "-o", "model": "-m", "recursive": "-r"}
_commands: list[typer.Typer] = []


def understand(app: typer.Typer) -> None:
    """Let messages name the options of a command line by their flags."""
    _commands.append(app)


def as_flags(text: str) -> str:
    """A message with the options of the command line in place of the parameters in backticks.

    The library says `mask_threshold=1`, as one writes it in Python; here it is
    --mask-threshold 1. What is no option of any command stays as it is.
    """
    return _PARAMETER.sub(_as_flag, text)


def _as_flag(match: re.Match[str]) -> str:
    commands: list[Any] = [typer.main.get_command(app) for app in _commands]
    flags: dict[str, str] = {}  # of every option of every command, by its name in Python
    for command in commands:  # grows by the subcommands of each
        commands += getattr(command, "commands", {}).values()
        for option in command.params:
            for flag in option.opts:
                if flag.startswith("--"):
                    flags[flag[2:].replace("-", "_")] = flag
    name, value = match.groups()
    found = (flags | _SHORT).get(name)
    if found is None:
        return match[0]
    if value in {None, "True"}:
        return found
    pattern = r"[][()'\" ]" if value[:1] in {"(", "["} else r"^['\"]|['\"]$"
    return f"{found} {re.sub(pattern, '', value)}"


def print_data(line: str) -> None:
    """Print a line on stdout."""
    stdout.print(readable(line), markup=False)


@dataclass
class Reporter:
    """The voice of one command; it says nothing but errors if `quiet`."""

    quiet: bool = False
    verbose: bool = False
    said: dict[str, list[str]] = field(default_factory=lambda: {"warnings": [], "notes": []})

    def say(self, text: str) -> None:
        """Print a line; the text is never read as markup."""
        if not self.quiet:
            stderr.print(readable(as_flags(text)), markup=False)

    def note(self, *texts: str) -> None:
        """Print what the user should know, a warning if it does not merely tell; and keep it."""
        for text in texts:
            kind, colour = ("note", "dim") if isinstance(text, News) else ("warning", "yellow")
            self.said[f"{kind}s"].append(as_flags(text))
            if not self.quiet:
                stderr.print(f"[{colour}]{kind}:[/{colour}] {plain(as_flags(text))}")


def shell(words: Sequence[str | Path]) -> str:
    """A command line that a shell takes apart into these words; no path of it is an option."""
    return " ".join(map(_quoted, words))


def _quoted(given: str | Path) -> str:
    is_like_an_option = isinstance(given, Path) and str(given).startswith("-") and given != STDIO
    word = f"./{given}" if is_like_an_option else str(given)
    can_be_said = word.encode(stdout.encoding, "ignore").decode(stdout.encoding) == word
    if word.isprintable() and can_be_said:
        return shlex.quote(word)
    # As bash, zsh and the POSIX shells of 2024 read it.
    plain = set(range(32, 127)) - {ord("'"), ord("\\")}
    each = (chr(byte) if byte in plain else f"\\{byte:03o}" for byte in os.fsencode(word))
    return f"$'{''.join(each)}'"


def say_terms(reporter: Reporter, name: str, terms: str) -> None:
    """Warn where the data that weights were trained on may not be used for everything."""
    if "non-commercial" in terms:
        reporter.note(f"{name}: {terms}")


def say_model(run: "Run", reporter: Reporter) -> None:
    """Load what completes the pictures, and say what it is."""
    predictor = run.predictor
    say_terms(reporter, predictor.name, predictor.terms)
    if reporter.verbose and predictor.path is not None:
        reporter.say(f"{predictor.path}: {predictor.variant}, sha256 {predictor.sha256}")


class Progress:
    """Progress of some work: a bar in a terminal, elsewhere a line every half minute."""

    def __init__(self, bar: rich_progress.Progress, total: int | None, text: str, lines: bool):
        self._bar, self._lines, self._said = bar, lines, time.monotonic()
        self._task = bar.add_task(plain(text), total=total)

    def expect(self, total: int) -> None:
        """Set how much there is to do, where that is known only later."""
        self._bar.update(self._task, total=total)

    def advance(self, by: int = 1, text: str | None = None) -> None:
        """Move on by some units, under another description if one is given."""
        self.reach(int(self._state.completed) + by, text)

    def reach(self, done: int, text: str | None = None) -> None:
        """Move to a number of units done, under another description if one is given."""
        description = None if text is None else plain(text)
        self._bar.update(self._task, completed=done, description=description)
        now, state = time.monotonic(), self._state
        ended = done == state.total and state.description
        if self._lines and (ended or now - self._said >= _SECONDS_BETWEEN_LINES):
            self._said = now
            left = state.time_remaining
            remaining = f", {left / 60:.0f} min left" if left else ""
            stderr.print(f"{state.description}  {state.percentage:.0f} %{remaining}")

    def reach_of(self, done: int, total: int) -> None:
        """Move to a number of units done of a completion, of so many; the end says itself."""
        self.expect(total)
        if done < total:
            self.reach(done, "completing")

    def say(self, line: str) -> None:
        """Print a line that stays, above the bar where there is one."""
        self._bar.console.print(plain(line))

    @property
    def _state(self) -> rich_progress.Task:
        return self._bar.tasks[0]


@contextmanager
def progress(
    total: int | None, text: str = "", *, quiet: bool = False, lines: bool = True
) -> Iterator[Progress]:
    """Show how far work is: a bar with the time left in a terminal, elsewhere lines.

    Args:
        total: How many units there are; None where that is said later, by `expect`.
        text: What stands before the bar and in lines, until another is given.
        quiet: Show nothing.
        lines: Print a line every half minute where stderr is no terminal.
    """
    shown = stderr.is_terminal and not quiet
    columns = [
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeRemainingColumn(),
    ]
    bar = rich_progress.Progress(*columns, console=stderr, transient=True, disable=not shown)
    with bar if shown else nullcontext():  # as older releases would end a line
        yield Progress(bar, total, text, lines and not shown and not quiet)


def print_result(
    code: int, data: Mapping[str, object], errors: Sequence[Mapping[str, str]] = ()
) -> None:
    """Print how a command ended as JSON; `partial` is a batch of which some pictures failed."""
    status = {0: "success", 6: "partial"}.get(code, "error")
    result = {
        "npfill_result_version": "1",
        "status": status,
        "exit_code": code,
        "data": dict(data),
        "errors": [*errors],
    }
    # In ASCII, so that any path can be said whatever the encoding of stdout.
    typer.echo(json_text(result))


def error_record(error: NpfillError, problem: str | None = None) -> dict[str, str]:
    """An error as JSON values, with `problem` in place of its message if one is given."""
    return {"message": as_flags(problem or str(error)), "hint": as_flags(error.hint)}


def as_npfill_error(error: Exception) -> NpfillError:
    """The error itself; one that is not npfill's is a bug, and becomes one that says so."""
    if received_signals:  # libraries make anything of an interruption
        raise KeyboardInterrupt from None
    if isinstance(error, NpfillError):
        return error
    if is_out_of_memory(error):
        return InputError(
            "more memory is needed than there is",
            "a smaller picture, fewer `samples`, or in training a smaller schedule.batch",
        )
    if isinstance(error, OSError) and error.errno:
        place = error.filename or "the system"
        return InputError(f"{place}: {error.strerror}", "name another file or folder")
    problem = f"{type(error).__name__}: {error}".splitlines()[0]
    hint = "NPFILL_DEBUG=1 shows where; please report it"
    return NpfillError(f"a bug in npfill ({problem})", hint)


def show(problem: str, hint: str) -> None:
    """Print what went wrong, and a way out."""
    stderr.print(f"[red]error:[/red] {plain(as_flags(problem))}")
    if hint:
        stderr.print(f"[bold]hint:[/bold] {plain(as_flags(hint))}")


def report(error: Exception) -> int:
    """Print an error and return its exit code; NPFILL_DEBUG=1 adds the traceback."""
    if os.environ.get("NPFILL_DEBUG") == "1":
        stderr.print(escape("".join(traceback.format_exception(error))))
    known = as_npfill_error(error)
    show(str(known), known.hint)
    return known.exit_code


def plain(text: str) -> str:
    """Text that rich shows as it is; what would steer a terminal, or is no text, is escaped."""
    return escape(readable(text))


def readable(text: str) -> str:
    """Text with what would steer a terminal, or is no text, escaped."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
