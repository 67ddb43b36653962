"""`npfill evaluate`: models and baselines on test pictures, by one protocol."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import table as rich_table

from npfill import zoo
from npfill.cli.console import Reporter, plain, progress, say_terms, shell, stdout
from npfill.cli.options import TestPictures
from npfill.cli.rows import measure_rows
from npfill.errors import InputError, ModelError, UsageError
from npfill.files import refuse_results, write_bytes

# The numbers of test pictures, of those that rules measure, and of fields.
_IMAGES, _RULED, _FIELDS = 1000, 12, 10

if TYPE_CHECKING:
    from npfill.evaluate.fields.report import FieldResults
    from npfill.evaluate.report import Table


def evaluate_command(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL|BASELINE]...",
            help="Names, weights, or folders of runs. None: the bundled models for such pictures.",
        ),
    ] = None,
    *,
    data: TestPictures = None,
    contexts: Annotated[
        str | None,
        typer.Option(
            help="With commas: random[:N], ordered[:N], keep[:PERCENT], what is hidden (top-half, "
            "left-half, centre-box) or damaged (text, scratches, strokes, boxes, blobs, lines, "
            "borders, bands; irregular, if there are masks). Default: all of the protocol."
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=1, max=512, help="Side of the grid. Default: the models'.")
    ] = None,
    samplers: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Measure models with each of latent, autoregressive, independent, "
            "exemplar or flow; pictures of one size are at most 50.",
        ),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            min=1, help="Pictures at random counts (default 1000); at others at most 200, gp 50."
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Draws of z, or samples. Default: 16; of photos 3."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of masks and draws.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    photos: Annotated[
        bool, typer.Option("--photos", help="Photographs at their own size, damaged as they are.")
    ] = False,
    fields: Annotated[
        bool,
        typer.Option(
            "--fields",
            help="Grids of numbers: --images (or 10) random fields of each law, real grids.",
        ),
    ] = False,
    masks: Annotated[
        Path | None, typer.Option(help="With --photos: a zip or folder of irregular masks.")
    ] = None,
    sampling: Annotated[
        bool,
        typer.Option(
            "--sampling",
            help="PSNR of one model against the share of pixels that is measured, by the rules of "
            "npfill next and by others, on 12 pictures unless --images says otherwise.",
        ),
    ] = False,
    protocol: Annotated[
        str, typer.Option(help="npfill, or tnp: that of the transformer neural processes.")
    ] = "npfill",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A folder for report.md, results.json and plots."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing report.")
    ] = False,
) -> None:
    """Measure models and baselines on test pictures: errors, likelihoods, calibration."""
    _refuse_taken(output, overwrite)
    reporter = Reporter()
    from npfill.evaluate import LOOKS, evaluate, evaluate_fields, ranks, report

    if fields:
        for name, entry in zoo.entries().items():
            if name in (names or []):
                say_terms(reporter, name, entry.terms)
        is_more = sampling or protocol != "npfill" or draws
        if data or samplers or photos or masks or is_more:
            raise UsageError("`fields` with options of pictures", "leave the others out")
        with progress(None) as shown:
            found = evaluate_fields(
                names or [],
                parts=[] if contexts is None else [word.strip() for word in contexts.split(",")],
                side=size or 128,
                count=images or _FIELDS,
                seed=seed,
                device=device,
                on_cell=lambda tool, where: shown.advance(1, f"{tool}  {where}"),
            )
        _fields(found, output, overwrite, context.obj)
        return
    if data is None:
        raise UsageError("no data: what are the test pictures?", "give `data=PATH`, or `fields`")
    if protocol not in {"npfill", "tnp"} or (sampling and protocol == "tnp"):
        raise UsageError(f"`protocol={protocol}`", "npfill or tnp, the latter without `sampling`")
    images = images or (_RULED if sampling else _IMAGES)
    if sampling or protocol == "tnp":
        measure_rows(
            sampling,
            bool(contexts or samplers or masks or draws),
            names or [],
            data,
            photos=photos,
            size=size,
            images=images,
            seed=seed,
            device=device,
            output=output,
            overwrite=overwrite,
            words=context.obj,
        )
        return

    chosen = [word.strip() for word in samplers.split(",")] if samplers else []
    with progress(None) as shown:
        results = evaluate(
            names or [],
            data,
            contexts=contexts,
            size=size,
            samplers=list(dict.fromkeys(chosen)),
            images=images,
            draws=draws,
            seed=seed,
            device=device,
            photos=photos,
            masks=masks,
            on_start=shown.expect,
            on_batch=lambda name, kind, done: shown.advance(done, f"{name}  {kind}"),
        )
    reporter.note(*results.notes)
    short: tuple[str, ...] = report.OF_SAMPLERS if chosen else report.SHORT
    if photos:
        short = ("psnr", *LOOKS) if chosen else report.OF_PHOTOGRAPHS
    _print(report.tables(results, short))
    if output is not None:
        command = shell(["npfill", *context.obj])
        page, every = report.as_markdown(results, command), report.as_json(results, command)
        written = {"report.md": page.encode(), "results.json": every.encode()}
        try:
            written |= report.plots(results) | ranks.plots(results)
        except ModelError as error:
            reporter.note(f"there are no plots: {error}; {error.hint}")
        for name, content in written.items():
            write_bytes(output / name, content, overwrite=overwrite)
        reporter.say(f"wrote {output / 'report.md'}, results.json and {len(written) - 2} plots")


def _refuse_taken(output: Path | None, overwrite: bool) -> None:
    """Refuse a folder that holds a report, or is none."""
    if output is not None:
        if output.exists() and not output.is_dir():
            raise InputError(f"{output}: not a folder", "`output` names a folder")
        files = [output / "report.md", output / "results.json", *sorted(output.glob("*.png"))]
        refuse_results(files, overwrite)


def _fields(
    results: "FieldResults", output: Path | None, overwrite: bool, words: list[str]
) -> None:
    """Print what was measured on grids of numbers, and write it if there is a place for it."""
    Reporter().note(*results.notes)
    for table in results.tables():
        drawn = rich_table.Table(*map(plain, table.head), title=table.title, box=None)
        for row in table.rows:
            drawn.add_row(*row)
        stdout.print(drawn)
        stdout.print()
    if output is not None:
        command = shell(["npfill", *words])
        page, every = results.as_markdown(command), results.as_json(command)
        write_bytes(output / "report.md", page.encode(), overwrite=overwrite)
        write_bytes(output / "results.json", every.encode(), overwrite=overwrite)


def _print(tables: "list[Table]") -> None:
    """Print scores on stdout: a table for each metric, a row for each kind of context."""
    for table in tables:
        title = f"{table.metric.title}: {table.metric.meaning}"
        shown = rich_table.Table("context", title=title, box=None, title_justify="left")
        for name in table.predictors:
            shown.add_column(plain(name), justify="right", overflow="fold")
        for row in table.cells(errors=False):
            shown.add_row(*row)
        stdout.print(shown)
        stdout.print()
