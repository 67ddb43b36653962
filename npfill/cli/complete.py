"""`npfill complete`: a picture and a mask become mean, std and samples."""

from typing import TYPE_CHECKING, Annotated

import typer

from npfill.cli import field_options, options
from npfill.cli.console import Reporter, print_result, progress, say_model, show
from npfill.cli.dry import dry_run_of
from npfill.cli.records import Record, Records, batch, failure, print_refusal, skipped
from npfill.cli.windows import in_windows
from npfill.errors import BatchError, UsageError
from npfill.steps import told

if TYPE_CHECKING:
    from npfill.completion import Run

_OUTPUT = "Output"


def complete_command(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMG...",
            help="Pictures with missing pixels: files, folders, patterns; - is stdin.",
        ),
    ],
    recursive: options.Recursive = False,
    max_pixels: options.MaxPixels = None,
    mask: options.MaskFileOrFolder = None,
    box: options.Boxes = None,
    invert_mask: options.InvertMask = False,
    grow: options.Grow = 0,
    mask_threshold: options.MaskThreshold = None,
    fit_mask: options.FitMask = False,
    mask_label: options.MaskLabel = None,
    keep_out: field_options.KeepOut = None,
    inner: field_options.Inner = False,
    max_distance: field_options.MaxDistance = None,
    model: options.Model = "auto",
    samples: options.Samples = 3,
    seed: options.Seed = 0,
    sampler: options.Sampler = "auto",
    rounds: options.Rounds = None,
    noise: options.Noise = False,
    draw_from: options.DrawFrom = None,
    no_check: options.NoCheck = False,
    adapt: options.Adapt = "",
    kind: field_options.Kind = "auto",
    wrap: field_options.Wrap = "",
    nodata: field_options.NoData = None,
    log: field_options.Log = False,
    clip: field_options.Clip = False,
    variable: field_options.Variable = "",
    confidence: options.Confidence = None,
    tolerance: options.Tolerance = None,
    device: options.Device = "auto",
    output: options.Output = None,
    name: options.Name = None,
    emit: options.Emit = None,
    overwrite: options.Overwrite = False,
    format_: options.Format = "png",
    strip: options.Strip = False,
    skip_existing: options.SkipExisting = False,
    window: field_options.Window = None,
    part: field_options.Part = "",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Read all but the model (with windows, it too); say what would be done.",
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
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
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
        several = as_json + as_lines + (output == "-") > 1
        for is_wrong, problem, hint in (
            (several, "--json, --jsonl and -o - all want stdout", "leave one"),
            (format_ not in {"png", "keep"}, f"--format {format_}: unknown", "png or keep"),
            (overwrite and skip_existing, "--overwrite contradicts --skip-existing", "leave one"),
        ):
            if is_wrong:
                raise UsageError(problem, hint)  # noqa: TRY301
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
    except Exception as error:
        if as_json or as_lines:
            print_refusal(images, error)
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
