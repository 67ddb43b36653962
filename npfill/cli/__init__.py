"""The command `npfill`: one file per subcommand, and nothing heavy until one runs."""

import inspect
import sys
from collections.abc import Callable, Sequence
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
from npfill.cli.merged import report_command
from npfill.cli.next import next_command
from npfill.cli.paint import paint_command
from npfill.cli.train import train_command
from npfill.errors import InputError, UsageError
from npfill.package import __version__

app = typer.Typer(
    name="npfill",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_FIRST = """\
npfill completes pictures with missing pixels, and says how sure it is. To begin:

  npfill demo                                   mend a scratched photograph, into npfill-demo/
  npfill mask npfill-demo/scratched.jpg         propose a mask for it, to look at
  npfill complete npfill-demo/scratched.jpg --mask npfill-demo/scratched_mask.png

Then name a photograph of your own. npfill --help lists all commands."""
_COMMANDS: dict[str, tuple[Callable[..., None], str, str]] = {
    "complete": (
        complete_command,
        "photo.jpg --mask photo_mask.png",
        "1.5 megapixels take some ten seconds; samples can take minutes, --samples 0 draws none.",
    ),
    "mask": (mask_command, "photo.jpg --scratches", "It takes seconds for each megapixel."),
    "paint": (paint_command, "photo.jpg", ""),
    "next": (next_command, "scan.npy -n 50 --path", "It takes a few seconds."),
    "check": (check_command, "before.png after.png --mask mask.png", ""),
    "report": (report_command, "part-1.jsonl part-2.jsonl", ""),
    "explain": (explain_command, "photo_mean.png", "--rerun takes as long as the completion did."),
    "train": (train_command, "cnp-mnist --data path/to/mnist", "Training takes minutes to hours."),
    "evaluate": (
        evaluate_command,
        "cnp-mnist nearest --data path/to/mnist --images 200",
        "A thousand pictures take minutes for each model, --fields hours (--contexts real: less).",
    ),
    "fetch": (models.fetch_command, "convcnp-photo", ""),
    "demo": (demo_command, "", "It takes a few seconds."),
    "doctor": (doctor_command, "", "It takes a few seconds."),
}
_IN_GROUPS = {
    "show": "convcnp-photo",
    "fetch": "convcnp-photo",
    "path": "convcnp-photo",
    "remove": "hf://owner/repo/model.safetensors",
    "samples": "-m cnp-mnist --contexts 10,100",
    "compare": "--context 50",
    "reveal": "photo.jpg",
}


def _helped(name: str, words: str, command: Callable[..., None], takes: str = "") -> list[str]:
    """The help of a command, which opens with an example, and its first sentence for lists."""
    about = inspect.cleandoc(command.__doc__ or "")
    parts = (f"Example: npfill {name} {words}".strip(), about, takes)
    return ["\n\n".join(filter(None, parts)), about.partition("\n")[0]]


for _name, (_command, _words, _takes) in _COMMANDS.items():
    _help, _short = _helped(_name, _words, _command, _takes)
    app.command(_name, help=_help, short_help=_short)(_command)
for _name, _group in (("models", models.app), ("figure", figure.app)):
    for _each in _group.registered_commands:
        _word = _each.name or ""
        _each.help, _each.short_help = _helped(
            f"{_name} {_word}", _IN_GROUPS.get(_word, ""), _each.callback or print
        )
app.add_typer(models.app, name="models", short_help=models.app.info.help)
app.add_typer(figure.app, name="figure", short_help=figure.app.info.help)
understand(app)


@app.callback(invoke_without_command=True)
def npfill(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False,
) -> None:
    """Complete pictures with missing pixels, and say how sure it is."""
    if version:
        typer.echo(f"npfill {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(_FIRST)


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
        sys.exit(report(InputError("the folder that this runs in is gone", "change to another")))
    try:
        app(args=words, prog_name=app.info.name, obj=words)
    except Exception as error:  # the one place where errors become a line and an exit code
        sys.exit(report(error))
