"""From what a command line asks for to what was done: one picture, or a batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npfill.cli.batch import complete_all
from npfill.cli.completing import Drawing, Writing, choose, complete_one
from npfill.cli.console import Talk, print_data
from npfill.cli.inputs import are_several, find_pictures
from npfill.cli.masking import MaskOptions
from npfill.cli.planning import Failure, Work, plan_work


@dataclass(frozen=True)
class Request:
    """What the options of `npfill complete` say."""

    images: Sequence[str]
    recursive: bool
    masking: MaskOptions
    model: str
    device: str
    drawing: Drawing
    writing: Writing
    dry_run: bool


@dataclass(frozen=True)
class Done:
    """What was done, as JSON values, of how many pictures, and those that failed."""

    data: dict[str, Any]
    pictures: int
    failures: Sequence[Failure] = ()


def answer(request: Request, talk: Talk) -> Done:
    """Do what is asked for. Torch is loaded once nothing more can be refused.

    Raises:
        NpfillError: Nothing was done; of a batch, single pictures may fail without.
    """
    file = request.masking.file
    pictures = find_pictures(
        request.images,
        recursive=request.recursive,
        mask=None if file is None else Path(file),
        talk=talk,
    )
    work = plan_work(
        pictures, request.masking, request.writing, request.drawing.samples, request.model, talk
    )
    several = are_several(request.images)
    if work.failures and not several:
        raise work.failures[0].error
    if work.skipped:
        talk.say(f"{len(work.skipped)} skipped: all their results exist")
    if request.dry_run:
        return Done(_planned(work), len(pictures), work.failures)
    if several:
        return _batch(request, work, len(pictures), talk)
    return Done(_single(request, work, talk), 1)


def print_plan(done: Done) -> None:
    """Say on stdout what would be read and written, a line for each picture."""
    for record in done.data["pictures"]:
        mask = f" with {record['mask']}" if record["mask"] else ""
        print_data(f"{record['input']}{mask} -> {', '.join(record['outputs'].values())}")


def _single(request: Request, work: Work, talk: Talk) -> dict[str, Any]:
    if not work.jobs:
        return {"input": str(work.skipped[0]), "outputs": {}, "warnings": talk.warnings}
    record = complete_one(
        work.jobs[0],
        request.drawing,
        request.writing,
        lambda: choose(request.model, request.device, request.drawing, talk),
        talk,
    )
    return record | {"warnings": talk.warnings}


def _batch(request: Request, work: Work, pictures: int, talk: Talk) -> Done:
    records: list[dict[str, Any]] = []
    failures = list(work.failures)
    warnings: list[str] = []
    if work.jobs:
        chosen = choose(request.model, request.device, request.drawing, talk)
        warnings = [*talk.warnings]
        records, failed = complete_all(work.jobs, request.drawing, request.writing, chosen, talk)
        failures += failed
        talk.say(
            f"{len(records)} of {pictures} pictures completed by {chosen.name}, {chosen.device}, "
            f"seed {request.drawing.seed}"
        )
    data = {"pictures": records, "skipped": [str(path) for path in work.skipped]}
    return Done(data | {"warnings": warnings}, pictures, failures)


def _planned(work: Work) -> dict[str, Any]:
    jobs = [
        {
            "input": str(job.image),
            "mask": job.masking.mask,
            "outputs": {name: str(path) for name, path in job.plan.paths.items()},
        }
        for job in work.jobs
    ]
    return {"pictures": jobs, "skipped": [str(path) for path in work.skipped]}
