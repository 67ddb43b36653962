"""Permutation-invariant means and sums over a set of points."""

from jaxtyping import Bool, Float
from torch import Tensor


def mean(
    values: Float[Tensor, "batch point width"], valid: Bool[Tensor, "batch point"]
) -> Float[Tensor, "batch width"]:
    """r = (1/n) Σ r_i over the valid points; zero where there are none."""
    return means(values, valid.unsqueeze(1)).squeeze(1)


def means(
    values: Float[Tensor, "batch point width"], valid: Bool[Tensor, "batch mask point"]
) -> Float[Tensor, "batch mask width"]:
    """The mean under each of several masks of the same points."""
    # Divided after the sum: 1/n is not exact in half precision, and its error would not average.
    count = valid.sum(-1, keepdim=True).clamp(min=1)
    return (valid.to(values.dtype) @ values) / count


def sums_over_grid(
    grid: Float[Tensor, "batch channel height width"],
    rows: Float[Tensor, "function height"],
    columns: Float[Tensor, "function width"],
) -> Float[Tensor, "batch channel pair"]:
    """Σ_i y_i f_j(row_i) g_k(column_i) over the pixels i of a grid, for all pairs (j, k).

    The functions f_j g_k are never laid out over the grid: first the columns are summed over, then
    the rows.
    """
    return (rows @ (grid @ columns.mT)).flatten(-2)
