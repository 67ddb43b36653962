"""A training run from beginning to end: a recipe and pictures become weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from npfill import checkpoint, zoo
from npfill.data.sets import Photographs
from npfill.devices import keep_memory
from npfill.errors import NpfillError, OverwriteError, UsageError
from npfill.evaluate.validation import at_random_counts, of_photographs
from npfill.models import Config, NeuralProcess, fields_of
from npfill.training.batch import Pictures, training_pictures
from npfill.training.distributed import Rank, from_environment, process_group
from npfill.training.loop import Report, Trainer
from npfill.training.recipe import Recipe, find, read_text, render
from npfill.training.run import RunFolder, describe, provenance

# Draws of z in a validation.
_VALIDATION_DRAWS = 8


def train(
    recipe: str | Path | Recipe | None,
    data: str | Path | None,
    run_dir: str | Path,
    *,
    changes: Sequence[str] | Mapping[str, object] = (),
    init: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    on_report: Callable[[Report], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train a model from a recipe.

    Under torchrun every process calls this. The first one validates, writes and reports; of those
    on one machine, only the first raises what is wrong for all, and the others exit.

    Args:
        recipe: A recipe's name, its file, or itself; None takes that of the run to resume.
        data: Pictures: see `npfill.data.sources`; None takes those of the run to resume.
        run_dir: The folder that the run is kept in, which does not exist yet unless it is resumed.
        changes: Changes of the recipe, "table.key=value" or values by "table.key".
        init: A name or path of weights to start from; their configuration is the recipe's.
        resume: Go on from the last save, bit for bit as if nothing had interrupted the run.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        on_report: Called every so often, and after each validation.
        on_note: Called with a line on what is done next.

    Returns:
        The folder of the run.

    Raises:
        UsageError: The recipe, a change of it or the device cannot be used.
        InputError: The data cannot be used, or there is no run to resume.
        OverwriteError: The folder exists.
        ModelError: The recipe's model or the weights to start from are not as they must be.
        CheckFailedError: The loss is not finite. The last save stays as it is.
        KeyboardInterrupt: After Ctrl-C, once the step is whole and saved.
    """
    run = RunFolder(Path(run_dir))
    wanted = find(run.recipe if recipe is None else recipe, changes)
    rank = from_environment()
    try:
        rank.check(wanted.schedule.batch)
        where = rank.device(device)
        if where.type == "cpu":
            keep_memory()
        start = _Start(None if data is None else Path(data), init, resume)
        inputs = _inputs(wanted, run, start)
        with process_group(rank, where):
            trainer = _trainer(wanted, run, inputs, where, start, rank)
            if rank.is_main:
                steps = f"{wanted.schedule.steps:,} steps"
                on_note(f"training {wanted.variant} on {where}, {run.path}, {steps}")
            trainer.run(on_report)
    except NpfillError as error:
        if rank.local:
            raise SystemExit(error.exit_code) from None
        raise
    return run.path


@dataclass(frozen=True)
class _Start:
    """What a run starts from."""

    data: Path | None
    init: str | Path | None
    resume: bool


@dataclass(frozen=True)
class _Inputs:
    """Pictures to train on, pictures held out, where they are, and the weights to start from."""

    train: Pictures
    held_out: Pictures
    data: Path
    weights: checkpoint.Weights | None


def _inputs(recipe: Recipe, run: RunFolder, start: _Start) -> _Inputs:
    """Read what a run needs, once it is clear that it can start."""
    data = start.data
    if start.resume:
        if run.recipe.exists() and read_text(run.recipe) != render(recipe):
            raise UsageError(
                f"{run.recipe}: the run was started with another recipe",
                "name no recipe, and `resume=True` takes the one it was started with",
            )
        data = data or Path(run.read_environment()["data"])
    elif run.path.exists():
        raise OverwriteError(
            f"{run.path}: the run folder exists",
            "`resume=True` goes on with it; `run_dir` names another",
        )
    if data is None:
        raise UsageError(f"no data: the recipe wants {recipe.data.name}", "give `data=PATH`")
    train, held_out = training_pictures(data, recipe)
    weights = checkpoint.load(zoo.find(str(start.init)).path) if start.init else None
    if weights is not None and not _fit(weights.model.config, recipe.model):
        raise UsageError(
            f"{start.init} has another configuration than the recipe", "compare their [model]"
        )
    return _Inputs(train, held_out, data, weights)


def _fit(config: Config, wanted: Config) -> bool:
    """Compare all but the floor of the scale, which is no matter of the weights."""
    same = {"scale_floor": 0.0}
    return fields_of(config) | same == fields_of(wanted) | same


def _trainer(
    recipe: Recipe,
    run: RunFolder,
    inputs: _Inputs,
    where: torch.device,
    start: _Start,
    rank: Rank,
) -> Trainer:
    """Make a trainer at its first step, with its folder, or bring one back to where it stopped."""
    weights, held_out = inputs.weights, inputs.held_out.to(where)
    before = run.read_environment()["steps_before"] if start.resume else _steps(weights)
    origin = provenance(recipe, where, rank.count) | {"steps_before": before}
    score = _score(held_out, recipe.data.validation)
    trainer = Trainer(recipe, run, inputs.train.to(where), score, origin, rank)
    if start.resume:
        trainer.resume()
        return trainer
    if weights is not None:
        trainer.start_from(weights.model)
    if rank.is_main:
        place = {
            "data": str(inputs.data.resolve()),
            "init": None if start.init is None else str(start.init),
            "steps_before": before,
        }
        run.create(render(recipe), describe(where, rank.count) | place)
    return trainer


def _score(held_out: Pictures, count: int) -> Callable[[NeuralProcess[Any]], dict[str, Any]]:
    """Return what scores a model on pictures held out; of photographs, on the first `count`."""
    if isinstance(held_out, Photographs):
        return partial(of_photographs, photographs=held_out[:count])
    return partial(at_random_counts, images=held_out, latents=_VALIDATION_DRAWS)


def _steps(weights: checkpoint.Weights | None) -> int:
    """Count the steps that weights were trained for, with those of what they started from."""
    if weights is None:
        return 0
    return sum(int(weights.provenance.get(key, 0)) for key in ("steps", "steps_before"))
