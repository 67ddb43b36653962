"""Results for programs: one JSON object on stdout."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from npfill.errors import NpfillError

if TYPE_CHECKING:
    from npfill.cli.planning import Failure


def print_result(code: int, data: dict[str, Any], errors: Sequence[dict[str, str]] = ()) -> None:
    """Print how a command ended; `partial` is a batch of which some pictures failed."""
    status = {0: "success", 6: "partial"}.get(code, "error")
    result = {
        "npfill_result_version": "1",
        "status": status,
        "exit_code": code,
        "data": data,
        "errors": list(errors),
    }
    # In ASCII, so that any path can be said whatever the encoding of stdout.
    typer.echo(json.dumps(result))


def error_record(error: NpfillError) -> dict[str, str]:
    """An error as JSON values."""
    return {"message": str(error), "hint": error.hint}


def failure_record(failure: "Failure") -> dict[str, str]:
    """A picture that failed as JSON values."""
    return {"file": str(failure.image), "message": str(failure), "hint": failure.error.hint}
