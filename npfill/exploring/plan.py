"""Several rounds planned ahead, and what is expected of them."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from npfill.exploring.explorer import Explorer
from npfill.exploring.tour import length, tour


@dataclass(frozen=True)
class Plan:
    """Pixels to measure, round by round.

    Attributes:
        rows: Their rows.
        columns: Their columns.
        rounds: The round of each, from 1.
        before: The mean standard deviation over the grid, in its unit; None where too little is
            measured to say.
        after: What is expected of it once they are measured; None likewise.
    """

    rows: Int[np.ndarray, " point"]
    columns: Int[np.ndarray, " point"]
    rounds: Int[np.ndarray, " point"]
    before: float | None
    after: float | None


def plan(explorer: Explorer, count: int, budget: int | None = None) -> Plan:
    """Plan rounds as if each pixel had, once measured, the mean that is predicted for it.

    The explorer is left as it was, but for what it expects of the grid.

    Args:
        explorer: What was measured.
        count: The pixels of a round.
        budget: Those of all rounds; one round by default.
    """
    explorer.refresh()
    before = _mean_std(explorer)
    imagined = explorer.copy()
    places, left = [], count if budget is None else budget
    while left > 0:
        rows, columns = imagined.ask(min(count, left))
        if not len(rows):
            break
        left -= len(rows)
        places.append((rows, columns))
        if before is None:  # as long as nothing is predicted, they are pixels on their way
            continue
        imagined.tell(rows, columns, imagined.mean[rows, columns])
        imagined.refresh()
    numbers = [np.full(len(rows), number + 1) for number, (rows, _) in enumerate(places)]
    nothing = np.zeros(0, dtype=int)
    return Plan(
        np.concatenate([rows for rows, _ in places] or [nothing]),
        np.concatenate([columns for _, columns in places] or [nothing]),
        np.concatenate(numbers or [nothing]),
        before,
        None if before is None else _mean_std(imagined),
    )


def in_tours(planned: Plan) -> tuple[Plan, list[float]]:
    """The points of each round in the order of a short tour, and the lengths of the tours."""
    order, lengths = [], []
    for number in np.unique(planned.rounds):
        index = np.flatnonzero(planned.rounds == number)
        points = np.stack([planned.rows[index], planned.columns[index]], axis=-1)
        way = tour(points)
        order.append(index[way])
        lengths.append(length(points[way]))
    if not order:
        return planned, lengths
    ordered = np.concatenate(order)
    rows, columns, rounds = (
        getattr(planned, name)[ordered] for name in ("rows", "columns", "rounds")
    )
    return replace(planned, rows=rows, columns=columns, rounds=rounds), lengths


def _mean_std(explorer: Explorer) -> float | None:
    """The mean over all pixels, the measured ones too."""
    std = explorer.std
    power = int(np.frexp(std.max())[1])  # a power of two changes no digit of the mean
    return None if np.isnan(std).any() else float(np.ldexp(np.ldexp(std, -power).mean(), power))
