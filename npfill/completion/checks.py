"""Checks: nothing has changed outside, a result can be made again, and npfill works here."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npfill.completion.completed import complete_prepared
from npfill.completion.from_python import complete
from npfill.completion.hole import hole_of, prepare, sha256_of
from npfill.completion.options import MaskOptions
from npfill.completion.outputs import OUTPUTS
from npfill.completion.provenance import Origin
from npfill.errors import CheckFailedError, InputError, NpfillError
from npfill.pictures.hole import describe, width_by_height
from npfill.pictures.picture import Difference, difference
from npfill.pictures.read import MAX_PIXELS, STDIN, from_bytes, read_picture


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


def check_outside(before: Path, after: Path, masking: MaskOptions) -> Outside:
    """Compare a picture with its completion, by any tool, outside the hole.

    Raises:
        UsageError: The options of the mask contradict each other, or select nothing.
        InputError: A picture or the mask cannot be used.
    """
    one, other = read_picture(before), read_picture(after)
    hole = hole_of(masking, one)
    said = ((one.name, one.notes), (other.name, other.notes), (masking.name, hole.notes))
    notes = [f"{name}: {note}" for name, its in said for note in its]
    outside, error = int((~hole.selected).sum()), None
    if one.kind != other.kind and one.size == other.size:
        notes.append(
            f"{after} is {other.kind} but {before} is {one.kind}: "
            "grey is compared as a colour, no alpha as opaque"
        )
    if one.size != other.size:
        sizes = [width_by_height(each.size) for each in (other, one)]
        error = CheckFailedError(
            f"{after} is {sizes[0]} but {before} is {sizes[1]}",
            "a completion has the picture's size",
        )
    elif (found := difference(one, other, ignored=hole.selected)).count:
        error = CheckFailedError(
            f"outside changed: {found.count:,} of {outside:,} px, "
            f"by at most {found.largest:g}" + (f" of {found.white}" if found.white else ""),
            "a lossy format such as JPEG changes all; `grow=PX` leaves a rim out",
        )
    return Outside(describe(hole), outside, tuple(notes), error)


def changes_since(origin: Origin) -> list[str]:
    """Changes of the inputs of a result since it was made, in a clause each."""
    checks = {"picture and mask": _picture_and_mask, "model": _model}
    said = {name: _clause(check, origin) for name, check in checks.items()}
    return [f"{name}: {clause}" for name, clause in said.items() if clause]


def made_again(origin: Origin, result: Path) -> tuple[bool, Difference]:
    """Make a result again and compare it with its file.

    Returns:
        The files are equal, byte for byte; and the difference of their pixels.

    Raises:
        InputError: The result is of no kind that is known.
        NpfillError: It cannot be made again.
    """
    from npfill.predictor import load  # noqa: PLC0415 - loads torch

    results = [each for kind in OUTPUTS.values() for each in kind.results(origin.samples)]
    wanted = next((each for each in results if each.name == origin.output), None)
    if wanted is None:
        raise InputError(
            f"{result}: a result of an unknown kind, {origin.output}",
            "another version of npfill wrote it",
        )
    picture = read_picture(origin.image)
    prepared = prepare(picture, origin.masking, MAX_PIXELS)
    predictor = load(origin.options["model"], origin.options["device"])
    done = complete_prepared(
        str(origin.image), prepared, predictor, origin.sampling, origin.sampling.samples
    )
    text = done.making.text(done.masked) | {"npfill_output": wanted.name}
    content = wanted.output.render(done, wanted.number, text, False)
    if content == result.read_bytes():
        return True, Difference(0, 0.0, 0)
    return False, difference(read_picture(result), from_bytes(content, "again"))


def self_test() -> tuple[float, str]:
    """Complete a small gradient; the seconds that it took, and a sentence if it failed."""
    picture = np.tile(np.linspace(0, 1, 28, dtype=np.float32), (28, 1))
    hole = np.zeros((28, 28), dtype=bool)
    hole[8:20, 8:20] = True
    started = time.perf_counter()
    done = complete(picture, hole, samples=1)
    seconds = time.perf_counter() - started
    kept = (done.mean[~hole] == picture[~hole]).all()
    finite = np.isfinite(done.mean).all() and done.std is not None and (done.std[hole] > 0).all()
    return seconds, "" if kept and finite else "the self-test failed"


def _clause(check: Callable[[Origin], str], origin: Origin) -> str:
    """The clause of a check; an error is one."""
    try:
        return check(origin)
    except NpfillError as error:
        return str(error)


def _picture_and_mask(origin: Origin) -> str:
    masking = origin.masking
    if STDIN in {origin.image, masking.file}:
        return "came through stdin, which is not here"
    prepared = prepare(read_picture(origin.image), masking, MAX_PIXELS)
    if sha256_of(prepared.hole) != origin.text.get("npfill_mask_sha256"):
        return f"{masking.name} selects another hole"
    observed = prepared.masked.sha256(opaque=masking.is_alpha)
    if observed != origin.text.get("npfill_image_sha256"):
        return f"{origin.image} has changed outside the hole"
    return ""


def _model(origin: Origin) -> str:
    from npfill.predictor import load  # noqa: PLC0415 - loads torch

    name = str(origin.options.get("model"))
    same = load(name, "cpu").sha256 == origin.text.get("npfill_model_sha256")
    return "" if same else f"{name} has other weights"
