"""`npfill complete`: a picture and a mask become mean, std and samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from npfill.cli.console import (
    Reporter,
    as_npfill_error,
    error_record,
    print_data,
    print_result,
    progress,
    say_terms,
    show,
)
from npfill.cli.options import (
    Boxes,
    Device,
    FitMask,
    Grow,
    InvertMask,
    MaskFileOrFolder,
    MaskThreshold,
    Model,
    Samples,
    Seed,
)
from npfill.errors import BatchError, NpfillError, UsageError

if TYPE_CHECKING:
    from npfill.completion import Failure, Run

_MODEL, _OUTPUT = "Model", "Output"


def complete_command(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMG",
            help="Pictures with missing pixels: files, folders, patterns; - is stdin.",
        ),
    ],
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Folders below folders, too.")
    ] = False,
    max_pixels: Annotated[
        int | None, typer.Option(min=1, help="Pictures and masks of more are refused.")
    ] = None,
    mask: MaskFileOrFolder = None,
    box: Boxes = None,
    invert_mask: InvertMask = False,
    grow: Grow = 0,
    mask_threshold: MaskThreshold = None,
    fit_mask: FitMask = False,
    model: Model = "auto",
    samples: Samples = 3,
    seed: Seed = 0,
    sampler: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="auto, latent, autoregressive or independent.",
            rich_help_panel=_MODEL,
        ),
    ] = "auto",
    rounds: Annotated[
        int | None,
        typer.Option(metavar="K", help="Rounds of autoregressive; 16.", rich_help_panel=_MODEL),
    ] = None,
    noise: Annotated[
        bool,
        typer.Option("--noise", help="Samples with noise, not smooth.", rich_help_panel=_MODEL),
    ] = False,
    device: Device = "auto",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A folder, a file for one result, or -.", rich_help_panel=_OUTPUT
        ),
    ] = None,
    emit: Annotated[
        str | None,
        typer.Option(help="Of mean,std,samples,sheet,npz.", rich_help_panel=_OUTPUT),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing files.", rich_help_panel=_OUTPUT)
    ] = False,
    format_: Annotated[
        str,
        typer.Option("--format", help="png, or keep: the picture's own.", rich_help_panel=_OUTPUT),
    ] = "png",
    strip: Annotated[
        bool,
        typer.Option("--strip", help="Leave EXIF and resolution out.", rich_help_panel=_OUTPUT),
    ] = False,
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing", help="Leave existing files; write the rest.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what would be read and written.", rich_help_panel=_OUTPUT
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The result as JSON on stdout.", rich_help_panel=_OUTPUT)
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Errors only.", rich_help_panel=_OUTPUT)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Complete pictures: IMG_mean.png, IMG_std.png and IMG_sample-1.png ... beside each."""
    from npfill.completion import (
        MAX_PIXELS,
        MaskOptions,
        Options,
        OutputOptions,
        Run,
        SamplingOptions,
    )

    reporter = Reporter(quiet=quiet, verbose=verbose)
    try:
        if as_json and output == Path("-"):
            raise UsageError("--json and -o - both want stdout", "-o names a file or folder")
        if format_ not in {"png", "keep"}:
            raise UsageError(f"--format {format_}: unknown", "png or keep")
        if overwrite and skip_existing:
            raise UsageError("--overwrite and --skip-existing contradict each other", "leave one")
        keep, most = format_ == "keep", max_pixels or MAX_PIXELS
        options = Options(
            MaskOptions(mask, box or [], invert_mask, grow, mask_threshold, fit_mask),
            SamplingOptions(samples, seed, sampler, rounds, noise),
            OutputOptions(output, emit, overwrite, skip_existing, keep, strip, most),
            model,
            device,
        )
        run = Run(images, options, recursive=recursive)
        data, failures = _dry(run, reporter, as_json) if dry_run else _done(run, reporter)
    except NpfillError as error:
        if as_json:
            print_result(error.exit_code, {}, [error_record(error)])
        raise
    if as_json:
        failed = [
            {"file": str(each.image)} | error_record(each.error, str(each)) for each in failures
        ]
        print_result(BatchError.exit_code if failed else 0, data, failed)
    if failures:
        for failure in failures:
            show(str(failure), failure.error.hint)
        raise BatchError(
            f"{len(failures)} of {run.pictures} pictures failed, as said above",
            "--skip-existing completes the rest once they are mended",
        )


Done = tuple[dict[str, Any], "list[Failure]"]


def _dry(run: "Run", reporter: Reporter, as_json: bool) -> Done:
    """Print what would be read and written, a line for each picture."""
    _say_planned(run, reporter)
    records = []
    for job in run.work.jobs:
        outputs = {name: str(path) for name, path in job.plan.by_name.items()}
        records.append({"input": str(job.image), "mask": job.masking.word, "outputs": outputs})
        if not as_json:
            mask = f" with {job.masking.word}" if job.masking.word else ""
            print_data(f"{job.image}{mask} -> {', '.join(outputs.values())}")
    return {"pictures": records, "skipped": [str(path) for path in run.work.skipped]}, [
        *run.work.failures
    ]


def _done(run: "Run", reporter: Reporter) -> Done:
    """Complete the pictures; the records of JSON, and what failed."""
    _say_planned(run, reporter)
    if run.several:
        return _batch(run, reporter)
    if not run.work.jobs:
        return {"input": str(run.work.skipped[0]), "outputs": {}, "warnings": []}, []
    return _single(run, reporter), []


def _single(run: "Run", reporter: Reporter) -> dict[str, Any]:
    """Complete one picture."""
    (job,) = run.work.jobs
    prepared = run.prepare(job)
    for note in prepared.notes:
        reporter.warn(note)
    reporter.say(prepared.description)
    _say_model(run, reporter)
    report = run.complete(job, prepared)
    for note in report.notes:
        reporter.warn(note)
    record = report.as_json()
    reporter.say("model {model}, {device}, seed {seed}, {seconds:.2f} s".format_map(record))
    changed, mean_std = report.changed, record["mean_std"]
    stated = "" if mean_std is None else f", mean std in the hole {mean_std:.3g}"
    by = f", at most {report.changed_by:g} levels, by the format" if changed else ""
    reporter.say(f"outside changed: {changed:,} px{by}{stated}")
    reporter.say("wrote " + ", ".join(record["outputs"].values()))
    return record | {"warnings": reporter.warnings}


def _batch(run: "Run", reporter: Reporter) -> Done:
    """Complete every picture that can be; whatever is wrong with one, the others are done."""
    records: list[dict[str, Any]] = []
    failures = [*run.work.failures]
    if run.work.jobs:
        _say_model(run, reporter)
    warnings = [*reporter.warnings]
    with progress(len(run.work.jobs), quiet=reporter.quiet, lines=False) as shown:
        for job in run.work.jobs:
            heard = Reporter(quiet=True)
            try:
                prepared = run.prepare(job)
                for note in prepared.notes:
                    heard.warn(note)
                report = run.complete(job, prepared)
                for note in report.notes:
                    heard.warn(note)
            except Exception as error:
                failures.append(run.failure(job, as_npfill_error(error)))
            except KeyboardInterrupt:
                reporter.say(f"{len(records)} pictures completed; --skip-existing goes on")
                raise
            else:
                records.append(report.as_json() | {"warnings": heard.warnings})
                reporter.say(_line(records[-1]))
            for warning in heard.warnings:
                known = warning.startswith(str(job.image))
                reporter.warn(warning if known else f"{job.image}: {warning}")
            shown.advance()
    if run.work.jobs:
        name, device = run.predictor.name, run.predictor.device
        seed = run.options.sampling.seed
        reporter.say(
            f"{len(records)} of {run.pictures} pictures completed by {name}, {device}, seed {seed}"
        )
    skipped = [str(path) for path in run.work.skipped]
    return {"pictures": records, "skipped": skipped, "warnings": warnings}, failures


def _say_planned(run: "Run", reporter: Reporter) -> None:
    for note in run.notes:
        reporter.say(note)
    if run.work.skipped:
        reporter.say(f"{len(run.work.skipped)} skipped: all their results exist")


def _say_model(run: "Run", reporter: Reporter) -> None:
    """Load what completes the pictures, and say what it is."""
    predictor = run.predictor
    say_terms(reporter, predictor.name, predictor.terms)
    if predictor.path is not None:
        reporter.detail(f"{predictor.path}: {predictor.variant}, sha256 {predictor.sha256}")


def _line(record: dict[str, Any]) -> str:
    mean_std = record["mean_std"]
    stated = "" if mean_std is None else f"mean std in the hole {mean_std:.3g}, "
    share = f"{record['mask_share']:.1%}".replace("%", " %")
    return (
        f"{record['input']}: {share} selected, {stated}"
        f"outside changed: {record['outside_changed_px']} px, {record['seconds']:.2f} s, "
        f"{len(record['outputs'])} written"
    )
