"""Parts of work that several processes share."""

from collections.abc import Sequence
from pathlib import Path

from npfill.completion.hole import MaskOptions, is_file
from npfill.completion.outputs import OutputOptions
from npfill.completion.parameters import SamplingOptions
from npfill.completion.windows import Windows, halo
from npfill.errors import UsageError
from npfill.pictures.picture import AUTO, DATA
from npfill.pictures.stores import file_of

_NO_SAMPLES = "a mean and a std are made: samples of two windows would not fit where they meet"


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

    asked, default = output.asked, SamplingOptions()
    emitted = {name.strip() for name in (output.emit or "mean,std").split(",")}
    for name, (is_given, hint) in {
        "mask": (not all(map(is_file, masking.masks + masking.never)), "masks in files are"),
        "inner": (masking.inner, "a hole may reach a border outside of its window"),
        "grow": (masking.grow, "grow the mask itself"),
        "max_distance": ((masking.max_distance or 0) > halo(), f"at most {halo()} pixels"),
        "wrap": (asked.wrap, "the last column is in another window"),
        "kind": (asked.kind not in {AUTO, DATA}, "classes and angles are completed whole"),
        "emit": (emitted != {"mean", "std"}, "leave it out: mean and std are written"),
        "samples": (sampling.samples > default.samples, _NO_SAMPLES),
        "sampler": (sampling.sampler != AUTO or sampling.rounds, _NO_SAMPLES),
        "noise": (sampling.noise or sampling.draw_from, _NO_SAMPLES),
        "name": (output.name, "results are called as without it"),
        "output": (file_of(output.output), "name a folder for the results"),
        "strip": (output.strip, "results keep the tags of the raster"),
        "skip_existing": (output.skip_existing, "the same command goes on where a run stopped"),
        "tolerance": (sampling.tolerance is not None, "results have the std"),
        "adapt": (sampling.adapt, "a network is trained on a picture that is read whole"),
    }.items():
        if is_given:
            raise UsageError(f"`{name}`: not in windows", hint)
    if len(images) != 1:
        raise UsageError(f"`window`: {len(images)} rasters", "one at a time")
    path, number = Path(images[0]), part_of(part or "1/1")
    folder = Path(output.output) if output.output else path.parent
    rest = load(model, device), output.overwrite, number, output.max_pixels
    return Windows(path, window, folder, asked, masking, sampling, *rest)
