"""`npfill check`: proof that a tool, any tool, changed nothing outside the hole."""

from pathlib import Path
from typing import Annotated

import typer

from npfill.cli import field_options, options
from npfill.cli.console import Reporter, print_data


def check_command(
    before: Annotated[Path, typer.Argument(help="The picture with missing pixels.")],
    after: Annotated[Path, typer.Argument(help="The completed picture, by any tool.")],
    mask: options.MaskFile = None,
    box: options.Boxes = None,
    invert_mask: options.InvertMask = False,
    grow: options.Grow = 0,
    mask_threshold: options.MaskThreshold = None,
    fit_mask: options.FitMask = False,
    mask_label: options.MaskLabel = None,
    max_pixels: options.MaxPixels = None,
    variable: field_options.Variable = "",
) -> None:
    """Count the pixels that were changed outside the hole; exit code 7 if there are any."""
    from npfill.completion import MAX_PIXELS, MaskOptions, check_outside

    reporter = Reporter()
    how = (mask, box or [], invert_mask, grow, mask_threshold, fit_mask, mask_label or [])
    masking = MaskOptions(*how)
    checked = check_outside(before, after, masking, max_pixels or MAX_PIXELS, variable)
    reporter.note(*checked.notes)
    reporter.say(checked.description)
    if checked.error is not None:
        raise checked.error
    print_data(f"outside changed: 0 of {checked.pixels:,} px")
