"""`npfill models`: what weights there are, and taking new ones in."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from npfill.cli.console import Talk, stderr, stdout
from npfill.errors import UsageError

app = typer.Typer(help="List the models; add trained ones.", invoke_without_command=True)


@app.callback()
def models_command(context: typer.Context) -> None:
    """List the models: name, variant, data and its terms, size and scores."""
    if context.invoked_subcommand is None:
        list_command()


@app.command("list")
def list_command() -> None:
    """List the models: name, variant, data and its terms, size and scores."""
    from npfill.zoo import entries

    table = Table("name", "variant", "pictures", "MB", "MSE", box=None)
    notes = {}
    for name, entry in entries().items():
        size = f"{entry.size}x{entry.size} {'grey' if entry.channels == 1 else 'RGB'}"
        errors = "  ".join(f"{error:.4f}" for error in entry.mse)
        megabytes = f"{entry.bytes / 1e6:.1f}"
        table.add_row(name, entry.variant, f"{entry.data} {size}", megabytes, errors)
        counts = ", ".join(str(count) for count in entry.counts)
        notes[entry.data] = f"MSE at {counts} random context pixels. Terms: {entry.terms}."
    stdout.print(table)
    for data, note in notes.items():
        stdout.print(f"{data}: {note}", markup=False)


@app.command("add")
def add_command(
    run_dir: Annotated[Path, typer.Argument(help="The folder of a finished training run.")],
    name: Annotated[
        str | None, typer.Option(help="The model's name; by default the folder's.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Test pictures; by default those of the run's data.")
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="The last weights, not the best.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Take a run's best weights into pretrained/: measured, with a row in the zoo and a card."""
    from npfill import devices
    from npfill.data.datasets import read_images
    from npfill.evaluate.shipping import ship
    from npfill.training.recipe import parse
    from npfill.training.run_folder import RunFolder

    run = RunFolder(run_dir)
    environment = run.read_environment()
    recipe = parse(run.recipe.read_text("utf-8"), str(run.recipe))
    metrics = run.read_metrics()
    if not metrics:
        raise UsageError(f"{run_dir}: no validation yet", "train it further")
    where = devices.resolve(device)
    source = data or Path(environment["data"])
    images = read_images(source, "test", recipe.model.size, recipe.model.channels)
    talk = Talk()
    talk.say(f"measuring {name or run_dir.name} on test pictures of {source}, {where}")
    with stderr.status("measuring"):
        weights = ship(name or run_dir.name, run.last if last else run.best, images.to(where))
    talk.say(f"wrote {weights}, its row in zoo.toml, and {weights.with_suffix('.md')}")
