"""`npfill models`: what weights there are, and taking new ones in. Single ones: `weights`."""

import typer
from rich.table import Table

from npfill.cli import weights
from npfill.cli.console import stdout

app = typer.Typer(
    help="List the models; show, fetch, verify and remove one.",
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
