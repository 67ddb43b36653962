"""Checks: nothing has changed outside, a result can be made again, and npfill works here."""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from npfill import zoo
from npfill.completion.completed import complete_prepared
from npfill.completion.from_python import complete
from npfill.completion.hole import MaskOptions, Prepared, hole_of, prepare
from npfill.completion.outputs import OUTPUTS, Result, render
from npfill.completion.parameters import KEYS, SamplingOptions, is_allowed, is_path
from npfill.errors import CheckFailedError, InputError, NpfillError
from npfill.notes import about
from npfill.pictures.asked import as_asked
from npfill.pictures.difference import Difference, difference
from npfill.pictures.formats.metadata import OF_LOOKS
from npfill.pictures.hole import width_by_height
from npfill.pictures.picture import Asked
from npfill.pictures.read import MAX_PIXELS, STDIN, from_bytes, png_text, read_picture

_MOST_SAMPLES = 100_000


@dataclass(frozen=True)
class Outside:
    """The comparison of a picture with its completion outside the hole.

    Attributes:
        description: The hole, in a line.
        pixels: The number of pixels outside of it.
        notes: Sentences for the user on pictures and mask.
        error: The error that says what was changed; None if nothing was.
    """

    description: str
    pixels: int
    notes: tuple[str, ...]
    error: CheckFailedError | None


@dataclass(frozen=True)
class Origin:
    """The origin of a result, by what it says of itself.

    Attributes:
        text: The entries of its PNG.
        image: The picture that it completes.
        options: Parameters of the completion by name, those at their defaults left out.
        masking: The options that selected the hole.
        sampling: The options of samples, as many as the result needs.
        result: The result.
        max_pixels: The most pixels of a picture or mask that is read, whatever the result says.
    """

    text: Mapping[str, str]
    image: Path
    options: Mapping[str, Any]
    masking: MaskOptions
    sampling: SamplingOptions
    result: Result
    max_pixels: int = MAX_PIXELS

    @classmethod
    def of(cls, path: Path, max_pixels: int = MAX_PIXELS) -> "Origin":
        """Read a result.

        Raises:
            InputError: It cannot be read, npfill did not write it, or says too little in it.
        """
        text = png_text(path)
        if "npfill_output" not in text:
            raise InputError(
                f"{path}: does not say that npfill complete made it",
                "programs that save a PNG again often drop its text",
            )
        output = text["npfill_output"]
        if output == "preview":
            raise InputError(f"{path}: shows the hole, and no completion", "`emit=mean` makes one")
        number = "1" if output == "fill" else output.removeprefix("sample-")
        try:
            said = json.loads(text["npfill_options"])
            image = Path(said.pop("image"))
            names = {key: name for name, key in KEYS.items()}
            options = {names[key]: value for key, value in said.items()}
            if isinstance(none := options.get("nodata"), str):  # JSON has no NaN nor infinities
                options["nodata"] = float(none)
            if output == "sheet":
                number = text["npfill_samples"]
            samples = int(number) if number.isdecimal() else 0
            few = samples <= _MOST_SAMPLES
            kinds = [each for each in OUTPUTS.values() if few and output in each.names(samples)]
            if not (
                {"model", "device"} <= options.keys()
                and all(is_allowed(name, value) for name, value in options.items())
                and all(map(is_path, [image, *_flat(options.values())]))
                and kinds
            ):
                raise ValueError  # noqa: TRY301
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise InputError(
                f"{path}: says too little of how it was made", "another version of npfill wrote it"
            ) from None
        masking, sampling = (
            {each.name: options[each.name] for each in fields(kind) if each.name in options}
            for kind in (MaskOptions, SamplingOptions)
        )
        sampling["samples"] = samples
        hole, how = MaskOptions(**masking), SamplingOptions(**sampling)
        result = Result(kinds[0], output, kinds[0].names(samples).index(output), path)
        return cls(text, image, options, hole, how, result, max_pixels)


def check_outside(
    before: Path, after: Path, masking: MaskOptions, most: int = MAX_PIXELS, variable: str = ""
) -> Outside:
    """Compare a picture, or a variable, with its completion, by any tool, outside the hole.

    Raises:
        UsageError: The options of the mask contradict each other, or select nothing.
        InputError: A picture or the mask cannot be used.
    """
    one = read_picture(before, most, damaged=masking.damaged, variable=variable)
    other, hole = read_picture(after, most, variable=variable), hole_of(masking, one, most)
    notes = [about(each.name, note) for each in (one, other) for note in each.notes]
    notes += hole.notes
    own, error = hole.chosen[..., None] | one.lacks, None  # of each channel, its hole
    outside = int((~own).any(axis=-1).sum())
    if one.kind != other.kind and one.size == other.size:
        notes.append(
            f"{after} is {other.kind} but {before} is {one.kind}: "
            "grey is compared as a colour, no alpha as opaque"
        )
    if any(one.info.get(part) != other.info.get(part) for part in OF_LOOKS):
        notes.append(f"{after} says other things of its colours than {before}: they look different")
    if one.size != other.size:
        sizes = [width_by_height(each.size) for each in (other, one)]
        error = CheckFailedError(
            f"{after} is {sizes[0]} but {before} is {sizes[1]}",
            "a completion has the picture's size",
        )
    elif (found := difference(one, other, ignored=own)).count:
        error = CheckFailedError(
            f"outside changed: {found.count:,} of {outside:,} px, "
            f"by at most {found.largest:g}" + (f" of {found.white}" if found.white else ""),
            "a lossy format such as JPEG changes all; `grow=PX` leaves a rim out",
        )
    return Outside(hole.line, outside, tuple(notes), error)


def changes_since(origin: Origin) -> list[str]:
    """Changes of the inputs of a result since it was made, in a clause each."""
    changes = []
    for name, check in (("picture and mask", _picture_and_mask), ("model", _model)):
        try:
            clause = check(origin)
        except NpfillError as error:
            clause = str(error)
        if clause:
            changes.append(f"{name}: {clause}")
    return changes


def made_again(origin: Origin) -> tuple[bool, Difference]:
    """Make a result again and compare it with its file.

    Returns:
        The files are equal, byte for byte; and the difference of their pixels.

    Raises:
        CheckFailedError: It is of another size.
        NpfillError: It cannot be made again.
    """
    from npfill.predictor import load  # noqa: PLC0415 - loads torch

    prepared, given, how = _prepared(origin), origin.options, origin.sampling
    predictor = load(given["model"], given["device"], fetch=False)
    read = {name: given[name] for name in ("strip", "max_pixels") if name in given}
    done = complete_prepared(str(origin.image), prepared, predictor, how, how.samples, **read)
    (content,) = render([origin.result], done, keep=False)
    result = origin.result.path
    if content == result.read_bytes():
        return True, Difference(0, 0.0, 0)
    before, again = read_picture(result, origin.max_pixels), from_bytes(content, "again")
    if before.size != again.size:
        raise CheckFailedError(
            f"{result}: run again, it is {width_by_height(again.size)}, "
            f"not {width_by_height(before.size)}",
            "it was edited",
        )
    return False, difference(before, again)


def self_test() -> tuple[float, str]:
    """Complete a small gradient; the seconds that it took, and a sentence if it failed."""
    picture = np.tile(np.linspace(0, 1, 28, dtype=np.float32), (28, 1))
    hole = np.pad(np.ones((12, 12), dtype=bool), 8)
    started = time.perf_counter()
    done = complete(picture, hole, samples=1)
    seconds = time.perf_counter() - started
    kept = (done.mean[~hole] == picture[~hole]).all()
    finite = np.isfinite(done.mean).all() and done.std is not None and (done.std[hole] > 0).all()
    return seconds, "" if kept and finite else "the self-test failed"


def _flat(values: Iterable[object]) -> list[object]:
    """Values, and those of lists one by one."""
    return [part for each in values for part in (each if isinstance(each, list) else [each])]


def _picture_and_mask(origin: Origin) -> str:
    masking = origin.masking
    if STDIN in {origin.image, *masking.files}:
        which = "picture" if origin.image == STDIN else "mask"
        return f"the {which} came through stdin or from memory, and is not here"
    prepared = _prepared(origin)
    if prepared.sha256 != origin.text.get("npfill_mask_sha256"):
        return f"{masking.name} selects another hole"
    observed = prepared.masked.sha256(opaque=masking.opaque)
    if observed != origin.text.get("npfill_image_sha256"):
        return f"{origin.image} has changed outside the hole"
    return ""


def _prepared(origin: Origin) -> Prepared:
    """The picture and its hole."""
    most = origin.max_pixels
    said = {each.name for each in fields(Asked)} & origin.options.keys()
    variable = origin.options.get("variable", "")
    picture = read_picture(origin.image, most, damaged=origin.masking.damaged, variable=variable)
    picture = as_asked(picture, Asked(**{name: origin.options[name] for name in said}))
    is_stripped = origin.options.get("strip", False)
    return prepare(picture.stripped() if is_stripped else picture, origin.masking, most)


def _model(origin: Origin) -> str:
    name = str(origin.options.get("model"))
    if name in {*zoo.BASELINES, zoo.BEST}:
        from npfill.predictor import load  # noqa: PLC0415 - loads torch

        sha256 = load(name, "cpu", fetch=False).sha256
    else:
        sha256 = zoo.find(name, fetch=False).sha256
    same = sha256 == origin.text.get("npfill_model_sha256")
    return "" if same else f"{name} has other weights"
