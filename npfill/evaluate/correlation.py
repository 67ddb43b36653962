"""How the errors of a pixel's channels go together, fitted to predictions with the truth."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from npfill.gaussian import Gaussian

_STEPS = 100
# Correlations are kept this far from 1, and with so many decimals.
_CLOSEST, _DECIMALS = 0.999, 4


def fit_correlation(
    samples: Sequence[tuple[Gaussian, Float[Tensor, "_ channel"]]],
) -> tuple[float, ...]:
    """The correlation of the channels with which whole pixels are the likeliest.

    Any numbers below the diagonal of a unit triangular matrix make its rows, brought to length 1,
    the Cholesky factor of a correlation.

    Args:
        samples: Predictions "draw pixel channel" and the truth, of each kind of context; all kinds
            count alike.

    Returns:
        The numbers below the diagonal of the matrix, as `npfill.gaussian.factor_of` reads them.
    """
    channels = samples[0][1].shape[-1]
    below = torch.tril_indices(channels, channels, offset=-1).unbind()

    def factor(numbers: Tensor) -> Tensor:
        matrix = torch.eye(channels, dtype=numbers.dtype).index_put(below, numbers)
        return F.normalize(matrix, dim=1)

    def loss(numbers: Tensor) -> Tensor:
        each = factor(numbers)
        return -mean_of(
            replace(one, factor=each.to(one.mean)).log_prob(truth).sum(-1).logsumexp(0).mean()
            for one, truth in samples
        )

    found = factor(minimised(len(below[0]), loss))
    matrix = _CLOSEST * found @ found.mT
    return tuple(round(number, _DECIMALS) for number in matrix[below].tolist())


def minimised(numbers: int, loss: Callable[[Tensor], Tensor]) -> Float[Tensor, " numbers"]:
    """The arguments of the least loss, from zeros, by L-BFGS."""
    fitted = torch.zeros(numbers, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([fitted], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(fitted)
        value.backward()
        return value

    optimiser.step(closure)
    return fitted.detach()


def mean_of(values: Iterable[Tensor]) -> Tensor:
    """The mean of tensors of one shape."""
    return torch.stack([*values]).mean(0)
