"""The options that more than one command takes."""

import tomllib
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from npfill.errors import UsageError
from npfill.files import STDIO, folder
from npfill.pictures.stores import file_of

of_mask = partial(typer.Option, rich_help_panel="Mask")
of_model = partial(typer.Option, rich_help_panel="Model")
of_output = partial(typer.Option, rich_help_panel="Output")
_FARTHEST = 100_000
_ALPHA_OR_COLOUR = (
    "`alpha`: what is transparent is filled. `color:magenta` or `color:#ff00ff~8`: what has this "
    "colour, to 8 of 255 levels. `damaged`: what a torn PNG or JPEG has lost. Repeatable."
)


MaskFile = Annotated[
    list[str] | None,
    of_mask(metavar="MASK", help=f"A file: white is filled, black is kept. {_ALPHA_OR_COLOUR}"),
]
MaskFileOrFolder = Annotated[
    list[str] | None,
    of_mask(
        metavar="MASK",
        help="A file: white is filled, black is kept. A folder: masks by the pictures' names. "
        + _ALPHA_OR_COLOUR,
    ),
]
Boxes = Annotated[list[str] | None, of_mask(metavar="X,Y,W,H", help="Fill a box; repeatable.")]
InvertMask = Annotated[bool, of_mask("--invert-mask", help="Fill black instead.")]
Grow = Annotated[
    int,
    of_mask(
        metavar="PX", min=-_FARTHEST, max=_FARTHEST, help="Grow the hole; negative shrinks it."
    ),
]
MaskThreshold = Annotated[
    float | None, of_mask(min=0, help="Lowest level of the mask that is filled.")
]
MaskLabel = Annotated[
    list[str] | None,
    of_mask(
        metavar="CLASS",
        help="Fill a class, a number or #rrggbb, of a mask that is a map of classes; repeatable.",
    ),
]
FitMask = Annotated[bool, of_mask("--fit-mask", help="Resize the mask to the picture.")]


def model_names(incomplete: str) -> list[str]:
    """The names of models that a shell completes a word to; loads no torch."""
    zoo = tomllib.loads((folder("pretrained") / "zoo.toml").read_text("utf-8"))
    return [name for name in ("auto", *zoo) if name.startswith(incomplete)]


Model = Annotated[
    str,
    of_model(
        "--model",
        "-m",
        help="A name of npfill models, a baseline, or a file. auto: that for photographs, or data.",
        autocompletion=model_names,
    ),
]
Samples = Annotated[int, of_model(min=0, max=100_000, help="Samples to draw.")]
Seed = Annotated[int, of_model(min=0, help="Sample k depends on seed and k alone.")]
Device = Annotated[str, of_model(help="auto, cpu, cuda, cuda:N or mps.")]
Sampler = Annotated[
    str,
    of_model(metavar="NAME", help="auto, latent, autoregressive, independent, exemplar or flow."),
]
Rounds = Annotated[
    int | None, of_model(metavar="K", help="Rounds of the autoregressive sampler. Default: 16.")
]
Noise = Annotated[bool, of_model("--noise", help="Draw each pixel of a sample, not its mean.")]
DrawFrom = Annotated[
    str | None,
    of_model(metavar="MASK", help="Samples take patches from where this mask is white alone."),
]
Confidence = Annotated[
    float | None, of_model(metavar="P", help="Probability of intervals. Default: 0.9.")
]
Tolerance = Annotated[
    float | None,
    of_model(min=0, help="Leave open where the interval, or chance of a wrong class, is greater."),
]
NoCheck = Annotated[bool, of_model("--no-check", help="Leave the check of the std out.")]
Adapt = Annotated[
    str,
    of_model(
        metavar="60s|STEPS",
        help="Train the network on what the picture shows, for a time or a number of steps; it is "
        "kept if it is better on what is held out. For maps, scans, textures.",
    ),
]
Recursive = Annotated[
    bool, typer.Option("--recursive", "-r", help="Look into folders below folders, too.")
]
MaxPixels = Annotated[
    int | None, typer.Option(min=1, help="Refuse pictures and masks of more pixels.")
]
Output = Annotated[
    str | None, of_output("--output", "-o", help="A folder, DIR/, a file for one result, or -.")
]
Name = Annotated[
    str | None,
    of_output(
        metavar="TEMPLATE",
        help="Names of results, of {stem}, {result}, {suffix}. {stem}{suffix}: the pictures' own.",
    ),
]
Emit = Annotated[
    str | None,
    of_output(help="Results: mean,std,samples,fill,interval,heat,open,sheet,npz,preview."),
]
Overwrite = Annotated[bool, of_output("--overwrite", help="Replace existing files.")]
# Of commands that write one file, or measure test pictures.
OverwriteFile = Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")]
TestPictures = Annotated[
    Path | None, typer.Option(help="Test pictures: a folder, zip, idx files, .npy or .npz.")
]
Format = Annotated[str, of_output("--format", help="png, or keep: the picture's own.")]
Strip = Annotated[bool, of_output("--strip", help="Leave EXIF and resolution out.")]
SkipExisting = Annotated[
    bool, of_output("--skip-existing", help="Keep existing files and write the others.")
]
Quiet = Annotated[bool, of_output("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[bool, of_output("--verbose", "-v", help="Print more.")]


def place_of(output: str | None, planned: Path, what: str) -> Path:
    """The file of a result that has one format: the planned one, or as `output` says.

    Args:
        output: A file, a folder for the planned name, or None.
        planned: The file where nothing else is said.
        what: The result, for messages.

    Raises:
        UsageError: The file's suffix is that of another format.
    """
    file = file_of(output)
    if file == STDIO:
        raise UsageError(f"{file}: {what} does not go to stdout", f"`output=NAME{planned.suffix}`")
    if file is not None and file.suffix.lower() != planned.suffix:
        hint = f"`output=NAME{planned.suffix}`, or `output={file}/` for a folder"
        raise UsageError(f"{file}: {what} is written as {planned.suffix}", hint)
    return file or (planned if output is None else Path(output) / planned.name)
