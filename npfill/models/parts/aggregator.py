"""The permutation-invariant mean over a set of points."""

from jaxtyping import Bool, Float
from torch import Tensor


def mean(
    values: Float[Tensor, "batch point width"], valid: Bool[Tensor, "batch point"]
) -> Float[Tensor, "batch width"]:
    """r = (1/n) Σ r_i over the valid points; zero where there are none."""
    weights = valid.to(values.dtype)
    weights = weights / weights.sum(1, keepdim=True).clamp(min=1.0)
    return (weights.unsqueeze(1) @ values).squeeze(1)
