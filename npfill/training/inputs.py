"""The inputs of a run, read before it starts: its pictures, and the weights to start from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from npfill import checkpoint, zoo
from npfill.config import Json
from npfill.data import Pictures, fingerprint, sizes_of
from npfill.data.fields import RandomFields
from npfill.data.sources import left_out
from npfill.errors import InputError, OverwriteError, UsageError
from npfill.pictures.folders import in_words
from npfill.training.batch import training_pictures
from npfill.training.recipe import Recipe, find, has_model, render
from npfill.training.run import RunFolder


@dataclass(frozen=True)
class Inputs:
    """Pictures to train on, pictures held out, their place, and the weights to start from."""

    train: Pictures
    held_out: Pictures
    data: Path
    init: str | None
    weights: checkpoint.Weights | None
    fingerprint: str
    damaged: list[InputError]

    def say(self, on_note: Callable[[str], None]) -> None:
        """Tell what there is to train on, and what lies there and is left out."""
        if isinstance(self.train, RandomFields):
            on_note(f"random fields {sizes_of(self.train)}, drawn without end")
            return
        others = left_out(self.data, "train")
        others["damaged"] += len(self.damaged)
        for error in self.damaged:
            on_note(f"left out: {error}")
        count = f"{len(self.train) + len(self.held_out):,} pictures {sizes_of(self.train)}"
        why = f"{others.total():,} left out: {in_words(+others)}" if +others else "none left out"
        on_note(f"{self.data}: {count}, {len(self.held_out):,} of them held out; {why}")


def read_inputs(
    recipe: Recipe,
    run: RunFolder,
    data: str | Path | None,
    init: str | Path | None,
    resume: bool,
    skip_damaged: bool,
) -> Inputs:
    """Read what a run needs, once it is clear that it can start."""
    began: Json = run.read_environment() if resume else {}
    if resume:
        if run.recipe.exists() and find(run.recipe) != recipe:
            raise UsageError(
                f"{run.recipe}: the run was started with another recipe",
                "name no recipe, and `resume=True` takes the one it was started with",
            )
        if init and str(init) != began.get("init"):
            raise UsageError(
                f"`init={init}`: the run began with {began.get('init') or 'no weights'}",
                "leave it out, and `resume=True` goes on from the last save",
            )
        first = min(recipe.run.save_every, recipe.run.validate_every)
        kept = [each for each in (run.best, run.last) if each.exists() and not run.state.exists()]
        if any(checkpoint.load(each).provenance.get("steps", 0) > first for each in kept):
            raise InputError(
                f"{run.state} is missing: the run cannot go on",
                f"`init={kept[-1]}` starts another run with its weights",
            )
        data = data or began["data"]
        init = None if run.state.exists() else began.get("init")
    elif run.path.exists() and not run.is_bare(render(recipe)):
        raise OverwriteError(
            f"{run.path}: the run folder exists",
            f"{'`resume=True` goes on with it; ' * run.path.is_dir()}`run_dir` names another",
        )
    if recipe.data.kind == "fields":
        data = data or "."
    if data is None:
        raise UsageError(f"no data: the recipe wants {recipe.data.name}", "give `data=PATH`")
    damaged: list[InputError] = []
    train, held_out = training_pictures(Path(data), recipe, damaged if skip_damaged else None)
    seen = fingerprint(train, held_out)
    if began.get("pictures", seen) != seen and run.state.exists():
        raise InputError(
            f"{data}: not the pictures that the run began with",
            f"`data` names them; `init={run.last}` starts another run with its weights",
        )
    weights = checkpoint.load(zoo.find(str(init)).path) if init else None
    if weights is not None and not has_model(recipe, weights.model.config):
        raise UsageError(f"{init} has another configuration than the recipe", "compare [model]")
    return Inputs(train, held_out, Path(data), str(init) if init else None, weights, seen, damaged)
