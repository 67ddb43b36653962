"""Maps of classes given as masks: their classes, by number or colour, and those that are chosen."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Integer, Shaped
from PIL import Image

from npfill.errors import InputError, UsageError
from npfill.pictures.colours import colour_of, tolerance_of
from npfill.pictures.formats.raster import TURNS, orientation
from npfill.pictures.picture import Picture

_SAMPLED = 200_000  # pixels
_SHOWN = 6


def with_classes(mask: Picture, image: Image.Image, *, upright: bool = True) -> Picture:
    """A mask with the numbers of its palette, which may be classes, in `info["classes"]`.

    Args:
        mask: The mask, in the colours of the palette.
        image: What it was read from.
        upright: The mask has been turned by its EXIF orientation.

    Returns:
        The mask as it is, if there is no palette or its colours in use are grey.
    """
    if image.mode not in {"P", "PA"}:
        return mask
    image.load()
    numbers = np.asarray(image.getchannel(0))
    table = np.zeros((256, 3), dtype=np.uint8)
    entries = np.array(image.getpalette() or [], dtype=np.uint8).reshape(-1, 3)
    table[: len(entries)] = entries
    used = table[np.unique(numbers)]
    if (used == used[:, :1]).all():
        return mask
    if upright and orientation(image) in TURNS:
        numbers = TURNS[orientation(image)](numbers)
    return replace(mask, info={**mask.info, "classes": numbers})


def labelled(mask: Picture, labels: Sequence[int | str]) -> Bool[np.ndarray, "height width"]:
    """The pixels of some classes in a map of them.

    Args:
        mask: A palette, one channel of numbers, or colours.
        labels: Numbers of classes; or their colours, by name or as #rrggbb.

    Raises:
        InputError: There is no such class.
        UsageError: A class is neither a number nor a colour.
    """
    numbers = _numbers(mask)
    selected = np.zeros(mask.size, dtype=bool)
    for label in map(str, labels):
        if label.lstrip("-").isdecimal():
            if numbers is None:
                raise InputError(
                    f"{mask.name}: a map of colours, not of numbers",
                    f"`mask_label={_names(mask)[0][0]}`",
                )
            found = numbers == int(label)
        else:
            colour = colour_of(label)
            if colour is None:
                raise UsageError(
                    f"`mask_label={label}`: neither a number nor a colour",
                    f"in it are {_listed(mask)}",
                )
            step = max(mask.white // 255, 1)
            away = np.abs(mask.values[..., : mask.colours] - np.array(colour, np.int32) * step)
            found = away.max(axis=-1) <= tolerance_of(mask) * step
        if not found.any():
            raise InputError(
                f"{mask.name}: nothing in it is of class {label}", f"in it are {_listed(mask)}"
            )
        selected |= found
    return selected


def a_map(mask: Picture, white: int) -> InputError:
    """The refusal of a mask that is a map of classes, with the way to choose one.

    Args:
        mask: The mask.
        white: The level of white in it, were it none.
    """
    other = (_names(mask)[0] * 2)[1]  # the most frequent is the background, mostly
    return InputError(
        f"{mask.name}: a map of classes, whose lightness says nothing of a hole: {_listed(mask)}",
        f"`mask_label={other}` fills that class, several may be named"
        + ("" if "classes" in mask.info else f"; `mask_threshold={white // 2 + 1}` what is light"),
    )


def kinds_of(
    values: Shaped[np.ndarray, "*point channel"],
) -> tuple[Shaped[np.ndarray, "kind channel"], Float[np.ndarray, "kind"]]:
    """The distinct pixels of an array and their shares, the most frequent first; by a sample."""
    flat = values.reshape(-1, values.shape[-1])
    thin = flat[:: len(flat) // _SAMPLED | 1]
    kinds, counts = np.unique(thin, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return kinds[order], counts[order] / len(thin)


def _numbers(mask: Picture) -> Integer[np.ndarray, "height width"] | None:
    """The numbers of classes: of a palette's entries, or levels of grey."""
    numbers: np.ndarray | None = mask.info.get("classes")
    return mask.values[..., 0] if numbers is None and mask.values.shape[-1] <= 2 else numbers


def _names(mask: Picture) -> tuple[list[str], Float[np.ndarray, "kind"]]:
    """The classes of a map, numbers or else colours, the most frequent first; and their shares."""
    numbers = _numbers(mask)
    kinds, shares = kinds_of(mask.values[..., :3] if numbers is None else numbers[..., None])
    if numbers is not None:
        return [f"{kind[0]:g}" for kind in kinds], shares
    step = max(mask.white // 255, 1)
    return ["#" + "".join(f"{int(level) // step:02x}" for level in kind) for kind in kinds], shares


def _listed(mask: Picture) -> str:
    """A clause with the most frequent classes."""
    names, shares = _names(mask)
    each = [f"{name} ({100 * share:.1f} %)" for name, share in zip(names, shares, strict=True)]
    more = f" and {len(each) - _SHOWN} more" if len(each) > _SHOWN else ""
    return f"{', '.join(each[:_SHOWN])}{more}"
