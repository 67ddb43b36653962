"""The outputs of a completion, in the table `OUTPUTS`: what each holds, its file and its bytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from npfill.completion import doubt
from npfill.completion.completed import CompletedPicture
from npfill.completion.names import by_template, check_file, written_as
from npfill.completion.preview import preview
from npfill.completion.sheets import sheet_of
from npfill.errors import UsageError
from npfill.pictures.formats import FORMATS, npz_bytes, picture_bytes, png_bytes
from npfill.pictures.picture import NOTHING, Asked, Picture, std_picture
from npfill.pictures.reach import without
from npfill.pictures.read import MAX_PIXELS, suffix_of
from npfill.pictures.stores import file_of


@dataclass(frozen=True)
class OutputOptions:
    """The options of reading pictures and writing results.

    Attributes:
        output: A folder, a file, `-` for stdout, or None: beside the picture. A text that ends in a
            slash is a folder.
        emit: Names of outputs, separated by commas; None is the default.
        overwrite: Replace what exists.
        skip_existing: Leave what exists.
        keep: Write pictures in the format that they came in.
        strip: Leave out what a picture's file says of it.
        max_pixels: The most pixels of a picture or mask that is read.
        name: A template of the names of results, of `{stem}`, `{result}` and `{suffix}`.
        asked: What the user says of values.
    """

    output: str | Path | None = None
    emit: str | None = None
    overwrite: bool = False
    skip_existing: bool = False
    keep: bool = False
    strip: bool = False
    max_pixels: int = MAX_PIXELS
    name: str | None = None
    asked: Asked = NOTHING


@dataclass(frozen=True, kw_only=True)
class Output:
    """A kind of result.

    Attributes:
        name: The name that asks for it, and that stands in the names of its files.
        render: The bytes of its file, given a completed picture, the number of the sample, from 0,
            the text of a PNG, and the format that a picture is written in.
        suffix: The suffix of its file; "" where that is of data in their format, and else a PNG.
        of_each_sample: There is a file for each sample; none where a model draws none.
        shows_samples: Samples are drawn for it.
        shows_first: The first sample is drawn for it, even if none is asked for.
        needs_std: It is left out where a model gives no standard deviation.
        is_picture: It is the picture, completed.
        stands_alone: Its file has the picture's name, without its own.
        parts: The names of its files, if there are several.
        before_model: It shows but the picture and its hole, and a dry run writes it, too.
        on_grid: Its pixels are those of the picture, and lie where they do.
    """

    name: str
    render: Callable[[CompletedPicture, int, doubt.Text, str], bytes]
    suffix: str = ""
    of_each_sample: bool = False
    shows_samples: bool = False
    shows_first: bool = False
    needs_std: bool = False
    is_picture: bool = False
    stands_alone: bool = False
    before_model: bool = False
    on_grid: bool = True
    parts: tuple[str, ...] = ()

    def names(self, samples: int) -> list[str]:
        """The names of its results: its own, or its parts', or `sample-1`, `sample-2` ..."""
        if not self.of_each_sample:
            return [*(self.parts or (self.name,))]
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

    def format_of(self, picture: Picture, *, keep: bool) -> str:
        """The format that it is written in if it is a picture, and else PNG, as `written_as`."""
        return written_as(picture, self.path, keep=keep) if self.output.is_picture else "PNG"


def plan_results(
    options: OutputOptions, samples: int, source: Path, data: str, below: Path = Path()
) -> list[Result]:
    """The results that are asked for of one picture, each once, and their files.

    Args:
        options: The options of results.
        samples: The number of samples.
        source: The picture's file, beside which results go that no option places.
        data: The suffix of data in their format, "" of a picture.
        below: The beginning of their paths below the options' folder; by default, `source`'s name.

    Raises:
        UsageError: An output is unknown, nothing would be written, or more than one result would
            go to one file.
    """
    file, emit, template = file_of(options.output), options.emit, options.name
    if emit is None:
        one = file is not None or "{result}" not in (template or "{result}")
        emit = "mean" if one else "mean,std,heat,samples"
    folder = source.parent if options.output is None else Path(options.output) / below.parent
    keeps_suffix = options.keep and "{suffix}" in (template or "")
    stem = source.stem if keeps_suffix else below.name or source.stem
    results = []
    data = data or (source.suffix if options.asked.of_data else "")
    for asked in dict.fromkeys(name.strip() for name in emit.split(",")):
        if asked not in OUTPUTS:
            raise UsageError(f"`emit={asked}`: unknown", f"any of {','.join(OUTPUTS)}")
        output = OUTPUTS[asked]
        kept = ""
        if options.keep and output.is_picture:
            kept = source.suffix or suffix_of(source)
        suffix = output.suffix or data or kept or ".png"
        for number, name in enumerate(output.names(samples)):
            whole = (stem if output.stands_alone else f"{stem}_{name}") + suffix
            if template is not None:
                free = output.is_picture and not data
                whole = by_template(template, stem, name, suffix, is_picture=free)
            results.append(Result(output, name, number, folder / whole))
    if not results:
        raise UsageError(
            f"`emit={emit}` `samples={samples}`: nothing would be written", "`samples=3`"
        )
    if len({each.path for each in results}) < len(results):
        raise UsageError(
            f"`name={template}`: several results of one name", "{result} tells them apart"
        )
    if file is None:
        return results
    if template is not None:
        raise UsageError(f"{file}: a file, and `name={template}`", "leave `name` out")
    if len(results) != 1:
        raise UsageError(
            f"{file}: {len(results)} results for one file", "`output=DIR/` takes them all"
        )
    only = results[0]
    free = only.output.is_picture and not (data or options.keep)
    check_file(file, only.name, only.path, is_picture=free)
    return [replace(only, path=file)]


def render(results: Sequence[Result], done: CompletedPicture, *, keep: bool) -> list[bytes]:
    """The bytes of the files of results.

    Args:
        results: The results.
        done: The completed picture.
        keep: Write pictures in the format that they came in.

    Raises:
        NpfillError: A pixel outside the hole would change: a bug.
    """
    picture, contents = done.prepared.masked.picture, []
    for each in results:
        text, kind = done.text | {"npfill_output": each.name}, each.format_of(picture, keep=keep)
        contents.append(each.output.render(done, each.number, text, kind))
    return contents


def _std(done: CompletedPicture, _: int, text: doubt.Text, _kind: str) -> bytes:
    """A PNG that states its full scale; of data, data where their format has floats."""
    masked = done.prepared.masked
    if masked.picture.is_data and FORMATS[masked.picture.format].floats:
        return picture_bytes(masked.as_data(doubt.std_of(done)), text, keep=False)
    image, full_scale = std_picture(doubt.shown_std(done), masked.anywhere)
    return png_bytes(image, text | {"npfill_std_full_scale": repr(full_scale)})


def _sheet(done: CompletedPicture, _: int, text: doubt.Text, _kind: str) -> bytes:
    count = {"npfill_samples": str(len(done.samples))}
    return png_bytes(Picture.of(sheet_of([done]), "sheet"), text | count | done.text_of_samples)


def _npz(done: CompletedPicture, _: int, _text: doubt.Text, _kind: str) -> bytes:
    """The arrays, of data in their unit; without `std` where the model gives none.

    With a tolerance, `open` is True where pixels stay open; data lack them, as in their files.
    """
    masked = done.prepared.masked
    arrays = {"mean": done.mean, "samples": done.samples, "hole": masked.hole}
    if masked.picture.is_data:
        every = (without(done.filled(each), done.still_open) for each in (done.mean, *done.samples))
        arrays["mean"], *drawn = (each.values for each in every)
        arrays["samples"] = np.stack(drawn) if drawn else arrays["mean"][None][:0]
    if done.std is not None:
        arrays["std"] = doubt.std_of(done) if masked.picture.is_data else done.std
    if done.sampling.tolerance is not None:
        arrays["open"] = done.still_open
        if masked.hole.ndim == 2:
            arrays["open"] = np.logical_or.reduce(done.still_open, axis=-1)
    return npz_bytes(arrays)


_BOTH = ("lower", "upper")
_IN_ORDER = (
    Output(name="mean", render=doubt.mean, is_picture=True),
    Output(name="std", render=_std, needs_std=True),
    Output(
        name="samples",
        render=doubt.sample,
        of_each_sample=True,
        shows_samples=True,
        is_picture=True,
    ),
    Output(name="fill", render=doubt.sample, shows_first=True, is_picture=True),
    Output(name="interval", render=doubt.interval, parts=_BOTH, needs_std=True, is_picture=True),
    Output(name="heat", render=doubt.heat, suffix=".png", parts=("std-heat",), needs_std=True),
    Output(name="open", render=doubt.still_open, suffix=".png", needs_std=True),
    Output(name="sheet", render=_sheet, suffix=".png", shows_samples=True, on_grid=False),
    Output(name="npz", render=_npz, suffix=".npz", shows_samples=True, stands_alone=True),
    Output(name="preview", render=preview, suffix=".png", before_model=True),
)
OUTPUTS: dict[str, Output] = {output.name: output for output in _IN_ORDER}
