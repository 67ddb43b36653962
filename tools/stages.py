"""The recipes that shipped weights were made by: in one run, or in stages."""

import re
from dataclasses import dataclass
from typing import Any

from npfill.errors import InputError
from npfill.files import folder
from npfill.training.recipe import Recipe, parse

# A key of early recipes, always 0 in those of weights that ship, which means nothing any more.
_RETIRED = re.compile(r"^samples = 0\n", re.MULTILINE)


@dataclass(frozen=True)
class Stage:
    """A run that went on from weights of `start` steps, with a recipe that is kept.

    Attributes:
        word: The recipe's name for `npfill train`.
        start: Steps before it.
        recipe: The recipe.
    """

    word: str
    start: int
    recipe: Recipe

    @property
    def end(self) -> int:
        """Steps after it."""
        return self.start + self.recipe.schedule.steps

    def was_stopped(self, step: int) -> bool:
        """Tell whether weights of this step are neither those of its end nor of a validation."""
        validated = range(self.start, self.end, self.recipe.run.validate_every)[1:]
        return step < self.end and step not in validated


def recipe_of(provenance: dict[str, Any], where: str) -> Recipe:
    """The recipe that is embedded in weights."""
    return parse(_RETIRED.sub("", provenance["recipe"]), where)


def stages(name: str) -> list[Stage]:
    """The stages of a model whose recipes are kept, in order."""
    found = []
    for path in (folder("train") / "stages").glob(f"{name}-*.toml"):
        start = path.stem.removeprefix(f"{name}-")
        if start.isdecimal():
            recipe = parse(path.read_text("utf-8"), str(path))
            found.append(Stage(f"stages/{path.stem}", int(start), recipe))
    return sorted(found, key=lambda stage: stage.start)


def origin(name: str, provenance: dict[str, Any]) -> str:
    """The lines of a card that say by which commands the weights were made.

    Raises:
        InputError: The recipe in the weights is neither `train/NAME.toml` nor the last of its
            stages: nobody could make them again.
    """
    embedded, before = recipe_of(provenance, name), provenance.get("steps_before") or 0
    shown = f"`npfill models show {name} --recipe` prints"
    data = "" if embedded.data.kind == "fields" else " --data DATA"
    whole = folder("train") / f"{name}.toml"
    if not before and embedded == parse(whole.read_text("utf-8"), str(whole)):
        return f"- Recipe: `npfill train {name}{data}`, one run from nothing. {shown} it."
    kept = stages(name)
    if not kept or (kept[-1].start, kept[-1].recipe) != (before, embedded):
        raise InputError(
            f"{name}: the recipe in the weights is not train/{name}.toml",
            f"keep it as train/stages/{name}-{before}.toml, after those of the steps before",
        )
    lines = [
        "- Recipe: stages, each going on from the weights of the one before. "
        f"`npfill train {name}` is one run from nothing instead, which was never made. "
        f"{shown} the last."
    ]
    end, init, reached = 0, "", before + provenance["steps"]
    for stage in kept:
        if stage.start > end:
            lines.append(f"  - Steps {end:,} to {stage.start:,}: by recipes that were not kept.")
            init = " --init WEIGHTS"
        end = min([stage.end, reached, *(one.start for one in kept if one.start > stage.start)])
        planned, left, said = f"{stage.recipe.schedule.steps:,} steps", "best", ""
        if stage.was_stopped(end):
            left, said = "last", f", of {planned}, stopped there"
        elif end < stage.end:
            said = f", planned for {planned}: the best of those that were made"
        lines.append(
            f"  - Steps {stage.start:,} to {end:,}: `npfill train {stage.word}{data}{init}`{said}."
        )
        init = f" --init runs/{name}-{stage.start}/{left}.safetensors"
    return "\n".join(lines)
