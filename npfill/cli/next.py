"""`npfill next`: which pixels to measure."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from npfill.cli.console import Reporter, print_data, print_result, say_terms
from npfill.cli.field_options import Variable
from npfill.cli.options import Boxes, Device, MaskFile, MaxPixels, Model, OverwriteFile, of_model
from npfill.errors import UsageError
from npfill.files import STDIO, refuse_inputs, refuse_results, write_bytes

if TYPE_CHECKING:
    from npfill.exploring import Explorer, Plan

_Masks = list[Path] | None


def next_command(
    scan: Annotated[
        Path | None,
        typer.Argument(metavar="[SCAN]", help="What is measured so far: NaN or masked is not."),
    ] = None,
    *,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Pixels of a round.")] = 50,
    budget: Annotated[
        int | None, typer.Option(min=1, help="Pixels of all rounds, planned ahead or watched.")
    ] = None,
    shape: Annotated[
        str | None, typer.Option(metavar="WxH", help="Begin with an empty grid of this size.")
    ] = None,
    mask: MaskFile = None,
    box: Boxes = None,
    within: Annotated[
        _Masks, typer.Option(metavar="MASK", help="Measure white only; repeatable.")
    ] = None,
    not_within: Annotated[
        _Masks, typer.Option(metavar="MASK", help="Leave white out; repeatable.")
    ] = None,
    path: Annotated[
        bool, typer.Option("--path", help="Order them as a short tour, and say its length.")
    ] = False,
    watch: Annotated[
        Path | None,
        typer.Option(
            metavar="ANSWERS",
            help="Go on with each round that an instrument has answered in this file, a line "
            "row,column,value for each pixel; -o names the file of points.",
        ),
    ] = None,
    model: Model = "auto",
    seed: Annotated[int, of_model(min=0, help="Another seed draws other points.")] = 0,
    device: Device = "auto",
    max_pixels: MaxPixels = None,
    variable: Variable = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV: round,row,column.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file for the points, as CSV.")
    ] = None,
    overwrite: OverwriteFile = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print points only.")] = False,
) -> None:
    """Say which pixels to measure next: rows and columns, from 0, of the most doubtful.

    They are drawn by what the model is unsure of, and how far they are from what is measured.
    """
    from npfill import exploring

    if as_csv + as_json + (output == STDIO) > 1:
        raise UsageError("--csv, --json and -o - all want stdout", "leave one")
    if watch is not None and output is None:
        raise UsageError("`watch` needs a file for the points", "`output=points.csv`")
    if watch is not None and (as_csv or as_json or path):
        raise UsageError("`watch` prints no points", "leave `csv`, `json` and `path` out")
    reporter = Reporter(quiet=quiet)
    masking = exploring.MaskOptions(mask, box or [])
    masks = [(each, True) for each in within or []] + [(each, False) for each in not_within or []]
    if output is not None:
        named = (scan, watch, *(each for each, _ in masks), *masking.files, Path(model))
        refuse_inputs([output], [each for each in named if each])
        refuse_results([output], overwrite or watch is not None)
        if watch is not None and output.is_file() and output.read_bytes() == b"row,column\n":
            output.unlink()  # the end of an earlier budget, which an instrument would believe
    most = max_pixels or exploring.MAX_PIXELS
    explorer, notes = exploring.explorer_of(
        scan, shape, masking, masks, model, seed, device, most, variable
    )
    reporter.note(*notes)
    say_terms(reporter, explorer.model.name, explorer.model.terms)
    if watch is not None and output is not None:
        reporter.say(f"points in {output}, answers from {watch}; Ctrl-C ends it, and it can go on")
        answers, said = exploring.Answers(watch), set[str]()
        exploring.converse(
            explorer, answers, output, count, budget, lambda now: _on_round(now, said, reporter)
        )
        why = "the budget is used up" if explorer.left else "nothing is left to ask"
        reporter.say(f"{why}: {output} has no points any more")
        return
    planned, lengths = exploring.plan(explorer, count, budget), list[float]()
    if path:
        planned, lengths = exploring.in_tours(planned)
    reporter.note(*explorer.notes)
    reporter.say(_expected(explorer, planned))
    for number, length in enumerate(lengths, 1):
        of = f" of round {number}" if len(lengths) > 1 else ""
        reporter.say(f"tour{of}: {length:.1f} px")
    columns = (planned.rounds.tolist(), planned.rows.tolist(), planned.columns.tolist())
    points = list(zip(*columns, strict=True))
    lines = ["round,row,column", *(",".join(map(str, point)) for point in points)]
    if output is not None:
        write_bytes(output, ("\n".join(lines) + "\n").encode(), overwrite=overwrite, like=scan)
        reporter.say(f"wrote {output}")
    if as_json:
        data = {
            "points": [{"round": n, "row": r, "column": c} for n, r, c in points],
            "measured": int(explorer.measured.sum()),
            "left": explorer.left,
            "mean_std": planned.before,
            "expected_mean_std": planned.after,
            "tours": lengths,
            **reporter.said,
        }
        print_result(0, data)
    elif as_csv or output is None:
        for line in lines if as_csv else [f"{row} {column}" for _, row, column in points]:
            print_data(line)


def _on_round(explorer: "Explorer", said: set[str], reporter: Reporter) -> None:
    """Say how far the measurement is, and what is new of what the user should know."""
    reporter.say(_state(explorer))
    reporter.note(*(note for note in explorer.notes if note not in said))
    said.update(explorer.notes)


def _state(explorer: "Explorer") -> str:
    height, width, _ = explorer.shape
    measured, pixels = int(explorer.measured.sum()), height * width
    return f"measured {measured:,} of {pixels:,} px ({100 * measured / pixels:.1f} %)"


def _expected(explorer: "Explorer", planned: "Plan") -> str:
    """A line on what is measured, and what is expected of the points."""
    state, count = _state(explorer), len(planned.rows)
    if not count:
        return f"{state}: nothing is left to measure"
    if planned.before is None or planned.after is None:
        return f"{state}, too little to ask the model: {count:,} px, evenly spread"
    stds = f"mean std {planned.before:.3g}, and about {planned.after:.3g}"
    return f"{state}; {stds} once {count:,} more {'is' if count == 1 else 'are'}"
