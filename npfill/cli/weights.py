"""`npfill models show`, `fetch`, `verify`, `path` and `remove`: single models and their files."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from npfill.cli.console import Talk, print_data
from npfill.errors import CheckFailedError, NpfillError, UsageError

if TYPE_CHECKING:
    from npfill.zoo import Entry

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A name, or hf:owner/repo[@revision]/FILE.")
]
AnyName = Annotated[
    str, typer.Argument(metavar="NAME", help="A name, a file, or hf:owner/repo[@revision]/FILE.")
]


def show_command(name: AnyName) -> None:
    """What is known of a model: what it is, its data and their terms, and where its file is."""
    from npfill import zoo

    entry = zoo.entries().get(name)
    facts = {"name": name} | (_of_file(name) if entry is None else _of_row(name, entry))
    for key, value in facts.items():
        if value:
            print_data(f"{key:<10} {value}")


def fetch_command(name: Name) -> None:
    """Have a model here before it is used: downloaded unless it is bundled, and verified."""
    from npfill import zoo

    found = zoo.find(name)
    Talk().say(f"{found.name}: {found.path}, sha256 {found.sha256}")


def verify_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Names, files or hf: addresses; all by default."),
    ] = None,
) -> None:
    """Compare the files of models with what npfill knows of them; the network is not asked."""
    from npfill import zoo

    damaged = 0
    for name in names or zoo.entries():
        try:
            verdict = "not fetched" if not names and _is_elsewhere(name) else _verdict(name)
        except NpfillError as error:
            verdict, damaged = str(error), damaged + 1
        print_data(f"{name:<14} {verdict}")
    if damaged:
        raise CheckFailedError(
            f"not as it must be: {damaged} of {len(names or zoo.entries())}",
            "npfill fetch replaces what was fetched; install npfill again for what is bundled",
        )


def path_command(name: Name) -> None:
    """Where the file of a model is, or where a copy by hand goes if it is not here."""
    from npfill import zoo

    place = zoo.place(name)
    if place is None:
        raise UsageError(
            f"{name}: which commit is meant is not known here",
            "write the whole commit: hf:owner/repo@COMMIT/file.safetensors",
        )
    print_data(str(place))
    if not place.is_file():
        Talk().warn(f"no file is there yet: npfill fetch {name} downloads it")


def remove_command(name: Name) -> None:
    """Take a model that was fetched out of the Hugging Face cache."""
    from npfill import hub, zoo

    address = zoo.address_of(name)
    if address is None:
        why = "it is bundled with npfill" if name in zoo.entries() else "it is no name of a model"
        raise UsageError(f"{name}: nothing to remove, {why}", "npfill models lists the names")
    freed = hub.remove(address)
    Talk().say(f"removed {name}, {freed / 1e6:.1f} MB" if freed else f"{name} is not in the cache")


def _is_elsewhere(name: str) -> bool:
    """Whether the file of a name is on the Hub alone."""
    from npfill import zoo

    place = zoo.place(name)
    return name not in zoo.shipped() and (place is None or not place.is_file())


def _verdict(name: str) -> str:
    """That a model is as it must be.

    Raises:
        NpfillError: It is not.
    """
    from npfill import zoo

    found = zoo.find(name, fetch=False)
    if name in zoo.entries():
        return "as it ships, by size and sha256"
    from npfill import checkpoint

    checkpoint.load(found.path)
    return f"a model of npfill, sha256 {found.sha256}"


def _of_row(name: str, entry: "Entry") -> dict[str, Any]:
    """What the zoo says."""
    from npfill import zoo
    from npfill.files import folder

    scores = dict(zip(entry.counts, entry.mse, strict=True)) or dict(
        zip(entry.contexts, entry.psnr, strict=True)
    )
    measure = "PSNR in dB" if entry.psnr else "MSE at random context pixels"
    card, recipe = folder("pretrained") / f"{name}.md", folder("train") / f"{name}.toml"
    return {
        "variant": entry.variant,
        "pictures": f"{entry.data}, {'grey' if entry.channels == 1 else 'RGB'}, "
        f"trained at {entry.size}x{entry.size}",
        "terms": entry.terms,
        "parameters": f"{entry.parameters:,}",
        "steps": f"{entry.steps:,}",
        "scores": f"{measure}: {', '.join(f'{key} {value:g}' for key, value in scores.items())}",
        "bytes": f"{entry.bytes:,}",
        "sha256": entry.sha256,
        "hub": zoo.address_of(name),
        "file": f"not here: npfill fetch {name}" if _is_elsewhere(name) else zoo.place(name),
        "card": card if card.is_file() else None,
        "recipe": recipe if recipe.is_file() else None,
    }


def _of_file(name: str) -> dict[str, Any]:
    """What a file says of itself."""
    from npfill import checkpoint, zoo

    found = zoo.find(name)
    weights = checkpoint.load(found.path)
    config, said = weights.model.config, weights.provenance
    return {
        "variant": weights.model.variant,
        "pictures": f"{said.get('dataset', 'unknown')}, {config.channels} channels, "
        f"trained at {config.size}x{config.size}",
        "terms": said.get("terms", "unknown"),
        "parameters": f"{sum(each.numel() for each in weights.model.parameters()):,}",
        "steps": said.get("steps"),
        "bytes": f"{found.path.stat().st_size:,}",
        "sha256": found.sha256,
        "file": found.path,
    }
