"""The outputs of a completion, in the table `OUTPUTS`: what each holds, its file and its bytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from npfill.completion.completed import CompletedPicture
from npfill.completion.preview import preview
from npfill.errors import UsageError
from npfill.files import STDIO
from npfill.pictures.formats import npz_bytes, picture_bytes, png_bytes
from npfill.pictures.masked import std_picture
from npfill.pictures.picture import Picture
from npfill.pictures.read import MAX_PIXELS
from npfill.pictures.sheet import Row, contact_sheet

Text = dict[str, str]


@dataclass(frozen=True)
class OutputOptions:
    """The options of reading pictures and writing results.

    Attributes:
        output: A folder, a file, `-` for stdout, or None: beside the picture.
        emit: Names of outputs, separated by commas; None is the default.
        overwrite: Replace what exists.
        skip_existing: Leave what exists.
        keep: Write pictures in the format that they came in.
        strip: Leave out what a picture's file says of it.
        max_pixels: The most pixels of a picture or mask that is read.
    """

    output: Path | None = None
    emit: str | None = None
    overwrite: bool = False
    skip_existing: bool = False
    keep: bool = False
    strip: bool = False
    max_pixels: int = MAX_PIXELS

    @property
    def file(self) -> Path | None:
        """The one file that is to be written, or `-`; None where there is a folder for more."""
        path = self.output
        is_folder = path is not None and path != STDIO and (not path.suffix or path.is_dir())
        return None if is_folder else path


@dataclass(frozen=True, kw_only=True)
class Output:
    """A kind of result.

    Attributes:
        name: The name that asks for it, and that stands in the names of its files.
        render: The bytes of its file, given a completed picture, the number of the sample, from 0,
            the text of a PNG, and `keep`: pictures are written in the format that they came in.
        suffix: The suffix of its file; "" where that is of data in their format, and else a PNG.
        of_each_sample: There is a file for each sample; none where a model draws none.
        shows_samples: Samples are drawn for it.
        needs_std: It is left out where a model gives no standard deviation.
        is_picture: It is the picture, completed.
        stands_alone: Its file has the picture's name, without its own.
        before_model: It shows but the picture and its hole, and a dry run writes it, too.
    """

    name: str
    render: Callable[[CompletedPicture, int, Text, bool], bytes]
    suffix: str = ""
    of_each_sample: bool = False
    shows_samples: bool = False
    needs_std: bool = False
    is_picture: bool = False
    stands_alone: bool = False
    before_model: bool = False

    def names(self, samples: int) -> list[str]:
        """The names of its results: its own, or `sample-1`, `sample-2` ..."""
        if not self.of_each_sample:
            return [self.name]
        return [f"{self.name.removesuffix('s')}-{number + 1}" for number in range(samples)]


@dataclass(frozen=True)
class Result:
    """A result of one completion: the mean, or the second sample.

    Attributes:
        output: Its kind.
        name: Its own name: `mean`, `sample-2`.
        number: The number of the sample, from 0.
        path: Its file; `-` is stdout.
    """

    output: Output
    name: str
    number: int
    path: Path


def plan_results(
    options: OutputOptions,
    samples: int,
    source: Path,
    data: str,
    stem: str | None = None,
    below: Path = Path(),
) -> list[Result]:
    """The results that are asked for of one picture, each once, and their files.

    Args:
        options: The options of results.
        samples: The number of samples.
        source: The picture's file, beside which results go that no option places.
        data: The suffix of data in their format, "" of a picture.
        stem: What the names of results begin with; that of `source` by default.
        below: Their folder below the one that the options name.

    Raises:
        UsageError: An output is unknown, nothing would be written, or more than one result would
            go to one file.
    """
    file, emit = options.file, options.emit
    if emit is None:
        emit = "mean,std,samples" if file is None else "mean"
    folder = source.parent if options.output is None else options.output / below
    stem = source.stem if stem is None else stem
    results = []
    for asked in dict.fromkeys(name.strip() for name in emit.split(",")):
        if asked not in OUTPUTS:
            raise UsageError(f"`emit={asked}`: unknown", f"any of {','.join(OUTPUTS)}")
        output = OUTPUTS[asked]
        kept = source.suffix if options.keep and output.is_picture else ""
        suffix = output.suffix or data or kept or ".png"
        for number, name in enumerate(output.names(samples)):
            path = folder / ((stem if output.stands_alone else f"{stem}_{name}") + suffix)
            results.append(Result(output, name, number, path))
    if not results:
        raise UsageError(
            f"`emit={emit}` `samples={samples}`: nothing would be written", "`samples=3`"
        )
    if file is None:
        return results
    if len(results) != 1:
        raise UsageError(f"{file}: {len(results)} results for one file", "`output=DIR/` takes all")
    name, suffix = results[0].name, results[0].path.suffix
    if file != STDIO and file.suffix.lower() != suffix.lower():
        raise UsageError(f"{file}: {name} is written as {suffix}", f"`output=NAME{suffix}`")
    return [replace(results[0], path=file)]


def without_lacking(
    results: Sequence[Result], done: CompletedPicture, emit: str | None
) -> tuple[list[Result], list[str]]:
    """The results without what the model does not give, and a sentence for each kind left out.

    Raises:
        UsageError: It was asked for in so many words.
    """
    lacking = {}
    for output in [each.output for each in results]:
        if output.needs_std and done.std is None:
            lacking[output] = f"{done.model} gives no standard deviation: none is written"
        elif output.of_each_sample and not len(done.samples):
            lacking[output] = f"{done.model} gives no samples: none are written"
    if lacking and emit is not None:
        problem = f"`emit={emit}`: {next(iter(lacking.values()))}"
        raise UsageError(problem, "leave it out, or name another model")
    return [each for each in results if each.output not in lacking], [*lacking.values()]


def render(results: Sequence[Result], done: CompletedPicture, *, keep: bool) -> list[bytes]:
    """The bytes of the files of results.

    Args:
        results: The results.
        done: The completed picture.
        keep: Write pictures in the format that they came in.

    Raises:
        NpfillError: A pixel outside the hole would change: a bug.
    """
    return [
        each.output.render(done, each.number, done.text | {"npfill_output": each.name}, keep)
        for each in results
    ]


def _mean(done: CompletedPicture, _: int, text: Text, keep: bool) -> bytes:
    return picture_bytes(done.filled(done.mean), text, keep=keep)


def _sample(done: CompletedPicture, number: int, text: Text, keep: bool) -> bytes:
    return picture_bytes(done.filled(done.samples[number]), text, keep=keep)


def _std(done: CompletedPicture, _: int, text: Text, keep: bool) -> bytes:
    """Of a picture, a PNG that states its full scale; of data, data."""
    del keep
    masked = done.prepared.masked
    assert done.std is not None
    if masked.picture.is_data:
        return picture_bytes(masked.as_data(masked.deviation(done.std)), text, keep=False)
    image, full_scale = std_picture(done.std, masked.anywhere)
    return png_bytes(image, text | {"npfill_std_full_scale": repr(full_scale)})


def _sheet(done: CompletedPicture, _: int, text: Text, keep: bool) -> bytes:
    del keep
    count = {"npfill_samples": str(len(done.samples))}
    return png_bytes(Picture.of(sheet_of([done]), "sheet"), text | count)


def _npz(done: CompletedPicture, _: int, text: Text, keep: bool) -> bytes:
    """The arrays, of data in their unit; without `std` where the model gives none."""
    del text, keep
    masked = done.prepared.masked
    arrays = {"mean": done.mean, "samples": done.samples, "hole": masked.hole}
    if masked.picture.is_data:
        arrays["mean"] = done.filled(done.mean).values
        drawn = [done.filled(sample).values for sample in done.samples]
        arrays["samples"] = np.stack(drawn) if drawn else arrays["mean"][None][:0]
    if done.std is not None:
        arrays["std"] = masked.deviation(done.std)
    return npz_bytes(arrays)


def sheet_of(done: Sequence[CompletedPicture], labels: Sequence[str] = ("",)) -> Image.Image:
    """A contact sheet with a row for each completion of one picture, its label beside it.

    Data in neither one nor three channels show their first.
    """
    shown = slice(None) if done[0].mean.shape[-1] in {1, 3} else slice(1)
    rows = []
    for label, each in zip(labels, done, strict=True):
        std = None
        if each.std is not None:  # of channels without a value, it is NaN
            std = np.nan_to_num(each.prepared.masked.deviation(each.std)[..., shown], posinf=np.inf)
        samples = [sample[..., shown] for sample in each.samples]
        rows.append(Row(label, each.mean[..., shown], std, samples))
    hole = np.logical_or.reduce(done[0].prepared.masked.by_channel[..., shown], axis=-1)
    return contact_sheet(rows[0].mean, hole, rows)


_IN_ORDER = (
    Output(name="mean", render=_mean, is_picture=True),
    Output(name="std", render=_std, needs_std=True),
    Output(
        name="samples", render=_sample, of_each_sample=True, shows_samples=True, is_picture=True
    ),
    Output(name="sheet", render=_sheet, suffix=".png", shows_samples=True),
    Output(name="npz", render=_npz, suffix=".npz", shows_samples=True, stands_alone=True),
    Output(name="preview", render=preview, suffix=".png", before_model=True),
)
OUTPUTS: dict[str, Output] = {output.name: output for output in _IN_ORDER}
