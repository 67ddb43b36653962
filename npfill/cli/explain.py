"""`npfill explain`: the command that made a result, and a check that it still makes it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from npfill.cli.console import Reporter, print_data, shell
from npfill.cli.options import MaxPixels
from npfill.errors import CheckFailedError
from npfill.files import STDIO
from npfill.package import __version__

if TYPE_CHECKING:
    from npfill.completion import Origin


def explain_command(
    result: Annotated[Path, typer.Argument(help="A PNG that npfill complete wrote.")],
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Run the command, too, and compare.")
    ] = False,
    max_pixels: MaxPixels = None,
) -> None:
    """Print the command that made a result, and check that its inputs are unchanged."""
    from npfill.completion import MAX_PIXELS, Origin, changes_since, made_again

    reporter = Reporter()
    origin = Origin.of(result, max_pixels or MAX_PIXELS)
    print_data(_command(origin, result))
    made_by = origin.text.get("npfill_version", "unknown")
    if made_by != __version__:
        reporter.note(f"npfill {made_by} made it, and this is {__version__}: results may differ")
    if wrong := changes_since(origin):
        hint = "names are looked up from this folder"
        if unnamed := [origin.image, *origin.masking.files].count(STDIO):
            hint = "that command makes it again if it is given the same file: < FILE"
            hint = hint if unnamed == 1 else "the program in whose memory they were makes it again"
        elif (most := origin.options.get("max_pixels", 0)) > origin.max_pixels:
            hint += f"; --max-pixels {most} reads as many pixels as that command"
        raise CheckFailedError(f"{result}: cannot be made again: {'; '.join(wrong)}", hint)
    if kind := origin.text.get("npfill_samples_are"):
        reporter.say(f"its samples are {kind}")
    reporter.say("picture, mask and model are here, unchanged")
    if not rerun:
        return
    same_bytes, found = made_again(origin)
    if found.count:
        raise CheckFailedError(
            f"{result}: run again, {found.count:,} px differ, "
            f"by at most {found.largest:g} of {found.white}",
            "another version of torch or device rounds in another way; or it was edited",
        )
    same = "the same, byte for byte" if same_bytes else "the same pixels, in a file that differs"
    reporter.say(f"run again: {same}")


def _command(origin: "Origin", result: Path) -> str:
    """The command that makes a result, to be pasted into a shell."""
    words: list[str | Path] = ["npfill", "complete", origin.image]
    for name, value in origin.options.items():
        flag = f"--{name.replace('_', '-')}"
        for each in value if isinstance(value, list) else [value]:
            words += [flag] if each is True else [flag, str(each)]
    output, samples = origin.result.output, origin.sampling.samples
    words += ["--samples", str(samples), "--emit", output.name]
    words += ["-o", result.parent if len(output.names(samples)) > 1 else result]
    return shell(words)
