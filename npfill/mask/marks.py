"""Masks of scratches and dust: what a network is sure of, and what touches it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from npfill.mask.painted import Levels, levels_of
from npfill.pictures.planes import Pieces, Plane, Selected, grown

_SMALL, _MOST = 700, 3_200_000  # the side, and the pixels, of what is looked at
# What marks are at least, and two pixels of each.
_PROBABLY, _SURELY, _FEWEST = {"scratches": 0.2, "dust": 0.05}, {"scratches": 0.4, "dust": 0.2}, 2
_SHORTEST, _RATHER = 10, 0.5  # pixels of a scratch; the chance of what is rather marked than not
# The chance of marks that are certain; and their number, of that of the best size.
_CERTAIN, _AS_MANY = 0.9, 0.4
# The chances of each kind, at steps in pixels.
Chances = list[tuple[int, dict[str, Plane]]]
_RIM = 3  # pixels around marks that they are compared with


def scratches(picture: object, *, strength: float = 1.0, grow: int = 1) -> Selected:
    """Select scratches: long thin lines, light or dark, of a colour that most of them share.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        strength: More than 1 finds fainter lines, and more that are none.
        grow: Pixels by which the mask grows at the end; less than 0 is a UsageError.

    Returns:
        True on scratches, "height width".
    """
    return _selected("scratches", picture, strength, grow)


def dust(picture: object, *, strength: float = 1.0, grow: int = 0) -> Selected:
    """Select specks and fibres of dust: small light or dark marks of one colour; as `scratches`."""
    return _selected("dust", picture, strength, grow)


def _selected(kind: str, picture: object, strength: float, grow: int) -> Selected:
    levels = levels_of(picture)[1]
    return grown(find(levels, chances_of(levels), kind, strength).selected, grow)


@dataclass(frozen=True)
class Marks:
    """Marks of damage that were found.

    Attributes:
        selected: True where they are.
        light: Most are lighter than what is around them.
        sure: The mean probability of what is rather marked than not, 0 where nothing is.
    """

    selected: Selected
    light: bool
    sure: float


def chances_of(levels: Levels) -> Chances:
    """The chances of each kind, in full size and, of a large picture, at a half and a quarter."""
    from npfill.mask.network import chances  # noqa: PLC0415 - loads torch

    height, width = levels.shape[:2]
    colours = levels if levels.shape[-1] == 3 else levels[..., :1].repeat(3, axis=-1)
    found: Chances = []
    step = 1
    while step == 1 or max(height, width) >= _SMALL * step:
        if height * width <= _MOST * step * step:
            small = colours if step == 1 else _reduced(colours, step)
            found.append((step, chances(small)))
        step *= 2
    return found


def find(levels: Levels, chances: Chances, kind: str, strength: float = 1.0) -> Marks:
    """Find marks of a kind.

    Args:
        levels: The picture, "height width channel", 0 to 255.
        chances: Those of the picture, as of `chances_of`.
        kind: `scratches` or `dust`.
        strength: More than 1 finds fainter marks, and more that are none.
    """
    height, width = levels.shape[:2]
    found = [(step, each[kind]) for step, each in chances]
    counts = [int((each > _CERTAIN).sum()) * step**2 for step, each in found]
    chance = np.zeros((height, width), dtype=np.float32)
    for count, (step, each) in zip(counts, found, strict=True):
        if count >= _AS_MANY * max(counts):
            wide = each.repeat(step, axis=0).repeat(step, axis=1)[:height, :width]
            chance = np.maximum(chance, wide)
    pieces = Pieces.of(chance > min(_PROBABLY[kind] / strength, 0.95))
    wanted = pieces.count(chance > min(_SURELY[kind] / strength, 0.97)) >= _FEWEST
    if kind == "scratches":
        wanted &= pieces.length >= _SHORTEST
    selected = pieces.chosen(wanted)
    rather = chance[selected & (chance > _RATHER)]
    sure = float(rather.mean()) if rather.size else 0.0
    return Marks(selected, _is_light(levels, selected), sure)


def _is_light(levels: Levels, selected: Selected) -> bool:
    """Tell whether what is selected is lighter than what is around it."""
    around = grown(selected, _RIM) & ~selected
    if not (selected.any() and around.any()):
        return True
    return float(np.median(levels[selected])) >= float(np.median(levels[around]))


def _reduced(
    levels: Float[np.ndarray, "height width 3"], step: int
) -> Float[np.ndarray, "rows columns 3"]:
    """Means over squares; those at the border have fewer pixels."""
    height, width = (-(-side // step) * step for side in levels.shape[:2])
    wide = np.pad(
        levels, [(0, height - len(levels)), (0, width - levels.shape[1]), (0, 0)], mode="edge"
    )
    return wide.reshape(height // step, step, width // step, step, 3).mean((1, 3))
