"""Masks of what is known to be wrong: a painted colour, dead lines, another version, zeros."""

import numpy as np
from jaxtyping import Bool, Float

from npfill.errors import InputError
from npfill.pictures.colours import of_colour
from npfill.pictures.convert import as_picture
from npfill.pictures.hole import width_by_height
from npfill.pictures.picture import Picture
from npfill.pictures.planes import Pieces, Selected, box_mean, grown
from npfill.pictures.read import MAX_PIXELS

Levels = Float[np.ndarray, "height width channel"]

_TOLERANCE = 24  # levels, as coding changes a painted area away from its rim
_BLEED = 4  # pixels beyond which coding carries no colour
_SHARE = 0.12  # of the paint in a mixture that is taken for the rim
_COLUMNS = 600  # of a picture that are looked at for dead rows
_AROUND = 5  # rows on either side that a dead row is compared with
_TIMES_CODING = 4.0  # what coding changes usually
_MOST_CODING = 6.0  # levels that coding changes in half of a picture
_FEWEST_PIXELS = 4
_LEAST = 6.0  # levels by which a dead row differs
_TIMES = 5.0  # and times its surroundings
_FLAT = 0.15  # of the spread of rows around it, in a row of one value
_NEAREST = 3  # rows on either side that a row of one value is compared with


def levels_of(
    picture: object, max_pixels: int = MAX_PIXELS, name: str = "the picture"
) -> tuple[Picture, Levels]:
    """A picture, and its colours in levels from 0 to 255; of data, over their range."""
    given = picture
    if not isinstance(given, Picture):
        given = as_picture(picture, name, max_pixels).picture
    values = given.values[..., : given.colours]
    if not given.is_data:
        return given, values.astype(np.float32) * np.float32(255 / given.white)
    halves, most = np.multiply(values, 0.5, dtype=np.float64), np.finfo(np.float64).max / 2
    finite = np.isfinite(halves)
    low, high = halves.min(initial=most, where=finite), halves.max(initial=-most, where=finite)
    np.nan_to_num(halves, copy=False, nan=low, posinf=high, neginf=low)  # in place
    halves -= low
    halves /= (high - low) or 1.0  # which, of halves, is not infinite
    return given, halves.astype(np.float32) * 255


def colour(picture: object, colour: str, *, grow: int = 1) -> Selected:
    """Select what was painted in a colour, and its rim, in a JPEG, too, which blurs it.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        colour: `magenta`, `#ff00ff`, or with a tolerance in levels of 255, 24 by default,
            `#ff00ff~12`.
        grow: Pixels by which the mask grows at the end; less than 0 is a UsageError.

    Returns:
        True where the picture was painted, "height width".

    Raises:
        UsageError: It is not a colour.
        InputError: The picture has next to nothing of it.
    """
    given, levels = levels_of(picture)
    word = colour.removeprefix("color:")
    core, _ = of_colour(given, f"color:{word}" if "~" in word else f"color:{word}~{_TOLERANCE}")
    paint = np.median(levels[core], axis=0)
    near, far = grown(core, _BLEED), grown(core, 3 * _BLEED)
    around = (far & ~near).astype(np.float32)
    weight = np.maximum(box_mean(around, 3 * _BLEED), 1e-6)[..., None]
    behind = [box_mean(plane * around, 3 * _BLEED) for plane in np.moveaxis(levels, -1, 0)]
    background = np.stack(behind, axis=-1) / weight
    towards = paint - background
    share = ((levels - background) * towards).sum(-1) / np.maximum((towards**2).sum(-1), 1)
    return grown(core | (near & (share > _SHARE)), grow)


def stripes(picture: object, *, grow: int = 0) -> Selected:
    """Select dead rows and columns: whole lines that differ from those around them.

    Lines of up to five pixels are found; what is dead along a part of the picture alone is not.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        grow: Pixels by which the mask grows at the end; less than 0 is a UsageError.

    Returns:
        True on dead lines, "height width".
    """
    return grown(dead_lines(levels_of(picture)[1]), grow)


def dead_lines(levels: Levels) -> Selected:
    """True on dead rows and columns of levels from 0 to 255, as `stripes` finds them."""
    return _dead_rows(levels)[:, None] | _dead_rows(np.swapaxes(levels, 0, 1))


def like(
    picture: object, other: object, *, tolerance: float | None = None, grow: int = 0
) -> Selected:
    """Select where a picture differs from another version of it, or one of them is transparent.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        other: The other version, of the same size.
        tolerance: Levels of 255 by which both may differ, of data over the smaller of their ranges;
            by default what coding seems to change.
        grow: Pixels by which the mask grows at the end; less than 0 is a UsageError.

    Returns:
        True where they differ, "height width".

    Raises:
        InputError: They have not the same size, or neither the same channels nor is one of them
            grey; or they differ in half of the picture, so that nothing stands out.
    """
    one, levels = levels_of(picture)
    another, levels_of_other = levels_of(other, name="the other version")
    if one.size != another.size:
        raise InputError(
            f"{another.name} is {width_by_height(another.size)} but {one.name} is "
            f"{width_by_height(one.size)}",
            "two versions of one picture have one size",
        )
    channels, channels_of_other = levels.shape[-1], levels_of_other.shape[-1]
    if channels != channels_of_other and 1 not in (channels, channels_of_other):
        raise InputError(
            f"{another.name} has {channels_of_other} channels but {one.name} has {channels}",
            "two versions of one picture have the same channels",
        )
    differences = levels - levels_of_other
    if one.is_data and another.is_data:
        differences = _apart(one, another)
    differences = np.moveaxis(differences, -1, 0)
    apart = np.abs(differences).max(0)
    erased = np.logical_xor(*map(_is_clear, (one, another)))
    if tolerance is not None:
        return grown((apart > tolerance) | erased, grow)
    # What coding adds has no mean; what was painted over has.
    lasting = np.abs([box_mean(each, 1) for each in differences]).max(0)
    usual = float(np.median(lasting))
    pieces = Pieces.of(lasting > max(2.0, _TIMES_CODING * usual))
    surely = pieces.count(lasting > max(4.0, 3 * _TIMES_CODING * usual))
    selected = (pieces.chosen(surely >= _FEWEST_PIXELS) & (apart > 2)) | erased
    if usual > _MOST_CODING and not selected.any():
        raise InputError(
            f"{another.name} differs from {one.name} by {usual:.0f} levels of 255, or more, in "
            "half of the picture: nothing stands out",
            "another picture, or another brightness, cannot be compared: paint the mask",
        )
    return grown(selected, grow)


def depth(picture: object, *, grow: int = 0) -> Selected:
    """Select the zeros of a picture or of data: what a depth camera did not measure.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        grow: Pixels by which the mask grows at the end; less than 0 is a UsageError.

    Returns:
        True where all channels are zero or no number, "height width".
    """
    given, _ = levels_of(picture)
    values = given.values[..., : given.colours]
    return grown(((values == 0) | (values != values)).all(axis=-1), grow)  # noqa: PLR0124 - NaN


def _apart(one: Picture, another: Picture) -> Levels:
    """The difference of two versions of data in levels of 255, over the smaller of their ranges."""
    pair = []
    for each in (one, another):
        values = each.values[..., : each.colours].astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        if each.missing is not None:
            values[each.missing[..., : each.colours]] = np.nan
        pair.append(values)
    ranges = [np.ptp(known) for each in pair if (known := each[~np.isnan(each)]).size]
    unit = min((each for each in ranges if each > 0), default=1.0) / 255
    neither = np.logical_and(*map(np.isnan, pair))
    apart = np.where(neither, 0, np.clip((pair[0] - pair[1]) / unit, -255, 255))
    return np.nan_to_num(apart, nan=255).astype(np.float32)


def _is_clear(picture: Picture) -> Selected:
    """True where a picture is transparent."""
    if not picture.has_alpha:
        return np.zeros(picture.size, dtype=bool)
    clear: np.ndarray = picture.values[..., -1] < picture.white / 2
    return clear


def _dead_rows(levels: Levels) -> Bool[np.ndarray, " height"]:
    """True of each row that differs, along most of it, from the median of those around it."""
    step = max(1, levels.shape[1] // _COLUMNS)
    some = levels[:, ::step]
    padded = np.pad(some, ((_AROUND, _AROUND), (0, 0), (0, 0)), mode="reflect")
    shifted = [padded[k : k + len(some)] for k in range(2 * _AROUND + 1)]
    median = np.partition(np.stack(shifted), _AROUND, axis=0)[_AROUND]  # of an odd number
    away = np.abs(some - median).max(-1)
    usual_away = np.median(away, axis=1)
    dead: np.ndarray = usual_away > np.maximum(_LEAST, _TIMES * _median_around(usual_away))
    low, high = np.quantile(some, (0.06, 0.94), axis=1)
    spread = (high - low).max(-1)
    is_flat = spread < _FLAT * _median_around(spread)
    others = np.flatnonzero(~is_flat)
    for row in np.flatnonzero(is_flat):
        nearest = others[np.argsort(np.abs(others - row), kind="stable")[: 2 * _NEAREST]]
        away = np.abs(some[row] - np.median(some[nearest], axis=0)).max(-1)
        dead[row] |= np.median(away) > _LEAST / 2
    return dead


def _median_around(values: Float[np.ndarray, " row"]) -> Float[np.ndarray, " row"]:
    """The median of each value and those near it."""
    around = np.pad(values, 4 * _AROUND, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(around, 8 * _AROUND + 1)
    return np.median(windows, axis=1)
