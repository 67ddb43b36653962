"""The tools that are measured on grids of numbers: npfill's models and baselines, and others."""

import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from jaxtyping import Bool, Float

from npfill.completion.from_python import complete
from npfill.errors import ModelError
from npfill.evaluate.fields.held_out import WITHIN
from npfill.package import imported

Values = Float[np.ndarray, "rows columns"]
Hole = Bool[np.ndarray, "rows columns"]
# Mean and std of a hole, and how many std lie on each side of the mean in an interval of 90 %.
Filled = tuple[Float[np.ndarray, " pixel"], Float[np.ndarray, " pixel"] | None, float]


def completed(model: str, device: str, seed: int) -> Callable[[Values, Hole], Filled]:
    """A model or baseline of npfill, as it completes data for a user, the std checked."""

    def fill(values: Values, hole: Hole) -> Filled:
        done = complete(values, hole, model, 0, seed, kind="data", device=device)
        std = None if done.std is None else done.std[hole]
        return done.mean[hole], std, float(done.completed.half_width[0])

    return fill


def _griddata(method: str) -> Callable[[Values, Hole], Filled]:
    def fill(values: Values, hole: Hole) -> Filled:
        scipy = imported("scipy.interpolate", method, "baselines", ModelError, "SciPy")
        at, asked = np.argwhere(~hole), np.argwhere(hole)
        found = np.full(len(asked), np.nan)
        if np.linalg.matrix_rank(at - at[0]) == 2:  # not all on one line
            found = scipy.griddata(at, values[~hole], asked, method=method)
        outside = np.isnan(found)
        found[outside] = scipy.griddata(at, values[~hole], asked[outside], method="nearest")
        return found, None, WITHIN

    return fill


def _fillnodata(values: Values, hole: Hole) -> Filled:
    rasterio = imported("rasterio.fill", "fillnodata", "baselines", ModelError, "rasterio")
    known = np.where(hole, 0, values).astype(np.float32)
    found = rasterio.fillnodata(known, mask=~hole, max_search_distance=float(max(hole.shape)))
    return found[hole].astype(np.float64), None, WITHIN


# Other tools by name, with the package of each; those that are not installed are left out.
OTHERS: dict[str, tuple[str, Callable[[Values, Hole], Filled]]] = {
    "linear (SciPy)": ("scipy", _griddata("linear")),
    "cubic (SciPy)": ("scipy", _griddata("cubic")),
    "fillnodata": ("rasterio", _fillnodata),
}


def others() -> dict[str, Callable[[Values, Hole], Filled]]:
    """The other tools that are installed."""
    return {name: fill for name, (package, fill) in OTHERS.items() if find_spec(package)}


def timed(
    fill: Callable[[Values, Hole], Filled], values: Values, hole: Hole
) -> tuple[Filled, float]:
    """Fill a hole by a tool, to which its values are hidden; with seconds of the process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = time.process_time()
        found = fill(np.where(hole, np.nan, values), hole)
        return found, time.process_time() - began
