"""`npfill report`: the records of parts of a batch, merged."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, cast

import typer

from npfill.cli.console import Reporter, print_data, print_result, show
from npfill.errors import BatchError, InputError


def report_command(
    records: Annotated[
        list[Path], typer.Argument(help="Files of what --jsonl printed, one of each part.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the merged record as JSON on stdout.")
    ] = False,
) -> None:
    """Merge the records of parts of a batch: what is completed, and what failed and why."""
    pictures, failures = dict[str, dict[str, object]](), dict[str, dict[str, str]]()
    stay, told = Counter[str](), defaultdict[str, list[str]](list)
    for path in records:
        for name, data, errors in _lines(path):
            stay[name] += cast(int, data.get("missing_px", 0))
            told[name] += cast(list[str], data.get("warnings", []))
            # A later record of a picture counts: it was done again, unless it wrote nothing.
            if name in pictures and not (errors or data.get("outputs")):
                continue
            pictures.pop(name, None)
            failures.pop(name, None)
            if errors or ("windows" in data and not data.get("outputs")):
                problem = f"{name}: windows of other parts are missing, and so is the result"
                missing = {"message": problem, "hint": "complete those parts"}
                failures[name] = errors[0] if errors else missing
            else:
                pictures[name] = data
    for name, data in pictures.items():
        if "windows" in data and data.get("completed") != data["windows"]:  # of a part alone
            data.update(completed=data["windows"], missing_px=stay[name], warnings=told[name])
        for warning in cast(list[str], data.get("warnings", [])):
            Reporter().note(f"{name}: {warning}")
    if as_json:
        merged = {"pictures": [*pictures.values()]}
        print_result(BatchError.exit_code if failures else 0, merged, [*failures.values()])
    else:
        every = len(pictures) + len(failures)
        print_data(f"{len(pictures)} of {every} completed, in {len(records)} records")
    for each in failures.values():
        show(each["message"], each["hint"])
    if failures:
        again = "complete missing parts of windows, and pictures again with --skip-existing"
        raise BatchError(f"{len(failures)} failed, as said above", again)


def _lines(path: Path) -> Iterator[tuple[str, dict[str, object], list[dict[str, str]]]]:
    """The picture of each line of a record, what is said of it, and what went wrong."""
    hint = "files of `npfill complete --jsonl`, but not of a dry run"
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise InputError(f"{path}: cannot be read ({reason})", hint) from None
    for number, line in enumerate(lines, start=1):
        try:
            result = json.loads(line)
            data, errors = result["data"], result["errors"]
            name = data.get("input", f"{path}:{number}") if errors else data["input"]
            if "pictures" in data or (data.get("outputs") and "model" not in data):
                raise ValueError  # noqa: TRY301 - of --json, or a dry run
        except (ValueError, KeyError, TypeError, AttributeError):
            problem = f"{path}: line {number} is no record of a completion"
            raise InputError(problem, hint) from None
        yield name, data, errors
