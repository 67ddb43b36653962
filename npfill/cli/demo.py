"""`npfill demo`: the bundled example through every bundled variant, on one sheet."""

from pathlib import Path
from typing import Annotated

import typer

from npfill.cli.console import Talk
from npfill.files import folder


def demo_command(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder for npfill-demo.png.")
    ] = Path(),
    samples: Annotated[int, typer.Option(min=0, max=100, help="Samples to draw.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the samples.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing file.")
    ] = False,
) -> None:
    """Complete the bundled digit with every bundled digit model: one sheet, no network."""
    from npfill.files import refuse_existing, write_bytes
    from npfill.pictures.formats import png_bytes
    from npfill.pictures.masks import read_mask
    from npfill.pictures.picture import intensities
    from npfill.pictures.read import read_picture
    from npfill.pictures.sheet import Row, contact_sheet

    path = output / "npfill-demo.png"
    refuse_existing([path], overwrite)
    picture = read_picture(folder("examples") / "digit.png")
    size = picture.size
    mask = folder("examples") / "digit_mask.png"
    hole = read_mask(mask, size, picture_name=picture.name, threshold=None, fit=False).selected

    from npfill import zoo
    from npfill.completion import complete

    values, rows = intensities(picture.image), []
    for name, entry in zoo.shipped().items():
        if entry.channels == 1:
            result = complete(values, hole, name, samples, seed)
            rows.append(Row(name, result.mean, result.std, list(result.samples)))
    write_bytes(path, png_bytes(contact_sheet(values, hole, rows), {}))
    Talk().say(f"wrote {path}: {', '.join(row.label for row in rows)}")
