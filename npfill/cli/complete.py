"""`npfill complete`: a picture and a mask become mean, std and samples."""

from typing import TYPE_CHECKING, Annotated

import typer

from npfill.cli.console import (
    Reporter,
    error_record,
    print_result,
    progress,
    say_model,
    show,
)
from npfill.cli.dry import dry_run_of
from npfill.cli.field_options import (
    Clip,
    Inner,
    KeepOut,
    Log,
    MaxDistance,
    NoData,
    Part,
    Variable,
    Window,
)
from npfill.cli.options import (
    Adapt,
    Boxes,
    Confidence,
    Device,
    DrawFrom,
    Emit,
    FitMask,
    Format,
    Grow,
    InvertMask,
    Kind,
    MaskFileOrFolder,
    MaskLabel,
    MaskThreshold,
    MaxPixels,
    Model,
    Name,
    NoCheck,
    Noise,
    Output,
    Overwrite,
    Quiet,
    Recursive,
    Rounds,
    Sampler,
    Samples,
    Seed,
    SkipExisting,
    Strip,
    Tolerance,
    Verbose,
    Wrap,
)
from npfill.cli.records import Record, Records, batch, failure, skipped
from npfill.cli.windows import in_windows
from npfill.errors import BatchError, NpfillError, UsageError
from npfill.steps import told

if TYPE_CHECKING:
    from npfill.completion import Run

_OUTPUT = "Output"


def complete_command(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMG",
            help="Pictures with missing pixels: files, folders, patterns; - is stdin.",
        ),
    ],
    recursive: Recursive = False,
    max_pixels: MaxPixels = None,
    mask: MaskFileOrFolder = None,
    box: Boxes = None,
    invert_mask: InvertMask = False,
    grow: Grow = 0,
    mask_threshold: MaskThreshold = None,
    fit_mask: FitMask = False,
    mask_label: MaskLabel = None,
    keep_out: KeepOut = None,
    inner: Inner = False,
    max_distance: MaxDistance = None,
    model: Model = "auto",
    samples: Samples = 3,
    seed: Seed = 0,
    sampler: Sampler = "auto",
    rounds: Rounds = None,
    noise: Noise = False,
    draw_from: DrawFrom = None,
    no_check: NoCheck = False,
    adapt: Adapt = "",
    kind: Kind = "auto",
    wrap: Wrap = "",
    nodata: NoData = None,
    log: Log = False,
    clip: Clip = False,
    variable: Variable = "",
    confidence: Confidence = None,
    tolerance: Tolerance = None,
    device: Device = "auto",
    output: Output = None,
    name: Name = None,
    emit: Emit = None,
    overwrite: Overwrite = False,
    format_: Format = "png",
    strip: Strip = False,
    skip_existing: SkipExisting = False,
    window: Window = None,
    part: Part = "",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Read pictures and masks; say what is selected and what would be written.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the result as JSON on stdout.", rich_help_panel=_OUTPUT),
    ] = False,
    as_lines: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help="Print a line of JSON for each picture, once it is done.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Complete pictures: IMG_mean.png, IMG_std.png and IMG_sample-1.png ... beside each."""
    from npfill.completion import (
        MAX_PIXELS,
        Asked,
        MaskOptions,
        OutputOptions,
        Run,
        SamplingOptions,
        windows_of,
    )

    reporter = Reporter(quiet=quiet, verbose=verbose)
    try:
        if as_json + as_lines + (output == "-") > 1:
            raise UsageError("--json, --jsonl and -o - all want stdout", "leave one")
        _check(format_, overwrite=overwrite, skip_existing=skip_existing)
        asked = Asked(kind, wrap, nodata, log, clip, variable)
        keep, most = format_ == "keep", max_pixels or MAX_PIXELS
        masking = MaskOptions(
            *(mask, box or [], invert_mask, grow, mask_threshold, fit_mask, mask_label or []),
            *(keep_out, inner, max_distance),
        )
        sampling = SamplingOptions(
            *(samples, seed, sampler, rounds, noise, no_check),
            *(confidence, tolerance, draw_from, adapt or 0),
        )
        out = OutputOptions(output, emit, overwrite, skip_existing, keep, strip, most, name, asked)
        if window is not None:
            windows = windows_of(images, window, part, masking, sampling, out, model, device)
            data = in_windows(windows, reporter, dry_run=dry_run, as_json=as_json or as_lines)
            if as_json or as_lines:
                print_result(0, data)
            return
        run = Run(images, masking, sampling, out, model, device, recursive=recursive, part=part)
        for note in run.notes:
            reporter.say(note)
        if run.skipped:
            reporter.say(f"{len(run.skipped)} skipped: all their results exist")
        needs_model = any(not each.output.before_model for job in run.jobs for each in job.results)
        if dry_run or (run.jobs and not needs_model):
            data = dry_run_of(run, reporter, Records(as_lines and run.several), as_json or as_lines)
        elif run.several:
            data = batch(run, reporter, Records(as_lines))
        elif run.jobs:
            data = _single(run, reporter)
        else:
            data = skipped(run.skipped[0])
    except NpfillError as error:
        if as_json or as_lines:
            print_result(error.exit_code, {}, [error_record(error)])
        raise
    _end(run, data, as_json or (as_lines and not run.several))


def _single(run: "Run", reporter: Reporter) -> Record:
    """Complete one picture."""
    (job,) = run.jobs
    prepared = run.prepare(job)
    reporter.note(*prepared.notes)
    reporter.say(prepared.description)
    say_model(run, reporter)
    with progress(None, quiet=reporter.quiet) as shown, told(shown.reach_of):
        report = run.complete(job, prepared)
    reporter.note(*report.notes)
    done = report.done
    reporter.say(
        f"model {done.model}, {done.device}, seed {done.sampling.seed}, {report.seconds:.2f} s"
    )
    for line in done.doubt(verbose=reporter.verbose):
        reporter.say(line)
    by = f", at most {report.changed_by:g} levels, by the format" if report.changed else ""
    stated = f", {done.says_std}" if done.says_std else ""
    reporter.say(f"outside changed: {report.changed:,} px{by}{stated}")
    reporter.say("wrote " + ", ".join(str(each.path) for each in report.results))
    return report.as_json() | reporter.said


def _check(format_: str, *, overwrite: bool, skip_existing: bool) -> None:
    """Refuse options that say nothing, or two things."""
    if format_ not in {"png", "keep"}:
        raise UsageError(f"--format {format_}: unknown", "png or keep")
    if overwrite and skip_existing:
        raise UsageError("--overwrite and --skip-existing contradict each other", "leave one")


def _end(run: "Run", data: Record, as_json: bool) -> None:
    """Print the data as JSON if wanted, and the pictures that failed, which are an error."""
    failures = [failure(path, error) for path, error in run.failures]
    if as_json:
        print_result(BatchError.exit_code if failures else 0, data, failures)
    for each in failures:
        show(each["message"], each["hint"])
    if failures:
        raise BatchError(
            f"{len(failures)} of {run.pictures} pictures failed, as said above",
            "--skip-existing completes the rest once they are mended",
        )
