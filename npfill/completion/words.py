"""Words for a person: how sure a completion is, and which model is made for a picture."""

import numpy as np
from jaxtyping import Bool, Float

from npfill import zoo
from npfill.completion.parameters import CONFIDENCE, SamplingOptions
from npfill.mask import sight
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.picture import CLASSES, Picture
from npfill.pictures.planes import Pieces, around

_UNSURE = 0.1  # a standard deviation beyond which a pixel is a guess: 25 levels of 255
_FEWEST = 9  # pixels of a place
# Up to which share of the hole is unsure, in words.
_WORDS = ((0.0, "sure everywhere"), (0.05, "sure nearly everywhere"), (0.3, "sure in most places"))


def unsure(
    std: Float[np.ndarray, "height width channel"], hole: Bool[np.ndarray, "height width"]
) -> Bool[np.ndarray, "height width"]:
    """True where the mean of a picture may be off by more than a look forgives."""
    return (np.square(std).mean(-1) > _UNSURE**2) & hole


def sureness(
    std: Float[np.ndarray, "height width channel"] | None, masked: MaskedPicture
) -> list[str]:
    """A line such as "sure nearly everywhere, unsure at 3 places, the largest about 412,230".

    None without a std, and of data, which have a unit.
    """
    if std is None or masked.picture.is_data:
        return []
    hole = masked.anywhere
    near = around(hole)
    pieces = Pieces.of(unsure(std[near], hole[near]))
    places = pieces.size >= _FEWEST
    count = int(places.sum())
    share = float(pieces.size.sum() / max(1, hole.sum()))
    words = next((words for most, words in _WORDS if share <= most), "a guess in much of the hole")
    if not count:
        return [words]
    largest = int(np.where(places, pieces.size, 0).argmax())
    x = near[1].start + (pieces.left[largest] + pieces.right[largest]) // 2
    y = near[0].start + (pieces.top[largest] + pieces.bottom[largest]) // 2
    where = f"{count} places, the largest about {x},{y}" if count > 1 else f"a place about {x},{y}"
    return [f"{words}, unsure at {where}"]


def left_open(count: int, sampling: SamplingOptions, picture: Picture) -> str:
    """A sentence on the number of pixels that stay open, and why."""
    why = f"{100 * (sampling.confidence or CONFIDENCE):g} % interval is wider than"
    why = "chance of being wrong is above" if picture.measure == CLASSES else why
    return f"{count:,} px stay open: their {why} {sampling.tolerance:g}"


def better_model(picture: Picture, name: str) -> list[str]:
    """A sentence on the models that are made for a picture, if the one for photographs is given it.

    Args:
        picture: The picture.
        name: The name of what completes it.
    """
    if name != zoo.DEFAULT or picture.is_data or picture.size[0] != picture.size[1]:
        return []
    made = {
        other: entry.data
        for other, entry in zoo.shipped().items()
        if entry.counts and (entry.size, entry.channels) == (picture.size[0], picture.colours)
    }
    if not made:
        return []
    best = min(made, key=lambda other: zoo.entries()[other].mse)
    thing = "a handwritten digit" if picture.colours == 1 else "a face"
    return [f'if this is {thing}, `model="{best}"` is made for it']


def sight_of(picture: Picture) -> str:
    """A clause on the damage that is seen in a picture; of data, that none is NaN."""
    if picture.is_data:
        return ", and no value is NaN"
    seen = sight(picture)
    return f"; seen: {seen}" if seen else ""


def is_transparent(picture: Picture) -> bool:
    """True of a picture that is transparent in places, and not everywhere."""
    if not picture.has_alpha:
        return False
    transparent = picture.values[..., -1] < picture.white / 2
    return bool(transparent.any() and not transparent.all())
