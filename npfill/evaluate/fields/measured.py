"""Tools measured on grids of numbers, random ones and real ones."""

from collections.abc import Callable, Sequence

from npfill import predictor
from npfill.errors import UsageError
from npfill.evaluate.fields import tools
from npfill.evaluate.fields.cells import LENGTHS, Cell, on_known, on_real
from npfill.evaluate.fields.report import FieldResults

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
        UsageError: A part is unknown, or the device is not there.
        ModelError: A name is unknown, or a package is missing.
        InputError: A path leads to no file.
    """
    parts = parts or PARTS
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise UsageError(f"{min(unknown)!r} is no part", f"one of: {', '.join(PARTS)}")
    fills, origins = {}, {}
    for word in models or _DEFAULT:
        loaded = predictor.load(word, device)
        fills[word] = tools.completed(word, device, seed)
        origins[word] = loaded.sha256
    fills |= tools.others()
    cells: list[Cell] = []
    if "known" in parts:
        cells += on_known(fills, side, count, seed, LENGTHS, on_cell)
    if "real" in parts:
        cells += on_real(fills, side, seed, on_cell)
    return FieldResults(tuple(cells), side, count, seed, origins)
