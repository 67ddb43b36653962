"""A recipe: everything a training run depends on but the data's place and the device."""

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from npfill.config import Json, as_toml, keys_of, plain, read
from npfill.errors import InputError, UsageError
from npfill.files import folder
from npfill.models import VARIANTS, Config, config_of
from npfill.training.tables import Damage, Data, Holes, Objective, Optimiser, Run, Schedule


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Whole recipe: the variant with its configuration, and one record for each table.

    Pictures of one size have `holes`, photographs of any size have `damage`, random fields neither.
    """

    variant: str
    model: Config
    data: Data
    holes: Holes | None = None
    damage: Damage | None = None
    objective: Objective
    optimiser: Optimiser
    schedule: Schedule
    run: Run

    def objective_at(self, step: int) -> Objective:
        """The objective, or the one that takes its place in the late steps."""
        first = self.objective
        if step < self.schedule.steps * (1.0 - first.late):
            return first
        return replace(first, beta=first.late_beta, from_context=first.late_from_context)

    def learning_rate_at(self, step: int) -> float:
        """Linear rise over the warm-up, then a cosine to a hundredth of the peak at the end."""
        schedule, peak = self.schedule, self.optimiser.learning_rate
        if step < schedule.warmup:
            return peak * (step + 1) / schedule.warmup
        fraction = (step - schedule.warmup) / max(1, schedule.steps - schedule.warmup)
        return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fraction)))

    def kl_weight_at(self, step: int) -> float:
        """Linear rise to the objective's weight over its warm-up."""
        warmed = min(1.0, (step + 1) / max(1, self.objective.kl_warmup))
        return self.objective.kl_weight * warmed

    def decay_at(self, step: int) -> float:
        """Decay of the average of weights: at first a mean of about the last tenth of the steps."""
        return min(self.optimiser.ema, (1 + step) / (10 + step))


_TABLES: dict[str, type] = {
    "data": Data,
    "holes": Holes,
    "damage": Damage,
    "objective": Objective,
    "optimiser": Optimiser,
    "schedule": Schedule,
    "run": Run,
}
_EITHER = {"holes", "damage"}


def parse(text: str, where: str, changes: Sequence[str] | Mapping[str, object] = ()) -> Recipe:
    """Read a recipe from the text of a TOML file.

    Args:
        text: The file's text.
        where: The file's name, for the errors' text.
        changes: A change or several as "table.key=value", the value as TOML or a bare word; or
            values by "table.key". The tables of the model are "model.encoder" and "model.decoder".

    Raises:
        UsageError: It is not TOML, or a table or key is unknown, missing, mistyped or out of range.
        ModelError: The model's table is wrong.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of too many digits, lists too deep
        raise UsageError(f"{where}: not a recipe ({error})", "see train/README.md") from None
    for path, value in _values(changes):
        *names, key = path.split(".")
        table = tables
        for name in names:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise UsageError(f"{path}: {name} is no table in {where}", "see its other keys")
        table[key] = value
    unknown = tables.keys() - _TABLES.keys() - {"model"}
    missing = (_TABLES.keys() | {"model"}) - tables.keys() - _EITHER
    if unknown or missing:
        problem = f"unknown table {min(unknown)!r}" if unknown else f"no table {min(missing)!r}"
        raise UsageError(f"{where}: {problem}", f"tables: model, {', '.join(_TABLES)}")
    fields = isinstance(tables["data"], dict) and tables["data"].get("kind") == "fields"
    if len(_EITHER & tables.keys()) != (not fields):
        raise UsageError(
            f"{where}: [holes] for pictures of one size, or [damage] for photographs",
            "random fields have gaps of their own, and neither table"
            if fields
            else "a recipe has one of them",
        )
    no_table = [name for name, table in tables.items() if not isinstance(table, dict)]
    if no_table:
        raise UsageError(f"{where}: {no_table[0]} is no table", f"begin it with [{no_table[0]}]")
    model = dict(tables["model"])
    variant = str(model.pop("variant", ""))
    records: Json = {
        name: read(record, tables[name], f"{where}: [{name}]", UsageError)
        for name, record in _TABLES.items()
        if name in tables
    }
    config = config_of(variant, model, f"{where}: [model]")
    channels = [1] if fields else [3] if "damage" in tables else [1, 3]
    if config.channels not in channels:
        hint = f"with such data it is {' or '.join(map(str, channels))}"
        raise UsageError(f"{where}: channels = {config.channels}", hint)
    return Recipe(variant=variant, model=config, **records)


def find(
    recipe: "str | Path | Recipe", changes: Sequence[str] | Mapping[str, object] = ()
) -> Recipe:
    """Find a recipe by its name or file, and change it.

    Args:
        recipe: A name that ships with npfill, a `.toml` file, or a recipe.
        changes: See `parse`.

    Raises:
        UsageError: No recipe has the name, or it is not as it must be.
        InputError: The file cannot be read.
        ModelError: The model's table is wrong.
    """
    if isinstance(recipe, Recipe):
        return parse(render(recipe), recipe.variant, changes) if changes else recipe
    path, hint = Path(recipe), "npfill train lists recipes"
    if path.suffix != ".toml":
        path = folder("train") / f"{recipe}.toml"
        if not path.is_file():
            raise UsageError(f"no recipe is called {str(recipe)!r}", "npfill train lists them")
    try:
        if path.exists() and not path.is_file():  # to open a pipe would wait for ever
            raise InputError(f"{path}: not a file", hint)
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})", hint) from None
    return parse(text, str(recipe), changes)


def render(recipe: Recipe, *, comments: bool = False) -> str:
    """Write a recipe as the text of a TOML file; `parse` reads it back.

    Args:
        recipe: The recipe.
        comments: Whether a comment above each key says what it means.
    """
    tables = {"model": {"variant": recipe.variant, **plain(recipe.model)}}
    records = {name: getattr(recipe, name) for name in _TABLES}
    tables |= {name: asdict(record) for name, record in records.items() if record is not None}
    if not comments:
        return as_toml(tables)
    said = _comments("model", recipe.model)
    said["model"]["variant"] = f"One of: {', '.join(VARIANTS)}. {_summary(recipe.variant)}"
    for name, record in records.items():
        said |= {} if record is None else _comments(name, record)
    return as_toml(tables, said)


def _comments(name: str, record: object) -> dict[str, dict[str, str]]:
    """Comments on the keys of a record and of the tables within it, as `as_toml` takes them."""
    said = {name: {key.name: key.doc for key in keys_of(type(record))}}
    for key in keys_of(type(record)):
        if key.tables:
            said |= _comments(f"{name}.{key.name}", getattr(record, key.name))
            said[f"{name}.{key.name}"]["kind"] = key.kind
    return said


def has_model(recipe: Recipe, config: Config) -> bool:
    """Compare all but the scale's floor, companions, mirroring, and parts that are yet to come."""
    same: Json = {"scale_floor": 0.0, "companions": [], "mirrored": False}
    same |= {"refined": False} if not getattr(config, "refined", True) else {}
    deeper, shallower = (getattr(each, "deeper", ()) for each in (recipe.model, config))
    is_deeper = all(more >= less for more, less in zip(deeper, shallower, strict=False))
    if not shallower or (deeper and is_deeper):
        same["deeper"] = ()
    return plain(config) | same == plain(recipe.model) | same


def explain() -> str:
    """Explain every key of every table of a recipe, in Markdown."""
    parts = [_section(f"`[{name}]`", record) for name, record in _TABLES.items()]
    tables: dict[tuple[str, type], None] = {}
    for variant, model in VARIANTS.items():
        title = f'`[model]` with `variant = "{variant}"`'
        parts.append(_section(title, model.configuration, _summary(variant)))
        for key in keys_of(model.configuration):
            tables |= dict.fromkeys((key.name, table) for table in key.tables)
    for name, table in tables:
        kind = next(key.default for key in keys_of(table) if key.name == "kind")
        parts.append(_section(f"`[model.{name}]` with `kind = {kind}`", table))
    return "\n".join(parts)


def _summary(variant: str) -> str:
    text = VARIANTS[variant].summary
    return f"{text[:1].upper()}{text[1:]}."


def _section(title: str, record: type, text: str = "") -> str:
    """A heading, a sentence and a line for each key."""
    text = text or (record.__doc__ or "").partition("\n")[0].replace("`", "")
    lines = [f"## {title}", "", text, ""]
    for key in keys_of(record):
        if key.name == "kind" and "|" not in key.kind:  # which table it is
            continue
        about = [key.kind, *([str(key.range)] if key.range else [])]
        about += [f"{key.default} by default"] if key.default else []
        lines.append(f"- `{key.name}` ({', '.join(about)}): {key.doc}")
    return "\n".join([*lines, ""])


def _values(changes: Sequence[str] | Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Changed values by "table.key"."""
    if isinstance(changes, Mapping):
        yield from changes.items()
        return
    for change in [changes] if isinstance(changes, str) else changes:
        path, equals, value = str(change).partition("=")
        table, _, key = path.partition(".")
        if not (equals and table and key):
            raise UsageError(
                f"{change!r} is not a change", "write table.key=value: schedule.steps=100"
            )
        try:
            str(change).encode()
            yield path, tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            yield path, value
        except (ValueError, RecursionError):  # no text, too many digits, lists too deep
            raise UsageError(f"{path}: not a value of a recipe", "write a shorter one") from None
