"""A network that is trained on for a while on the visible part of one picture.

Sun et al. 2020, "Test-Time Training with Self-Supervision for Generalization under Distribution
Shifts", with the task of neural processes themselves: some of what is visible is hidden, and
predicted from the rest.
"""

import copy
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from npfill.context import Context, Targets
from npfill.errors import UsageError
from npfill.models import NeuralProcess
from npfill.predictor.contrast import contrast
from npfill.predictor.hidden import LEAST, Place, around_hole, hidden_like, shares
from npfill.predictor.mirrored import mirrored_moments
from npfill.predictor.neural import Array, HoleArray, NeuralPredictor, context_of
from npfill.predictor.self_check import Compared, SelfCheck, compared, found, hide
from npfill.predictor.together import independent
from npfill.seeds import array_generator
from npfill.steps import Steps

# Steps, or else seconds.
Budget = tuple[int | None, float | None]
# Crops of a step, their side, and the fewest pixels that are hidden in one if it can be.
_CROPS, _SIDE, _FEWEST = 4, 96, 16
_RATE, _WARMUP, _CLIP, _AVERAGED = 1e-3, 10, 1.0, 20


@dataclass(frozen=True)
class Adaptation:
    """The outcome of training on one picture.

    Attributes:
        steps: The number of steps.
        pixels: The number of visible pixels that were held out.
        before: The root mean square of errors there of the network as it was, in intensities.
        after: That of the trained network, which predicts mirror images, too.
        helped: The trained network is the better one, by more than chance has it: see `is_better`.
    """

    steps: int
    pixels: int
    before: float = np.nan
    after: float = np.nan
    helped: bool = False

    @property
    def line(self) -> str:
        """The outcome in a line."""
        if not self.pixels:
            return "too few visible pixels to adapt the network to"
        gain = 20 * np.log10(self.before / self.after)
        said = f"adapted in {self.steps:,} steps: {gain:+.2f} dB on {self.pixels:,} held-out pixels"
        return said if self.helped else f"{said}, so the network stays as it was"


@torch.inference_mode(False)
@torch.enable_grad()
def adapted(
    predictor: NeuralPredictor,
    picture: Array,
    hole: HoleArray,
    seed: int,
    wanted: HoleArray | None = None,
    *,
    budget: Budget,
    bounded: bool = True,
) -> tuple[NeuralPredictor, SelfCheck, Adaptation]:
    """Train a copy of a network on a picture, and keep it if it is better where nothing was shown.

    About a tenth of what is visible, of large pictures in twelve tiles, in places like the hole, is
    held out from training; it decides which network is taken, and checks the standard deviation of
    that one. A network that was trained on a picture predicts it mirrored, too.

    Args:
        predictor: What completes the picture.
        picture: Intensities in [0, 1]; unread where the hole is.
        hole: True where the picture is missing.
        seed: What is held out, shown and hidden depends on it.
        wanted: True in the part of the hole that is asked for.
        budget: The number of steps to train for, which gives the same network again on the same
            machine; or else the seconds.
        bounded: Nothing is predicted beyond 0 and 1.

    Raises:
        UsageError: The network is for pictures of one size.
    """
    if not predictor.model.any_size:
        raise UsageError(
            f"{predictor.name} is for pictures of one size", "`adapt` is for photographs and data"
        )
    held, of_hole = hide(hole, seed, wanted, share=1.0)
    unseen = hole.copy()
    for place, hidden in held:
        unseen[place] |= hidden
    pixels = int(unseen.sum() - hole.sum())
    before = compared(predictor, picture, hole, held, seed, bounded=bounded)
    if before is None or (~unseen).sum() < LEAST:
        return predictor, SelfCheck(0), Adaptation(0, 0)
    model, taken = _trained(predictor.model, picture, unseen, seed, budget)
    other = replace(predictor, model=model, moments=mirrored_moments)
    after = compared(other, picture, hole, held, seed, bounded=bounded)
    assert after is not None
    sizes = [float(_squares(errors).mean() ** 0.5) for errors in (before, after)]
    outcome = Adaptation(taken, pixels, sizes[0], sizes[1], is_better(after, before))
    chosen, errors = (other, after) if outcome.helped else (predictor, before)
    return chosen, found(*errors, of_hole, contrast(picture, hole, held)), outcome


def is_better(after: Compared, before: Compared) -> bool:
    """Tell whether squares of errors at the same places fell by more than a standard error.

    The error is that of as many differences as the errors before are worth independent ones: those
    of a piece go together.
    """
    gains, (errors, stds, _, at) = _squares(before) - _squares(after), before
    worth = independent(errors / stds, at, np.zeros(len(gains), dtype=np.int64), 1)[0]
    return bool(gains.mean() > gains.std() / worth**0.5)


def _squares(compared: Compared) -> Float[np.ndarray, " pixel"]:
    """The mean square of the errors of each pixel's channels."""
    return np.square(compared[0], dtype=np.float64).mean(-1)


def _trained(
    model: NeuralProcess, picture: Array, unseen: HoleArray, seed: int, budget: Budget
) -> tuple[NeuralProcess, int]:
    """The running average of a network in training, and the number of steps taken."""
    learner = copy.deepcopy(model).train().requires_grad_(True)
    average = copy.deepcopy(model).requires_grad_(False)
    optimiser = torch.optim.Adam(learner.parameters(), lr=_RATE, fused=True)
    batches, weights = _batches(model, picture, unseen, seed), list(learner.parameters())
    step = 0
    for step, rate in enumerate(_rates(budget), 1):
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        with torch.autocast(weights[0].device.type, enabled=False):
            _loss(learner, *next(batches)).backward()
        nn.utils.clip_grad_norm_(weights, _CLIP)
        optimiser.step()
        share = 1 / min(_AVERAGED, 1 + step / _WARMUP)
        torch._foreach_lerp_(list(average.parameters()), [each.detach() for each in weights], share)
    return average, step


def _rates(budget: Budget) -> Iterator[float]:
    """The learning rate of each step: it rises, and falls to nothing along a cosine.

    A time becomes the number of steps that fit in, by the pace of the first ones.
    """
    (steps, seconds), begun = budget, time.monotonic()
    for step in range(_WARMUP if steps is None else min(_WARMUP, steps)):
        yield _RATE * (step + 1) / _WARMUP
        if step == 0:  # which takes longer than the others
            begun = time.monotonic()
    if steps is None:
        pace = (time.monotonic() - begun) / (_WARMUP - 1)
        steps = max(_WARMUP, round((seconds or 0) / pace))
    progress = Steps(max(0, steps - _WARMUP))
    for step in range(progress.total):
        yield _RATE * (1 + math.cos(math.pi * step / progress.total)) / 2
        progress.advance()


def _loss(
    model: NeuralProcess, context: Context, hidden: Bool[Tensor, "batch pixel"]
) -> Float[Tensor, ""]:
    """β-NLL of hidden pixels (Seitzer et al. 2022, section 4), with β = 0.5."""
    predicted = model.predict(model.encode(context), None, Targets.every(context.size))
    asked = hidden.unsqueeze(-1)
    truth, weight = context.pixels.flatten(2).mT, predicted.scale.detach() * asked
    return -(weight * predicted.log_prob(truth.where(asked, 0))).sum() / weight.sum()


def _batches(
    model: NeuralProcess, picture: Array, unseen: HoleArray, seed: int
) -> Iterator[tuple[Context, Bool[Tensor, "batch pixel"]]]:
    """Crops around visible pixels, mirrored, of which some are hidden as the hole is, without end.

    Each comes with what is hidden.
    """
    random, alike = array_generator(seed, "adapt"), shares(around_hole(unseen))
    visible, sides = np.flatnonzero(~unseen), [min(_SIDE, length) for length in unseen.shape]
    while True:
        contexts, masks = list[Context](), list[Tensor]()
        for pixel in random.choice(visible, _CROPS):
            at = divmod(int(pixel), unseen.shape[1])
            place, mirror = _around(at, sides, unseen.shape), random.choice((1, -1), 2)
            hidden = hidden_like(unseen, place, alike, _FEWEST, random)
            hidden[at[0] - place[0].start, at[1] - place[1].start] = True
            whole, missing, asked = (
                np.ascontiguousarray(each[:: mirror[0], :: mirror[1]])
                for each in (picture[place], unseen[place] | hidden, hidden)
            )
            contexts.append(context_of(model, whole, missing)[0])
            masks.append(torch.from_numpy(asked).flatten().expand(len(contexts[-1].pixels), -1))
        pixels, observed = (
            torch.cat([getattr(each, name) for each in contexts]) for name in ("pixels", "observed")
        )
        yield Context(pixels, observed), torch.cat(masks).to(pixels.device)


def _around(at: tuple[int, int], sides: Sequence[int], shape: tuple[int, ...]) -> Place:
    """The square with a pixel in its middle, or as near as the picture's borders allow."""
    first = [
        min(max(0, place - side // 2), length - side)
        for place, side, length in zip(at, sides, shape, strict=True)
    ]
    rows, columns = (slice(start, start + side) for start, side in zip(first, sides, strict=True))
    return rows, columns
