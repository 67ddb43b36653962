"""`npfill demo`: the bundled example completed by every bundled model for digits, on one sheet."""

from pathlib import Path
from typing import Annotated

import typer

from npfill.cli.console import Reporter
from npfill.files import folder, refuse_results, write_bytes


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
    path = output / "npfill-demo.png"
    refuse_results([path], overwrite)
    from npfill import completion, zoo

    picture, mask = (folder("examples") / name for name in ("digit.png", "digit_mask.png"))
    names = [name for name, entry in zoo.shipped().items() if entry.channels == 1]
    done = {name: completion.complete(picture, mask, name, samples, seed) for name in names}
    write_bytes(path, completion.comparison_png(done))
    Reporter().say(f"wrote {path}: {', '.join(names)}")
