"""Real grids of numbers that come with packages."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from npfill.errors import ModelError
from npfill.package import imported

Grid = Float[np.ndarray, "rows columns"]
_USER, _MRI = "`fields=True`", (256, 256)


def _sample(name: str) -> Path:
    matplotlib = imported("matplotlib", _USER, "report", ModelError)
    return Path(matplotlib.get_data_path()) / "sample_data" / name


def _of_scikit_image(name: str) -> Path:
    package = imported("skimage", _USER, "baselines", ModelError, "scikit-image")
    return Path(package.__path__[0]) / "data" / name


def _picture(name: str) -> Grid:
    """A photograph or a scan of scikit-image as numbers: the mean of its channels."""
    with Image.open(_of_scikit_image(name)) as picture:
        values = np.asarray(picture, dtype=np.float64)
    return values if values.ndim == 2 else values.mean(-1)


def _terrain() -> Grid:
    with np.load(_sample("jacksboro_fault_dem.npz")) as file:
        return file["elevation"].astype(np.float64)


def _relief() -> Grid:
    with np.load(_sample("topobathy.npz")) as file:
        return file["topo"].astype(np.float64)


def _scan() -> Grid:
    with gzip.open(_sample("s1045.ima.gz")) as file:
        return np.frombuffer(file.read(), np.uint16).reshape(_MRI).astype(np.float64)


def _disparity() -> Grid:
    with np.load(_of_scikit_image("motorcycle_disp.npz")) as file:
        values = file["arr_0"].astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


# Each with the share of the way down and right at which its window begins, and every how many
# pixels are taken.
GRIDS: dict[str, tuple[Callable[[], Grid], tuple[float, float], int]] = {
    "terrain": (_terrain, (0.3, 0.3), 1),
    "relief": (_relief, (0.3, 0.2), 1),
    "MRI": (_scan, (0.35, 0.35), 1),
    "disparity": (_disparity, (0.3, 0.4), 2),
    "lunar surface": (lambda: _picture("moon.png"), (0.3, 0.3), 1),
    "cell": (lambda: _picture("cell.png"), (0.3, 0.3), 2),
    "galaxies": (lambda: _picture("hubble_deep_field.jpg"), (0.3, 0.3), 1),
    "gravel": (lambda: _picture("gravel.png"), (0.3, 0.3), 1),
}


def read(name: str, side: int) -> Grid:
    """A window of a grid, NaN where nothing was measured.

    Raises:
        ModelError: The package that it comes with is not installed.
    """
    source, place, every = GRIDS[name]
    grid = source()[::every, ::every]
    top, left = (
        int(share * max(0, length - side)) for share, length in zip(place, grid.shape, strict=True)
    )
    return grid[top : top + side, left : left + side]
