"""The order in which to visit points: a short tour."""

import numpy as np
from jaxtyping import Int

Points = Int[np.ndarray, "point 2"]
# Up to so many points a tour is shortened by 2-opt, in at most so many passes.
_MOST, _PASSES = 2000, 30


def tour(points: Points) -> Int[np.ndarray, " point"]:
    """An order of points in which the way from first to last is short.

    From the first point always to the nearest that is left, then shortened by 2-opt: a part of the
    way is turned round where that is shorter (Croes 1958).

    Args:
        points: Rows and columns.
    """
    places = points.astype(np.float64)
    order, left = [0] if len(points) else [], np.ones(len(points), dtype=bool)
    for _ in range(1, len(points)):
        left[order[-1]] = False
        away = np.where(left, ((places - places[order[-1]]) ** 2).sum(axis=1), np.inf)
        order.append(int(away.argmin()))
    found = np.array(order, dtype=int)
    return _shortened(places, found) if 3 < len(points) <= _MOST else found


def length(points: Points) -> float:
    """The length of the way through points in their order, in pixels."""
    return float(np.hypot(*np.diff(points.astype(np.float64), axis=0).T).sum())


def _shortened(places: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Turn parts round until no turn makes the way shorter, or for long enough."""
    for _ in range(_PASSES):
        before = order.copy()
        for first in range(len(order) - 2):
            way = places[order]
            # Turning first+1 ... last round puts last after first, and first+1 before what follows.
            last = np.arange(first + 2, len(order))
            gain = np.hypot(*(way[first] - way[first + 1])) - np.hypot(*(way[first] - way[last]).T)
            follows = last[:-1] + 1
            gain[:-1] += np.hypot(*(way[last[:-1]] - way[follows]).T)
            gain[:-1] -= np.hypot(*(way[first + 1] - way[follows]).T)
            best = int(gain.argmax())
            if gain[best] > 1e-9:
                order[first + 1 : last[best] + 1] = order[first + 1 : last[best] + 1][::-1]
        if (order == before).all():
            break
    return order
