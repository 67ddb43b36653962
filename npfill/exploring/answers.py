"""The loop with an instrument through two files: the points it is to measure, and its answers."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from npfill.errors import CheckFailedError, InputError
from npfill.exploring.explorer import DEAD, Explorer
from npfill.files import write_bytes

_HEAD = "row,column"


@dataclass
class Answers:
    """A file to which an instrument appends a line "row,column,value" for each pixel.

    A line is read once it has ended. Of three channels, three values follow.

    Attributes:
        path: The file, which need not exist yet.
        lines: The lines that were read.
    """

    path: Path
    lines: int = 0
    _offset: int = field(default=0, repr=False)

    def read(self, channels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, columns and values of the lines that are new; a header is left out.

        Raises:
            InputError: A line is something else, or the file is shorter than it was.
        """
        if not self.path.exists():
            return np.zeros(0, int), np.zeros(0, int), np.zeros((0, channels))
        if self.path.stat().st_size < self._offset:
            raise InputError(
                f"{self.path}: shorter than it was", "answers are added to it, and none taken away"
            )
        with self.path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        found = []
        for line in whole.decode("utf-8-sig", "replace").splitlines():
            self.lines += 1
            if line.strip() and not line.startswith(_HEAD):
                found.append(self._parsed(line, channels))
        places = np.array([each[:2] for each in found], dtype=int).reshape(-1, 2)
        values = np.array([each[2:] for each in found], dtype=float).reshape(-1, channels)
        return places[:, 0], places[:, 1], values

    def _parsed(self, line: str, channels: int) -> list[float]:
        words = line.split(",")
        try:
            if len(words) != 2 + channels:
                raise ValueError  # noqa: TRY301 - said below
            return [*map(int, map(np.int64, words[:2])), *map(float, words[2:])]
        except (ValueError, OverflowError):
            raise InputError(
                f"{self.path}, line {self.lines}: {line[:60]!r} is no answer",
                "row,column,value, such as 12,40,0.25; nan where there is none",
            ) from None


def points_text(rows: np.ndarray, columns: np.ndarray) -> str:
    """Points as CSV, under a head."""
    lines = [f"{row},{column}" for row, column in zip(rows, columns, strict=True)]
    return "\n".join([_HEAD, *lines, ""])


def converse(
    explorer: Explorer,
    answers: Answers,
    points: Path,
    count: int,
    budget: int | None = None,
    on_round: Callable[[Explorer], object] = lambda _: None,
    pause: float = 0.1,
) -> None:
    """Write the points of a round, wait for the answers, and so on until nothing is left.

    All that is known lies in the two files: whoever begins again with them goes on. At the end, the
    file of points has a head and no points.

    Args:
        explorer: What was measured before.
        answers: The answers of the instrument.
        points: The file of points, replaced for each round, never half there.
        count: Pixels of a round.
        budget: The answers, those that are there already included, after which it ends.
        on_round: Called with the explorer after each round.
        pause: Seconds between looks at the answers.

    Raises:
        InputError: A line of the answers is none, or one of either file is outside the grid.
        CheckFailedError: So many answers in a row are no numbers that the detector must be dead.
    """
    waiting, answered, begins = _asked(points, explorer.shape), 0, True
    while True:
        rows, columns, values = answers.read(explorer.shape[2])
        answered += len(rows)
        if len(rows):
            explorer.tell(rows, columns, values)
            waiting -= set(zip(rows.tolist(), columns.tolist(), strict=True))
        if len(rows) and explorer.is_dead and not begins:
            raise CheckFailedError(
                f"{answers.path}: the last {DEAD} answers, or more, are no numbers",
                "mend the detector, and begin again: what was measured is kept",
            )
        begins = False
        if waiting:
            time.sleep(pause)
            continue
        on_round(explorer)
        left = count if budget is None else min(count, budget - answered)
        rows, columns = explorer.ask(left) if left > 0 and explorer.left else (rows[:0], rows[:0])
        write_bytes(points, points_text(rows, columns).encode())
        waiting = set(zip(rows.tolist(), columns.tolist(), strict=True))
        if not waiting:
            return


def _asked(points: Path, shape: tuple[int, int, int]) -> set[tuple[int, int]]:
    """The points of a file that an earlier loop has written; none where there is no such file."""
    if not os.path.lexists(points):
        return set()
    try:
        lines = points.read_text("utf-8").splitlines()
        pairs = [tuple(map(int, line.split(","))) for line in lines[1:]]
        if lines[:1] != [_HEAD] or any(len(pair) != 2 for pair in pairs):
            raise ValueError  # noqa: TRY301 - said below
    except ValueError:
        raise InputError(f"{points}: not a file of points", "name another, or remove it") from None
    for row, column in pairs:
        if not (0 <= row < shape[0] and 0 <= column < shape[1]):
            problem = f"{points}: row {row}, column {column}: outside of {shape[1]}x{shape[0]} px"
            raise InputError(problem, "it is of another grid: remove it, or name another file")
    return {(row, column) for row, column in pairs}
