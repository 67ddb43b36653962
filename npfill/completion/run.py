"""The run of a completion: a picture is read, its hole found, predicted, rendered and written."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from npfill.completion.completed import CompletedPicture, complete_prepared
from npfill.completion.hole import Prepared, prepare
from npfill.completion.inputs import are_several, find_pictures
from npfill.completion.options import MaskOptions, OutputOptions, SamplingOptions
from npfill.completion.outputs import Result
from npfill.completion.plan import Failure, Job, Plan, plan_work
from npfill.errors import NpfillError, UsageError
from npfill.files import write
from npfill.pictures.read import as_read_again

if TYPE_CHECKING:
    from npfill.predictor import Predictor


@dataclass(frozen=True)
class Report:
    """The report on one picture that was completed.

    Attributes:
        done: The completed picture.
        plan: The results that were written.
        text: What their PNG files say of their origin.
        seconds: The time that the prediction took.
        changed: Pixels outside the hole that a format that loses something has changed, in the
            result in which they are the most.
        changed_by: The most levels that one of them was changed by.
        notes: Sentences for the user on how it was made.
    """

    done: CompletedPicture
    plan: Plan
    text: dict[str, str]
    seconds: float
    changed: int
    changed_by: float
    notes: tuple[str, ...]

    @cached_property
    def mean_std(self) -> float | None:
        """The mean of the standard deviation in the hole, in the unit of data."""
        std, masked = self.done.std, self.done.masked
        return None if std is None else float(masked.deviation(std)[masked.hole].mean())

    def as_json(self) -> dict[str, object]:
        """The report as JSON values."""
        making = self.done.making
        selected = making.hole.selected
        return {
            "input": making.image,
            "image_sha256": self.text["npfill_image_sha256"],
            "mask_selected_px": int(selected.sum()),
            "mask_share": float(selected.mean()),
            "mask_sha256": self.text["npfill_mask_sha256"],
            "model": making.model,
            "model_sha256": making.sha256,
            "device": making.device,
            "seed": making.sampling.seed,
            "sampler": making.sampling.sampler,
            "seconds": self.seconds,
            "outside_changed_px": self.changed,
            "mean_std": self.mean_std,
            "outputs": self.plan.words,
        }


@dataclass(frozen=True)
class Options:
    """All that is asked for, but for the pictures.

    Attributes:
        masking: The options of masks.
        sampling: The options of samples.
        output: The options of results.
        model: The word for what completes the pictures.
        device: Where it runs.
    """

    masking: MaskOptions
    sampling: SamplingOptions
    output: OutputOptions
    model: str = "auto"
    device: str = "auto"


class Run:
    """A run over one picture or a batch: planned here, then done picture by picture.

    Args:
        images: Names of files, folders and patterns.
        options: What is asked for.
        recursive: Look into folders below a folder, too.
        dry: Plan alone: of pictures, only the format is looked at.

    Attributes:
        options: What is asked for.
        several: The names name a batch, of which one may fail and the rest is done.
        pictures: The number of pictures.
        work: The jobs, and the pictures that cannot be done or are done already.

    Raises:
        NpfillError: Nothing can be done; nothing has been.
    """

    def __init__(
        self,
        images: Sequence[str],
        options: Options,
        *,
        recursive: bool = False,
        dry: bool = False,
    ) -> None:
        self.options = options
        self.several = are_several(images)
        files, notes = find_pictures(images, recursive=recursive, mask=options.masking.file)
        self.pictures = len(files)
        self.work = plan_work(
            files,
            options.masking,
            options.output,
            options.sampling.samples,
            options.model,
            ahead=not (self.several or dry),
        )
        self.notes = [*notes, *self.work.notes]
        if self.work.failures and not self.several:
            raise self.work.failures[0].error

    @cached_property
    def predictor(self) -> "Predictor":
        """The predictor; loaded, with torch, once nothing more can be refused.

        Raises:
            UsageError: The device is not there, or the sampler is not for the model.
            ModelError: The model is unknown, or its file fails verification.
            InputError: A path leads to no file.
        """
        from npfill.predictor import load  # noqa: PLC0415 - loads torch

        how = self.options.sampling
        predictor = load(self.options.model, self.options.device)
        predictor.check_sampler(how.sampler, how.rounds, noise=how.noise)
        return predictor

    def prepare(self, job: Job) -> Prepared:
        """Read a picture and find its hole.

        Raises:
            UsageError: The options of the mask contradict each other, or select nothing.
            InputError: The picture or its mask cannot be used.
        """
        output = self.options.output
        picture = job.file.read(output.max_pixels)
        return prepare(
            picture.stripped() if output.strip else picture, job.masking, output.max_pixels
        )

    def complete(self, job: Job, prepared: Prepared) -> Report:
        """Complete a picture and write the results.

        Raises:
            UsageError: The options of samples are not for this hole, or an output was asked for
                that the model does not give.
            InputError: The model is not for such a picture, or a result cannot be written.
        """
        options = self.options
        how = options.sampling
        samples = how.samples if job.plan.shows_samples else 0
        started = time.perf_counter()
        done = complete_prepared(str(job.file.path), prepared, self.predictor, how, samples)
        seconds = time.perf_counter() - started
        plan, lacking = without_lacking(job.plan, done, options.output.emit)
        text = done.making.text(done.masked)
        contents = render(plan, done, text, keep=options.output.keep)
        changed, changed_by = _loss(done, contents) if options.output.keep else (0, 0.0)
        write_results(plan, contents)
        return Report(done, plan, text, seconds, changed, changed_by, (*done.notes, *lacking))

    @staticmethod
    def failure(job: Job, error: NpfillError) -> Failure:
        """A picture that was not completed."""
        return Failure(job.file.path, error)


def render(
    plan: Plan, done: CompletedPicture, text: dict[str, str], *, keep: bool
) -> dict[Result, bytes]:
    """The bytes of the planned files.

    Args:
        plan: The results.
        done: The completed picture.
        text: What each PNG says of its origin.
        keep: Write pictures in the format that they came in.

    Raises:
        NpfillError: A pixel outside the hole would change: a bug.
    """
    return {
        each: each.output.render(done, each.number, text | {"npfill_output": each.name}, keep)
        for each in plan.paths
    }


def write_results(plan: Plan, contents: Mapping[Result, bytes]) -> None:
    """Write every result to its place.

    Raises:
        InputError: The system does not let one be written.
    """
    for result, path in plan.paths.items():
        write(path, contents[result])


def without_lacking(plan: Plan, done: CompletedPicture, emit: str | None) -> tuple[Plan, list[str]]:
    """The plan without what the model does not give, and a sentence for each kind left out.

    Raises:
        UsageError: It was asked for in so many words.
    """
    model = done.making.model
    lacking = {each.output: each.output.lacking(done) for each in plan.paths}
    missing = {output: words for output, words in lacking.items() if words}
    if missing and emit is not None:
        raise UsageError(
            f"`emit={emit}`: {model} gives {next(iter(missing.values()))}",
            "leave it out, or name another model",
        )
    if missing:
        plan = plan.of(each for each in plan.paths if each.output not in missing)
    return plan, [f"{model} gives {words}" for words in missing.values()]


def _loss(done: CompletedPicture, contents: Mapping[Result, bytes]) -> tuple[int, float]:
    """The pixels outside the hole that a format changes, at most, and by how many levels."""
    losses = [(0, 0.0)]
    for result, content in contents.items():
        if result.output.is_picture and not done.masked.picture.is_data:
            again = as_read_again(content, done.masked.picture)
            losses.append(done.masked.changed_outside(again))
    return max(losses)
