"""Tools measured on grids of numbers, random ones and real ones."""

from collections.abc import Callable, Sequence
from functools import partial

from npfill import predictor
from npfill.errors import NpfillError, UsageError
from npfill.evaluate.fields import tools
from npfill.evaluate.fields.cells import LENGTHS, Cell, Fill, on_known, on_real
from npfill.evaluate.fields.report import FieldResults
from npfill.evaluate.fields.tools import Filled, Hole, Values

_LEAST = 8  # pixels of a side
# What is measured where nothing is named, and the parts of the evaluation.
_DEFAULT = ("auto", "kriging", "biharmonic")
PARTS = ("known", "real")


def evaluate_fields(
    models: Sequence[str] = (),
    *,
    parts: Sequence[str] = (),
    side: int = 128,
    count: int = 10,
    seed: int = 0,
    device: str = "auto",
    on_cell: Callable[[str, str], None] = lambda *_: None,
) -> FieldResults:
    """Measure models, baselines and other tools on random fields of known law and on real grids.

    Args:
        models: Names of models and baselines, weights, or folders of runs; without any `auto`,
            `kriging` and `biharmonic`. Interpolation by SciPy
            and rasterio's `fillnodata` are measured beside them where these are installed.
        parts: `known`: random fields, the exact posterior beside all; `real`: grids that come with
            matplotlib and scikit-image; both by default.
        side: Pixels of a side.
        count: Random fields of each law.
        seed: The seed of fields and gaps.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        on_cell: Called before each cell with the names of the tool and of what it is measured on.

    Raises:
        UsageError: A part is unknown, a side has fewer than 8 pixels, or the device is not there.
        ModelError: A name is unknown, or a package is missing.
        InputError: A path leads to no file.
    """
    parts = parts or PARTS
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise UsageError(f"{min(unknown)!r} is no part", f"one of: {', '.join(PARTS)}")
    if side < _LEAST:
        raise UsageError(f"`size={side}`: too few pixels for a gap", f"`size={_LEAST}` or more")
    fills: dict[str, Fill] = {}
    refusals: dict[str, NpfillError] = {}
    origins = {}
    for word in models or _DEFAULT:
        loaded = predictor.load(word, device)
        fill = tools.completed(word, device, seed)
        fills[word] = _noting(fill, partial(refusals.setdefault, word))
        origins[word] = loaded.sha256
    fills |= tools.others()
    cells: list[Cell] = []
    if "known" in parts:
        cells += on_known(fills, side, count, seed, LENGTHS, on_cell)
    if "real" in parts:
        cells += on_real(fills, side, seed, on_cell)
    scored = {cell.tool for cell in cells}
    notes = tuple(
        f"{word} is left out{' of some cells' if word in scored else ''}: {error}"
        for word, error in refusals.items()
    )
    return FieldResults(tuple(cells), side, count, seed, origins, notes)


def _noting(fill: Fill, refused: Callable[[NpfillError], object]) -> Fill:
    """A tool that tells why it cannot fill something."""

    def noting(values: Values, hole: Hole) -> Filled:
        try:
            return fill(values, hole)
        except NpfillError as error:
            refused(error)
            raise

    return noting
