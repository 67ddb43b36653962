"""The options that more than one command takes."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from npfill.files import folder

_MASK, _MODEL, _OUTPUT = "Mask", "Model", "Output"
_FARTHEST = 100_000
_ALPHA_OR_COLOUR = (
    "`alpha`: what is transparent is filled. `color:#ff00ff~8`: what has this colour, to 8 of 255 "
    "levels, is filled."
)


MaskFile = Annotated[
    str | None,
    typer.Option(
        metavar="MASK",
        help=f"A file: white is filled, black is kept. {_ALPHA_OR_COLOUR}",
        rich_help_panel=_MASK,
    ),
]
MaskFileOrFolder = Annotated[
    str | None,
    typer.Option(
        metavar="MASK",
        help="A file: white is filled, black is kept. A folder: masks by the pictures' names. "
        + _ALPHA_OR_COLOUR,
        rich_help_panel=_MASK,
    ),
]
Boxes = Annotated[
    list[str] | None,
    typer.Option(metavar="X,Y,W,H", help="Fill a box; repeatable.", rich_help_panel=_MASK),
]
InvertMask = Annotated[
    bool, typer.Option("--invert-mask", help="Fill black instead.", rich_help_panel=_MASK)
]
Grow = Annotated[
    int,
    typer.Option(
        metavar="PX",
        min=-_FARTHEST,
        max=_FARTHEST,
        help="Grow the hole; negative shrinks it.",
        rich_help_panel=_MASK,
    ),
]
MaskThreshold = Annotated[
    float | None,
    typer.Option(min=0, help="Lowest level of the mask that is filled.", rich_help_panel=_MASK),
]
FitMask = Annotated[
    bool, typer.Option("--fit-mask", help="Resize the mask to the picture.", rich_help_panel=_MASK)
]


def model_names(incomplete: str) -> list[str]:
    """The names of models that a shell completes a word to; loads no torch."""
    zoo = tomllib.loads((folder("pretrained") / "zoo.toml").read_text("utf-8"))
    return [name for name in ("auto", *zoo) if name.startswith(incomplete)]


Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="A name of npfill models, a baseline, or a file. auto: the one for photographs.",
        rich_help_panel=_MODEL,
        autocompletion=model_names,
    ),
]
Samples = Annotated[
    int, typer.Option(min=0, max=1000, help="Samples to draw.", rich_help_panel=_MODEL)
]
Seed = Annotated[
    int,
    typer.Option(min=0, help="Sample k depends on seed and k alone.", rich_help_panel=_MODEL),
]
Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel=_MODEL)
]
Sampler = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, latent, autoregressive or independent.",
        rich_help_panel=_MODEL,
    ),
]
Rounds = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        help="Rounds of the autoregressive sampler. Default: 16.",
        rich_help_panel=_MODEL,
    ),
]
Noise = Annotated[
    bool,
    typer.Option(
        "--noise", help="Draw each pixel of a sample, not its mean.", rich_help_panel=_MODEL
    ),
]
Recursive = Annotated[
    bool, typer.Option("--recursive", "-r", help="Look into folders below folders, too.")
]
MaxPixels = Annotated[
    int | None, typer.Option(min=1, help="Refuse pictures and masks of more pixels.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="A folder, a file for one result, or -.", rich_help_panel=_OUTPUT
    ),
]
Emit = Annotated[
    str | None,
    typer.Option(help="Results to write, of mean,std,samples,sheet,npz.", rich_help_panel=_OUTPUT),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace existing files.", rich_help_panel=_OUTPUT)
]
Format = Annotated[
    str,
    typer.Option("--format", help="png, or keep: the picture's own.", rich_help_panel=_OUTPUT),
]
Strip = Annotated[
    bool, typer.Option("--strip", help="Leave EXIF and resolution out.", rich_help_panel=_OUTPUT)
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing", help="Keep existing files and write the others.", rich_help_panel=_OUTPUT
    ),
]
