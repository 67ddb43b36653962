"""What will be read and written, known before anything is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from npfill.cli import outputs
from npfill.cli.completing import Job, Writing
from npfill.cli.console import Talk
from npfill.cli.inputs import Given, MaskFolder
from npfill.cli.masking import MaskOptions
from npfill.errors import InputError, NpfillError, UsageError
from npfill.files import refuse_existing
from npfill.pictures.read import suffixes


@dataclass(frozen=True)
class Failure:
    """A picture that was not completed, and why."""

    image: Path
    error: NpfillError

    def __str__(self) -> str:
        reason = str(self.error)
        return reason if str(self.image) in reason else f"{self.image}: {reason}"


@dataclass(frozen=True)
class Work:
    """What there is to do, what cannot be, and the pictures that are done already."""

    jobs: list[Job]
    failures: list[Failure]
    skipped: list[Path]


def plan_work(
    pictures: Sequence[Given],
    masking: MaskOptions,
    writing: Writing,
    samples: int,
    model: str,
    talk: Talk,
) -> Work:
    """The mask of every picture and the names of all results.

    Args:
        pictures: What was named.
        masking: The options of the mask, which may name a folder.
        writing: What the options say of results.
        samples: How many samples are drawn.
        model: What was named as the model: never written over, nor are pictures and masks.
        talk: Hears of names that needed the extension.

    Raises:
        UsageError: Two results would have one name, or one would replace an input.
        OverwriteError: A result exists.
        InputError: A result could not be written.
    """
    if writing.output is not None and len(pictures) > 1 and outputs.is_single(writing.output):
        raise UsageError(
            f"{writing.output}: {len(pictures)} pictures for one file", "-o DIR takes them all"
        )
    jobs, failures = _jobs(pictures, masking, writing, samples, talk)
    _refuse_one_name_for_two(jobs)
    masks = {Path(job.masking.file) for job in jobs if job.masking.file}
    inputs = {*(given.path for given in pictures), *masks, Path(model)}
    outputs.refuse_own_inputs([path for job in jobs for path in job.plan.files], inputs)
    skipped = []
    if writing.skip_existing:
        jobs = [replace(job, plan=job.plan.without_existing()) for job in jobs]
        skipped = [job.image for job in jobs if not job.plan.paths]
        jobs = [job for job in jobs if job.plan.paths]
    files = [path for job in jobs for path in job.plan.files]
    refuse_existing(files, writing.overwrite)
    outputs.refuse_unwritable(files)
    return Work(jobs, failures, skipped)


def _jobs(
    pictures: Sequence[Given], masking: MaskOptions, writing: Writing, samples: int, talk: Talk
) -> tuple[list[Job], list[Failure]]:
    """A job for each picture that has a mask."""
    file = masking.file
    masks = MaskFolder(Path(file)) if file is not None and Path(file).is_dir() else None
    jobs, failures = [], []
    for given, stem in zip(pictures, _stems(pictures, writing.output, talk), strict=True):
        folder = writing.output
        if folder is not None and not outputs.is_single(folder):
            folder /= given.relative.parent
        written = suffixes(given.path, keep=writing.keep)
        plan = outputs.plan(given.path, stem, folder, writing.emit, samples, written)
        try:
            own = masking if masks is None else replace(masking, mask=str(masks.mask_of(given)))
        except InputError as error:
            failures.append(Failure(given.path, error))
        else:
            jobs.append(Job(given.path, own, plan))
    return jobs, failures


def _stems(pictures: Sequence[Given], output: Path | None, talk: Talk) -> list[str]:
    """What names of results begin with: the picture's name, with its suffix where two have one."""
    sharing = defaultdict(list)
    for given in pictures:
        folder = given.path.parent if output is None else given.relative.parent
        sharing[folder / given.relative.stem].append(given)
    stems = {}
    for same in sharing.values():
        for given in same:
            stems[given] = given.relative.name if len(same) > 1 else given.relative.stem
        if len(same) > 1:
            names = ", ".join(str(given.path) for given in same)
            talk.say(f"{names}: of one name, so the suffix stands in the names of results")
    return [stems[given] for given in pictures]


def _refuse_one_name_for_two(jobs: Sequence[Job]) -> None:
    """Pictures of one name from different folders have no names of their own in one."""
    owner: dict[Path, Path] = {}
    for job in jobs:
        for path in job.plan.files:
            other = owner.setdefault(path, job.image)
            if other != job.image:
                raise UsageError(
                    f"{path}: would hold the results of {other} and of {job.image}",
                    "-r over their common folder keeps them apart; or complete them one by one",
                )
