"""The run of a completion: pictures are planned, and each is read, completed and written."""

import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from npfill.completion.completed import complete_prepared
from npfill.completion.hole import MaskOptions, Prepared, prepare
from npfill.completion.inputs import InputFile, find_pictures
from npfill.completion.lacking import givable, samples_for, without_lacking
from npfill.completion.mask_files import masks_of
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
from npfill.pictures.read import as_read_again
from npfill.pictures.sidecars import copy_beside

if TYPE_CHECKING:
    from npfill.predictor import Predictor


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
        self.sampling, self.output, self.model, self.device = sampling, output, model, device
        masks = [*masking.files, *MaskOptions(sampling.draw_from).files]
        files, self.several, self.notes = find_pictures(
            images, recursive=recursive, masks=masks, results=output.output
        )
        if part:
            first, parts = part_of(part)
            self.several, files = True, files[first::parts]
            self.notes.append(f"part {part}: {len(files)} pictures")
        self.pictures = len(files)
        for file in files:
            file.damaged, file.variable = masking.damaged, output.asked.variable
        if stores.file_of(output.output) is not None and len(files) > 1:
            raise UsageError(
                f"{output.output}: {len(files)} pictures for one file",
                "`output=DIR/` takes them all",
            )
        self.failures: list[tuple[Path, NpfillError]] = []
        self.jobs = self._plan(files, masking)
        if self.failures and not self.several:
            raise self.failures[0][1]
        inputs = {*(file.path for file in files), Path(model), *masks}
        inputs |= {file for job in self.jobs for file in job.masking.files}
        refuse_inputs([each.path for job in self.jobs for each in job.results], inputs)
        self.skipped: list[Path] = []
        if output.skip_existing:
            for job in self.jobs:
                left = [each for each in job.results if not os.path.lexists(each.path)]
                some = len(left) < len(job.results) and output.emit is None
                job.results = givable(left, model) if some else left
            self.skipped = [job.file.path for job in self.jobs if not job.results]
            self.jobs = [job for job in self.jobs if job.results]
        refuse_results([each.path for job in self.jobs for each in job.results], output.overwrite)

    def _plan(self, files: Sequence[InputFile], masking: MaskOptions) -> list[Job]:
        """Find the mask of every picture, and the names of its results."""
        output, masks = self.output, masks_of(masking, files)
        jobs: list[Job] = []
        owner: dict[Path, Path] = {}
        for file, mask, stem in zip(files, masks, self._stems(files), strict=True):
            if isinstance(mask, InputError):
                self.failures.append((file.path, mask))
                continue
            data = file.suffix_of_data(output.max_pixels, ahead=not self.several)
            results = plan_results(
                output, self.sampling.samples, file.source, data, stem, file.relative.parent
            )
            for path in [each.path for each in results]:
                other = owner.setdefault(path, file.path)
                if other != file.path:
                    raise UsageError(
                        f"{path}: would hold the results of {other} and of {file.path}",
                        "`recursive=True` over their common folder keeps them apart",
                    )
            jobs.append(Job(file, mask, results))
        return jobs

    def _stems(self, files: Sequence[InputFile]) -> list[str]:
        """The beginnings of results' names: a picture's, with its suffix where two have one."""
        sharing, output = defaultdict(list), self.output
        keeps_suffix = output.keep and "{suffix}" in (output.name or "")
        for file in files:
            folder = file.path.parent if output.output is None else file.relative.parent
            name = file.relative.name if keeps_suffix else file.relative.stem
            sharing[folder / name].append(file)
        stems = {}
        for same in sharing.values():
            for file in same:
                stems[file] = file.relative.name if len(same) > 1 else file.relative.stem
            if len(same) > 1:
                names = ", ".join(str(file.path) for file in same)
                self.notes.append(f"{names}: of one name, so their suffix is in those of results")
        return [stems[file] for file in files]

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
            InputError: The picture or its mask cannot be used, or a result cannot hold it.
        """
        most = self.output.max_pixels
        picture = as_asked(job.file.read(most), self.output.asked, self.model)
        for result in job.results:
            result.format_of(picture, keep=self.output.keep)
        return prepare(picture.stripped() if self.output.strip else picture, job.masking, most)

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
        return Report(done, results, seconds, *max(losses), done.mean_std, notes)
