"""The plan of a run: what is read and written, known and checked before anything is."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from npfill.completion.inputs import InputFile, MaskFolder
from npfill.completion.options import MaskOptions, OutputOptions
from npfill.completion.outputs import Result, Suffixes, results_of
from npfill.errors import InputError, NpfillError, UsageError
from npfill.files import STDIO, refuse_inputs, refuse_results
from npfill.pictures.formats import FORMATS
from npfill.pictures.picture import Picture
from npfill.pictures.read import STDIN, data_suffix

DEFAULT_EMIT = "mean,std,samples"
_EMIT_TO_ONE_FILE = "mean"


@dataclass(frozen=True)
class Plan:
    """The results of one completion, and the file of each; `-` is stdout."""

    paths: Mapping[Result, Path]

    @property
    def files(self) -> list[Path]:
        """The paths that are files."""
        return [path for path in self.paths.values() if path != STDIO]

    @property
    def words(self) -> dict[str, str]:
        """The paths as words, by the names of results."""
        return {result.name: str(path) for result, path in self.paths.items()}

    @property
    def shows_samples(self) -> bool:
        """A result shows samples."""
        return any(result.output.shows_samples for result in self.paths)

    def of(self, results: Iterable[Result]) -> "Plan":
        """The plan of some of its results."""
        return Plan({result: self.paths[result] for result in results})


@dataclass(frozen=True)
class Job:
    """One picture, the options of its mask, and where its results go."""

    file: InputFile
    masking: MaskOptions
    plan: Plan


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
    """The work of a run.

    Attributes:
        jobs: What there is to do.
        failures: What cannot be done.
        skipped: The pictures that are done already.
        notes: Sentences for the user.
    """

    jobs: list[Job]
    failures: list[Failure]
    skipped: list[Path]
    notes: list[str]


def plan_work(
    pictures: Sequence[InputFile],
    masking: MaskOptions,
    output: OutputOptions,
    samples: int,
    model: str,
    *,
    ahead: bool = False,
) -> Work:
    """Find the mask of every picture and the names of all results.

    Args:
        pictures: The pictures.
        masking: The options of the mask, which may name a folder.
        output: The options of results.
        samples: The number of samples.
        model: The word for the model: a file is never written over, nor are pictures and masks.
        ahead: Read each picture now and keep it for its turn, so that it is opened once.

    Raises:
        UsageError: Two results would have one name, or one would replace an input.
        OverwriteError: A result exists.
        InputError: A result could not be written.
    """
    if output.output is not None and len(pictures) > 1 and is_single(output.output):
        raise UsageError(
            f"{output.output}: {len(pictures)} pictures for one file",
            "`output=DIR` takes them all",
        )
    folder = masking.file
    masks = MaskFolder(folder) if folder is not None and folder.is_dir() else None
    stems, notes = _stems(pictures, output.output)
    jobs, failures = [], []
    for file, stem in zip(pictures, stems, strict=True):
        try:
            own = masking if masks is None else replace(masking, mask=masks.mask_of(file))
        except InputError as error:
            failures.append(Failure(file.path, error))
        else:
            jobs.append(Job(file, own, _plan(file, stem, output, samples, ahead)))
    _refuse_one_name_for_two(jobs)
    inputs = {*(file.path for file in pictures), Path(model)}
    inputs |= {job.masking.file for job in jobs if job.masking.file}
    refuse_inputs([path for job in jobs for path in job.plan.files], inputs)
    skipped = []
    if output.skip_existing:
        jobs = [replace(job, plan=_without_existing(job.plan)) for job in jobs]
        skipped = [job.file.path for job in jobs if not job.plan.paths]
        jobs = [job for job in jobs if job.plan.paths]
    files = [path for job in jobs for path in job.plan.files]
    refuse_results(files, output.overwrite)
    return Work(jobs, failures, skipped, notes)


def plan_results(
    folder: Path, stem: str, output: OutputOptions, samples: int, suffixes: Suffixes
) -> Plan:
    """Choose the file of each result.

    Args:
        folder: Where results go that no option places.
        stem: What their names begin with.
        output: The options of results.
        samples: The number of samples.
        suffixes: The suffixes of the picture's results.

    Raises:
        UsageError: An output is unknown, or more than one result would go to one file.
    """
    target = output.output
    single = target is not None and is_single(target)
    default = _EMIT_TO_ONE_FILE if single else DEFAULT_EMIT
    results = results_of(default if output.emit is None else output.emit, samples)
    if target is None or not single:
        folder = target or folder
        return Plan({each: folder / each.file_name(stem, suffixes) for each in results})
    if len(results) != 1:
        raise UsageError(
            f"{target}: {len(results)} results for one file", "`output=DIR/` takes them all"
        )
    suffix = results[0].output.suffix(suffixes)
    if target != STDIO and target.suffix.lower() != suffix.lower():
        raise UsageError(
            f"{target}: {results[0].name} is written as {suffix}", f"`output=NAME{suffix}`"
        )
    return Plan({results[0]: target})


def is_single(output: Path) -> bool:
    """True if a path means one result: stdout, or a file, with a suffix and no folder yet."""
    return output == STDIO or (bool(output.suffix) and not output.is_dir())


def suffixes_of(data: str, own: str, *, keep: bool) -> Suffixes:
    """The suffixes of a picture's results.

    Data are written in their format, of suffix `data`. Pictures are written as PNG, or if `keep`,
    in theirs, under their `own` suffix.
    """
    return Suffixes(data or (keep and own) or ".png", data or ".png")


def data_suffix_of(picture: Picture) -> str:
    """The suffix of data in their format; "" for a picture."""
    return FORMATS[picture.format].suffixes[0] if picture.is_data else ""


def _plan(file: InputFile, stem: str, output: OutputOptions, samples: int, ahead: bool) -> Plan:
    """The plan of one picture's results.

    What cannot be read is left for reading it to say.
    """
    if ahead:
        picture = file.ahead(output.max_pixels)
        data = "" if picture is None else data_suffix_of(picture)
    else:
        data = "" if file.path == STDIN else data_suffix(file.path)
    suffixes = suffixes_of(data, file.path.suffix, keep=output.keep)
    folder, target = file.path.parent, output.output
    if target is not None and not is_single(target):
        folder, output = target / file.relative.parent, replace(output, output=None)
    return plan_results(folder, stem, output, samples, suffixes)


def _without_existing(plan: Plan) -> Plan:
    """The plan of what is not there yet."""
    return plan.of(each for each, path in plan.paths.items() if not os.path.lexists(path))


def _stems(pictures: Sequence[InputFile], output: Path | None) -> tuple[list[str], list[str]]:
    """The beginnings of results' names: a picture's name, with its suffix where two have one."""
    sharing = defaultdict(list)
    for file in pictures:
        folder = file.path.parent if output is None else file.relative.parent
        sharing[folder / file.relative.stem].append(file)
    notes = []
    stems = {}
    for same in sharing.values():
        for file in same:
            stems[file] = file.relative.name if len(same) > 1 else file.relative.stem
        if len(same) > 1:
            names = ", ".join(str(file.path) for file in same)
            notes.append(f"{names}: of one name, so the suffix stands in the names of results")
    return [stems[file] for file in pictures], notes


def _refuse_one_name_for_two(jobs: Sequence[Job]) -> None:
    """Pictures of one name from different folders have no names of their own in one."""
    owner: dict[Path, Path] = {}
    for job in jobs:
        for path in job.plan.files:
            other = owner.setdefault(path, job.file.path)
            if other != job.file.path:
                raise UsageError(
                    f"{path}: would hold the results of {other} and of {job.file.path}",
                    "`recursive=True` over their common folder keeps them apart; "
                    "or complete them one by one",
                )
