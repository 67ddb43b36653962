"""Plain tables in files: read into frozen dataclasses, with errors that name the key; written."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from npfill.errors import NpfillError

Record = TypeVar("Record")


def read(
    record: type[Record],
    values: Mapping[str, Any],
    where: str,
    error: type[NpfillError],
) -> Record:
    """An instance of the dataclass `record` with exactly the given values.

    Args:
        record: A dataclass whose fields are int, float, str, bool, a tuple of one of these, or a
            Literal of strings.
        values: What was read. Lists become tuples, and an int does for a float.
        where: The file and table, for the error's text.
        error: The kind of error to raise for an unknown key, a missing one or a wrong type.
    """
    named = {field.name for field in fields(record)}  # type: ignore[arg-type]
    hints = {key: hint for key, hint in get_type_hints(record).items() if key in named}
    for key in values:
        if key not in hints:
            near = get_close_matches(key, hints, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(hints)}"
            raise error(f"{where}: unknown key {key!r}", hint)
    for field in fields(record):  # type: ignore[arg-type]
        if field.name not in values and field.default is MISSING:
            raise error(f"{where}: key {field.name!r} is missing", "every key must be given")
    return record(
        **{
            key: _typed(hints[key], value, f"{where}: {key}", error)
            for key, value in values.items()
        }
    )


def as_toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables of plain values as the text of a TOML file."""
    # JSON writes strings, numbers and lists as TOML does.
    return "\n".join(
        f"[{name}]\n"
        + "".join(
            f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items()
        )
        for name, table in tables.items()
    )


def _typed(hint: Any, value: Any, where: str, error: type[NpfillError]) -> Any:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise error(f"{where} is {value!r}", f"one of: {', '.join(get_args(hint))}")
        return value
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise error(f"{where} is {value!r}, which is not a list", "write it as [1, 2, 3]")
        return tuple(_typed(get_args(hint)[0], item, where, error) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        raise error(f"{where} is {value!r}", f"it must be of type {hint.__name__}")
    return value
