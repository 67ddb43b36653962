"""An evaluation on grids of numbers as tables, Markdown and JSON."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, geometric_mean, median

from npfill.evaluate.fields.cells import EXACT, Cell
from npfill.files import json_text
from npfill.notes import as_cell
from npfill.package import __version__

# An error of the exact posterior that is smaller, in standard deviations of the field, counts as
# this one: less is no matter.
LEVEL = 0.01

Score = Callable[[Sequence[Cell]], float | None]


@dataclass(frozen=True)
class FieldResults:
    """The cells of an evaluation, and what they were measured with.

    Attributes:
        cells: The scores.
        side: Pixels of a side of the fields; of a grid at most.
        count: Random fields of each law.
        seed: The seed of fields and gaps.
        origins: Of each tool of npfill, the sha256 of its file, if it has one.
        notes: Sentences on what is left out.
    """

    cells: tuple[Cell, ...]
    side: int
    count: int
    seed: int
    origins: dict[str, str | None]
    notes: tuple[str, ...] = ()

    def tables(self) -> "list[FieldTable]":
        """All tables: random fields against the exact posterior, then real grids."""
        random = [cell for cell in self.cells if cell.length]
        real = [cell for cell in self.cells if not cell.length]
        return (_of_random(random) if random else []) + (_of_real(real) if real else [])

    def as_markdown(self, command: str) -> str:
        """The report as a page."""
        made = f"npfill {__version__}, fields of {self.side}x{self.side}, {self.count} of each"
        parts = [f"`{command}`", f"{made} law, seed {self.seed}."]
        parts += [*(f"{note}." for note in self.notes), *(t.markdown for t in self.tables())]
        return "\n\n".join(parts) + "\n"

    def as_json(self, command: str) -> str:
        """The results, all cells among them."""
        said = {"npfill": __version__, "command": command} | asdict(self)
        return json_text(said, indent=1) + "\n"


@dataclass(frozen=True)
class FieldTable:
    """A title, the names of columns and rows of text."""

    title: str
    head: list[str]
    rows: list[list[str]]

    @property
    def markdown(self) -> str:
        """The table under its title."""
        head = [*map(as_cell, self.head)]
        lines = [head, ["---", *["---:"] * (len(head) - 1)], *self.rows]
        return "\n".join([f"### {self.title}", "", *(f"| {' | '.join(line)} |" for line in lines)])


def _of_random(cells: Sequence[Cell]) -> list[FieldTable]:
    exact = {_place(cell): max(cell.rmse, LEVEL) for cell in cells if cell.tool == EXACT}

    def ratio(some: Sequence[Cell]) -> float | None:
        return fmean(max(cell.rmse, LEVEL) / exact[_place(cell)] for cell in some)

    title = f"Random fields: RMSE over that of the exact posterior ({LEVEL} at the least)"
    return [
        _table(title, cells, lambda cell: f"{cell.field}, {cell.length} px", ratio),
        _table(f"{title}, by gap", cells, lambda cell: _gap(cell.gap), ratio),
        _table("Random fields: z²", cells, lambda cell: cell.field, _z_squared),
        _table("Random fields: in 90 %", cells, lambda cell: cell.field, _coverage),
    ]


def _of_real(cells: Sequence[Cell]) -> list[FieldTable]:
    def by_gap(cell: Cell) -> str:
        return _gap(cell.gap)

    crps, rmse = _mean("crps"), _mean("rmse")
    return [
        _table("Real grids: CRPS, geometric mean", cells, by_gap, crps, total=True),
        _table("Real grids: RMSE, geometric mean", cells, by_gap, rmse, total=True),
        _table("Real grids: RMSE of each, geometric mean", cells, lambda cell: cell.field, rmse),
        _table("Real grids: z²", cells, by_gap, _z_squared, total=True),
        _table("Real grids: in 90 %", cells, by_gap, _coverage, total=True),
        _table("Real grids: seconds", cells, by_gap, _seconds, total=True),
    ]


def _place(cell: Cell) -> tuple[str, int, str, int]:
    return cell.field, cell.length, cell.gap, cell.number


def _gap(gap: str) -> str:
    return f"{float(gap):.0%} seen" if gap[0].isdigit() else gap


def _table(
    title: str,
    cells: Sequence[Cell],
    row_of: Callable[[Cell], str],
    score: Score,
    *,
    total: bool = False,
) -> FieldTable:
    """A row for each kind of cells, a column for each tool, over the cells that each could do."""
    names = list(dict.fromkeys(cell.tool for cell in cells))
    kinds = list(dict.fromkeys(map(row_of, cells)))
    rows = []
    for kind in [*kinds, *(["all"] if total else [])]:
        scores = []
        for name in names:
            some = [cell for cell in cells if cell.tool == name and kind in {row_of(cell), "all"}]
            value = score(some) if some else None
            scores.append("" if value is None else f"{value:.3g}")
        rows.append([kind, *scores])
    return FieldTable(title, ["", *names], rows)


def _mean(key: str) -> Score:
    """The geometric mean."""
    return lambda cells: geometric_mean(max(getattr(cell, key), 1e-9) for cell in cells)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _z_squared(cells: Sequence[Cell]) -> float | None:
    """The median: a single field may have any."""
    found = _known(cell.z_squared for cell in cells)
    return median(found) if found else None


def _coverage(cells: Sequence[Cell]) -> float | None:
    found = _known(cell.coverage_90 for cell in cells)
    return fmean(found) if found else None


def _seconds(cells: Sequence[Cell]) -> float | None:
    return median(cell.seconds for cell in cells)
