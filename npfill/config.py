"""Plain tables in files: read into frozen dataclasses, with errors that name the key; written.

A field says beside its type which values it may have and what it means:

    share: Annotated[float, Range(0, 1), "Fraction of the loss with z from the context."]
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from difflib import get_close_matches
from textwrap import wrap
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from npfill.errors import NpfillError

Record = TypeVar("Record")
# Values by key, as JSON and TOML have them, and tables by name.
Json = dict[str, Any]
Tables = Mapping[str, Mapping[str, Any]]
_SHOWN = 60  # characters of a value in a message
# What has no bound but that of its type.
_MANY = 2**31
_NO_COMMENTS: Tables = {}


@dataclass(frozen=True)
class Range:
    """The closed interval that a number lies in, or each number of a tuple."""

    low: float
    high: float

    def __str__(self) -> str:
        if self.high >= _MANY:
            return f"at least {self.low}"
        return f"{self.low:,.10g} .. {self.high:,.10g}"


@dataclass(frozen=True)
class Length:
    """The least and the largest length of a tuple; without it, one has at least one value."""

    least: int
    most: int = _MANY

    def __str__(self) -> str:
        if self.most == self.least:
            return str(self.least)
        most = f" and at most {self.most}" if self.most < _MANY else ""
        return f"at least {self.least}{most}"


@dataclass(frozen=True)
class Key:
    """A field of a record, as people write it in a file.

    Attributes:
        name: The key.
        kind: The word for its type.
        range: The values that it may have; None where any of its type will do.
        default: The value where the key is not given, as JSON; "" where it must be given.
        doc: What it means.
        tables: The records that it holds one of, where it is a table.
    """

    name: str
    kind: str
    range: Range | None
    default: str
    doc: str
    tables: tuple[type, ...] = ()


def read(
    record: type[Record], values: Mapping[str, object], where: str, error: type[NpfillError]
) -> Record:
    """An instance of the dataclass `record` with exactly the given values.

    Args:
        record: A dataclass whose fields are int, float, str, bool, a tuple of one of these, or a
            Literal of strings; `Annotated` with the `Range` that their values lie in, the `Length`
            of a tuple and the meaning of the key; or such a dataclass, or one of several, told
            apart by a field `kind`. One that refuses values which do not go together raises
            ValueError(problem, hint).
        values: What was read. Lists become tuples, and an int does for a float.
        where: The file and table, for the error's text.
        error: The kind of error to raise for an unknown key, a missing one, a wrong type, or a
            value out of range.
    """
    every = get_type_hints(record, include_extras=True)
    hints = {field.name: every[field.name] for field in fields(record)}  # type: ignore[arg-type]
    for key in values:
        if key not in hints:
            near = get_close_matches(key, hints, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(hints)}"
            raise error(f"{where}: unknown key {key!r}", hint)
    for field in fields(record):  # type: ignore[arg-type]
        if field.name not in values and field.default is MISSING:
            raise error(f"{where}: key {field.name!r} is missing", "every key must be given")
    try:
        typed = {key: _typed(hints[key], values[key], f"{where}: {key}", error) for key in values}
        return record(**typed)
    except (ValueError, OverflowError) as refusal:  # or a number that is no float
        problem, *way_out = map(str, refusal.args)
        raise error(f"{where}: {problem}", *way_out) from None


def keys_of(record: type) -> list[Key]:
    """List the fields of a record as `read` takes them, in order."""
    hints = get_type_hints(record, include_extras=True)
    keys = []
    for field in fields(record):
        hint = hints[field.name]
        hint, *said = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        ranges = [one for one in said if isinstance(one, Range)]
        docs = [one for one in said if isinstance(one, str)]
        default = "" if field.default is MISSING else _json(field.default)
        within, doc, tables = ([None, *ranges][-1], ["", *docs][-1], tuple(_options(hint)))
        keys.append(Key(field.name, _kind(hint), within, default, doc, tables))
    return keys


def plain(record: Any) -> Json:
    """The values of a record as `read` takes them: tables, lists, strings and numbers."""
    return dict(json.loads(json.dumps(asdict(record))))


def as_toml(tables: Tables, comments: Tables = _NO_COMMENTS) -> str:
    """Tables of plain values as the text of a TOML file.

    Args:
        tables: By name, values by key; a table among them becomes one of its own, below.
        comments: By table and key, what stands in a comment above the key.
    """
    return "\n".join(
        f"[{name}]\n"
        + "".join(
            _comment(comments.get(name, {}).get(key, "")) + f"{key} = {_json(value)}\n"
            for key, value in table.items()
        )
        for name, table in _unfolded(tables)
    )


def _unfolded(tables: Tables) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Tables by their full names, each before those within it."""
    for name, table in tables.items():
        within = {f"{name}.{key}": one for key, one in table.items() if isinstance(one, Mapping)}
        yield name, {key: one for key, one in table.items() if not isinstance(one, Mapping)}
        yield from _unfolded(within)


def _json(value: object) -> str:
    """Write a string, number or list as both JSON and TOML do."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _shown(value: object) -> str:
    """Write a value for a message, cut where it is long."""
    return text if len(text := repr(value)) <= _SHOWN else f"{text[:_SHOWN]}..."


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in wrap(text, 98))


def _kind(hint: object) -> str:
    """The word for a type."""
    if options := _options(hint):
        kinds = [get_args(get_type_hints(one)["kind"])[0] for one in options if len(options) > 1]
        return f"table: {' | '.join(kinds)}" if kinds else "table"
    if get_origin(hint) is Literal:
        return " | ".join(json.dumps(word) for word in get_args(hint))
    if get_origin(hint) is tuple:
        return f"list of {_kind(get_args(hint)[0])}"
    return str(getattr(hint, "__name__", hint))


def _options(hint: object) -> list[type]:
    """The dataclasses that a field holds one of; none of a plain value."""
    each = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    return [one for one in each if is_dataclass(one) and isinstance(one, type)]


def _table(options: list[type], value: object, where: str, error: type[NpfillError]) -> object:
    """Read a table as the dataclass that its `kind` names, or as the only one."""
    if not isinstance(value, Mapping):
        raise error(f"{where} is {_shown(value)}, which is not a table", "write it as a table")
    if len(options) == 1:
        return read(options[0], value, where, error)
    kinds = {get_args(get_type_hints(one)["kind"])[0]: one for one in options}
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        problem = f"kind is {kind!r}" if "kind" in value else "key 'kind' is missing"
        raise error(f"{where}: {problem}", f"one of: {', '.join(kinds)}")
    return read(kinds[kind], value, where, error)


def _checked(said: Sequence[object], value: object, where: str, error: type[NpfillError]) -> object:
    """The value, which lies in the ranges that are said of its field."""
    numbers = value if isinstance(value, tuple) else (value,)
    for length in [one for one in said if isinstance(one, Length)] or [Length(1)]:
        if isinstance(value, tuple) and not length.least <= len(value) <= length.most:
            raise error(f"{where} = {list(value)} is out of range", f"it has {length} values")
    for one in said:
        # A whole number may be too large for a float.
        if isinstance(one, Range) and not all(
            (type(number) is int or math.isfinite(number)) and one.low <= number <= one.high
            for number in numbers
        ):
            raise error(f"{where} = {_shown(value)} is out of range", f"allowed: {one}")
    return value


def _typed(hint: object, value: object, where: str, error: type[NpfillError]) -> Any:
    if get_origin(hint) is Annotated:
        plain, *said = get_args(hint)
        return _checked(said, _typed(plain, value, where, error), where, error)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise error(f"{where} is {_shown(value)}", f"one of: {', '.join(get_args(hint))}")
        return value
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise error(f"{where} is {_shown(value)}, which is not a list", "write it as [1, 2, 3]")
        return tuple(_typed(get_args(hint)[0], item, where, error) for item in value)
    if isinstance(value, str) and any("\ud800" <= each <= "\udfff" for each in value):
        raise error(f"{where} is {_shown(value)}, which is no text", "write it in UTF-8")
    if type(value) is hint:
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if options := _options(hint):
        return _table(options, value, where, error)
    raise error(f"{where} is {_shown(value)}", f"it must be of type {_kind(hint)}")
