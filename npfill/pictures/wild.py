"""Wild values: a cosmic ray, a speck, a glint; few, far from all others, and alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

from npfill.pictures.picture import Picture
from npfill.pictures.scales import from_line, in_unit, to_line

_TAIL = 0.01  # the share at each end that may be anything
_FEWEST = 20  # values, of fewer none is wild
Unseen = Bool[np.ndarray, "height width #channel"]
SAMPLE = 2**20  # values that the quantiles are of, at most
# Distances beyond the quantiles, in the distance of these: where neighbours say otherwise, and
# where there are none.
_BESIDE_OTHERS, _ALONE = 1.0, 10.0


@dataclass(frozen=True)
class Whole:
    """Facts of a whole raster of data, where a picture is a window of it.

    Attributes:
        low, width: The value of intensity 0 of each channel, and the difference to that of 1.
        limits: The least and the greatest value of each channel that is not wild.
        quantiles: Of each channel, those that a wild value is measured from: see `tails`.
        dead: True of channels without an observed value.
    """

    low: Float[np.ndarray, " channel"]
    width: Float[np.ndarray, " channel"]
    limits: Float[np.ndarray, "2 channel"]
    quantiles: Float[np.ndarray, "channel 2"]
    dead: Bool[np.ndarray, " channel"]


def tails(known: Shaped[np.ndarray, " value"]) -> tuple[float, float]:
    """The quantiles of 1 and 99 %, of a million values at most; NaN of few, and of a constant."""
    known = known[:: -(-len(known) // SAMPLE) or 1].astype(np.float64)
    if len(known) >= _FEWEST:
        low = float(np.quantile(known, _TAIL, method="higher"))
        high = float(np.quantile(known, 1 - _TAIL, method="lower"))
        if 0 < high - low < np.inf:
            return low, high
    return np.nan, np.nan


def wild(
    values: Shaped[np.ndarray, "height width"],
    seen: Bool[np.ndarray, "height width"],
    quantiles: Sequence[float] = (),
) -> tuple[Bool[np.ndarray, "height width"], tuple[float, float]]:
    """Find values that are far from nearly all others and from most of those beside them.

    Far is a distance, beyond the quantiles of 1 and 99 %, of as much as lies between these: seven
    standard deviations of a normal distribution. What reaches far together, as a mountain does or
    a star, is not wild.

    Args:
        values: Finite where they are seen.
        seen: True where they are observed.
        quantiles: Those of a picture that this is a window of.

    Returns:
        True where a value is wild; and the ends of the range that is not far, NaN without any.
    """
    alone = np.zeros(seen.shape, dtype=bool)
    low, high = quantiles or tails(values[seen])
    if np.isnan(low):
        return alone, (low, high)
    with np.errstate(all="ignore"):
        beyond = np.maximum(low - values, values - np.float64(high)) / (high - low)
        far = seen & (beyond > _BESIDE_OTHERS) & np.isfinite(values)
    rows, columns = far.nonzero()
    around = [(row, column) for row in (0, 1, 2) for column in (0, 1, 2) if (row, column) != (1, 1)]
    counts = [
        sum(padded[rows + row, columns + column].astype(int) for row, column in around)
        for padded in (np.pad(seen, 1), np.pad(far, 1))
    ]
    is_wild = np.where(counts[0] > 0, 2 * counts[1] <= counts[0], beyond[rows, columns] > _ALONE)
    alone[rows[is_wild], columns[is_wild]] = True
    return alone, (low - (high - low), high + (high - low))


def seen_of_data(
    picture: Picture,
    hole: Bool[np.ndarray, "height width #channel"],
    unseen: Unseen,
    whole: Whole | None = None,
) -> tuple[Bool[np.ndarray, "height width channel"], Unseen, bool, list[str]]:
    """The values of data that are completed from.

    Args:
        picture: The data.
        hole: True where they are filled, of all channels or of each.
        unseen: True where nothing is filled or used.
        whole: Facts of the raster that they are a window of.

    Returns:
        True where values are not used; what is unseen, with wild values;
        True if nothing may be filled beyond the range of what is used; and notes.
    """
    shape, notes = (*picture.size, picture.colours), list[str]()
    hidden = np.broadcast_to(hole | unseen, shape)
    bounded = bool(picture.measure) or in_unit(picture, hidden)
    if not bounded:
        unseen, notes = _with_wild(picture, hidden, unseen, whole)
        hidden = np.broadcast_to(hole | unseen, shape)
    return hidden, unseen, bounded or picture.asked.clip, notes


@np.errstate(over="ignore")  # of a limit whose logarithm is known alone
def _with_wild(
    picture: Picture,
    hidden: Bool[np.ndarray, "height width channel"],
    unseen: Unseen,
    whole: Whole | None,
) -> tuple[Unseen, list[str]]:
    """Add the wild values that are not hidden to what is unseen, with notes on them."""
    notes, every = list[str](), np.zeros(hidden.shape, dtype=bool)
    for channel in range(picture.colours):
        seen = ~hidden[..., channel]
        line = np.zeros(seen.shape)
        line[seen] = to_line(picture, picture.values[seen, channel])
        quantiles = () if whole is None else whole.quantiles[channel].tolist()
        every[..., channel], ends = wild(line, seen, quantiles)
        if found := np.count_nonzero(every[..., channel]):
            band = f" of band {channel + 1}" if picture.colours > 1 else ""
            low, high = from_line(picture, np.array(ends))
            notes.append(
                f"{found:,} px{band} are wild, beyond {low:.3g} to {high:.3g} and unlike those "
                "beside them: they stay, and nothing is completed from them"
            )
    return unseen | every if notes else unseen, notes
