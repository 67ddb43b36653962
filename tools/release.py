"""The maintainers' command, `python -m tools.release`: trained runs become weights that ship.

It works on the folder `pretrained/` of a source tree and is no part of the wheel.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from npfill import devices, zoo
from npfill.baselines import BASELINES, linear
from npfill.cli.console import Reporter, report, stderr, understand
from npfill.data import Photographs
from npfill.data.fields import RandomFields
from npfill.data.sources import read_images
from npfill.errors import UsageError
from npfill.evaluate.classifier import FILE, SIZE
from npfill.files import folder, refuse_results
from npfill.models.flownp import FlowNP
from npfill.training.batch import training_pictures
from npfill.training.recipe import Recipe, parse
from npfill.training.run import RunFolder
from tools import classifier
from tools.card import write_cards
from tools.channels import correlated
from tools.flows import ship_flow
from tools.linear import save_statistics
from tools.shipping import PhotographSets, ship, ship_fields, ship_photographs

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Take trained weights into pretrained/.",
)
understand(app)


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
    overwrite: Overwrite = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Take a run's best weights: calibrated, measured, with a row in zoo.toml and a card."""
    run, name = RunFolder(run_dir), name or run_dir.name
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name", "it has letters, digits, - and _ alone, a letter or digit first"
        )
    if name in {zoo.AUTO, zoo.BEST, *BASELINES}:
        raise UsageError(f"{name!r} has a meaning already", "give the model another name")
    refuse_results([folder("pretrained") / f"{name}.safetensors"], overwrite)
    environment = run.read_environment()
    recipe = parse(run.recipe.read_text("utf-8"), str(run.recipe))
    if not run.read_metrics():
        raise UsageError(f"{run_dir}: no validation yet", "train it further")
    where = devices.resolve(device)
    trained_on = Path(environment["data"])
    places = data or [trained_on]
    held_out = training_pictures(trained_on, recipe)[1].to(where)
    chosen, talk = run.last if last else run.best, Reporter()
    listed = ", ".join(str(place) for place in places)
    tested = recipe.data.name if recipe.data.kind == "fields" else f"test pictures of {listed}"
    talk.say(f"measuring {name} on {tested}, {where}")
    with stderr.status("calibration") as status:
        if isinstance(held_out, Photographs):
            sets = PhotographSets(places, masks, images)
            target = ship_photographs(name, chosen, held_out, sets, status.update)
        elif isinstance(held_out, RandomFields):
            target = ship_fields(name, chosen, held_out, status.update)
        else:
            shape = recipe.model.size, recipe.model.channels
            test = read_images(_single(places), "test", *shape)[:images].to(where)
            if recipe.variant == FlowNP.variant:
                target = ship_flow(name, chosen, held_out, test, status.update)
            else:
                target = ship(name, chosen, held_out, test, draws, status.update)
    talk.say(f"wrote {target}, its row in zoo.toml, and {target.with_suffix('.md')}")


@app.command("channels")
def channels_command(
    name: Annotated[str, typer.Argument(help="A model of several channels that ships.")],
    data: Annotated[Path, typer.Option(help="The pictures that it was trained on.")],
    pictures: Annotated[
        int | None, typer.Option(min=1, help="Fit to so many, and measure nothing again.")
    ] = None,
) -> None:
    """Fit how the channels of weights that ship go together; their tensors stay as they are."""
    with stderr.status("correlation") as status:
        target = correlated(name, data, status.update, pictures)
    Reporter().say(f"wrote {target}, its row in zoo.toml, and {target.with_suffix('.md')}")


@app.command("cards")
def cards_command() -> None:
    """Write every card again, from the scores that the weights carry; nothing is measured."""
    for path in write_cards():
        Reporter().say(f"wrote {path}")


@app.command("linear")
def linear_command(
    recipe: Annotated[str, typer.Argument(help="A recipe: its data's name, terms and size.")],
    data: Annotated[Path, typer.Option(help="Where that data is.")],
    overwrite: Overwrite = False,
) -> None:
    """Fit the baseline `linear` to a recipe's training pictures."""
    described = _described(recipe)
    source, model = described.data, described.model
    target = folder("pretrained") / "baselines" / f"linear-{source.name.lower()}.safetensors"
    refuse_results([target], overwrite)
    images = read_images(data, "train", model.size, model.channels)
    provenance = {"dataset": source.name, "terms": source.terms, "images": len(images)}
    save_statistics(target, linear.fit(images), provenance)
    Reporter().say(f"wrote {target}, of {len(images):,} pictures")


@app.command("classifier")
def classifier_command(
    recipe: Annotated[str, typer.Argument(help="A recipe: its data's name and terms.")],
    data: Annotated[Path, typer.Option(help="A folder with that data's idx files, and labels.")],
    overwrite: Overwrite = False,
) -> None:
    """Train the classifier of digits that judges samples."""
    described = _described(recipe).data
    refuse_results([FILE], overwrite)
    parts = {
        split: (read_images(data, split, SIZE, 1), classifier.read_labels(data, split))
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
    classifier.save(FILE, network, provenance)
    Reporter().say(f"wrote {FILE}: {100 * found:.2f} % of test pictures are recognised")


def _single(places: list[Path]) -> Path:
    if len(places) > 1:
        raise UsageError("--data is given more than once", "only photographs have several sets")
    return places[0]


def _described(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        UsageError: There is none.
    """
    path = folder("train") / f"{name}.toml"
    if not path.is_file():
        raise UsageError(f"no recipe is called {name!r}", "npfill train lists them")
    return parse(path.read_text("utf-8"), str(path))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends with its exit code.

    Args:
        arguments: The words after `tools.release`; those of the process by default.
    """
    try:
        app(args=None if arguments is None else list(arguments), prog_name="tools.release")
    except Exception as error:  # the one place where errors become a line and an exit code
        sys.exit(report(error))


if __name__ == "__main__":
    main()
