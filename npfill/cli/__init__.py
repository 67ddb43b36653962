"""The command `npfill`: one file per subcommand, and nothing heavy until one runs."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from npfill.cli import figure, models
from npfill.cli.check import check_command
from npfill.cli.complete import complete_command
from npfill.cli.console import report, shell, understand
from npfill.cli.doctor import demo_command, doctor_command
from npfill.cli.evaluate import evaluate_command
from npfill.cli.explain import explain_command
from npfill.cli.mask import mask_command
from npfill.cli.paint import paint_command
from npfill.cli.train import train_command
from npfill.errors import InputError, UsageError
from npfill.package import __version__

app = typer.Typer(
    name="npfill",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("complete", epilog="Example: npfill complete photo.jpg --mask mask.png")(
    complete_command
)
app.command("mask")(mask_command)
app.command("paint", epilog="Example: npfill paint photo.jpg")(paint_command)
app.command("check")(check_command)
app.command("explain")(explain_command)
app.command("train")(train_command)
app.command("evaluate")(evaluate_command)
app.command("fetch")(models.fetch_command)
app.command("demo")(demo_command)
app.command("doctor")(doctor_command)
app.add_typer(models.app, name="models")
app.add_typer(figure.app, name="figure")
understand(app)


@app.callback(invoke_without_command=True)
def npfill(
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False,
) -> None:
    """Complete pictures with missing pixels, and say how sure it is."""
    if version:
        typer.echo(f"npfill {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends with its exit code.

    Args:
        arguments: The words after `npfill`; those of the process by default.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words and Path(words[0]).suffix and Path(words[0]).is_file():
        hint = f"npfill complete {shell(words)}"
        sys.exit(report(UsageError(f"{words[0]}: a file, not a command", hint)))
    if "" in words:
        hint = "perhaps a variable of the shell that is not set"
        sys.exit(report(UsageError("an empty word in the command line", hint)))
    try:
        Path.cwd()
    except FileNotFoundError:  # in which libraries would end the process in their own ways
        hint = "change to another folder"
        sys.exit(report(InputError("the folder that this runs in is gone", hint)))
    try:
        app(args=words, prog_name=app.info.name, obj=words)
    except OSError as error:
        if error.filename is None:
            sys.exit(report(error))
        refusal = InputError(f"{error.filename}: {error.strerror}", "name another file or folder")
        sys.exit(report(refusal))
    except Exception as error:  # the one place where errors become a line and an exit code
        sys.exit(report(error))
