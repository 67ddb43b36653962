"""`npfill train`: a recipe and pictures become weights."""

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from npfill.cli.console import Reporter, progress, readable, shell, stdout
from npfill.errors import OverwriteError, UsageError
from npfill.files import folder, write_bytes

if TYPE_CHECKING:
    from npfill.training.loop import Report
    from npfill.training.proposal import Survey
    from npfill.training.recipe import Recipe

_ABOUT_RECIPES = """\
# Recipes, key by key

What `npfill train --explain-recipe` prints. A recipe is a TOML file with a table for the model and
one for each part of the training; it has `[holes]` for pictures of one size, or `[damage]` for
photographs. Keys without a default must be given. `npfill train NAME --print-config` prints a
recipe with the meaning of its keys beside them, and `npfill train --new my.toml --data PATH` writes
one that fits a set of pictures.

"""


def train_command(
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe's name or file. None: list the recipes.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="schedule.steps=100 ...")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Pictures: "
            "a folder of pictures, a zip of them, an array (.npy, .npz) or idx files."
        ),
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="Where the run is kept; runs/RECIPE by default.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last save.")] = False,
    init: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="Start from these weights.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Leave out pictures that cannot be read.")
    ] = False,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print the recipe with its changes, and stop.")
    ] = False,
    new: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Write a recipe that fits the data, and stop."),
    ] = None,
    explain_recipe: Annotated[
        bool, typer.Option("--explain-recipe", help="Print what each key means, and stop.")
    ] = False,
) -> None:
    """Train a model from a recipe; without one, list the recipes and what each needs."""
    if recipe is None and new is None and not explain_recipe and not (resume and run_dir):
        if resume or init or data or run_dir or print_config:
            problem = "no run to go on with" if resume else "no recipe: what is to be trained?"
            raise UsageError(problem, "npfill train RECIPE, or `resume=True` `run_dir=runs/NAME`")
        stdout.print(_recipes())
        return
    if new is not None:
        _check_new(new, data, recipe or init or run_dir)
    from npfill import training

    if explain_recipe:
        stdout.print(_ABOUT_RECIPES + training.explain(), end="", markup=False)
        return
    if new is not None and data is not None:
        survey = training.survey(data, skip_damaged=skip_damaged)
        proposed = survey.recipe()
        head = f"# A start for {survey}, in {readable(str(data))}.\n\n"
        write_bytes(
            new, (head + training.render(proposed, comments=True)).encode(), overwrite=False
        )
        _say_new(new, data, survey, proposed, skip_damaged=skip_damaged)
        return
    run = run_dir or Path("runs") / Path(recipe or "").stem
    wanted = training.find(recipe or run / "recipe.toml", changes or [])
    if print_config:
        stdout.print(training.render(wanted, comments=True), end="", markup=False)
        return
    reporter = Reporter(quiet=not training.from_environment().is_main)
    last: Report | None = None
    with progress(wanted.schedule.steps, "first steps", quiet=reporter.quiet) as bar:

        def show(report: "Report") -> None:
            nonlocal last
            last = report
            kl = f"  KL {report.kl:.1f}" if report.kl else ""
            pace = f"{report.images_per_second:,.0f} images/s"
            if report.validation:
                bar.say(_scores(report))
            bar.reach(report.step, f"step {report.step:,}  loss {report.loss:.3f}{kl}  {pace}")

        try:
            training.train(
                wanted,
                data,
                run,
                init=init,
                resume=resume,
                device=device,
                skip_damaged=skip_damaged,
                on_report=show,
                on_note=bar.say,
            )
        except KeyboardInterrupt:
            if last is not None:
                more = ["--skip-damaged"] * skip_damaged + ["--device", device] * (device != "auto")
                again = shell(["npfill", "train", "--resume", "--run-dir", run, *more])
                reporter.say(f"saved at step {last.step:,}; go on with {again}")
            raise
    reporter.say(f"done: {run / 'best.safetensors'}; try it:")
    reporter.say(_try(run, *training.example(data, run)))


def _try(run: Path, picture: Path, size: tuple[int, int]) -> str:
    """Write the command that completes a picture with the weights of a run."""
    width, height = size
    box = f"{width // 4},{height // 4},{max(1, width // 2)},{max(1, height // 2)}"
    return shell(["npfill", "complete", picture, "--box", box, "-m", run, "-o", f"{run}/"])


def _check_new(path: Path, data: Path | None, other: str | Path | None) -> None:
    """Refuse to write a recipe where something is in its way, or nothing says what it fits."""
    if other is not None:
        raise UsageError("`new` writes a recipe of its own", f"leave {other} out")
    if data is None:
        raise UsageError("no data: a new recipe fits a set of pictures", "give `data=PATH`")
    if path.suffix != ".toml":
        raise UsageError(f"{path}: not the name of a recipe", "a recipe's file ends in .toml")
    if os.path.lexists(path):
        raise OverwriteError(f"{path}: exists", "`new` names another file")


def _say_new(
    path: Path, data: Path, survey: "Survey", recipe: "Recipe", *, skip_damaged: bool
) -> None:
    """Print what a new recipe trains, and the command that does so."""
    reporter, steps = Reporter(), f"{recipe.schedule.steps:,} steps of {recipe.schedule.batch}"
    reporter.say(f"{data}: {survey}")
    reporter.say(f"wrote {path}: {recipe.variant}, {steps}; train it:")
    words: list[str | Path] = ["npfill", "train", path, "--data", data]
    reporter.say(shell(words + ["--skip-damaged"] * skip_damaged))


def _recipes() -> Table:
    table = Table("recipe", "variant", "data", "pictures", "steps x batch", box=None)
    table.columns[0].no_wrap = True  # names are to be typed
    for path in sorted(folder("train").glob("*.toml")):
        recipe = tomllib.loads(path.read_text("utf-8"))
        model, steps = recipe["model"], "{steps:,} x {batch}".format(**recipe["schedule"])
        size = f"{model['size']}x{model['size']} {'grey' if model['channels'] == 1 else 'RGB'}"
        data = "none: drawn" if recipe["data"].get("kind") == "fields" else recipe["data"]["name"]
        table.add_row(path.stem, model["variant"], data, size, steps)
    table.caption = "npfill train RECIPE --data PATH, or a recipe for your pictures: --new my.toml"
    return table


def _scores(report: "Report") -> str:
    scores = report.validation or {}
    if "velocity_error" in scores:
        return f"step {report.step:,}  error of the velocity {scores['velocity_error']:.4f}"
    counted = "counts" in scores
    contexts = " / ".join(str(each) for each in scores["counts" if counted else "contexts"])
    errors = " / ".join(f"{error:.4f}" for error in scores["mse"])
    likelihoods = " / ".join(f"{value:.3f}" for value in scores["log_likelihood"])
    where = f"at {contexts} pixels" if counted else contexts
    return f"step {report.step:,}  {where}: MSE {errors}  LL {likelihoods}"
