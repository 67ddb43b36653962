"""A picture on a model's grid: no more pixels and channels than the model takes."""

import numpy as np
from jaxtyping import Bool, Float

_LUMINANCE = np.array([[0.299], [0.587], [0.114]], dtype=np.float32)  # ITU-R 601


def observed_average(
    values: Float[np.ndarray, "height width channel"],
    observed: Bool[np.ndarray, "height width"],
    longest: int,
) -> tuple[Float[np.ndarray, "rows columns channel"], Bool[np.ndarray, "rows columns"]]:
    """Average the observed pixels of a picture that is too large onto a coarser grid.

    The cells of the grid divide the picture equally: cell i of n covers the pixels from
    floor(i H / n) to floor((i + 1) H / n). A cell with at least one observed pixel is observed:
    of a picture of scattered pixels, none is lost.

    Args:
        values: A picture; values that are not observed are never read.
        observed: True where the picture is known.
        longest: The most pixels of the grid's longer side.

    Returns:
        The arguments if the picture fits; else float32 averages, zero where nothing is observed,
        and the observed cells, on a grid whose longer side is `longest`.
    """
    longer = max(observed.shape)
    if longer <= longest:
        return values, observed
    edges = [_edges(side, max(1, round(side * longest / longer))) for side in observed.shape]
    sums = _cell_sums(np.where(observed[..., None], values, 0), edges)
    counts = _cell_sums(observed[..., None], edges)
    averages = sums / np.maximum(counts, 1)
    return averages.astype(np.float32), counts[..., 0] > 0


def match_channels(
    values: Float[np.ndarray, "*axes channel"], channels: int
) -> Float[np.ndarray, "*axes channels"]:
    """Convert values to the number of channels of a model.

    Grey is repeated for RGB; grey is the luminance of RGB (ITU-R 601).

    Raises:
        ValueError: There is no such conversion.
    """
    have = values.shape[-1]
    if have == channels:
        return values
    if (have, channels) == (1, 3):
        return values.repeat(3, axis=-1)
    if (have, channels) == (3, 1):
        grey: np.ndarray = values @ _LUMINANCE.astype(values.dtype)
        return grey
    raise ValueError(f"{have} channels cannot become {channels}")


def _edges(side: int, cells: int) -> np.ndarray:
    """The first pixel of each cell."""
    return np.arange(cells) * side // cells


def _cell_sums(values: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    rows, columns = edges
    by_row = np.add.reduceat(values, rows, axis=0, dtype=np.float64)
    sums: np.ndarray = np.add.reduceat(by_row, columns, axis=1)
    return sums
