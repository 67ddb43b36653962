"""A completion's doubt made visible: intervals, a map in colours, and pixels that stay open."""

from dataclasses import replace
from functools import reduce

import numpy as np
from jaxtyping import Float
from PIL import Image

from npfill.completion.completed import CompletedPicture
from npfill.completion.hole import Prepared
from npfill.completion.parameters import SamplingOptions
from npfill.errors import InputError, UsageError
from npfill.pictures.formats import FORMATS, picture_bytes, png_bytes
from npfill.pictures.nodata import none_of
from npfill.pictures.picture import ANGLE, CLASSES, Picture
from npfill.pictures.reach import unsaid, without
from npfill.pictures.scales import stored_type
from npfill.pictures.sheet import heat as in_colours

Text = dict[str, str]
_COLOURS = np.rint(in_colours(np.linspace(0, 1, 256)[None]) * 255).astype(np.uint8).tobytes()


def mean(done: CompletedPicture, _: int, text: Text, kind: str) -> bytes:
    """The mean, but for what stays open."""
    return picture_bytes(opened(done, done.filled(done.mean), kind), text, keep=True)


def sample(done: CompletedPicture, number: int, text: Text, kind: str) -> bytes:
    """A sample, but for what stays open."""
    picture = opened(done, done.filled(done.samples[number]), kind)
    return picture_bytes(picture, text | done.text_of_samples, keep=True)


LEFT_OPEN = (mean, sample)


def refuse_open(prepared: Prepared, kind: str, tolerance: float | None) -> None:
    """Check that a result can show what stays open, where something may, before it is made.

    Args:
        prepared: The picture and its hole.
        kind: The format of the result, a key of `FORMATS`.
        tolerance: The width of an interval beyond which pixels stay open; None for none.

    Raises:
        UsageError: The format may have no alpha.
        InputError: The data have no NaN, and no value that says that there is none.
    """
    picture, masking = prepared.masked.picture, prepared.masking
    numbers = {"tolerance": tolerance, "max_distance": masking.max_distance}
    given = next((name for name, value in numbers.items() if value is not None), "inner")
    is_unable = picture.is_data and none_of(picture) is None
    if is_unable and (tolerance is not None or unsaid(picture, prepared.stays).any()):
        raise InputError(
            f"{picture.name}: {stored_type(picture)} has no NaN for what stays open",
            f"`nodata=V` says which value is none; or leave `{given}` out",
        )
    if not (picture.is_data or picture.has_alpha or kind == "PNG"):
        raise UsageError(
            f"`{given}`: what stays open is transparent, and {FORMATS[kind].label} may have no "
            "alpha",
            '`format="png"`, with .png wherever `output` or `name` has a suffix',
        )


def opened(done: CompletedPicture, picture: Picture, kind: str) -> Picture:
    """A completed picture in a format, NaN or transparent where it stays open.

    Raises:
        NpfillError: As `refuse_open` does.
    """
    picture, tolerance = replace(picture, format=kind), done.sampling.tolerance
    still = done.still_open
    if tolerance is None and not still.any():
        return picture
    refuse_open(done.prepared, kind, tolerance)
    if picture.is_data:
        return without(picture, still)
    values = picture.values.copy()
    if not picture.has_alpha:
        opaque = np.full_like(values[..., :1], picture.white)
        values = np.concatenate([values, opaque], axis=-1)
    values[still.any(axis=-1), -1] = 0
    return replace(picture, values=values)


def refuse_interval(picture: Picture, how: SamplingOptions, *, emitted: bool = False) -> None:
    """Check that nothing asks for intervals of classes, before they are made.

    Raises:
        UsageError: They are emitted, have a probability, or a tolerance that is no chance, below 1.
    """
    asked = emitted or how.confidence is not None or (how.tolerance or 0) >= 1
    if picture.measure == CLASSES and asked:
        raise UsageError(
            "`emit=interval`, `confidence`, or a `tolerance` of 1 and more: between classes there "
            "is no order, and so no interval",
            "`emit=std` is the chance of being wrong, `tolerance=0.2` leaves open where it is "
            "more, and numbers of `kind=data` have intervals",
        )


def interval(done: CompletedPicture, number: int, text: Text, kind: str) -> bytes:
    """The lower, number 0, or the upper picture of the central interval of the confidence.

    That of an angle is a turn at the most; where it holds 0, its lower end is above the upper one.
    """
    assert done.std is not None
    picture, reach = done.prepared.masked.picture, done.half_width * done.std
    refuse_interval(picture, done.sampling, emitted=True)
    is_angle = picture.measure == ANGLE
    values = done.mean + (2 * number - 1) * (np.minimum(reach, 0.5) if is_angle else reach)
    values = values % 1 if is_angle else values
    return picture_bytes(replace(done.filled(values), format=kind), text, keep=True)


def std_of(done: CompletedPicture) -> Float[np.ndarray, "height width channel"]:
    """The standard deviation in the unit of the picture's values; NaN where data stay missing."""
    assert done.std is not None
    masked, stays = done.prepared.masked, done.prepared.stays
    std = masked.deviation_of_values(done.std, done.mean)
    if masked.picture.is_data and masked.picture.missing is not None:
        lacks = masked.picture.missing[..., : masked.picture.colours]
        std[(lacks & ~masked.by_channel) | stays] = np.nan
    return std


def shown_std(done: CompletedPicture) -> Float[np.ndarray, "height width #channel"]:
    """The standard deviation to show: of colours that go together, that of their mean."""
    assert done.std is not None
    masked = done.prepared.masked
    std = masked.deviation(done.std, done.mean)[..., ~masked.dead]  # which have none
    if done.correlation is None or masked.picture.is_data:
        return std
    squares = np.einsum("hwi,ij,hwj->hw", std, done.correlation, std, optimize=True)
    return np.asarray(np.sqrt(squares)[..., None] / std.shape[-1], dtype=std.dtype)


def heat(done: CompletedPicture, _: int, text: Text, _kind: str) -> bytes:
    """The standard deviation in colours, from dark at 0 to light at the largest, pixel by pixel."""
    std = shown_std(done)
    std = reduce(np.hypot, np.moveaxis(std, -1, 0)) / std.shape[-1] ** 0.5  # squares may overflow
    full = float(std.max(initial=0, where=np.isfinite(std))) or 1.0
    shown = np.nan_to_num(std / full).clip(0, 1)
    image = Image.fromarray(np.rint(shown * 255).astype(np.uint8))
    image.putpalette(_COLOURS)
    return png_bytes(image, text | {"npfill_std_full_scale": repr(full)})


def still_open(done: CompletedPicture, _: int, text: Text, _kind: str) -> bytes:
    """The mask of what stays open, white."""
    levels = np.where(done.still_open.any(axis=-1), np.uint8(255), np.uint8(0))
    return png_bytes(Picture(levels[..., None], "PNG", "open"), text)
