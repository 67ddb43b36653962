"""`npfill mask`: a mask proposed for what is damaged, and a sheet to look at first."""

from pathlib import Path
from typing import Annotated

import typer

import npfill
from npfill.cli.console import Reporter, print_data, shell
from npfill.cli.options import MaxPixels, Overwrite, place_of
from npfill.files import STDIO, refuse_inputs, refuse_results, write_bytes

_kind = "What to find; by default, what seems to be there"


def mask_command(
    image: Annotated[Path, typer.Argument(metavar="IMG", help="The damaged picture.")],
    scratches: Annotated[
        bool, typer.Option("--scratches", help="Thin light or dark lines.", rich_help_panel=_kind)
    ] = False,
    dust: Annotated[
        bool,
        typer.Option(
            "--dust",
            help="Light or dark specks; small things of the picture, too.",
            rich_help_panel=_kind,
        ),
    ] = False,
    text: Annotated[
        bool, typer.Option("--text", help="A date stamp in a corner.", rich_help_panel=_kind)
    ] = False,
    stripes: Annotated[
        bool, typer.Option("--stripes", help="Dead rows and columns.", rich_help_panel=_kind)
    ] = False,
    depth: Annotated[
        bool, typer.Option("--depth", help="Zeros, of depth cameras.", rich_help_panel=_kind)
    ] = False,
    colour: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR",
            help="What was painted: magenta, #ff00ff, #ff00ff~12.",
            rich_help_panel=_kind,
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where another version differs.", rich_help_panel=_kind),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(min=0.1, max=10, help="More than 1 finds fainter scratches, dust and text."),
    ] = 1.0,
    grow: Annotated[
        int | None, typer.Option(min=0, max=100, metavar="PX", help="Grow the mask by so much.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A folder or a file; IMG_mask.png if none.")
    ] = None,
    max_pixels: MaxPixels = None,
    overwrite: Overwrite = False,
) -> None:
    """Propose a mask: IMG_mask.png, and IMG_mask_sheet.png to look at. Nothing is filled."""
    stem = "stdin" if image == STDIO else image.stem
    path = place_of(output, image.parent / f"{stem}_mask.png", "the mask")
    sheet = path.with_name(f"{path.stem}_sheet.png")
    refuse_inputs([path, sheet], [image, *([like] if like else [])])
    refuse_results([path, sheet], overwrite)
    reporter = Reporter()
    asked = {
        "scratches": scratches,
        "dust": dust,
        "text": text,
        "stripes": stripes,
        "depth": depth,
        "colour": colour,
        "like": like,
    }
    proposal = npfill.mask.propose(
        image,
        {name: value for name, value in asked.items() if value},
        strength=strength,
        grow=grow,
        max_pixels=max_pixels,
    )
    for part in proposal.parts:
        reporter.say(part.words)
    write_bytes(path, proposal.mask_png(), overwrite=overwrite, like=image)
    write_bytes(sheet, proposal.sheet_png(), overwrite=overwrite, like=image)
    reporter.say(f"wrote {path}, and {sheet}: look at it first")
    more = ["--mask-threshold", f"{proposal.threshold:g}"] if proposal.threshold else []
    more += ["--max-pixels", str(max_pixels)] if max_pixels else []
    print_data(shell(["npfill", "complete", image, "--mask", path, *more]))
