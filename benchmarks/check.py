"""Calibration before and after the check on the picture, on kinds that nothing was trained on.

Each kind is completed by the model that `npfill complete` takes for it.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.kinds import NUMBERS, Make, holes, kinds
from npfill import zoo
from npfill.predictor import SelfCheck, load, self_check
from npfill.seeds import array_generator

console = Console(width=200, markup=False, highlight=False)
# The share in the interval that is wanted with scattered holes and with others; z².
_SCATTERED, _WIDE, _SQUARE = (0.87, 0.93), (0.84, 0.95), (0.75, 1.35)


@dataclass(frozen=True)
class Found:
    """Share in the 90 % interval and z², mean over pictures."""

    coverage: float
    square: float

    def cell(self, wide: bool) -> str:
        """In a table; what is beyond the limits is starred."""
        limits = _WIDE if wide else _SCATTERED
        fits = limits[0] <= round(self.coverage, 2) <= limits[1]
        square = _SQUARE[0] <= round(self.square, 2) <= _SQUARE[1]
        return f"{self.coverage:.2f}{'' if fits else '*'} {self.square:.2f}{'' if square else '*'}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this program."""
    parser.add_argument("--data", type=Path, required=True, help="the folder of all data sets")
    parser.add_argument("--pictures", type=int, default=8, help="of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of pictures and holes")
    parser.add_argument("--kinds", help="names with semicolons; all by default")


def run(options: argparse.Namespace) -> None:
    """Print a table for the model's std and one for the checked."""
    tables: list[list[str]] = [[], []]
    names = [*holes()]
    every = kinds(options.data)
    for kind in options.kinds.split(";") if options.kinds else every:
        rows: list[list[str]] = [[], []]
        for name in names:
            both = [
                _of_picture(options, kind, every[kind], name, k) for k in range(options.pictures)
            ]
            each = np.mean([one for one in both if one is not None], axis=0)
            for row, (coverage, square) in zip(rows, each, strict=True):
                row.append(Found(coverage, square).cell(wide=not name.startswith("keep")))
        for table, row in zip(tables, rows, strict=True):
            table.append(f"| {kind} | {' | '.join(row)} |")
    for title, table in zip(("the model's std", "the checked std"), tables, strict=True):
        console.print(f"\nShare in the 90 % interval and z², {title}:\n")
        console.print(f"| | {' | '.join(names)} |")
        console.print("\n".join(["| --- " * (len(names) + 1) + "|", *table]))
    console.print(
        "\n* beyond 0.87 to 0.93 (scattered), 0.84 to 0.95 (others), or z² beyond 0.75 to 1.35"
    )


def _of_picture(
    options: argparse.Namespace, kind: str, make: Make, name: str, number: int
) -> list[tuple[float, float]] | None:
    """Coverage and z² of a picture, with the model's std and with the checked."""
    predictor = load(zoo.for_data() if kind in NUMBERS else zoo.AUTO, "cpu")
    picture = make(array_generator(options.seed, "picture", kind, number))
    hole = holes()[name](array_generator(options.seed, "hole", kind, name, number))
    if (hole.mean() > 0.95 and not name.startswith("keep")) or not hole.any():
        return None
    seen = np.where(hole[..., None], np.float32(0), picture)
    found = []
    for check in (SelfCheck(0), self_check(predictor, seen, hole, 0)):
        predicted = predictor.predict(seen, hole, check=check)
        assert predicted.std is not None
        z = np.abs((picture[hole] - predicted.mean) / predicted.std)
        covered = float((z <= check.half_width(0.9)).mean())
        found.append((covered, float(np.square(z).mean())))
    return found
