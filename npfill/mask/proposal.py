"""A proposal of a mask: what is asked for, or what seems to be there, united, and its sheet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from npfill.errors import InputError, UsageError
from npfill.mask.dates import text
from npfill.mask.marks import chances_of, dust, find, scratches
from npfill.mask.painted import Levels, colour, dead_lines, depth, levels_of, like, stripes
from npfill.notes import as_word
from npfill.package import __version__
from npfill.pictures.formats import png_bytes
from npfill.pictures.hole import from_mask
from npfill.pictures.picture import Picture
from npfill.pictures.planes import Selected, grown
from npfill.pictures.read import MAX_PIXELS
from npfill.pictures.sheet import panel, panel_size, table

_RED = np.array([1.0, 0.0, 0.24], dtype=np.float32)
_SURELY = 0.84  # the probability of what is said without being asked
_FEWEST = 1e-3  # of the picture
_MOST_SEEN = 100_000  # pixels of a picture that is looked at without being asked
# The function of each kind, and the words for what it finds.
_KINDS: dict[str, tuple[Callable[..., Selected], str]] = {
    "scratches": (scratches, "thin lines"),
    "dust": (dust, "specks"),
    "text": (text, "letters of a date"),
    "stripes": (stripes, "dead rows or columns"),
    "depth": (depth, "zeros"),
    "colour": (colour, "painted"),
    "like": (like, "differs from the other version"),
}
_STRONGER, _STRONGEST = {"scratches", "dust", "text"}, 10


@dataclass(frozen=True)
class Part:
    """One kind of damage that was found.

    Attributes:
        kind: The name of the function that finds it, as `scratches`.
        words: A line for the user.
        selected: True where it is.
    """

    kind: str
    words: str
    selected: Selected


@dataclass(frozen=True)
class Proposal:
    """A mask that is proposed for a picture.

    Attributes:
        levels: The picture, in levels from 0 to 255.
        parts: What was found, by kind.
        threshold: The `mask_threshold` that the file of the mask needs, as of `threshold_of`.
    """

    levels: Levels
    parts: tuple[Part, ...]
    threshold: float | None = None

    @property
    def selected(self) -> Selected:
        """True where something is wrong: the mask."""
        return np.logical_or.reduce([part.selected for part in self.parts])

    def mask_png(self) -> bytes:
        """The mask as a PNG, white where the picture is to be filled."""
        image = Image.fromarray(np.where(self.selected, np.uint8(255), np.uint8(0)))
        return png_bytes(image, {"npfill_version": __version__})

    def sheet_png(self) -> bytes:
        """The picture, and beside it the same with the mask in red."""
        shown = self.levels / 255
        marked = np.where(
            self.selected[..., None], _RED, shown if shown.shape[-1] == 3 else shown[..., :1]
        )
        size = panel_size(self.selected)
        sheet = table(["picture", "mask"], [""], [[panel(shown, size), panel(marked, size)]])
        return png_bytes(sheet, {"npfill_version": __version__, "npfill_output": "mask sheet"})


def propose(
    picture: object,
    kinds: Mapping[str, object] | None = None,
    *,
    strength: float = 1.0,
    grow: int | None = None,
    max_pixels: int | None = None,
) -> Proposal:
    """Propose a mask for a damaged picture.

    Args:
        picture: A path, a Pillow image or an array, as of `npfill.complete`.
        kinds: What to find, by the names of the functions of `npfill.mask`; the value is the colour
            of `colour` and the other version of `like`, else unused. None or empty: what seems to
            be there.
        strength: That of `scratches`, `dust` and `text`, named or seen.
        grow: Pixels by which the masks grow; each function has its own default.
        max_pixels: The most pixels of a file that is read; about 89 million by default.

    Raises:
        InputError: Nothing of it is found.
        UsageError: A kind is unknown, `grow` is negative, or nothing named takes a strength.
    """
    if unknown := [kind for kind in kinds or () if kind not in _KINDS]:
        raise UsageError(f"`kinds`: {unknown[0]!r} is unknown", f"some of {', '.join(_KINDS)}")
    stronger = not kinds or not _STRONGER.isdisjoint(kinds)
    if strength != 1 and not stronger:
        raise UsageError(
            f"`strength={strength:g}`: is not for {', '.join(kinds or ())}", "leave it out"
        )
    most = MAX_PIXELS if max_pixels is None else max_pixels
    given, levels = levels_of(picture, most)
    parts = tuple(seen(levels, strength, grow)) if not kinds else ()
    if not kinds and not parts:
        raise InputError(
            f"{given.name}: no thin lines, specks or dead rows are seen",
            "name what to find, as `scratches`, or `text` of a date; or paint the mask",
        )
    how: dict[str, object] = {} if grow is None else {"grow": grow}
    for kind, value in (kinds or {}).items():
        needed = (value,) if kind == "colour" else ()
        needed = (levels_of(value, most)[0],) if kind == "like" else needed
        more = how | ({"strength": strength} if kind in _STRONGER else {})
        function, words = _KINDS[kind]
        selected = function(given, *needed, **more)
        parts += (Part(kind, f"{words}: {_share(selected)}", selected),)
    proposal = Proposal(levels, parts)
    if not proposal.selected.any():
        hint = f"paint the mask: npfill paint {as_word(given.name)}"
        if stronger and strength <= _STRONGEST / 2:
            hint = f"`strength={2 * strength:g}` finds what is fainter"
        raise InputError(f"{given.name}: nothing found", hint)
    return replace(proposal, threshold=threshold_of(proposal.selected, given))


def threshold_of(selected: Selected, picture: Picture) -> float | None:
    """The `mask_threshold` without which the file of a mask, black and white, would be refused.

    Args:
        selected: True where it is white.
        picture: The picture that it is for, of the same size.

    Returns:
        128, or None if there is nothing to doubt.
    """
    levels = np.where(selected, np.uint8(255), np.uint8(0))[..., None]
    try:
        from_mask(Picture(levels, "PNG", "the mask"), picture)
    except InputError:
        return 128.0
    return None


def seen(levels: Levels, strength: float = 1.0, grow: int | None = None) -> list[Part]:
    """The damage that a picture clearly has, with what it looks like; none where in doubt.

    The arguments are those of `propose`; `levels` of the picture are from 0 to 255.
    """
    parts, chances = [], chances_of(levels)
    for kind in ("scratches", "dust"):
        marks = find(levels, chances, kind, strength)
        selected = grown(marks.selected, 1 if grow is None else grow)
        if marks.sure >= _SURELY and selected.mean() >= _FEWEST:
            tone = "light" if marks.light else "dark"
            words = f"thin {tone} lines" if kind == "scratches" else f"{tone} specks"
            parts.append(Part(kind, f"{words}: {_share(selected)}", selected))
    dead = grown(dead_lines(levels), grow or 0)
    if dead.any():
        parts.append(Part("stripes", f"{_KINDS['stripes'][1]}: {_share(dead)}", dead))
    return parts


def sight(picture: object) -> str:
    """A clause on the damage that is seen, as "thin light lines: 3.6 % of the picture"; "" if none.

    Of a large picture, its middle is looked at.
    """
    _, levels = levels_of(picture)
    rows, columns = levels.shape[:2]
    side = (_MOST_SEEN / (rows * columns)) ** 0.5
    if side < 1:
        tall, wide = round(rows * side), round(columns * side)
        top, left = (rows - tall) // 2, (columns - wide) // 2
        levels = levels[top : top + tall, left : left + wide]
    return "; ".join(part.words for part in seen(levels))


def _share(selected: Selected) -> str:
    return f"{100 * selected.mean():.1f} % of the picture"
