"""The records of pictures as JSON: one object at the end, or a line for each once it is done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from npfill.cli.console import (
    Reporter,
    as_npfill_error,
    error_record,
    print_result,
    progress,
    say_model,
)
from npfill.errors import NpfillError
from npfill.notes import about

if TYPE_CHECKING:
    from npfill.completion import Report, Run
    from npfill.completion.run import Job

Record = dict[str, object]
_LOOKS = 5  # pictures of a batch that are named at its end


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
    return {"input": str(path), "outputs": {}, "warnings": [], "notes": []}


def failure(path: Path, error: NpfillError) -> dict[str, str]:
    """The record of a picture that cannot be done, and why."""
    text = str(error) if str(path) in str(error) else f"{path}: {error}"
    return {"file": str(path)} | error_record(error, text)


def print_refusal(images: Sequence[str], error: Exception) -> None:
    """Print the record of a command that an error ended; of one picture, it names that."""
    known, one = as_npfill_error(error), len(images) == 1
    named = {"input": str(Path(images[0]))} if one else {}
    print_result(known.exit_code, named, [error_record(known)])


def line_of(image: str, report: "Report") -> str:
    """A line on a picture of a batch that is done."""
    share = f"{100 * report.done.prepared.masked.hole.mean():.1f} %"
    stated = f"{report.done.says_std}, " if report.done.says_std else ""
    by = f", at most {report.changed_by:g} levels, by the format" if report.changed else ""
    return (
        f"{image}: {share} selected, {stated}outside changed: {report.changed:,} px{by}, "
        f"{report.seconds:.2f} s, {len(report.results)} written"
    )


def _completed(
    job: "Job", run: "Run", reporter: Reporter, records: Records
) -> list[tuple[float, str]]:
    """Complete one picture of a batch, and tell it: how unsure it is, if it is, and its name."""
    noted, image, looks = list[str](), str(job.file.path), list[tuple[float, str]]()
    try:
        prepared = run.prepare(job)
        noted += prepared.notes
        report = run.complete(job, prepared)
        noted += report.notes
    except Exception as error:
        run.failures.append((job.file.path, as_npfill_error(error)))
        records.fail(*run.failures[-1])
    else:
        heard = Reporter(quiet=True)
        heard.note(*noted)
        records.add(report.as_json() | heard.said)
        reporter.say(line_of(image, report))
        looks += [(report.unsure, image)] if report.unsure else []
    reporter.note(*(one if one.startswith(image) else about(image, one) for one in noted))
    return looks


def batch(run: "Run", reporter: Reporter, records: Records) -> Record:
    """Complete every picture that can be; whatever is wrong with one, the others are done."""
    records.begin(run)
    if run.jobs:
        say_model(run, reporter)
    warnings, looks = [*reporter.said["warnings"]], list[tuple[float, str]]()
    with progress(len(run.jobs), quiet=reporter.quiet, lines=False) as shown:
        try:
            for job in run.jobs:
                looks += _completed(job, run, reporter, records)
                shown.advance()
        except KeyboardInterrupt:
            reporter.say(f"{len(records.done)} pictures completed; --skip-existing goes on")
            raise
    if run.jobs:
        names, device = {str(each["model"]) for each in records.done}, run.predictor.device
        by = f" by {' and '.join(sorted(names))}" if names else ""
        count = f"{len(records.done)} of {run.pictures} pictures completed{by}"
        reporter.say(f"{count}, {device}, seed {run.sampling.seed}")
    for share, image in sorted(looks, reverse=True)[:_LOOKS]:
        reporter.say(f"look at {image}: a guess in {100 * share:.0f} % of the hole")
    over = [str(path) for path in run.skipped]
    return {"pictures": records.done, "skipped": over, "notes": run.notes, "warnings": warnings}
