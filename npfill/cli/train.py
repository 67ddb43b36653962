"""`npfill train`: a recipe and pictures become weights."""

import tomllib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from npfill.cli.console import Talk, stderr, stdout
from npfill.cli.progress import printer, run_with_bar
from npfill.errors import InputError, NpfillError, OverwriteError, UsageError
from npfill.files import folder

if TYPE_CHECKING:
    from torch import device

    from npfill.checkpoint import Weights
    from npfill.training.batches import Pictures
    from npfill.training.loop import Trainer
    from npfill.training.ranks import Ranks
    from npfill.training.recipe import Recipe
    from npfill.training.run_folder import RunFolder

# Draws of z in a validation.
_VALIDATION_DRAWS = 8
_talk = Talk()


def train_command(
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe's name or file. None: list the recipes.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="schedule.steps=100 ...")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Pictures: a folder, zip, idx files, .npy or .npz.")
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="Where the run is kept; runs/RECIPE by default.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last save.")] = False,
    init: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="Start from these weights.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print the recipe with its changes, and stop.")
    ] = False,
) -> None:
    """Train a model from a recipe; without one, list the recipes and what each needs."""
    if recipe is None and not (resume and run_dir):
        stdout.print(_recipes())
        return
    from npfill.training.recipe import parse, render
    from npfill.training.run_folder import RunFolder

    if recipe is None:
        text, where = _text(RunFolder(run_dir or Path()).recipe), str(run_dir)
    else:
        text, where = _find(recipe)
    wanted = parse(text, where, changes or [])
    if print_config:
        stdout.print(render(wanted), end="", markup=False)
        return
    run = RunFolder(run_dir or Path("runs") / Path(recipe or "").stem)
    _train(wanted, run, _Start(data, init, resume), device)


@dataclass(frozen=True)
class _Start:
    """Where a run starts from, as the options say."""

    data: Path | None
    init: str | None
    resume: bool


def _train(recipe: "Recipe", run: "RunFolder", start: _Start, device: str) -> None:
    """Prepare and run; of the processes of torchrun, all compute and the first writes and talks."""
    from npfill.training.precision import keep_memory
    from npfill.training.ranks import connected, from_environment

    ranks = from_environment()
    _talk.quiet = not ranks.leads
    try:
        ranks.check(recipe.schedule.batch)
        where = ranks.device(device)
        if where.type == "cpu":
            keep_memory()
        inputs = _inputs(recipe, run, start)
        with connected(ranks, where):
            trainer = _trainer(recipe, run, inputs, where, start, ranks)
            _follow(trainer, run)
    except NpfillError as error:
        # What is wrong for all is said once on each machine.
        if ranks.local:
            raise typer.Exit(error.exit_code) from None
        raise


def _recipes() -> Table:
    table = Table("recipe", "variant", "data", "pictures", "steps x batch", box=None)
    for path in sorted(folder("train").glob("*.toml")):
        recipe = tomllib.loads(path.read_text("utf-8"))
        model, schedule = recipe["model"], recipe["schedule"]
        size = f"{model['size']}x{model['size']} {'grey' if model['channels'] == 1 else 'RGB'}"
        steps = f"{schedule['steps']:,} x {schedule['batch']}"
        table.add_row(path.stem, model["variant"], recipe["data"]["name"], size, steps)
    table.caption = "npfill train RECIPE --data PATH"
    return table


def _find(recipe: str) -> tuple[str, str]:
    """The text of a recipe, by file or by name, and what to call it."""
    path = Path(recipe)
    if path.suffix == ".toml":
        return _text(path), recipe
    shipped = folder("train") / f"{recipe}.toml"
    if not shipped.is_file():
        raise UsageError(f"no recipe is called {recipe!r}", "npfill train lists them")
    return _text(shipped), recipe


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # to open a pipe would wait for ever
            raise InputError(f"{path}: not a file", "npfill train lists recipes")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read ({error})", "npfill train lists recipes"
        ) from None


@dataclass(frozen=True)
class _Inputs:
    """Pictures to train on, pictures held out, and the weights to start from."""

    train: "Pictures"
    held_out: "Pictures"
    weights: "Weights | None"


def _inputs(recipe: "Recipe", run: "RunFolder", start: _Start) -> _Inputs:
    """What a run needs, once it is clear that it can start."""
    from npfill import checkpoint, zoo
    from npfill.training.pictures import training_pictures
    from npfill.training.recipe import render

    data = start.data
    if start.resume:
        if run.recipe.exists() and _text(run.recipe) != render(recipe):
            raise UsageError(
                f"{run.recipe}: the run was started with another recipe",
                f"npfill train --resume --run-dir {run.path}",
            )
        data = data or Path(run.read_environment()["data"])
    elif run.path.exists():
        raise OverwriteError(
            f"{run.path}: the run folder exists",
            "--resume goes on with it; --run-dir takes another",
        )
    if data is None:
        raise UsageError(f"no data: the recipe wants {recipe.data.name}", "add --data PATH")
    train, held_out = training_pictures(data, recipe)
    weights = checkpoint.load(zoo.find(start.init).path) if start.init else None
    if weights is not None and weights.model.config != recipe.model:
        raise UsageError(
            f"{start.init} has another configuration than the recipe", "compare their [model]"
        )
    return _Inputs(train, held_out, weights)


def _trainer(
    recipe: "Recipe",
    run: "RunFolder",
    inputs: _Inputs,
    where: "device",
    start: _Start,
    ranks: "Ranks",
) -> "Trainer":
    """A trainer at its first step, or where it stopped; the folder is made."""
    from npfill.data.sets import Photographs
    from npfill.evaluate.validation import at_random_counts, of_photographs
    from npfill.training.environment import describe, provenance
    from npfill.training.loop import Trainer
    from npfill.training.recipe import render

    weights, held_out = inputs.weights, inputs.held_out.to(where)
    before = run.read_environment()["steps_before"] if start.resume else _steps(weights)
    if isinstance(held_out, Photographs):
        score = partial(of_photographs, photographs=held_out[: recipe.data.validation])
    else:
        score = partial(at_random_counts, images=held_out, latents=_VALIDATION_DRAWS)
    origin = provenance(recipe, where, ranks.count) | {"steps_before": before}
    trainer = Trainer(recipe, run, inputs.train.to(where), score, origin, ranks)
    if start.resume:
        trainer.resume()
        return trainer
    if weights is not None:
        trainer.start_from(weights.model)
    if ranks.leads:
        assert start.data is not None
        place = {"data": str(start.data.resolve()), "init": start.init, "steps_before": before}
        run.create(render(recipe), describe(where, ranks.count) | place)
    return trainer


def _steps(weights: "Weights | None") -> int:
    """How many steps weights were trained for, with those of the weights they started from."""
    if weights is None:
        return 0
    return sum(int(weights.provenance.get(key, 0)) for key in ("steps", "steps_before"))


def _follow(trainer: "Trainer", run: "RunFolder") -> None:
    """Run to the end with a display on stderr."""
    steps = trainer.recipe.schedule.steps
    _talk.say(
        f"training {trainer.recipe.variant} on {trainer.train.device}, {run.path}, {steps:,} steps"
    )
    try:
        if stderr.is_terminal and not _talk.quiet:
            run_with_bar(trainer)
        else:
            trainer.run(printer(_talk, steps))
    except KeyboardInterrupt:
        _talk.say(
            f"saved at step {trainer.step:,}; go on with npfill train --resume --run-dir {run.path}"
        )
        raise
    _talk.say(f"done: {run.best}; use it with -m {run.best}")
