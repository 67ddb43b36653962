"""A completion as a Python user holds it: arrays as the picture came, files and a sheet to see."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Shaped
from PIL import Image

from npfill.completion.completed import CompletedPicture
from npfill.completion.doubt import std_of
from npfill.completion.lacking import without_lacking
from npfill.completion.outputs import OutputOptions, plan_results, render
from npfill.completion.self_checked import CheckReport
from npfill.completion.sheets import sheet_of
from npfill.errors import UsageError
from npfill.files import STDIO, refuse_inputs, refuse_results
from npfill.pictures import stores
from npfill.pictures.convert import PictureInput, turned_as
from npfill.pictures.formats import png_bytes, suffix_of_data
from npfill.pictures.sidecars import copy_beside


@dataclass(frozen=True, eq=False, repr=False)
class Completion:
    """A completed picture, in the axes, type and unit that the picture came in.

    A picture from a file or an image has the axes "height width" or "height width channel". What
    was observed is in every array as it came, byte for byte: that is checked on every run.

    Attributes:
        notes: Sentences on what you should know of the picture, the mask and the completion.
        mean: The mean of the predictive distribution in the hole, the picture outside.
        std: Its standard deviation in the hole, 0 outside, NaN where data stay missing, as floats
            in the unit of `mean`; None where the model gives none, as most baselines.
        samples: Pictures drawn from it, along a first axis; none where a baseline gives no joint
            distribution.
        hole: True where the picture was completed, "height width"; in the axes of the picture
            where channels differ.
        open: True where a pixel stays open, its interval being wider than `tolerance`.
        check: What the check on the picture itself found; None where there was none.
        model: The name of what completed it.
        below: The beginning of its files' paths: the picture's, below the folder that
            `complete_many` was given, with its suffix where two have one name.
    """

    completed: CompletedPicture
    given: PictureInput
    notes: tuple[str, ...]
    below: Path = Path()

    @cached_property
    def mean(self) -> Shaped[np.ndarray, "..."]:
        """The completed picture."""
        return self._restored(self.completed.mean)

    @cached_property
    def std(self) -> Float[np.ndarray, "..."] | None:
        """The standard deviation in the unit of the picture."""
        if self.completed.std is None:
            return None
        values = std_of(self.completed)
        if self.completed.prepared.masked.picture.has_alpha:
            values = np.concatenate([values, np.zeros_like(values[..., :1])], axis=-1)
        return self.given.restore(values)

    @cached_property
    def samples(self) -> Shaped[np.ndarray, "sample ..."]:
        """Pictures drawn from the predictive distribution."""
        drawn = [self._restored(sample) for sample in self.completed.samples]
        return np.stack(drawn) if drawn else self.mean[None][:0]

    @cached_property
    def hole(self) -> Bool[np.ndarray, "..."]:
        """True where the picture was completed."""
        hole = self.completed.prepared.masked.hole.copy()
        return hole if hole.ndim == 2 else self.given.restore(hole)

    @cached_property
    def open(self) -> Bool[np.ndarray, "height width"]:
        """True where a pixel stays open: its interval is wider than `tolerance`."""
        return np.asarray(self.completed.still_open.any(axis=-1))

    @property
    def check(self) -> CheckReport | None:
        """What the check on the picture itself found; None where there was none."""
        return self.completed.check

    @property
    def model(self) -> str:
        """The name of what completed the picture."""
        return self.completed.model

    def sheet(self) -> Image.Image:
        """Draw what was observed, the mean, the standard deviation and the samples side by side."""
        return sheet_of([self.completed])

    def save(
        self,
        output: str | Path | None = None,
        *,
        emit: str | None = None,
        overwrite: bool = False,
        format: str = "png",
        name: str | None = None,
    ) -> dict[str, Path]:
        """Write the files that `npfill complete` writes, which tell where they come from.

        Args:
            output: A folder, or a file for one result, in the format of its suffix; by default,
                beside the picture's file. A text that ends in a slash is a folder.
            emit: Names of outputs, of mean,std,samples,fill,interval,heat,open,sheet,npz,preview
                with commas. By default, mean, std, heat and samples; of a file, the mean.
            overwrite: Replace files that exist.
            format: `png`, or `keep` for the format of the picture's file. Data are always written
                in theirs.
            name: A template of the files' names, such as "{stem}{suffix}" for the picture's own, of
                `{stem}`, `{result}` and `{suffix}`. Without `{result}`, the mean is written.

        Returns:
            The files, by the names of results: `mean`, `std`, `sample-1` ...

        Raises:
            UsageError: An output is unknown, or the model does not give it.
            OverwriteError: A file exists.
            InputError: A file cannot be written.
        """
        if format not in {"png", "keep"}:
            raise UsageError(f"`format={format}`: unknown", "png or keep")
        for key, given in {"emit": emit, "name": name}.items():
            if not isinstance(given, str | None):
                raise UsageError(f"`{key}={given}`: not a text", "names with commas: mean,std")
        done, keep = self.completed, format == "keep"
        source = Path("completion.png" if done.image == str(STDIO) else done.image)
        options = OutputOptions(output, emit, overwrite, keep=keep, name=name)
        data = suffix_of_data(done.prepared.masked.picture)
        results = plan_results(options, len(done.samples), source, data, below=self.below)
        results, _ = without_lacking(results, done, emit)
        paths = [each.path for each in results]
        inputs = [Path(done.image), Path(done.word), *done.prepared.masking.files]
        refuse_inputs(paths, inputs)
        refuse_results(paths, overwrite)
        picture = done.prepared.masked.picture
        for each, made in zip(results, render(results, done, keep=keep), strict=True):
            is_beside = each.output.on_grid and not each.output.is_picture
            content = turned_as(made, picture) if is_beside else made
            stores.write(each.path, content, overwrite=overwrite, like=source)
        if done.image != str(STDIO):
            copied = {each.path: each.output.is_picture for each in results if each.output.on_grid}
            copy_beside(picture, source, copied, overwrite=overwrite)
        return {each.name: each.path for each in results}

    def _restored(self, values: Float[np.ndarray, "height width channel"]) -> np.ndarray:
        """The picture with values in the hole, as it came; proven unchanged outside."""
        return self.given.restore(self.completed.filled(values).values)

    def _repr_png_(self) -> bytes:
        """The sheet, which notebooks show."""
        return png_bytes(self.sheet(), {})

    def __repr__(self) -> str:
        shape = self.given.restore(self.completed.prepared.masked.picture.values).shape
        parts = [f"mean {shape} {self.completed.prepared.masked.picture.values.dtype}"]
        if self.completed.std is not None:
            parts.append(f"std {shape}")
        parts.append(f"{len(self.completed.samples)} samples")
        mask = self.completed.prepared.description
        return f"<Completion by {self.model}: {', '.join(parts)}; {mask}>"


def comparison_png(completions: Mapping[str, Completion]) -> bytes:
    """A PNG of a sheet with a row for each completion of one picture, by the name beside it."""
    sheet = sheet_of([each.completed for each in completions.values()], [*completions])
    return png_bytes(sheet, {})
