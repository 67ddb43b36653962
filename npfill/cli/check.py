"""`npfill check`: whether a tool, any tool, changed what is outside the hole."""

from pathlib import Path
from typing import Annotated

import typer

from npfill.cli.console import Talk, print_data
from npfill.cli.masking import MaskOptions, hole_of
from npfill.cli.options import Boxes, FitMask, Grow, InvertMask, MaskFile, MaskThreshold
from npfill.errors import CheckFailedError


def check_command(
    before: Annotated[Path, typer.Argument(help="The picture with missing pixels.")],
    after: Annotated[Path, typer.Argument(help="The completed picture, by any tool.")],
    mask: MaskFile = None,
    box: Boxes = None,
    invert_mask: InvertMask = False,
    grow: Grow = 0,
    mask_threshold: MaskThreshold = None,
    fit_mask: FitMask = False,
) -> None:
    """Count the pixels that were changed outside the hole; exit code 7 if there are any."""
    from npfill.pictures.hole import describe
    from npfill.pictures.picture import difference
    from npfill.pictures.read import read_picture

    talk = Talk()
    masking = MaskOptions(mask, box or [], invert_mask, grow, mask_threshold, fit_mask)
    one, other = read_picture(before), read_picture(after)
    hole = hole_of(masking, one)
    for name, notes in (
        (one.name, one.notes), (other.name, other.notes), (masking.name, hole.notes)
    ):  # fmt: skip
        for note in notes:
            talk.warn(f"{name}: {note}")
    talk.say(describe(hole))
    if one.size != other.size:
        sizes = [f"{each.size[1]}x{each.size[0]}" for each in (other, one)]
        raise CheckFailedError(
            f"{after} is {sizes[0]} but {before} is {sizes[1]}",
            "a completion has the picture's size",
        )
    if one.kind != other.kind:
        talk.warn(
            f"{after} is {other.kind} but {before} is {one.kind}: "
            "grey is compared as a colour, no alpha as opaque"
        )
    found = difference(one, other, ignored=hole.selected)
    outside = int((~hole.selected).sum())
    if found.count:
        raise CheckFailedError(
            f"outside changed: {found.count:,} of {outside:,} px, "
            f"by at most {found.largest:g}" + (f" of {found.white}" if found.white else ""),
            "a lossy format such as JPEG changes all; --grow PX leaves a rim out",
        )
    print_data(f"outside changed: 0 of {outside:,} px")
