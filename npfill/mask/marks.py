"""Masks of scratches and dust: light or dark marks of a colour that most of them share."""

from npfill.mask.network import find
from npfill.mask.painted import Selected, levels_of
from npfill.pictures.planes import grown


def scratches(picture: object, *, strength: float = 1.0, grow: int = 1) -> Selected:
    """Select scratches: long thin lines, light or dark, of a colour that most of them share.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        strength: More than 1 finds fainter lines, and more that are none.
        grow: Pixels by which the mask grows at the end.

    Returns:
        True on scratches, "height width".
    """
    return _selected("scratches", picture, strength, grow)


def dust(picture: object, *, strength: float = 1.0, grow: int = 0) -> Selected:
    """Select specks and fibres of dust: small light or dark marks of one colour; as `scratches`."""
    return _selected("dust", picture, strength, grow)


def _selected(kind: str, picture: object, strength: float, grow: int) -> Selected:
    return grown(find(levels_of(picture)[1], kind, strength).selected, grow)
