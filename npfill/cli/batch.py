"""Completing pictures one after the other: a bad one does not stop the rest."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from npfill.cli.completing import Chosen, Drawing, Job, Writing, complete_one
from npfill.cli.console import Talk, as_npfill_error, stderr
from npfill.cli.planning import Failure


def complete_all(
    jobs: Sequence[Job], drawing: Drawing, writing: Writing, chosen: Chosen, talk: Talk
) -> tuple[list[dict[str, Any]], list[Failure]]:
    """Complete every picture that can be.

    Returns:
        What was done, a record for each picture, and the pictures that failed.
    """
    records: list[dict[str, Any]] = []
    failures: list[Failure] = []
    with _bar(talk, len(jobs)) as advance:
        for job in jobs:
            heard = Talk(quiet=True)
            try:
                record = complete_one(job, drawing, writing, lambda: chosen, heard)
            except Exception as error:  # whatever is wrong with one, the others are completed
                failures.append(Failure(job.image, as_npfill_error(error)))
            except KeyboardInterrupt:
                talk.say(f"{len(records)} pictures completed; --skip-existing goes on")
                raise
            else:
                records.append(record | {"warnings": heard.warnings})
                talk.say(_line(record))
            for warning in heard.warnings:
                known = warning.startswith(str(job.image))
                talk.warn(warning if known else f"{job.image}: {warning}")
            advance()
    return records, failures


def _line(record: dict[str, Any]) -> str:
    mean_std = record["mean_std"]
    stated = "" if mean_std is None else f"mean std in the hole {mean_std:.3g}, "
    return (
        f"{record['input']}: {record['mask_share']:.1%} selected, {stated}"
        f"outside changed: {record['outside_changed_px']} px, {record['seconds']:.2f} s, "
        f"{len(record['outputs'])} written"
    )


@contextmanager
def _bar(talk: Talk, count: int) -> Iterator[Callable[[], None]]:
    """A bar with the time left, where stderr is a terminal; yields what moves it by one."""
    if talk.quiet or not stderr.is_terminal:
        yield lambda: None
        return
    columns = [BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=stderr) as progress:
        task = progress.add_task("", total=count)
        yield lambda: progress.advance(task)
