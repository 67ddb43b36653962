"""`npfill report`: the records of parts of a batch, merged."""

import json
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
    for path in records:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            try:
                result = json.loads(line)
                name, errors = result["data"].get("input", f"{path}:{number}"), result["errors"]
            except (ValueError, KeyError, TypeError, AttributeError):
                raise InputError(
                    f"{path}: line {number} is no record", "files of `npfill complete --jsonl`"
                ) from None
            # A later record of a picture counts: it was done again.
            for found in (pictures, failures):
                found.pop(name, None)
            if errors:
                failures[name] = errors[0]
            else:
                pictures[name] = result["data"]
    if as_json:
        data: dict[str, object] = {"pictures": [*pictures.values()]}
        print_result(BatchError.exit_code if failures else 0, data, [*failures.values()])
    else:
        every = len(pictures) + len(failures)
        print_data(f"{len(pictures)} of {every} completed, in {len(records)} records")
    for each in failures.values():
        show(each["message"], each["hint"])
    for name, data in pictures.items():
        for warning in cast(list[str], data.get("warnings", [])):
            Reporter().note(f"{name}: {warning}")
    if failures:
        raise BatchError(
            f"{len(failures)} failed, as said above", "complete them again with --skip-existing"
        )
