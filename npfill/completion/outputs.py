"""The outputs of a completion, in the table `OUTPUTS`: what each holds, its file and its bytes.

A new output is one `Output` in the table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from npfill.completion.completed import CompletedPicture
from npfill.errors import UsageError
from npfill.pictures.formats import npz_bytes, picture_bytes, png_bytes
from npfill.pictures.masked import std_picture
from npfill.pictures.picture import Picture
from npfill.pictures.sheet import Row, contact_sheet

Text = dict[str, str]


@dataclass(frozen=True)
class Suffixes:
    """The suffixes of a picture's results.

    Attributes:
        picture: That of the mean and of samples.
        std: That of the standard deviation.
    """

    picture: str
    std: str


@dataclass(frozen=True, kw_only=True)
class Output:
    """A kind of result.

    Attributes:
        name: The name that asks for it, and that stands in the names of its files.
        render: The bytes of its file, given a completed picture, the number of the sample, from 0,
            the text of a PNG, and `keep`: pictures are written in the format that they came in.
        suffix: The suffix of its file.
        of_each_sample: There is a file for each sample; none where a model draws none.
        shows_samples: Samples are drawn for it.
        needs_std: It is left out where a model gives no standard deviation.
        is_picture: It is the picture, completed.
        stands_alone: Its file has the picture's name, without its own.
    """

    name: str
    render: Callable[[CompletedPicture, int, Text, bool], bytes]
    suffix: Callable[[Suffixes], str]
    of_each_sample: bool = False
    shows_samples: bool = False
    needs_std: bool = False
    is_picture: bool = False
    stands_alone: bool = False

    def results(self, samples: int) -> "list[Result]":
        """Its results: one, or one for each sample."""
        if not self.of_each_sample:
            return [Result(self, self.name)]
        stem = self.name.removesuffix("s")
        return [Result(self, f"{stem}-{number + 1}", number) for number in range(samples)]

    def lacking(self, done: CompletedPicture) -> str:
        """The words for what a completed picture lacks for it; "" where it lacks nothing."""
        if self.needs_std and done.std is None:
            return "no standard deviation: none is written"
        if self.of_each_sample and not len(done.samples):
            return "no samples: none are written"
        return ""


@dataclass(frozen=True)
class Result:
    """A result of one completion: the mean, or the second sample.

    Attributes:
        output: Its kind.
        name: Its own name: `mean`, `sample-2`.
        number: The number of the sample, from 0.
    """

    output: Output
    name: str
    number: int = 0

    def file_name(self, stem: str, suffixes: Suffixes) -> str:
        """The name of its file, by what the names of all results begin with."""
        name = stem if self.output.stands_alone else f"{stem}_{self.name}"
        return name + self.output.suffix(suffixes)


def results_of(names: str, samples: int) -> list[Result]:
    """The results that names ask for, each once.

    Args:
        names: Names of `OUTPUTS`, separated by commas.
        samples: The number of samples.

    Raises:
        UsageError: A name is unknown, or nothing would be written.
    """
    asked = dict.fromkeys(name.strip() for name in names.split(","))
    for name in asked:
        if name not in OUTPUTS:
            raise UsageError(f"`emit={name}`: unknown", f"any of {','.join(OUTPUTS)}")
    results = [result for name in asked for result in OUTPUTS[name].results(samples)]
    if not results:
        raise UsageError(
            f"`emit={names}` `samples={samples}`: nothing would be written", "`samples=3`"
        )
    return results


def _mean(done: CompletedPicture, _: int, text: Text, keep: bool) -> bytes:
    return picture_bytes(done.filled(done.mean), text, keep=keep)


def _sample(done: CompletedPicture, number: int, text: Text, keep: bool) -> bytes:
    return picture_bytes(done.filled(done.samples[number]), text, keep=keep)


def _std(done: CompletedPicture, _: int, text: Text, keep: bool) -> bytes:
    """Of a picture, a PNG that states its full scale; of data, data."""
    del keep
    masked = done.masked
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
    masked = done.masked
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
        std = None if each.std is None else each.masked.deviation(each.std)[..., shown]
        samples = [sample[..., shown] for sample in each.samples]
        rows.append(Row(label, each.mean[..., shown], std, samples))
    hole = np.logical_or.reduce(done[0].masked.by_channel[..., shown], axis=-1)
    return contact_sheet(rows[0].mean, hole, rows)


_IN_ORDER = (
    Output(name="mean", render=_mean, suffix=lambda of: of.picture, is_picture=True),
    Output(name="std", render=_std, suffix=lambda of: of.std, needs_std=True),
    Output(
        name="samples",
        render=_sample,
        suffix=lambda of: of.picture,
        of_each_sample=True,
        shows_samples=True,
        is_picture=True,
    ),
    Output(name="sheet", render=_sheet, suffix=lambda _: ".png", shows_samples=True),
    Output(name="npz", render=_npz, suffix=lambda _: ".npz", shows_samples=True, stands_alone=True),
)
OUTPUTS: dict[str, Output] = {output.name: output for output in _IN_ORDER}
