"""A recipe: everything a training run depends on but the data's place and the device."""

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from npfill.config import as_toml, read
from npfill.errors import UsageError
from npfill.models import config_of, fields_of
from npfill.training.ranges import check


@dataclass(frozen=True, kw_only=True)
class Data:
    """What the weights are trained on. The last `validation` training pictures are held out.

    With `flip`, each picture is mirrored, left to right, in half of the steps that draw it.
    """

    name: str
    terms: str
    validation: int
    flip: bool = False


@dataclass(frozen=True, kw_only=True)
class Holes:
    """How often a step draws each family of holes, and how many pixels it observes outside them.

    The number of observed pixels lies in `fewest` .. `most`, uniform in the `spread` of log or
    linear; `random` has no hole but what is not drawn.
    """

    random: float
    half: float
    box: float
    strokes: float
    fewest: int
    most: int
    spread: Literal["log", "linear"] = "log"


@dataclass(frozen=True, kw_only=True)
class Damage:
    """How often photographs get each family of holes, and how crops are taken from them.

    Each crop is reduced by one of the whole numbers in `scales`; a share `grey` loses its colours,
    a share `planes` are gradients of colour instead, and a share `grain` get noise. In a share
    `revealed` of the holes other than `scattered` some pixels are observed, as in the rounds of
    autoregressive samples. In a share `wide` of the steps with such holes they are twice as wide,
    in larger crops.
    """

    scales: tuple[int, ...]
    grey: float
    planes: float
    scattered: float
    scratches: float
    strokes: float
    text: float
    boxes: float
    blobs: float
    lines: float
    borders: float
    revealed: float = 0.0
    wide: float = 0.0
    grain: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Each pixel's NLL is weighted by scale^`beta`; 0 is the plain likelihood.

    Of `targets` random pixels, those that are not observed are scored in a step; 0 takes all. With
    `observed`, observed ones are scored too (Kim et al. 2019, "Attentive Neural Processes", section
    2.1, where C is a part of T): the model learns to give back what it has seen. A latent variant
    is trained with the ELBO, whose KL grows to `kl_weight` over the first `kl_warmup` steps (1 is
    the bound; a likelihood weighted by scale wants more). A share `from_context` of the loss is
    instead the mean likelihood over as many `draws` of z from q(z | C), as it is drawn in use. In
    the last `late` of the steps, `late_beta` and `late_from_context` take the place of `beta` and
    `from_context`.
    """

    beta: float
    targets: int
    kl_warmup: int
    observed: bool = False
    kl_weight: float = 1.0
    from_context: float = 0.0
    draws: int = 1
    late: float = 0.0
    late_beta: float = 0.0
    late_from_context: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """AdamW; `clip` is the largest gradient norm, `ema` the decay of the averaged weights."""

    learning_rate: float
    weight_decay: float
    clip: float
    ema: float


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Steps of `batch` pictures; the rate rises over `warmup` steps, then falls as a cosine.

    Of photographs, `batch` counts crops of the model's `size`.
    """

    steps: int
    warmup: int
    batch: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """The seed, and after how many steps to validate and to save."""

    seed: int
    validate_every: int
    save_every: int


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole recipe: the variant with its configuration, and one record per table.

    Pictures of one size have `holes`, photographs of any size have `damage`; never both.
    """

    variant: str
    model: Any
    data: Data
    holes: Holes | None = None
    damage: Damage | None = None
    objective: Objective
    optimiser: Optimiser
    schedule: Schedule
    run: Run


_TABLES: dict[str, type[Any]] = {
    "data": Data,
    "holes": Holes,
    "damage": Damage,
    "objective": Objective,
    "optimiser": Optimiser,
    "schedule": Schedule,
    "run": Run,
}
_EITHER = {"holes", "damage"}
_RGB = 3


def parse(text: str, where: str, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe from the text of a TOML file.

    Args:
        text: The file's text.
        where: The file's name, for the errors' text.
        overrides: Changes as "table.key=value", the value as TOML or a bare word.

    Raises:
        UsageError: It is not TOML, or a table or key is unknown, missing, mistyped or out of range.
        ModelError: The model's table is wrong.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of too many digits, lists too deep
        raise UsageError(f"{where}: not a recipe ({error})", "see train/README.md") from None
    for override in overrides:
        _override(tables, override)
    unknown = tables.keys() - _TABLES.keys() - {"model"}
    missing = (_TABLES.keys() | {"model"}) - tables.keys() - _EITHER
    if unknown or missing:
        problem = f"unknown table {min(unknown)!r}" if unknown else f"no table {min(missing)!r}"
        raise UsageError(f"{where}: {problem}", f"tables: model, {', '.join(_TABLES)}")
    if len(_EITHER & tables.keys()) != 1:
        raise UsageError(
            f"{where}: [holes] for pictures of one size, or [damage] for photographs",
            "a recipe has one of them",
        )
    no_table = [name for name, table in tables.items() if not isinstance(table, dict)]
    if no_table:
        raise UsageError(f"{where}: {no_table[0]} is no table", f"begin it with [{no_table[0]}]")
    model = dict(tables["model"])
    variant = str(model.pop("variant", ""))
    records: dict[str, Any] = {
        name: read(record, tables[name], f"{where}: [{name}]", UsageError)
        for name, record in _TABLES.items()
        if name in tables
    }
    config = config_of(variant, model, f"{where}: [model]")
    if "damage" in tables and config.channels != _RGB:
        raise UsageError(f"{where}: channels = {config.channels}", "photographs have 3")
    recipe = Recipe(variant=variant, model=config, **records)
    check(recipe, where)
    return recipe


def render(recipe: Recipe) -> str:
    """The recipe as the text of a TOML file; `parse` reads it back."""
    tables = {"model": {"variant": recipe.variant, **fields_of(recipe.model)}}
    records = {name: getattr(recipe, name) for name in _TABLES}
    tables |= {name: asdict(record) for name, record in records.items() if record is not None}
    return as_toml(tables)


def _override(tables: dict[str, Any], override: str) -> None:
    path, equals, value = override.partition("=")
    table, dot, key = path.partition(".")
    if not (equals and dot and table and key):
        raise UsageError(
            f"{override!r} is not a change", "write table.key=value: schedule.steps=100"
        )
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    tables.setdefault(table, {})[key] = parsed
