"""The run of a completion: pictures are planned, and each is read, completed and written."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from npfill.completion.completed import complete_prepared
from npfill.completion.doubt import LEFT_OPEN, interval, refuse_interval, refuse_open
from npfill.completion.draw_from import source_of, with_source
from npfill.completion.hole import MaskOptions, Prepared, prepare
from npfill.completion.inputs import InputFile, find_pictures
from npfill.completion.lacking import givable, samples_for, without_lacking
from npfill.completion.mask_files import masks_of
from npfill.completion.names import beginnings
from npfill.completion.outputs import OutputOptions, Result, plan_results, render
from npfill.completion.parameters import SamplingOptions
from npfill.completion.parts import part_of
from npfill.completion.preview import preview_png
from npfill.completion.report import Report
from npfill.errors import InputError, NpfillError, UsageError
from npfill.files import refuse_inputs, refuse_results, write_bytes
from npfill.pictures import stores
from npfill.pictures.asked import as_asked
from npfill.pictures.formats import left_out
from npfill.pictures.picture import CLASSES
from npfill.pictures.read import as_read_again
from npfill.pictures.sidecars import copy_beside

if TYPE_CHECKING:
    from npfill.predictor import Predictor

Failure = tuple[Path, NpfillError]  # a picture that cannot be done, and why


@dataclass
class Job:
    """One picture, the options of its mask, and its results."""

    file: InputFile
    masking: MaskOptions
    results: list[Result]


class Run:
    """A run over one picture or a batch: planned here, then done picture by picture.

    Args:
        images: Names of files, folders and patterns.
        masking: The options of masks; the mask may be a folder of them.
        sampling: The options of samples.
        output: The options of results.
        model: The word for what completes the pictures.
        device: Where it runs.
        recursive: Look into folders below a folder, too.
        part: "K/N": the K-th of N parts of the pictures, every N-th of them; "" for all.

    Attributes:
        several: A batch, or a part of one, of which one may fail and the rest is done.
        pictures: The number of pictures.
        jobs: What there is to do.
        failures: The pictures that cannot be done, and why.
        skipped: The pictures that are done already.
        notes: Sentences for the user.

    Raises:
        UsageError: Two results would have one name, or one would replace an input.
        OverwriteError: A result exists.
        InputError: A picture has no mask, or a result could not be written.
    """

    def __init__(
        self,
        images: Sequence[str],
        masking: MaskOptions,
        sampling: SamplingOptions,
        output: OutputOptions,
        model: str,
        device: str,
        *,
        recursive: bool = False,
        part: str = "",
    ) -> None:
        self.output, self.model, self.device = output, model, device
        masks = [*masking.files, *MaskOptions(sampling.draw_from).files]
        files, self.several, self.notes = find_pictures(
            images, recursive=recursive, masks=masks, results=output.output
        )
        self.several |= bool(part)
        self.sampling = with_source(sampling, output.max_pixels) if sampling.draw_from else sampling
        for file in files:
            file.damaged, file.variable = masking.damaged, output.asked.variable
        if stores.file_of(output.output) is not None and len(files) > 1:
            raise UsageError(
                f"{output.output}: {len(files)} pictures for one file",
                "`output=DIR/` takes them all",
            )
        planned = self._plan(files, masking)  # of all parts, whose results share a folder
        inputs = {*(file.path for file in files), Path(model), *masks}
        inputs |= {name for job in planned if isinstance(job, Job) for name in job.masking.files}
        first, parts = part_of(part) if part else (0, 1)
        mine = planned[first::parts]
        self.pictures = len(mine)
        self.notes += [f"part {part}: {len(mine)} pictures"] if part else []
        self.failures = [each for each in mine if not isinstance(each, Job)]
        self.jobs = [each for each in mine if isinstance(each, Job)]
        if self.failures and not self.several:
            raise self.failures[0][1]
        refuse_inputs([each.path for job in self.jobs for each in job.results], inputs)
        self.skipped: list[Path] = []
        if output.skip_existing:
            for job in self.jobs:
                left = [each for each in job.results if not os.path.lexists(each.path)]
                job.results = givable(left, model) if len(left) < len(job.results) else left
            self.skipped = [job.file.path for job in self.jobs if not job.results]
            self.jobs = [job for job in self.jobs if job.results]
        refuse_results([each.path for job in self.jobs for each in job.results], output.overwrite)

    def _plan(self, files: Sequence[InputFile], masking: MaskOptions) -> list[Job | Failure]:
        """Find the mask of every picture, or why there is none, and the names of its results."""
        output, masks = self.output, masks_of(masking, files)
        named, notes = beginnings(files, beside=output.output is None)
        self.notes += notes
        planned: list[Job | Failure] = []
        owner: dict[Path, Path] = {}
        for file, mask, name in zip(files, masks, named, strict=True):
            if isinstance(mask, InputError):
                planned.append((file.path, mask))
                continue
            data = file.suffix_of_data(output.max_pixels, ahead=not self.several)
            results = plan_results(output, self.sampling.samples, file.source, data, name)
            if output.emit is not None:
                givable(results, self.model, output.emit)
            for path in [each.path for each in results]:
                other = owner.setdefault(path, file.path)
                if other != file.path:
                    raise UsageError(
                        f"{path}: would hold the results of {other} and of {file.path}",
                        "`recursive=True` over their common folder keeps them apart",
                    )
            planned.append(Job(file, mask, results))
        return planned

    @cached_property
    def predictor(self) -> "Predictor":
        """The predictor; loaded, with torch, once nothing more can be refused.

        Raises:
            UsageError: The device is not there, or the sampler is not for the model.
            ModelError: The model is unknown, or its file fails verification.
            InputError: A path leads to no file.
        """
        from npfill.predictor import load  # noqa: PLC0415 - loads torch

        predictor, how = load(self.model, self.device), self.sampling
        predictor.check_sampler(how.sampler, how.rounds, noise=how.noise)
        return predictor

    def prepare(self, job: Job) -> Prepared:
        """Read a picture and find its hole.

        Raises:
            UsageError: The options of the mask contradict each other, or select nothing.
            InputError: The picture or a mask cannot be used, or a result cannot hold what it shows.
        """
        most, tolerance = self.output.max_pixels, self.sampling.tolerance
        picture = as_asked(job.file.read(most), self.output.asked, self.model)
        kinds = [each.format_of(picture, keep=self.output.keep) for each in job.results]
        if picture.measure == CLASSES:
            emitted = any(each.output.render is interval for each in job.results)
            refuse_interval(picture, self.sampling, emitted=emitted)
        prepared = prepare(picture.stripped() if self.output.strip else picture, job.masking, most)
        if tolerance is not None or prepared.stays.any():
            for each, kind in zip(job.results, kinds, strict=True):
                if each.output.render in LEFT_OPEN:
                    refuse_open(prepared, kind, tolerance)
        if self.sampling.draw_from is not None:
            source_of(self.sampling, picture, most)
        return prepared

    def preview(self, job: Job, prepared: Prepared) -> list[Path]:
        """Write the results that need no model; their files."""
        paths = [each.path for each in job.results if each.output.before_model]
        for path in paths:
            content = preview_png(prepared)
            write_bytes(path, content, overwrite=self.output.overwrite, like=job.file.path)
        return paths

    def complete(self, job: Job, prepared: Prepared) -> Report:
        """Complete a picture and write the results.

        Raises:
            UsageError: The options of samples are not for this hole, or an output was asked for
                that the model does not give.
            InputError: The model is not for such a picture, or a result cannot be written.
        """
        how, out, keep = self.sampling, self.output, self.output.keep
        samples = samples_for(job.results, how.samples)
        name, started = str(job.file.path), time.perf_counter()
        done = complete_prepared(
            name, prepared, self.predictor, how, samples, strip=out.strip, max_pixels=out.max_pixels
        )
        seconds = time.perf_counter() - started
        results, lacking = without_lacking(job.results, done, out.emit)
        contents = render(results, done, keep=keep)
        losses, masked, lost = [(0, 0.0)], done.prepared.masked, dict[str, None]()
        for result, content in zip(results, contents, strict=True):
            if result.output.is_picture:
                kind = result.format_of(masked.picture, keep=keep)
                lost |= dict.fromkeys(left_out(replace(masked.picture, format=kind), keep=True))
                if kind != "PNG" and not masked.picture.is_data:
                    losses.append(masked.changed_outside(as_read_again(content, masked.picture)))
        for result, content in zip(results, contents, strict=True):
            stores.write(result.path, content, overwrite=out.overwrite, like=job.file.path)
        on_grid, beside = [each for each in results if each.output.on_grid], list[str]()
        if not out.strip:
            source, paths = job.file.path, {each.path: each.output.is_picture for each in on_grid}
            beside = copy_beside(masked.picture, source, paths, overwrite=out.overwrite)
        notes = (*done.notes, *lacking, *lost, *beside)
        return Report(done, results, seconds, *max(losses), notes)
