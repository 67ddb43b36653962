"""What goes into the files of one completion."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from npfill.cli.outputs import Plan
from npfill.errors import NpfillError
from npfill.pictures.formats import picture_bytes, png_bytes
from npfill.pictures.formats.arrays import npz_bytes
from npfill.pictures.masked import MaskedPicture, std_picture
from npfill.pictures.picture import Picture
from npfill.pictures.read import as_read_again
from npfill.pictures.sheet import Row, contact_sheet

if TYPE_CHECKING:
    from npfill.completion import Completion


@dataclass(frozen=True)
class Rendered:
    """The contents of the planned files.

    Attributes:
        contents: By what they hold, as in the plan.
        changed: How many pixels outside the hole a format that loses something has changed, in
            the result in which they are the most.
        by: By how many levels at most.
    """

    contents: dict[str, bytes]
    changed: int
    by: float


def render(
    plan: Plan,
    incomplete: MaskedPicture,
    completion: "Completion",
    text: dict[str, str],
    *,
    opaque: bool,
    keep: bool,
) -> Rendered:
    """The contents of the planned files.

    Args:
        plan: What is wanted.
        incomplete: What was completed.
        completion: Arrays "height width channel" in [0, 1].
        text: What each PNG says of its origin.
        opaque: Whether alpha becomes opaque in the hole.
        keep: Whether pictures are written in the format that they came in. What that changes
            outside the hole is measured.

    Raises:
        NpfillError: A pixel outside the hole would change: a bug, and nothing is written.
    """
    losses = [(0, 0.0)]

    def filled(name: str, values: np.ndarray) -> bytes:
        after = _filled(incomplete, values, opaque=opaque)
        content = picture_bytes(after, common(name), keep=keep)
        if keep and not after.is_data:
            losses.append(incomplete.changed_outside(as_read_again(content, after)))
        return content

    def common(name: str) -> dict[str, str]:
        return text | {"npfill_output": name}

    count = {"npfill_samples": str(len(completion.samples))}
    makers: dict[str, Callable[[], bytes]] = {
        "mean": lambda: filled("mean", completion.mean),
        "sheet": lambda: png_bytes(_sheet(incomplete, completion), common("sheet") | count),
        "npz": lambda: _npz(incomplete, completion),
    }
    if (std := completion.std) is not None:
        makers["std"] = lambda: _std(incomplete, std, common("std"))
    for number, sample in enumerate(completion.samples, start=1):
        name = f"sample-{number}"
        makers[name] = lambda s=sample, n=name: filled(n, s)  # type: ignore[misc]
    contents = {name: makers[name]() for name in plan.paths}
    return Rendered(contents, *max(losses))


def _filled(incomplete: MaskedPicture, values: np.ndarray, *, opaque: bool = False) -> Picture:
    after = incomplete.filled(values, opaque=opaque)
    changed, _ = incomplete.changed_outside(after)
    if changed:
        raise NpfillError(f"{changed} px outside the hole would change", "please report this bug")
    return after


def _std(incomplete: MaskedPicture, std: np.ndarray, text: dict[str, str]) -> bytes:
    """Of a picture, a PNG that states its full scale; of data, data."""
    if incomplete.picture.is_data:
        return picture_bytes(incomplete.as_data(incomplete.deviation(std)), text, keep=False)
    picture, full_scale = std_picture(std, incomplete.hole)
    return png_bytes(picture, text | {"npfill_std_full_scale": repr(full_scale)})


def _sheet(incomplete: MaskedPicture, completion: "Completion") -> "Picture":
    """Data in neither one nor three channels show their first."""
    mean = completion.mean
    shown = slice(None) if mean.shape[-1] in {1, 3} else slice(1)
    std = None if completion.std is None else incomplete.deviation(completion.std)[..., shown]
    row = Row("", mean[..., shown], std, [sample[..., shown] for sample in completion.samples])
    hole = np.logical_or.reduce(incomplete.by_channel[..., shown], axis=-1)
    return Picture.of(contact_sheet(row.mean, hole, [row]), "sheet")


def _npz(incomplete: MaskedPicture, completion: "Completion") -> bytes:
    """The arrays, of data in their unit; without `std` where the model gives none."""
    arrays = {"mean": completion.mean, "samples": completion.samples, "hole": incomplete.hole}
    if incomplete.picture.is_data:
        arrays["mean"] = _filled(incomplete, completion.mean).values
        drawn = [_filled(incomplete, sample).values for sample in completion.samples]
        arrays["samples"] = np.stack(drawn) if drawn else arrays["mean"][None][:0]
    if completion.std is not None:
        arrays["std"] = incomplete.deviation(completion.std)
    return npz_bytes(arrays)
