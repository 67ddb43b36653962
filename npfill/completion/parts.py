"""Parts of work that several processes share."""

from collections.abc import Sequence
from pathlib import Path

from npfill.completion.hole import MaskOptions
from npfill.completion.outputs import OutputOptions
from npfill.completion.parameters import SamplingOptions
from npfill.completion.windows import Windows
from npfill.errors import UsageError


def part_of(text: str) -> tuple[int, int]:
    """The number of a part, from 0, and of parts, from a text "K/N".

    Raises:
        UsageError: It is none.
    """
    first, _, last = text.partition("/")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise UsageError(f"`part={text}`", "K/N, as in 1/4, 2/4, 3/4 and 4/4")
    return int(first) - 1, int(last)


def windows_of(
    images: Sequence[str],
    window: int,
    part: str,
    masking: MaskOptions,
    sampling: SamplingOptions,
    output: OutputOptions,
    model: str,
    device: str,
) -> Windows:
    """The completion of one raster in windows.

    Raises:
        UsageError: Options say what is not done in windows, or name several rasters.
    """
    from npfill.predictor import load  # noqa: PLC0415 - loads torch

    given = {
        "mask": masking.masks,
        "box": masking.box,
        "keep_out": masking.never,
        "inner": masking.inner,
        "grow": masking.grow,
        "wrap": output.asked.wrap,
        "emit": output.emit not in {None, "mean,std"},
        "name": output.name,
        "tolerance": sampling.tolerance is not None,
        "adapt": sampling.adapt,
    }
    for name, value in given.items():
        if value:
            raise UsageError(f"`{name}`: not in windows", "what has no data is filled there")
    if len(images) != 1:
        raise UsageError(f"`window`: {len(images)} rasters", "one at a time")
    path, number = Path(images[0]), part_of(part or "1/1")
    folder = Path(output.output) if output.output else path.parent
    asked, predictor = output.asked, load(model, device)
    return Windows(
        path, window, folder, asked, masking, sampling, predictor, output.overwrite, number
    )
