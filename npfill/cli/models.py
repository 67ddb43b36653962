"""`npfill models`: what weights there are, and taking new ones in. Single ones: `weights`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from npfill.cli import weights
from npfill.cli.console import Talk, stderr, stdout
from npfill.errors import UsageError

if TYPE_CHECKING:
    from npfill.training.recipe import Recipe

app = typer.Typer(
    help="List the models; show, fetch, verify and remove one; add trained ones.",
    invoke_without_command=True,
)
app.command("show")(weights.show_command)
app.command("fetch")(weights.fetch_command)
app.command("verify")(weights.verify_command)
app.command("path")(weights.path_command)
app.command("remove")(weights.remove_command)


@app.callback()
def models_command(context: typer.Context) -> None:
    """List the models: name, variant, data and its terms, size and scores."""
    if context.invoked_subcommand is None:
        list_command()


@app.command("list")
def list_command() -> None:
    """List the models: name, variant, data and its terms, size and scores."""
    from npfill.baselines import NAMES
    from npfill.zoo import entries

    table = Table("name", "variant", "pictures", "MB", "scores", box=None)
    notes = {}
    for name, entry in entries().items():
        megabytes = f"{entry.bytes / 1e6:.1f}"
        if entry.psnr:
            size, scores = "any size, grey and RGB", "  ".join(f"{one:.1f}" for one in entry.psnr)
            measured = f"PSNR in dB; {', '.join(entry.contexts)}. Take it for any photograph"
        else:
            size = f"{entry.size}x{entry.size} {'grey' if entry.channels == 1 else 'RGB'}"
            scores = "  ".join(f"{error:.4f}" for error in entry.mse)
            counts = ", ".join(str(count) for count in entry.counts)
            measured = f"MSE at {counts} random context pixels. Take it for such pictures"
        table.add_row(name, entry.variant, f"{entry.data} {size}", megabytes, scores)
        notes[entry.data] = f"{measured}. Terms: {entry.terms}."
    stdout.print(table)
    for data, note in notes.items():
        stdout.print(f"{data}: {note}", markup=False)
    stdout.print(
        f"Baselines: {', '.join(NAMES)}. All but linear need pip install 'npfill[baselines]'.",
        markup=False,
    )


@app.command("add")
def add_command(
    run_dir: Annotated[Path, typer.Argument(help="The folder of a finished training run.")],
    name: Annotated[
        str | None, typer.Option(help="The model's name; by default the folder's.")
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Test pictures; by default those of the run's data. Repeatable."),
    ] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Of photographs: a zip or folder of irregular masks.")
    ] = None,
    images: Annotated[
        int, typer.Option(min=1, help="Test pictures at random counts; at most 200 elsewhere.")
    ] = 1000,
    draws: Annotated[
        int, typer.Option(min=1, max=1000, help="Draws of z there; at most 16 elsewhere.")
    ] = 64,
    last: Annotated[bool, typer.Option("--last", help="The last weights, not the best.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Take a run's best weights into pretrained/: measured, with a row in the zoo and a card."""
    from npfill import devices
    from npfill.data.sets import Photographs
    from npfill.data.sources import read_images
    from npfill.evaluate.photograph_shipping import Sets, ship_photographs
    from npfill.evaluate.shipping import ship
    from npfill.training.pictures import training_pictures
    from npfill.training.recipe import parse
    from npfill.training.run_folder import RunFolder

    run = RunFolder(run_dir)
    environment = run.read_environment()
    recipe = parse(run.recipe.read_text("utf-8"), str(run.recipe))
    metrics = run.read_metrics()
    if not metrics:
        raise UsageError(f"{run_dir}: no validation yet", "train it further")
    where = devices.resolve(device)
    trained_on = Path(environment["data"])
    places = data or [trained_on]
    held_out = training_pictures(trained_on, recipe)[1].to(where)
    name, chosen, talk = name or run_dir.name, run.last if last else run.best, Talk()
    listed = ", ".join(str(place) for place in places)
    talk.say(f"measuring {name} on test pictures of {listed}, {where}")
    with stderr.status("calibration") as status:
        if isinstance(held_out, Photographs):
            sets = Sets(places, masks, images)
            shipped = ship_photographs(name, chosen, held_out, sets, status.update)
        else:
            shape = recipe.model.size, recipe.model.channels
            test = read_images(_single(places), "test", *shape)[:images].to(where)
            shipped = ship(name, chosen, held_out, test, draws, status.update)
    talk.say(f"wrote {shipped}, its row in zoo.toml, and {shipped.with_suffix('.md')}")


def _single(places: list[Path]) -> Path:
    if len(places) > 1:
        raise UsageError("--data is given more than once", "only photographs have several sets")
    return places[0]


@app.command("add-linear")
def add_linear_command(
    recipe: Annotated[str, typer.Argument(help="A recipe: its data's name, terms and size.")],
    data: Annotated[Path, typer.Option(help="Where that data is.")],
) -> None:
    """Fit the baseline linear to a recipe's training pictures, and keep it in pretrained/."""
    from npfill.baselines import statistics
    from npfill.data.sources import read_images
    from npfill.files import folder

    described = _described(recipe)
    source, model = described.data, described.model
    images = read_images(data, "train", model.size, model.channels)
    target = folder("pretrained") / "baselines" / f"linear-{source.name.lower()}.safetensors"
    provenance = {"dataset": source.name, "terms": source.terms, "images": len(images)}
    statistics.save(target, statistics.fit(images), provenance)
    Talk().say(f"wrote {target}, of {len(images):,} pictures")


@app.command("add-classifier")
def add_classifier_command(
    recipe: Annotated[str, typer.Argument(help="A recipe: its data's name and terms.")],
    data: Annotated[Path, typer.Option(help="A folder with that data's idx files, and labels.")],
) -> None:
    """Train the classifier of digits that judges samples, and keep it in pretrained/."""
    from npfill.data.labels import read_labels
    from npfill.data.sources import read_images
    from npfill.evaluate import classifier

    described = _described(recipe).data
    parts = {
        split: (read_images(data, split, classifier.SIZE, 1), read_labels(data, split))
        for split in ("train", "test")
    }
    with stderr.status("reading") as status:
        network = classifier.fit(*parts["train"], status.update)
    # Rounded to half precision first, so that what is measured is what is kept.
    found = classifier.accuracy(network.half().float(), *parts["test"])
    provenance = {
        "dataset": described.name,
        "terms": described.terms,
        "images": len(parts["train"][0]),
        "test_accuracy": found,
    }
    classifier.save(classifier.FILE, network, provenance)
    Talk().say(f"wrote {classifier.FILE}: {100 * found:.2f} % of test pictures are found")


def _described(name: str) -> "Recipe":
    """The recipe of a name.

    Raises:
        UsageError: There is none.
    """
    from npfill.files import folder
    from npfill.training.recipe import parse

    path = folder("train") / f"{name}.toml"
    if not path.is_file():
        raise UsageError(f"no recipe is called {name!r}", "npfill train lists them")
    return parse(path.read_text("utf-8"), str(path))
