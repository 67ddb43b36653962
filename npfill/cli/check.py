"""`npfill check`: proof that a tool, any tool, changed nothing outside the hole."""

from pathlib import Path
from typing import Annotated

import typer

from npfill.cli.console import Reporter, print_data
from npfill.cli.options import Boxes, FitMask, Grow, InvertMask, MaskFile, MaskLabel, MaskThreshold


def check_command(
    before: Annotated[Path, typer.Argument(help="The picture with missing pixels.")],
    after: Annotated[Path, typer.Argument(help="The completed picture, by any tool.")],
    mask: MaskFile = None,
    box: Boxes = None,
    invert_mask: InvertMask = False,
    grow: Grow = 0,
    mask_threshold: MaskThreshold = None,
    fit_mask: FitMask = False,
    mask_label: MaskLabel = None,
) -> None:
    """Count the pixels that were changed outside the hole; exit code 7 if there are any."""
    from npfill.completion import MaskOptions, check_outside

    reporter = Reporter()
    masking = MaskOptions(
        mask, box or [], invert_mask, grow, mask_threshold, fit_mask, mask_label or []
    )
    checked = check_outside(before, after, masking)
    reporter.note(*checked.notes)
    reporter.say(checked.description)
    if checked.error is not None:
        raise checked.error
    print_data(f"outside changed: 0 of {checked.pixels:,} px")
