"""The autoregressive sampler: pixels are revealed in rounds, each given those before it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from npfill.context import Context, Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.models.base import Conditioned
from npfill.models.lawful import network_alone
from npfill.sampling.base import Asked, LogLikelihoods, Paths, Sampler, Samples, Truth
from npfill.sampling.independent import Independent
from npfill.sampling.latent import Latent
from npfill.sampling.predictive import drawn, latent_noise
from npfill.scores import floored
from npfill.seeds import generator

Index = Int[Tensor, "batch target"]
Values = Float[Tensor, "batch target channel"]

ROUNDS = 16
# The joint density of a path is that of blocks, and not of one pixel at a time, which would be
# expensive; averaged over so many orders, and for a latent variant over so many z for each.
BLOCKS, ORDERS, LATENTS = 32, 2, 4


@dataclass(frozen=True)
class Autoregressive(Sampler):
    """Pixels are drawn in rounds and fed back as context (Bruinsma et al. 2023).

    A sample is the mean of a last pass that has all drawn pixels as its context. z is drawn from
    the growing context with common random numbers. The rounds run on the grid of the context.
    Targets on a finer grid, that of a picture larger than the model was made for, are predicted in
    the last pass: their detail is what the drawn context leaves open, and with `noise` each is
    drawn by itself. Pictures that follow a law are simulated by it, in one round.

    Attributes:
        rounds: The number of rounds, at least 1; fewer where there are fewer pixels to draw.
        noise: Return the draws that were fed back instead of the means.
    """

    rounds: int = ROUNDS
    noise: bool = False

    name: ClassVar[str] = "autoregressive"
    meaning: ClassVar[str] = "pixels drawn in rounds, each given those before it"
    density: ClassVar[str] = (
        f"the product over {BLOCKS} blocks of pixels, each given those before it, mean over "
        f"{ORDERS} orders, with the mean over {LATENTS} z inside the logarithm"
    )

    def substitute(self, given: Conditioned) -> Sampler | None:
        """The sampler to use where every cell of a coarser grid is observed in part."""
        if not given.context.mask().all():
            return None
        return Latent(noise=self.noise) if given.model.has_latent else Independent()

    def draw(self, paths: Paths, targets: Targets, predicted: Gaussian | None) -> Samples:
        """See `Sampler.draw`."""
        if (exact := paths.given.simulated(targets, paths.seed, paths.numbers)) is not None:
            return exact
        model, context, many = paths.given.model, paths.given.context, len(paths.numbers)
        hole = ~context.mask()
        batch, pixels = hole.shape
        noise = paths.pixel_noise(pixels, "pixels").expand(-1, batch, -1, -1).flatten(0, 1)
        z_noise = paths.latent_noise()
        z_noise = None if z_noise is None else z_noise.repeat_interleave(batch, dim=0)

        def value(predicted: Gaussian, index: Index) -> Values:
            everywhere = index.unsqueeze(-1).expand(-1, -1, noise.shape[-1])
            return drawn(model, predicted, noise.gather(1, everywhere))

        indices = torch.cat([order(hole, context.size, paths.seed, k) for k in paths.numbers])
        sizes = round_sizes(indices.shape[1], self.rounds)
        with network_alone():  # a law that its own draws seem to follow is not that of the picture
            full = roll_out(model, _repeated(context, many), indices, sizes, z_noise, value)
            if self.noise and targets.size == context.size:
                return targets.values(full.pixels).unflatten(0, (many, batch))
            last = model.condition(full)

        def predict(chunk: Targets) -> Gaussian:
            both = _predict(last, z_noise, chunk)
            return Gaussian(*(each.unflatten(0, (many, batch)) for each in (both.mean, both.scale)))

        return paths.last_pass(predict, targets, "last" if self.noise else "")

    def log_likelihood(
        self, given: Conditioned, truth: Truth, asked: Asked, seed: int, count: int
    ) -> LogLikelihoods:
        """Joint log-likelihood of the targets along autoregressive paths.

        Mean over `ORDERS` orders of log (1/K) Σ_z Π_k p(y_k | C, y_1 .. y_(k-1), z) over `BLOCKS`
        blocks k, with the noise of z held for a path: a density of the truth, as each term is one.
        An estimate that is biased low for few z; K is `LATENTS`, whatever `count`.
        """
        each = [_path_log_likelihood(given, truth, asked, seed, path) for path in range(ORDERS)]
        own, least = (torch.stack(values).mean(0) for values in zip(*each, strict=True))
        return own, least


def roll_out(
    model: NeuralProcess,
    context: Context,
    order: Int[Tensor, "batch hole"],
    sizes: Sequence[int],
    z_noise: Float[Tensor, "batch latent"] | None,
    value: Callable[[Gaussian, Index], Values],
) -> Context:
    """Reveal pixels round by round and return the context that holds them.

    p(y | C) = Π_k p(y_k | C, y_1 .. y_(k-1)) over the rounds k: any neural process becomes a joint
    distribution, without training for it. The pixels of a round are independent of each other
    given those before it.

    Args:
        model: The model.
        context: The observed pixels.
        order: The pixels to reveal, in order.
        sizes: The number of pixels in each round.
        z_noise: Standard normal noise of z, kept for the whole path; see `_predict`.
        value: Maps the prediction "batch target channel" of a round and the index of its pixels to
            their values: a draw, or the truth.
    """
    flat, observed = context.values(), context.mask()
    channels, shape = flat.shape[-1], context.pixels.shape
    for index in order.split(list(sizes), dim=1):
        given = model.condition(context)
        predicted = _predict(given, z_noise, Targets(index, context.size))
        everywhere = index.unsqueeze(-1).expand(-1, -1, channels)
        flat = flat.scatter(1, everywhere, value(predicted, index))
        observed = observed.scatter(1, index, True)
        pixels, seen = flat.mT.reshape(shape), observed.view_as(context.observed)
        context = replace(context, pixels=pixels, observed=seen, at_most=None)
    return context


def _predict(
    given: Conditioned, z_noise: Float[Tensor, "batch latent"] | None, targets: Targets
) -> Gaussian:
    """The predictive distribution "batch target channel" on a path.

    z is the draw from q(z | C) of the path's noise: as the context grows, so does what z knows of
    it. A conditional variant has no z.
    """
    if given.latent is None or z_noise is None:
        return given.predict(None, targets)
    predicted = given.predict(given.latent.rsample(z_noise).unsqueeze(0), targets)
    return replace(predicted, mean=predicted.mean[0], scale=predicted.scale[0])


def _repeated(context: Context, many: int) -> Context:
    """The batch of a context several times over."""
    pixels, observed = (each.repeat(many, 1, 1, 1) for each in (context.pixels, context.observed))
    return replace(context, pixels=pixels, observed=observed)


def _path_log_likelihood(
    given: Conditioned, truth: Truth, asked: Asked, seed: int, path: int
) -> LogLikelihoods:
    """The log-likelihood along one order, in nats per target pixel, plain and floored."""
    model, context, batch = given.model, given.context, len(truth)
    latents = LATENTS if model.has_latent else 1
    values = truth.repeat(latents, 1, 1)
    sums = values.new_zeros(2, len(values))

    def value(predicted: Gaussian, index: Index) -> Values:
        known = values.gather(1, index.unsqueeze(-1).expand(-1, -1, values.shape[-1]))
        both = predicted, floored(predicted)
        sums.add_(torch.stack([each.log_prob(known).sum((1, 2)) for each in both]))
        return known

    z_noise = None
    if model.has_latent:
        numbers = range(path * latents, (path + 1) * latents)
        noise = latent_noise(model.config.latent, seed, "scores", numbers).to(truth)
        z_noise = noise.repeat_interleave(batch, dim=0)
    indices = order(asked, context.size, seed, path).repeat(latents, 1)
    sizes = round_sizes(indices.shape[1], BLOCKS)
    with network_alone(not given.has_law):
        roll_out(model, _repeated(context, latents), indices, sizes, z_noise, value)
    joint = sums.unflatten(1, (latents, batch)).logsumexp(1) - math.log(latents)
    own, least = joint / indices.shape[1]
    return own, least


def order(
    hole: Bool[Tensor, "batch pixel"], size: tuple[int, int], seed: int, path: int
) -> Int[Tensor, "batch target"]:
    """Order the pixels of holes: pixels far apart first, neighbours last.

    The order of the thresholds of an ordered dither (Bayer 1973): pixels on a coarse lattice, then
    those that make it finer. Each path has a lattice of its own, shifted by the seed and the path
    alone.

    Args:
        hole: True at the pixels to draw; as many in each picture.
        size: Height and width of the pictures.
        seed: The seed.
        path: The number of the sample.
    """
    bits = max(size).bit_length()
    down, across = torch.randint(2**bits, (2,), generator=generator(seed, "order", path)).tolist()
    rows = (torch.arange(size[0]) + down).unsqueeze(1)
    columns = torch.arange(size[1]) + across
    rank = torch.zeros(size, dtype=torch.int64)
    for bit in range(bits):
        row, column = rows >> bit & 1, columns >> bit & 1
        rank = 4 * rank + 2 * (row ^ column) + row
    ranked = torch.where(hole, rank.flatten().to(hole.device), 4**bits).argsort(dim=1)
    return ranked[:, : int(hole[0].sum())]


def round_sizes(pixels: int, rounds: int) -> list[int]:
    """The number of pixels drawn in each round: the total grows by the same factor each time.

    The first pixels decide the content of the picture, and the last hardly anything.

    Args:
        pixels: The number of pixels to draw.
        rounds: The number of rounds; no more are made than there are pixels.
    """
    rounds = min(rounds, pixels)
    number = np.arange(1, rounds + 1)
    grown = np.rint(pixels ** (number / max(rounds, 1)))
    # At least one in each round, and none left over.
    increasing = np.maximum.accumulate(grown - number) + number
    drawn = np.minimum(np.maximum(increasing, number), pixels - rounds + number)
    return np.diff(drawn.astype(int), prepend=0).tolist()
