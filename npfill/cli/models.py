"""`npfill models`: list the models; show, fetch, verify, locate and remove one."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from npfill import hub, zoo
from npfill.cli.console import Reporter, print_data, stdout
from npfill.errors import CheckFailedError, ModelError, NpfillError, UsageError
from npfill.files import folder

if TYPE_CHECKING:
    from npfill.checkpoint import Weights

_HUB = "hf://owner/repo/FILE, or hf://owner/repo@REVISION/FILE."
Name = Annotated[str, typer.Argument(metavar="NAME", help=f"A name, or {_HUB}")]
NameOrFile = Annotated[str, typer.Argument(metavar="NAME", help=f"A name, a file, {_HUB}")]
Facts = dict[str, object]

app = typer.Typer(
    help="List the models; show, fetch, verify, locate and remove one.", invoke_without_command=True
)


@app.callback()
def models_command(context: typer.Context) -> None:
    """List the models: name, variant, data and its terms, size and scores."""
    if context.invoked_subcommand is None:
        list_command()


@app.command("list")
def list_command() -> None:
    """List the models: what each is for, the default first, and the terms of its data."""
    table = Table("name", "for", "variant", "MB", box=None)
    known = zoo.entries()
    table.columns[0].min_width = max(map(len, known))  # names are to be typed
    for name in sorted(known, key=lambda name: (name != zoo.DEFAULT, known[name].data, name)):
        entry = known[name]
        marked = f"{name} (default)" if name == zoo.DEFAULT else name
        table.add_row(marked, _purpose(entry), entry.variant, f"{entry.bytes / 1e6:.1f}")
    stdout.print(table)
    for data, terms in {entry.data: entry.terms for entry in known.values()}.items():
        stdout.print(f"{data}: {terms}.", markup=False)
    stdout.print("npfill models show NAME has its scores.", markup=False)
    baselines = ", ".join(zoo.BASELINES)
    stdout.print(
        f"Baselines: {baselines}. All but linear need pip install 'npfill[baselines]'.",
        markup=False,
    )


@app.command("show")
def show_command(
    name: NameOrFile,
    recipe: Annotated[
        bool, typer.Option("--recipe", help="Print the recipe that the weights carry instead.")
    ] = False,
) -> None:
    """Show a model's variant, data with its terms, scores, and the places of its files."""
    if recipe:
        for line in _recipe(name).splitlines():
            print_data(line)
        return
    entry = zoo.entries().get(name)
    facts = {"name": name} | (_of_file(name) if entry is None else _of_row(name, entry))
    for key, value in facts.items():
        if value:
            print_data(f"{key:<10} {value}")


@app.command("fetch")
def fetch_command(name: Name) -> None:
    """Download a model's weights, unless they are bundled, and verify them."""
    found = zoo.find(name)
    Reporter().say(f"{found.name}: {found.path}, sha256 {found.sha256}")


@app.command("verify")
def verify_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Names, files or hf:// addresses; all by default."),
    ] = None,
) -> None:
    """Compare models' files with their known size and sha256, without the network."""
    damaged = 0
    for name in names or zoo.entries():
        try:
            verdict = "not fetched" if not names and _is_elsewhere(name) else _verdict(name)
        except NpfillError as error:
            verdict, damaged = str(error).removeprefix(f"{name}: "), damaged + 1
        print_data(f"{name:<14} {verdict}")
    if damaged:
        raise CheckFailedError(
            f"not as it must be: {damaged} of {len(names or zoo.entries())}",
            "npfill fetch replaces what was fetched; install npfill again for what is bundled",
        )


@app.command("path")
def path_command(name: Name) -> None:
    """Print the place of a model's file, also where one copied by hand would go."""
    place = zoo.place(name)
    if place is None:
        raise UsageError(
            f"{name}: which commit is meant is not known here",
            "write the whole commit: hf://owner/repo@COMMIT/file.safetensors",
        )
    print_data(str(place))
    if not place.is_file():
        Reporter().note(f"no file is there yet: npfill fetch {name} downloads it")


@app.command("remove")
def remove_command(name: Name) -> None:
    """Remove a fetched model from the Hugging Face cache."""
    address = zoo.address_of(name)
    if address is None:
        why = "it is bundled with npfill" if name in zoo.entries() else "it is no name of a model"
        raise UsageError(f"{name}: nothing to remove, {why}", "npfill models lists the names")
    freed = hub.remove(address)
    said = "is not cached" if freed is None else f"is removed, which frees {freed / 1e6:.1f} MB"
    Reporter().say(f"{name} {said}")


def _purpose(entry: zoo.Entry) -> str:
    """The pictures that a model is for."""
    if entry.psnr:
        return "photographs of any size, grey and RGB"
    if entry.contexts:
        return f"numbers of any size and range ({entry.data})"
    things = {"MNIST": "handwritten digits", "CelebA": "faces"}.get(entry.data, entry.data)
    return f"{things}, {entry.size}x{entry.size} {'grey' if entry.channels == 1 else 'RGB'}"


def _is_elsewhere(name: str) -> bool:
    """True where the file of a name is on the Hub alone."""
    place = zoo.place(name)
    return name not in zoo.shipped() and (place is None or not place.is_file())


def _verdict(name: str) -> str:
    """Confirm that a model is as it must be.

    Raises:
        NpfillError: It is not.
    """
    found = zoo.find(name, fetch=False)
    if name in zoo.entries():
        return "as it ships, by size and sha256"
    _loaded(found)
    return f"a model of npfill, sha256 {found.sha256}"


def _loaded(found: zoo.Found) -> "Weights":
    from npfill import checkpoint

    return checkpoint.load(found.path)


def _recipe(name: str) -> str:
    """The recipe that weights carry."""
    text = _loaded(zoo.find(name)).provenance.get("recipe")
    if not isinstance(text, str):
        raise ModelError(f"{name}: the weights carry no recipe", "npfill train lists recipes")
    return text


def _of_row(name: str, entry: zoo.Entry) -> Facts:
    """The facts that the zoo states."""
    scores = dict(zip(entry.counts or entry.contexts, entry.psnr or entry.mse, strict=True))
    measure = "PSNR in dB" if entry.psnr else "MSE of fields of unit variance"
    measure = "MSE at random context pixels" if entry.counts else measure
    card, recipe = folder("pretrained") / f"{name}.md", folder("train") / f"{name}.toml"
    staged = ", one run from nothing, which was not made: the card names the stages"
    said = f"{recipe}{staged if entry.steps_before else ''}"
    return {
        "variant": entry.variant,
        "pictures": f"{entry.data}, {'grey' if entry.channels == 1 else 'RGB'}, "
        f"trained at {entry.size}x{entry.size}",
        "terms": entry.terms,
        "parameters": f"{entry.parameters:,}",
        "steps": _steps(entry.steps, entry.steps_before),
        "scores": scores
        and f"{measure}: {', '.join(f'{key} {value:g}' for key, value in scores.items())}",
        "bytes": f"{entry.bytes:,}",
        "sha256": entry.sha256,
        "hub": zoo.address_of(name),
        "file": f"not here: npfill fetch {name}" if _is_elsewhere(name) else zoo.place(name),
        "card": card if card.is_file() else None,
        "recipe": said if recipe.is_file() else None,
    }


def _steps(last: object, before: object) -> object:
    """The steps in all, and of the last stage; what a file says, where they are no numbers."""
    if not (isinstance(last, int) and isinstance(before, int)):
        return last
    stage = f", the last {last:,} of them going on from earlier weights" if before else ""
    return f"{before + last:,}{stage}"


def _of_file(name: str) -> Facts:
    """The facts that a weight file states of itself."""
    found = zoo.find(name)
    weights = _loaded(found)
    config, said = weights.model.config, weights.provenance
    return {
        "variant": weights.model.variant,
        "pictures": f"{said.get('dataset', 'unknown')}, {config.channels} channels, "
        f"trained at {config.size}x{config.size}",
        "terms": said.get("terms", "unknown"),
        "parameters": f"{sum(each.numel() for each in weights.model.parameters()):,}",
        "steps": _steps(said.get("steps"), said.get("steps_before", 0)),
        "bytes": f"{found.path.stat().st_size:,}",
        "sha256": found.sha256,
        "file": found.path,
    }
