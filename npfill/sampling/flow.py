"""Samples of a whole hole at once: a flow carries noise to what mean and std leave over."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from npfill.context import Targets
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.models.base import Conditioned
from npfill.models.flownp import FlowNP, Grid, Representation, Start
from npfill.sampling.autoregressive import Autoregressive
from npfill.sampling.base import Asked, LogLikelihoods, Paths, Sampler, Samples, Truth
from npfill.sampling.predictive import moments
from npfill.seeds import generator
from npfill.steps import Steps

# Times of a sample, two velocities from each to the next. What all pixels of a hole have in common
# grows by 1/t, and would grow too little if the first ones were not close (docs/notes/flow.md).
STRAIGHT = (tuple((step / 7) ** 1.5 for step in range(8)),)
# The std of its noise on small grids, a temperature as in "Glow" (Kingma and Dhariwal 2018): digits
# are surer, and in seven steps as near to the truth by their energy score as in five at 1.
_TEMPERATURE = 0.95
# On grids of more cells than these it goes back to the first time of the next way: what is clear
# halfway corrects what was decided too early. Digits are no surer by that.
RESTARTED = ((0.0, 0.1, 0.4), (0.1, 0.25, 0.4), (0.1, 0.25, 0.45, 0.7, 1.0))
_SMALL = 32 * 32
# The std of its noise then: few steps lose some spread, and this gives it back (as S_noise of
# Karras et al. 2022, "Elucidating the Design Space", algorithm 2); more of it where it is coarse.
_NOISE, _COARSE = 1.04, 1.06
# Sides of the squares of pixels whose tint in that noise is bounded, and the bound, in std:
# stronger ones, which few draws of a training had, became spots of colour.
_SQUARES, _TINT = (4, 8, 16), 1.2
# Steps of a density, and probes of its divergence.
DENSITY_STEPS, PROBES = 12, 1
# Draws in one pass, on large grids and on others: samples of a picture, or pictures of a batch with
# a sample each. It does not depend on the number that is asked for, so that each sample is the same
# to the last bit.
DRAWS, SMALL_DRAWS = 8, 25
_LEVEL = 1 / 255  # of 8 bits
Velocity = Callable[[Grid, float], Grid]


@dataclass(frozen=True)
class Flow(Sampler):
    """The residuals of a hole, drawn by a flow-matching neural process and put on mean and std.

    y = mean + std r, with r at the end of the flow that begins at standard normal noise; 0 where a
    pixel is observed. Targets on a finer grid have r between its cells, and their own mean and std.
    On large grids samples go back on their way, with noise that is a little wider, on small ones
    it is a little narrower; the density is that of the flow alone. It draws for any model that has
    a flow: for those that it was trained beside, and for itself, with the mean and std of its
    companion.
    """

    name: ClassVar[str] = "flow"
    meaning: ClassVar[str] = "what mean and std leave over, drawn for the whole hole by a flow"
    density: ClassVar[str] = (
        f"the change of density along the flow in {DENSITY_STEPS} steps, with random signs to "
        "estimate it; of whole holes, with uniform noise of a level of 8 bits"
    )
    has_moments: ClassVar[bool] = True
    at_once: ClassVar[bool] = True

    @classmethod
    def refuse(cls, model: NeuralProcess) -> str:
        """A flow is trained for the models of a dataset."""
        return "" if model.flows else "no flow was trained beside this model"

    def substitute(self, given: Conditioned) -> Sampler | None:
        """The sampler to use where every cell of a coarser grid is observed in part."""
        return Autoregressive().substitute(given)

    def draw(self, paths: Paths, targets: Targets, predicted: Gaussian | None) -> Samples:
        """See `Sampler.draw`; all samples begin with what is computed here once."""
        given = paths.given
        flow, finer = flow_of(given), targets.size != given.context.size
        start = flow.start(given)
        known = predicted or moments(given, targets, paths.seed)
        mean, unit = _units(given, targets, known, flow.config.least_std)
        drawn = list[Tensor]()
        at_once = DRAWS if _is_large(start) else SMALL_DRAWS
        size, first = max(1, at_once // len(start.mean)), paths.numbers.start
        groups = [range(number, number + size) for number in range(first, paths.numbers.stop, size)]
        steps = Steps(len(groups))
        for numbers in groups:
            residuals = _residuals(flow, start, paths.seed, numbers)
            if finer:
                residuals = F.interpolate(residuals, targets.size, mode="bilinear")
            rest = targets.values(residuals).unflatten(0, (size, -1))
            drawn.append((mean + unit * rest).clamp(0, 1))
            steps.advance()
        return torch.cat(drawn)[: len(paths.numbers)]

    def log_likelihood(
        self, given: Conditioned, truth: Truth, asked: Asked, seed: int, count: int
    ) -> LogLikelihoods:
        """The joint log-likelihood of whole holes, by the flow in reverse.

        log p(y) = log N(r_0) - ∫ div v dt - Σ log std (Chen et al. 2018, equation 8), the
        divergence estimated with probes of ±1 (Hutchinson 1990). NaN where the targets are not the
        whole hole, and for a floor: a flow has no scale to raise.
        """
        flow, size = flow_of(given), given.context.size
        start = flow.start(given)
        random = generator(seed, "levels")
        uniform = torch.rand(truth.shape, generator=random, dtype=truth.dtype).to(truth) - 0.5
        pixels = (truth + _LEVEL * uniform).mT.unflatten(2, size)
        residuals = torch.where(start.hole, (pixels - start.mean) / start.std, 0.0)
        signs = torch.randint(2, (PROBES, *residuals.shape), generator=random).to(residuals)
        first, divergence = reverse(_velocity(flow, start), residuals, 2 * signs - 1, DENSITY_STEPS)
        noise = Gaussian(torch.zeros_like(first), torch.ones_like(first))
        normal = noise.log_prob(first) - start.std.log()
        each = torch.where(start.hole, normal, 0.0).sum((1, 2, 3)) - divergence
        hole = start.hole.flatten(1)
        known = torch.where((hole == asked).all(1), each / hole.sum(1), math.nan)
        return known, torch.full_like(known, math.nan)


def _units(
    given: Conditioned, targets: Targets, known: Gaussian, least: float
) -> tuple[Float[Tensor, "batch target channel"], Float[Tensor, "batch target channel"]]:
    """The mean and std that residuals are put on: of a flow itself those of its companion.

    They follow from what the flow predicts, which a check may have rescaled.
    """
    mean, scale = known.mean, known.scale
    if isinstance(given.encoded, Representation):
        unit = replace(known, scale=torch.ones_like(scale))
        scale = scale / given.calibrated(unit, targets).scale
        mean = mean - scale * given.encoded.residuals_at(targets)
    return mean, scale.clamp(min=least)


def _residuals(flow: FlowNP, start: Start, seed: int, numbers: range) -> Grid:
    """Residuals of samples by their numbers, sample by sample; 0 where a pixel is observed."""
    batch, *shape = start.mean.shape
    random = [generator(seed, "flow", number) for number in numbers]
    large = _is_large(start)
    ways = RESTARTED if large else STRAIGHT

    def noise() -> Grid:
        drawn = torch.stack([torch.randn(shape, generator=each) for each in random])
        drawn = shaped(drawn) if large else _TEMPERATURE * drawn
        return drawn.to(start.mean).repeat_interleave(batch, dim=0)

    repeated = start.repeated(len(numbers))
    return torch.where(repeated.hole, carried(_velocity(flow, repeated), noise, ways), 0.0)


def _is_large(start: Start) -> bool:
    return math.prod(start.mean.shape[-2:]) > _SMALL


def shaped(noise: Grid) -> Grid:
    """Standard normal noise made wider, and its coarse tints bounded.

    The sum over a square, over its side, is standard normal too. Its mean over the channels is its
    light, what is left is its tint, of which the length over the channels is bounded.
    """
    rows, columns = noise.shape[-2:]
    for side in _SQUARES:
        square = side * F.avg_pool2d(noise, side, ceil_mode=True)
        light = square.mean(1, keepdim=True)
        tint = square - light
        bounded = tint * (_TINT / tint.norm(dim=1, keepdim=True)).clamp(max=1.0)
        change = (_COARSE if side == 8 else 1.0) * light + bounded - square
        noise = noise + F.interpolate(change / side, scale_factor=side)[..., :rows, :columns]
    return _NOISE * noise


def flow_of(given: Conditioned) -> FlowNP:
    """The flow of a model."""
    flow = given.model.flows[0]
    assert isinstance(flow, FlowNP)
    return flow


def _velocity(flow: FlowNP, start: Start) -> Velocity:
    return lambda r, time: flow.velocity(r, r.new_full((len(r),), time), start)


def carried(velocity: Velocity, noise: Callable[[], Grid], ways: Sequence[Sequence[float]]) -> Grid:
    """What noise becomes at the end of the last way; it goes back to each but the first.

    From time t to an earlier s (Xu et al. 2023, "Restart Sampling for Improving Generative
    Processes", algorithm 2): (s / t) r_t + √((1 - s)² - (s / t)² (1 - t)²) ε has the law of r_s.
    """
    r = midpoint(velocity, noise(), ways[0])
    for (*_, time), way in pairwise(ways):
        kept = way[0] / time
        fresh = math.sqrt((1.0 - way[0]) ** 2 - (kept * (1.0 - time)) ** 2)
        r = midpoint(velocity, kept * r + fresh * noise(), way)
    return r


def midpoint(velocity: Velocity, first: Grid, times: Sequence[float]) -> Grid:
    """The end of dr/dt = v(r, t) from the first time to the last, by the midpoint method."""
    r = first
    for time, after in pairwise(times):
        length = after - time
        between = r + 0.5 * length * velocity(r, time)
        r = r + length * velocity(between, time + 0.5 * length)
    return r


def reverse(
    velocity: Velocity, last: Grid, probes: Float[Tensor, "probe *shape"], steps: int
) -> tuple[Grid, Float[Tensor, " batch"]]:
    """The beginning of a flow from its end, and the integral of its divergence on the way.

    By the midpoint method at the times 1 - (k / steps)², k = 0, 1, 2, ...: near its end a flow
    settles levels that are all but certain, and steps are short there. The trace of the derivative
    is the mean of p·J p over probes p.

    Args:
        velocity: v(r, t).
        last: r at t = 1.
        probes: Entries of ±1.
        steps: The number of steps.
    """
    r, total = last, last.new_zeros(len(last))
    for time, before in pairwise(1.0 - (step / steps) ** 2 for step in range(steps + 1)):
        length = time - before
        between = r - 0.5 * length * velocity(r, time)
        value, divergence = _with_divergence(velocity, between, time - 0.5 * length, probes)
        r, total = r - length * value, total + length * divergence
    return r, total


@torch.enable_grad()
def _with_divergence(
    velocity: Velocity, r: Grid, time: float, probes: Float[Tensor, "probe *shape"]
) -> tuple[Grid, Float[Tensor, " batch"]]:
    """A velocity and the estimate of its divergence."""
    r = r.detach().requires_grad_()
    value, sums = velocity(r, time), r.new_zeros(len(r))
    for probe in probes:
        (product,) = torch.autograd.grad((value * probe).sum(), r, retain_graph=True)
        sums = sums + (product * probe).sum((1, 2, 3))
    return value.detach(), sums / len(probes)
