"""Measures of `npfill evaluate` that are one table: of a paper's protocol, and of rules."""

from dataclasses import asdict
from pathlib import Path

from rich import table as rich_table

from npfill.cli.console import Reporter, plain, progress, shell, stdout
from npfill.errors import ModelError, UsageError
from npfill.files import json_text, write_bytes
from npfill.notes import as_cell
from npfill.package import __version__


def measure_rows(
    by_rules: bool,
    is_more: bool,
    names: list[str],
    data: Path,
    *,
    photos: bool,
    size: int | None,
    images: int,
    seed: int,
    device: str,
    output: Path | None,
    overwrite: bool,
    words: list[str],
) -> None:
    """Measure by the protocol of the transformer neural processes, or rules of `npfill next`."""
    from npfill.evaluate import sampling, tnp

    plots = dict[str, bytes]()
    if is_more or (photos and not by_rules):
        which = "`sampling`" if by_rules else "`protocol=tnp`"
        raise UsageError(f"{which} with options of other measures", "leave the others out")
    with progress(None) as shown:
        if by_rules:
            if len(names) != 1 or size is not None:
                raise UsageError("`sampling` is for one model at a size of its own", "name one")
            found = sampling.evaluate_sampling(
                names[0],
                data,
                photos=photos,
                images=images,
                seed=seed,
                device=device,
                on_start=shown.expect,
                on_picture=lambda rule: shown.advance(1, rule),
            )
            title, (head, *rows), notes = found.title, found.rows(), found.notes
            measured = asdict(found) | {"needed": found.reached()}
            if output is not None:
                try:
                    plots = {"psnr.png": sampling.plot(found)}
                except ModelError as error:
                    Reporter().note(f"there is no plot: {error}; {error.hint}")
        else:
            scored = tnp.evaluate_tnp(
                names,
                data,
                size=size,
                images=images,
                seed=seed,
                device=device,
                on_start=shown.expect,
                on_batch=lambda name, done: shown.advance(done, name),
            )
            title = f"{scored.pictures:,} pictures of {scored.size}x{scored.size}"
            (head, *rows), notes = scored.rows(), scored.notes
            measured = asdict(scored)
    table = rich_table.Table(*map(plain, head), title=title, box=None)
    for row in rows:
        table.add_row(*row)
    stdout.print(table)
    for note in notes:
        stdout.print(note)
    if output is not None:
        every = [[*map(as_cell, row)] for row in (head, *rows)]
        every.insert(1, ["---"] * len(head))
        lines = ["| " + " | ".join(row) + " |" for row in every]
        command = shell(["npfill", *words])
        text = "\n".join([f"`{command}`", "", f"{title}.", "", *lines, "", *notes]) + "\n"
        said = json_text({"npfill": __version__, "command": command} | measured, indent=1) + "\n"
        texts = {"report.md": text.encode(), "results.json": said.encode()}
        for name, content in (texts | plots).items():
            write_bytes(output / name, content, overwrite=overwrite)
