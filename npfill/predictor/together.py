"""The number of independent errors that errors at places of a picture are worth."""

import numpy as np
from jaxtyping import Float, Int

# Pixels of a class that are compared with each other, evenly taken; each ring of distances is
# wider by this than the one within.
_PAIRED, _WIDER = 300, 1.4


def independent(
    errors: Float[np.ndarray, "pixel channel"],
    at: Int[np.ndarray, "pixel 2"],
    classes: Int[np.ndarray, " pixel"],
    count: int,
) -> Float[np.ndarray, " class"]:
    """The number of independent errors whose mean square is as well known as that of each class.

    The squares of two Gaussian values correlate by the square of the correlation of the values; so
    1/n = 1/N + the mean of that square over all pairs. It is found by the distance of the two.

    Args:
        errors: Errors in standard deviations.
        at: Row and column of each.
        classes: The class of each, 0 to `count` - 1.
        count: The number of classes.
    """
    numbers = np.zeros(count)
    for each in np.unique(classes):
        members = np.flatnonzero(classes == each)
        chosen = members[np.linspace(0, len(members) - 1, min(_PAIRED, len(members))).astype(int)]
        alike = _square_correlation(errors[chosen].astype(np.float64), at[chosen])
        numbers[each] = 1 / (1 / len(members) + alike)
    return numbers


def _square_correlation(
    errors: Float[np.ndarray, "pixel channel"], at: Int[np.ndarray, "pixel 2"]
) -> float:
    """The mean over pairs of the squared correlation at their distance; 0 without pairs."""
    one, other = np.triu_indices(len(errors), 1)
    square = np.square(errors).mean()
    if not len(one) or not square:
        return 0.0
    apart = np.hypot(*(at[one] - at[other]).T)
    rings = (np.log(apart) / np.log(_WIDER)).astype(np.int64)
    pairs = np.bincount(rings)
    products = np.bincount(rings, (errors[one] * errors[other]).mean(-1))
    known = pairs > 0
    # Of values that do not go together the square of what is found is 1 over the number of pairs.
    squares = np.square(products[known] / pairs[known] / square) - 1 / pairs[known]
    return float(np.average(squares.clip(0, 1), weights=pairs[known]))
