"""The meaning of a mask: which of its levels is white, for every type; what is doubtful is refused.

A mask is read by its lightness. That says nothing where it holds a picture, a map of classes, or
numbers whose white is unknown: then an error says what it holds, and which option decides.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Shaped

from npfill.errors import InputError
from npfill.notes import News
from npfill.pictures.classes import a_map, kinds_of
from npfill.pictures.colours import tolerance_of
from npfill.pictures.formats.raster import ONE_BIT
from npfill.pictures.itself import MASK, a_picture, is_itself, shows
from npfill.pictures.picture import Picture, match_channels

_NEAR = 0.51  # of a step, by which the ends of rows or columns may differ on average
_TRACE = 0.05  # a share of pixels that says nothing
_BLACK, _WHITE = 0.05, 0.95  # of full scale: lighter, and darker, is grey
_OVERSHOOT = 0.05  # by which resampling goes beyond black and white
_WHITES = (1, 255, 65535)
_AREA = 0.005  # of the pixels: a level or colour of as many is no edge between two others
_COMPACT = 0.4  # of the pixels of an area lie within it; of noise, far fewer
_FEW = 64  # levels, of which a map of classes has fewer, and a blurred mask more


def levels_of(
    mask: Picture, picture: Picture, *, doubted: bool, inverted: bool
) -> tuple[Shaped[np.ndarray, "height width"], int, list[str]]:
    """The levels of a mask by its lightness, that of white, and notes on how they were found.

    Colour counts by its luminance (ITU-R 601). Alpha is the mask if it varies and the colour does
    not; otherwise colour counts times alpha. White is what the type says: True, 255 of uint8, 65535
    of uint16. Of other numbers it is 1 if none is greater, else 255 or 65535 if that is the
    greatest, give or take what resampling adds.

    Args:
        mask: Grey or colours, with alpha or without, in numbers of any type and byte order.
        picture: The picture that it is for, which it may be itself by mistake.
        doubted: No option says what is meant by the levels.
        inverted: The hole will be inverted, so it is known which part of the mask is kept.

    Raises:
        InputError: It has too many channels, values that are no levels, or its lightness cannot be
            what is meant.
    """
    values = mask.values.astype(mask.values.dtype.newbyteorder("="), copy=False)
    channels = values.shape[-1]
    is_true = values.dtype == np.bool_
    if is_true and channels > 1:
        raise InputError(
            f"{mask.name}: a mask of {channels} channels", "a mask is height x width: one channel"
        )
    if is_true:
        return values[..., 0], 1, [*mask.notes]
    white = _white_of(mask, values, doubted=doubted)
    if doubted and is_itself(mask, picture):
        raise a_picture(mask, picture)
    notes = [note for note in mask.notes if note != ONE_BIT]  # as masks should be
    colours, alpha = values[..., : 3 if channels > 2 else 1], values[..., -1]
    grey, decided = colours[..., 0], not doubted
    if (colours != colours[..., :1]).any():
        if doubted:
            decided = _is_of_two_colours(mask, colours, white, picture)
        luminance = match_channels(colours.astype(np.float32), 1)[..., 0]
        grey = np.rint(luminance).astype(values.dtype) if white > 1 else luminance
        notes.append(News("its colours are read as their luminance"))
    if channels in {2, 4} and (alpha != white).any():
        if (colours == colours[0, 0]).all() and (alpha != alpha[0, 0]).any():
            if doubted and not inverted and np.mean(alpha >= white / 2) > 1 / 2:
                raise InputError(
                    f"{mask.name}: of one colour, and more than half opaque: which part is meant?",
                    "`invert_mask=True` fills what is transparent, "
                    f"`mask_threshold={threshold_for(alpha)}` what is opaque",
                )
            notes.append(News("its alpha is the mask, as its colour is the same everywhere"))
            grey = alpha
        else:
            notes.append(News("its colour times its alpha is the mask"))
            opaque = grey * (alpha / np.float32(white))
            if doubted and not (opaque >= white / 2).any() and (grey >= white / 2).any():
                raise InputError(
                    f"{mask.name}: what is light in it is transparent: which part is meant?",
                    "save it without transparency",
                )
            grey = opaque
    if not decided:
        notes += _doubts(mask, grey, white, picture)
    return grey, white, notes


def lying_as(mask: Picture, picture: Picture) -> Picture:
    """A mask whose rows and columns run as those of the picture, where both say how they run.

    Args:
        mask: The mask. Its `info` may have `axes`: the coordinates of rows, and of columns, which
            say nothing where both merely count.
        picture: The picture that it is for. Longitudes may differ by a turn.

    Raises:
        InputError: It lies elsewhere.
    """
    axes = [each.info.get("axes", ()) for each in (mask, picture)]
    counts = any(  # from 0 or 1
        all((np.abs(at - np.arange(at.size)) <= 1).all() for at in each) for each in axes
    )
    for axis, (own, other) in enumerate(zip(*axes, strict=False)):
        if min(own.size, other.size) < 2:
            continue
        near = _NEAR * max(np.median(np.abs(np.diff(each))) for each in (own, other))
        around = 360 if axis == 1 and np.abs([*own, *other]).max() <= 360 else 0
        same, turned = (
            np.abs(apart - around * np.round(apart / 360)).mean() <= near
            for apart in (own[[0, -1]] - other[[0, -1]], own[[-1, 0]] - other[[0, -1]])
        )
        if turned and not same:
            mask = replace(mask, values=np.flip(mask.values, axis))
        elif not same and not counts:
            (top, bottom), (first, last) = own[[0, -1]], other[[0, -1]]
            raise InputError(
                f"{mask.name}: its {('rows', 'columns')[axis]} lie from {top:.9g} to {bottom:.9g}, "
                f"those of {picture.name} from {first:.9g} to {last:.9g}",
                "bring it to the same grid, or take it without coordinates (xarray: drop_vars)",
            )
    return mask


def threshold_for(levels: np.ndarray, wanted: float | None = None) -> str:
    """A threshold, as text, that neither all levels nor none reach: a wanted one, or the middle."""
    low, high = levels.min(), levels.max()
    middle = (float(low) + float(high)) / 2
    if wanted is not None and low < wanted <= high:
        middle = wanted
    if levels.dtype.kind != "f":
        middle = np.ceil(middle)
    least = middle if middle > 0 else float(high)
    short = f"{least:.4g}" if levels.dtype.kind == "f" else f"{least:.0f}"
    return short if low < float(short) <= high else repr(least)


def _white_of(mask: Picture, values: np.ndarray, *, doubted: bool) -> int:
    """The level of white, by the type or else by the greatest value."""
    name = mask.name
    if values.dtype in (np.uint8, np.uint16):
        return int(np.iinfo(values.dtype).max)
    is_float = values.dtype.kind == "f"
    if is_float and not np.isfinite(values).all():
        raise InputError(
            f"{name}: {np.count_nonzero(~np.isfinite(values)):,} values are NaN or infinite, "
            "neither black nor white",
            "NaN marks what is missing in data; of a mask, save numpy.isnan of it",
        )
    low, high = float(values.min()), float(values.max())
    beyond = _OVERSHOOT if is_float else 0
    for white in _WHITES:
        reaches = white == 1 or high >= _WHITE * white
        if reaches and -beyond * white <= low and high <= (1 + beyond) * white:
            exact = high == white or (white == 1 and high < 1)
            if exact or np.mean(_greys(values, white)) <= _TRACE:
                return white
    if not doubted:
        return 1
    if not is_float and values.shape[-1] == 1 and _has_classes(values[..., 0], int(high) + 1):
        raise a_map(mask, int(high))
    raise InputError(
        f"{name}: its values are from {low:g} to {high:g}, of which white may be 1, 255 or 65535",
        f"`mask_threshold={threshold_for(values)}` fills from level {threshold_for(values)} upwards"
        if low < high and high > 0
        else "save it as true and false, or as levels from 0 to 255",
    )


def _is_of_two_colours(mask: Picture, colours: np.ndarray, white: int, picture: Picture) -> bool:
    """True if a light colour and a dark one are as good as white and black; False if it is grey.

    Raises:
        InputError: It is a map of classes in colours, or a picture.
    """
    apart = colours.max(axis=-1).astype(np.float32) - colours.min(axis=-1)
    if np.mean(apart > white / 10) <= _TRACE or (colours == colours[0, 0]).all():
        return False
    kinds, shares = kinds_of(mask.values)
    large = shares >= _AREA
    if shares[~large].sum() > 2 * _TRACE:
        raise a_picture(mask, picture)
    levels = match_channels(kinds[large, :3].astype(np.float32), 1)[:, 0]
    if kinds.shape[1] == 4:
        levels *= kinds[large, 3] / np.float32(white)
    light = levels >= white / 2
    if large.sum() != 2 or light.all() or not light.any():
        raise a_map(mask, white)
    return True


def _doubts(mask: Picture, grey: np.ndarray, white: int, picture: Picture) -> list[str]:
    """A note on levels that are neither black nor white.

    Raises:
        InputError: Not all are black, but none is as light as half of full scale; or most are
            neither; or they are classes, or a picture.
    """
    if grey.dtype.kind != "f" and _has_classes(grey, white) and not tolerance_of(mask):
        raise a_map(mask, white)
    brightest = grey.max()
    if 0 < brightest < white / 2:
        hint = MASK
        if grey.min() < brightest:
            least = threshold_for(grey)
            hint = f"`mask_threshold={least}` fills from level {least} upwards"
            if brightest == 1:
                hint = "0/1 mask? `mask_threshold=1`"
        raise InputError(
            f"{mask.name}: brightest value is {brightest:g} of {white}, nothing is selected", hint
        )
    greys = _greys(grey, white)
    share = np.mean(greys)
    if share > _TRACE and shows(picture, grey / white, greys):
        raise a_picture(mask, picture)
    text = f"{100 * share:.0f} % of it is neither black nor white"
    if share > 1 / 2:
        if mask.values.shape[-1] in {2, 4} and (mask.values[..., -1] < white / 2).any():
            raise a_picture(mask, picture)
        raise InputError(
            f"{mask.name}: {text}",
            f"`mask_threshold={threshold_for(grey, white / 2)}` fills what is as light or lighter",
        )
    if share <= _TRACE:
        return []
    return [
        f"{text}, anti-aliased or lossy: cut at half of full scale, `mask_threshold` moves that"
    ]


def _has_classes(grey: np.ndarray, white: int) -> bool:
    """True if there are few levels, and areas of one between black and white.

    Lines of two pixels are none: a straight rim has them once it is resampled.
    """
    here = grey[:-1, :-1]
    alike = (here == grey[1:, :-1]) & (here == grey[:-1, 1:])
    inner = here[alike]
    wide = here[1:, 1:][alike[1:, 1:] & alike[:-1, 1:] & alike[1:, :-1]]
    if not inner.size or len(kinds_of(grey[..., None])[0]) > _FEW:
        return False
    kinds, shares = kinds_of(inner[:, None])
    between = (kinds[:, 0] > grey.min()) & (kinds[:, 0] < min(grey.max(), _WHITE * white))
    between &= np.isin(kinds[:, 0], wide)
    large = shares * inner.size >= max(_AREA * grey.size, 8)
    areas = zip(kinds[between & large, 0], shares[between & large] * inner.size, strict=True)
    return any(count >= _COMPACT * np.count_nonzero(grey == level) for level, count in areas)


def _greys(levels: np.ndarray, white: int) -> Bool[np.ndarray, "..."]:
    return (levels > _BLACK * white) & (levels < _WHITE * white)
