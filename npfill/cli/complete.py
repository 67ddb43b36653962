"""`npfill complete`: a picture and a mask become mean, std and samples."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from npfill.cli.console import Talk
from npfill.cli.masking import MaskOptions
from npfill.errors import NpfillError, UsageError

if TYPE_CHECKING:
    from npfill.cli.completing import Drawing, Writing

_INPUT, _MASK, _MODEL, _OUTPUT = "Input", "Mask", "Model", "Output"
# No picture that is read is larger than this.
_FARTHEST = 10**8


def complete_command(
    image: Annotated[Path, typer.Argument(metavar="IMG", help="The picture with missing pixels.")],
    mask: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|alpha|color:#RRGGBB[~N]",
            help="White is filled, black is kept. `alpha`: what is transparent is filled. "
            "`color:`: what has this colour, to N of 255 levels.",
            rich_help_panel=_MASK,
        ),
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,W,H", help="Fill a box; repeatable.", rich_help_panel=_MASK),
    ] = None,
    invert_mask: Annotated[
        bool, typer.Option("--invert-mask", help="Fill black instead.", rich_help_panel=_MASK)
    ] = False,
    grow: Annotated[
        int,
        typer.Option(
            metavar="PX",
            min=-_FARTHEST,
            max=_FARTHEST,
            help="Grow the hole; negative shrinks it.",
            rich_help_panel=_MASK,
        ),
    ] = 0,
    mask_threshold: Annotated[
        float | None,
        typer.Option(min=0, help="Lowest level that is filled.", rich_help_panel=_MASK),
    ] = None,
    fit_mask: Annotated[
        bool, typer.Option("--fit-mask", help="Resize the mask.", rich_help_panel=_MASK)
    ] = False,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help="A name of npfill models, a baseline, or a file. auto: the one for photographs.",
            rich_help_panel=_MODEL,
        ),
    ] = "auto",
    samples: Annotated[
        int, typer.Option(min=0, max=1000, help="Samples to draw.", rich_help_panel=_MODEL)
    ] = 3,
    seed: Annotated[
        int,
        typer.Option(min=0, help="Sample k depends on seed and k alone.", rich_help_panel=_MODEL),
    ] = 0,
    sampler: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="auto, latent, autoregressive or independent.",
            rich_help_panel=_MODEL,
        ),
    ] = "auto",
    rounds: Annotated[
        int | None,
        typer.Option(metavar="K", help="Rounds of autoregressive; 16.", rich_help_panel=_MODEL),
    ] = None,
    noise: Annotated[
        bool,
        typer.Option("--noise", help="Samples with noise, not smooth.", rich_help_panel=_MODEL),
    ] = False,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel=_MODEL)
    ] = "auto",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A folder, a file for one result, or -.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    emit: Annotated[
        str | None,
        typer.Option(help="Of mean,std,samples,sheet,npz.", rich_help_panel=_OUTPUT),
    ] = None,
    format_: Annotated[
        str,
        typer.Option("--format", help="png, or keep: the picture's own.", rich_help_panel=_OUTPUT),
    ] = "png",
    strip: Annotated[
        bool,
        typer.Option("--strip", help="Leave EXIF and resolution out.", rich_help_panel=_OUTPUT),
    ] = False,
    max_pixels: Annotated[
        int | None,
        typer.Option(min=1, help="Refuse pictures and masks of more.", rich_help_panel=_INPUT),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing files.", rich_help_panel=_OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The result as JSON on stdout.", rich_help_panel=_OUTPUT)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Errors only.", rich_help_panel=_OUTPUT)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Complete a picture: IMG_mean.png, IMG_std.png and IMG_sample-1.png ... beside it."""
    from npfill.cli.completing import Drawing, Writing

    talk = Talk(quiet=quiet, verbose=verbose)
    masking = MaskOptions(mask, box or [], invert_mask, grow, mask_threshold, fit_mask)
    drawing = Drawing(samples, seed, sampler, rounds, noise)
    writing = Writing(output, emit, overwrite, format_ == "keep", strip)
    try:
        if as_json and output == Path("-"):
            raise UsageError("--json and -o - both want stdout", "-o names a file or folder")
        if format_ not in {"png", "keep"}:
            raise UsageError(f"--format {format_}: unknown", "png or keep")
        data = _complete(image, masking, model, device, drawing, writing, max_pixels, talk)
    except NpfillError as error:
        if as_json:
            _print_json("error", error.exit_code, {}, [{"message": str(error), "hint": error.hint}])
        raise
    if as_json:
        _print_json("success", 0, data | {"warnings": talk.warnings}, [])


def _complete(
    image: Path,
    masking: MaskOptions,
    model: str,
    device: str,
    drawing: "Drawing",
    writing: "Writing",
    max_pixels: int | None,
    talk: Talk,
) -> dict[str, Any]:
    """Do it, and answer what was done as JSON values."""
    from npfill.cli import outputs
    from npfill.cli.completing import Job, choose, complete_one
    from npfill.images.encoding import suffixes
    from npfill.images.reading import MAX_PIXELS

    written = suffixes(image, keep=writing.keep)
    plan = outputs.plan(image, writing.output, writing.emit, drawing.samples, written)
    inputs = [image, *(Path(given) for given in (masking.file, model) if given)]
    outputs.refuse_own_inputs(plan, inputs)
    job = Job(image, masking, plan, max_pixels or MAX_PIXELS)
    return complete_one(job, drawing, writing, lambda: choose(model, device, talk), talk)


def _print_json(status: str, code: int, data: dict[str, Any], errors: list[dict[str, str]]) -> None:
    result = {
        "npfill_result_version": "1",
        "status": status,
        "exit_code": code,
        "data": data,
        "errors": errors,
    }
    # In ASCII, so that any path can be said whatever the encoding of stdout.
    typer.echo(json.dumps(result))
