"""`npfill evaluate`: models and baselines on test pictures, by one protocol."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from npfill.cli import figure_inputs
from npfill.cli.console import Talk, say_terms, stderr, stdout

if TYPE_CHECKING:
    from torch import device

    from npfill.evaluate.comparison import Budget, Comparison

_SECONDS_BETWEEN_LINES = 30.0
_OF_SAMPLES = (
    "log_likelihood",
    "confidence",
    "mean_confidence",
    "real_confidence",
    "label_entropy",
    "diversity",
    "coherence",
    "seconds",
)
# What is measured on photographs where nothing is named.
_PHOTOGRAPHERS = ("convcnp-photo", "telea", "navier-stokes", "biharmonic")
_ON_TERMINAL = (
    "mse",
    "floored_log_likelihood",
    "floored_pointwise",
    "z_squared",
    "coverage_90_between",
    "context_mse",
)


def evaluate_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL|BASELINE]...",
            help="Names, or paths to weights. None: the bundled models for such pictures.",
        ),
    ] = None,
    *,
    data: Annotated[
        Path, typer.Option(help="Test pictures: a folder, zip, idx files, .npy or .npz.")
    ],
    contexts: Annotated[
        str | None,
        typer.Option(
            help="random[:N], ordered[:N], top-half, left-half, centre-box (what is hidden), "
            "with commas. Default: all of the protocol."
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=1, max=512, help="Side of the grid. Default: the models'.")
    ] = None,
    samplers: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Measure models with each of latent, autoregressive, independent, on 50 pictures.",
        ),
    ] = None,
    images: Annotated[
        int,
        typer.Option(min=1, help="Test pictures at random counts; at most 200 elsewhere, gp 50."),
    ] = 1000,
    draws: Annotated[int, typer.Option(min=1, max=1000, help="Draws of z from the context.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Of masks and draws.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    photos: Annotated[
        bool, typer.Option("--photos", help="Photographs at their own size, damaged as they are.")
    ] = False,
    masks: Annotated[
        Path | None, typer.Option(help="With --photos: a zip or folder of irregular masks.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A folder for report.md, results.json and plots."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing report.")
    ] = False,
) -> None:
    """Measure models and baselines on test pictures: errors, likelihoods, calibration."""
    from npfill.errors import InputError, UsageError
    from npfill.files import refuse_existing

    if photos and (contexts is not None or size is not None):
        raise UsageError("--contexts and --size are not for --photos", "leave them out")
    if masks is not None and not photos:
        raise UsageError("--masks goes with --photos", "add --photos")
    if output is not None:
        if output.exists() and not output.is_dir():
            raise InputError(f"{output}: not a folder", "-o names a folder")
        files = [output / "report.md", output / "results.json", *sorted(output.glob("*.png"))]
        refuse_existing(files, overwrite)

    from npfill import devices, zoo
    from npfill.evaluate.comparison import Budget, compare

    budget, where = Budget(images, draws, seed), devices.resolve(device)
    kinds = figure_inputs.samplers(samplers) if samplers else []
    for name, entry in zoo.entries().items():
        if name in (names or []):
            say_terms(Talk(), name, entry.terms)
    if photos:
        _photographs(names or list(_PHOTOGRAPHERS), data, masks, budget, where, output)
        return
    with _progress() as (on_start, on_batch):
        comparison = compare(
            names or [], data, contexts, size, kinds, budget, where, on_start,
            lambda name, setting, done: on_batch(name, setting.name, done),
        )  # fmt: skip
    _print(comparison, _OF_SAMPLES if kinds else _ON_TERMINAL)
    if output is not None:
        _write(comparison, output)


@contextmanager
def _progress() -> "Iterator[tuple[Callable[[int], None], Callable[[str, str, int], None]]]":
    """A bar with the time left; where stderr is no terminal, a line every half minute."""
    columns = [TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=stderr, transient=True) as bar:
        task, talk, said = bar.add_task(""), Talk(), time.monotonic()

        def on_batch(name: str, setting: str, done: int) -> None:
            nonlocal said
            bar.update(task, advance=done, description=f"{name}  {setting}")
            now, (state,) = time.monotonic(), bar.tasks
            if not stderr.is_terminal and now - said >= _SECONDS_BETWEEN_LINES:
                said = now
                left = f", {state.time_remaining / 60:.0f} min left" if state.time_remaining else ""
                talk.say(f"{name}  {setting}  {state.percentage:.0f} %{left}")

        yield lambda total: bar.update(task, total=total), on_batch


def _photographs(
    names: list[str],
    data: Path,
    masks: Path | None,
    budget: "Budget",
    device: "device",
    output: Path | None,
) -> None:
    """Measure on photographs, print a table for each score, and write the report."""
    from npfill.evaluate.photographs import (
        SCORES,
        as_json,
        as_markdown,
        entrants,
        measure_photographs,
        table,
    )
    from npfill.files import write_bytes

    with _progress() as (on_start, on_batch):
        measured = measure_photographs(
            entrants(names, device), data, masks, budget.images, budget.seed, on_start,
            lambda name, kind: on_batch(name, kind, 1),
        )  # fmt: skip
    for key, (meaning, _) in SCORES.items():
        head, *rows = table(measured, key)
        shown = Table(head[0], title=meaning, box=None)
        shown.title_justify = "left"
        for name in head[1:]:
            shown.add_column(name, justify="right")
        for row in rows:
            shown.add_row(*row)
        stdout.print(shown)
        stdout.print()
    if output is not None:
        command = shlex.join(["npfill", *sys.argv[1:]])
        output.mkdir(parents=True, exist_ok=True)
        write_bytes(output / "results.json", as_json(measured, command).encode())
        write_bytes(output / "report.md", as_markdown(measured, command).encode())
        Talk().say(f"wrote {output / 'report.md'} and results.json")


def _print(comparison: "Comparison", keys: Sequence[str]) -> None:
    """The chief scores on stdout: a table for each, one row for each context."""
    from npfill.evaluate.report import SCORES, text

    names = list(comparison.origins)
    settings = list(dict.fromkeys(result.setting for result in comparison.results))
    values = {(result.completer, result.setting): result.scores for result in comparison.results}
    for key in keys:
        score = SCORES[key]
        rows = [
            [setting.name, *(text(score, values[name, setting].get(key)) for name in names)]
            for setting in settings
        ]
        shown = [
            name
            for name, *cells in zip(names, *(row[1:] for row in rows), strict=True)
            if any(cells)
        ]
        if not shown:
            continue
        table = Table("context", title=f"{score.title}: {score.meaning}", box=None)
        table.title_justify = "left"
        for name in shown:
            table.add_column(name, justify="right", overflow="fold")
        for setting, *cells in rows:
            kept = [cell for name, cell in zip(names, cells, strict=True) if name in shown]
            table.add_row(setting, *kept)
        stdout.print(table)
        stdout.print()


def _write(comparison: "Comparison", output: Path) -> None:
    from npfill.evaluate.report import as_json, as_markdown, charts
    from npfill.files import write_bytes
    from npfill.pictures.formats import png_bytes

    command = shlex.join(["npfill", *sys.argv[1:]])
    output.mkdir(parents=True, exist_ok=True)
    drawn = charts(comparison)
    for name, chart in drawn.items():
        write_bytes(output / name, png_bytes(chart, {}))
    write_bytes(output / "results.json", as_json(comparison, command).encode())
    write_bytes(output / "report.md", as_markdown(comparison, command).encode())
    Talk().say(f"wrote {output / 'report.md'}, results.json and {len(drawn)} plots")
