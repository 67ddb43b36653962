"""The permutation-invariant mean over a set of points."""

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
