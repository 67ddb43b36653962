"""`npfill complete`: a picture and a mask become mean, std and samples."""

from pathlib import Path
from typing import Annotated

import typer

from npfill.cli.console import Talk, error_record, print_result, show
from npfill.cli.masking import MaskOptions
from npfill.cli.options import (
    Boxes,
    FitMask,
    Grow,
    InvertMask,
    MaskFileOrFolder,
    MaskThreshold,
    model_names,
)
from npfill.errors import BatchError, NpfillError, UsageError

_MODEL, _OUTPUT = "Model", "Output"


def complete_command(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMG",
            help="Pictures with missing pixels: files, folders, patterns; - is stdin.",
        ),
    ],
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Folders below folders, too.")
    ] = False,
    max_pixels: Annotated[
        int | None, typer.Option(min=1, help="Pictures and masks of more are refused.")
    ] = None,
    mask: MaskFileOrFolder = None,
    box: Boxes = None,
    invert_mask: InvertMask = False,
    grow: Grow = 0,
    mask_threshold: MaskThreshold = None,
    fit_mask: FitMask = False,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            help="A name of npfill models, a baseline, or a file. auto: the one for photographs.",
            rich_help_panel=_MODEL,
            autocompletion=model_names,
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
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing files.", rich_help_panel=_OUTPUT)
    ] = False,
    format_: Annotated[
        str,
        typer.Option("--format", help="png, or keep: the picture's own.", rich_help_panel=_OUTPUT),
    ] = "png",
    strip: Annotated[
        bool,
        typer.Option("--strip", help="Leave EXIF and resolution out.", rich_help_panel=_OUTPUT),
    ] = False,
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing", help="Leave existing files; write the rest.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what would be read and written.", rich_help_panel=_OUTPUT
        ),
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
    """Complete pictures: IMG_mean.png, IMG_std.png and IMG_sample-1.png ... beside each."""
    from npfill.cli.completing import Drawing, Writing
    from npfill.cli.request import Request, answer, print_plan
    from npfill.pictures.read import MAX_PIXELS

    talk = Talk(quiet=quiet, verbose=verbose)
    masking = MaskOptions(mask, box or [], invert_mask, grow, mask_threshold, fit_mask)
    drawing = Drawing(samples, seed, sampler, rounds, noise)
    limit = max_pixels or MAX_PIXELS
    writing = Writing(output, emit, overwrite, skip_existing, format_ == "keep", strip, limit)
    request = Request(images, recursive, masking, model, device, drawing, writing, dry_run)
    try:
        if as_json and output == Path("-"):
            raise UsageError("--json and -o - both want stdout", "-o names a file or folder")
        if format_ not in {"png", "keep"}:
            raise UsageError(f"--format {format_}: unknown", "png or keep")
        if overwrite and skip_existing:
            raise UsageError("--overwrite and --skip-existing contradict each other", "leave one")
        done = answer(request, talk)
        if dry_run and not as_json:
            print_plan(done)
    except NpfillError as error:
        if as_json:
            print_result(error.exit_code, {}, [error_record(error)])
        raise
    if as_json:
        failed = [
            {"file": str(each.image)} | error_record(each.error, str(each))
            for each in done.failures
        ]
        print_result(BatchError.exit_code if failed else 0, done.data, failed)
    if done.failures:
        for failure in done.failures:
            show(str(failure), failure.error.hint)
        raise BatchError(
            f"{len(done.failures)} of {done.pictures} pictures failed, as said above",
            "--skip-existing completes the rest once they are mended",
        )
