"""The autoregressive path: pixels are revealed in rounds, each given those before it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.models.base import Conditioned

Index = Int[Tensor, "batch target"]
Values = Float[Tensor, "batch target channel"]


def revealed(
    model: NeuralProcess[Any],
    context: Context,
    order: Int[Tensor, "batch hole"],
    sizes: Sequence[int],
    latent_noise: Float[Tensor, "batch latent"] | None,
    value: Callable[[Gaussian, Index], Values],
) -> Context:
    """The context that holds what was revealed (Bruinsma et al. 2023).

    p(y | C) = Π_k p(y_k | C, y_1 .. y_(k-1)) over the rounds k: any neural process becomes a joint
    distribution, without training for it. The pixels of a round are independent of each other
    given those before it.

    Args:
        model: The model.
        context: What is observed.
        order: The pixels to reveal, in the order that they are revealed in.
        sizes: How many of them in each round.
        latent_noise: Standard normal noise that is held for the path; see `predicted_given`.
        value: From the prediction "batch target channel" of a round's pixels, and their index, to
            their values: a draw, or the truth.
    """
    flat, seen = context.values(), context.mask()
    channels, shape = flat.shape[-1], context.pixels.shape
    for index in order.split(list(sizes), dim=1):
        given = model.condition(context)
        predicted = predicted_given(given, latent_noise, Targets(index, context.size))
        where = index.unsqueeze(-1).expand(-1, -1, channels)
        flat = flat.scatter(1, where, value(predicted, index))
        seen = seen.scatter(1, index, True)
        context = replace(
            context, pixels=flat.mT.reshape(shape), observed=seen.view_as(context.observed)
        )
    return context


def predicted_given(
    given: Conditioned, latent_noise: Float[Tensor, "batch latent"] | None, targets: Targets
) -> Gaussian:
    """The predictive distribution "batch target channel" on a path.

    z is the draw from q(z | C) that the path's noise stands for: as the context grows, so does
    what z knows of it. A conditional variant has no z.
    """
    if given.latent is None or latent_noise is None:
        return given.predict(None, targets)
    predicted = given.predict(given.latent.rsample(latent_noise).unsqueeze(0), targets)
    return Gaussian(predicted.mean[0], predicted.scale[0])
