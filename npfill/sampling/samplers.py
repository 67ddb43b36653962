"""Samples of the pixels of a hole: three ways for every variant."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from npfill.context import Context, Targets
from npfill.errors import UsageError
from npfill.gaussian import Gaussian
from npfill.models import NeuralProcess
from npfill.sampling.autoregressive import Index, Values, predicted_given, revealed
from npfill.sampling.intensity import bounded
from npfill.sampling.latents import has_latent, latent_noise
from npfill.sampling.mixture import gathered, in_chunks, moments
from npfill.sampling.rounds import order, round_sizes
from npfill.seeds import generator

Kind = Literal["latent", "autoregressive", "independent"]
Drawn = Float[Tensor, "sample batch target channel"]

KINDS: tuple[Kind, ...] = ("latent", "autoregressive", "independent")
ROUNDS = 16
# What `auto` stands for where it is not `autoregressive`, which docs/findings.md measures as best.
# A convcnp has whole photographs to draw, and 16 rounds of them take too long for a default.
_AUTO: dict[str, Kind] = {"convcnp": "independent"}
# Samples are drawn this many at a time, whatever number is asked for: matrix products of another
# shape round in another way, and sample k would not be the same to the last bit. Of pictures of any
# size, one at a time is what fits into memory.
_TOGETHER = 3
# Pixels that are drawn at once where all are independent: what bounds the memory.
_DRAWN_TOGETHER = 2**18


@dataclass(frozen=True)
class Sampler:
    """How samples are drawn.

    Attributes:
        kind: `latent`: the decoder's mean, for a z of the sample's own. `autoregressive`: pixels
            are drawn in rounds, each fed back as context, and the picture is the mean of a last
            pass that has all of them as context; a z is drawn from the growing context with noise
            that is held. `independent`: noise of its own in every pixel.
        rounds: Rounds of `autoregressive`; fewer where there are fewer pixels to draw.
        noise: Whether pixels are drawn where they would be means: p(y | z) for `latent`, the draws
            that were fed back for `autoregressive`. `independent` has noise in any case.
    """

    kind: Kind
    rounds: int = ROUNDS
    noise: bool = False


def sampler_for(
    model: NeuralProcess[Any], name: str = "auto", rounds: int | None = None, *, noise: bool = False
) -> Sampler:
    """The sampler that a user names; `auto` is the one for its variant.

    Args:
        model: The model.
        name: `auto`, `latent`, `autoregressive` or `independent`.
        rounds: Rounds of the autoregressive sampler; None for 16.
        noise: See `Sampler`.

    Raises:
        UsageError: The name is unknown, the model has no z for `latent`, or there is no round.
    """
    if name != "auto" and name not in KINDS:
        raise UsageError(f"unknown sampler {name!r}", f"one of: auto, {', '.join(KINDS)}")
    if name == "auto":
        kind = _AUTO.get(model.variant, "autoregressive")
    else:
        kind = next(k for k in KINDS if k == name)
    if kind == "latent" and not has_latent(model):
        raise UsageError(
            f"sampler latent: a {model.variant} has no latent z",
            "autoregressive gives it coherent samples",
        )
    if rounds is not None and kind != "autoregressive":
        raise UsageError(f"{rounds} rounds of sampler {kind}", "autoregressive has rounds")
    if rounds is not None and rounds < 1:
        raise UsageError(f"{rounds} rounds", "1 or more are drawn")
    return Sampler(kind, ROUNDS if rounds is None else rounds, noise)


@torch.no_grad()
def samples(
    model: NeuralProcess[Any],
    context: Context,
    targets: Targets,
    sampler: Sampler,
    seed: int,
    count: int,
) -> Drawn:
    """Samples of targets: sample k depends on the seed and k alone.

    All pictures of a batch have the same noise, and holes of one size. So have the channels of a
    pixel: a model says nothing of how they vary together, and in pictures they do so closely.

    The autoregressive rounds run on the context's grid. Targets on a finer grid, that of a picture
    larger than the model was made for, are asked for in the last pass: their detail is what the
    drawn context leaves, and with `noise` each is drawn for itself. Where the context's grid has
    no pixel left to draw, there are no rounds.

    Args:
        model: The model.
        context: What is observed.
        targets: The pixels asked for, the same for all pictures.
        sampler: How.
        seed: The seed.
        count: How many samples.
    """
    if not count:
        shape = 0, len(context.pixels), targets.index.shape[-1], model.config.channels
        return context.pixels.new_zeros(shape)
    if sampler.kind == "independent":
        return _independent(_Paths(model, context, seed, range(count)), targets)
    draw = {"latent": _latent, "autoregressive": _autoregressive}[sampler.kind]
    drawn = [
        draw(_Paths(model, context, seed, numbers), targets, sampler)[: count - numbers.start]
        for numbers in _together(count, 1 if model.any_size else _TOGETHER)
    ]
    return torch.cat(drawn)


def _together(count: int, size: int) -> Iterator[range]:
    """Numbers of samples, in groups of one size."""
    for first in range(0, count, size):
        yield range(first, first + size)


@dataclass(frozen=True)
class _Paths:
    """The samples that are drawn at once, and what they depend on."""

    model: NeuralProcess[Any]
    context: Context
    seed: int
    numbers: range

    def latent_noise(self) -> Float[Tensor, "sample latent"] | None:
        """The noise of z; None for a conditional variant."""
        if not has_latent(self.model):
            return None
        width = self.model.config.latent
        return latent_noise(width, self.seed, "sample", self.numbers).to(self.context.pixels)

    def pixel_noise(self, pixels: int) -> Float[Tensor, "sample 1 pixel 1"]:
        """Noise of its own for every pixel, the same for all pictures of a batch and channels."""
        noise = [
            torch.randn(pixels, 1, generator=generator(self.seed, "pixels", number))
            for number in self.numbers
        ]
        return torch.stack(noise).unsqueeze(1).to(self.context.pixels)


def _latent(paths: _Paths, targets: Targets, sampler: Sampler) -> Drawn:
    """The decoder's mean, or a draw, given a z for each sample."""
    given, noise = paths.model.condition(paths.context), paths.latent_noise()
    assert given.latent is not None
    assert noise is not None
    z = given.latent.rsample(noise.unsqueeze(1))
    return _last_pass(lambda some: given.predict(z, some), paths, targets, sampler)


def _independent(paths: _Paths, targets: Targets) -> Drawn:
    """A draw of every pixel from its own predictive distribution."""
    predicted = moments(paths.model.condition(paths.context), targets, paths.seed)
    noise = paths.pixel_noise(len(targets.index))
    drawn = predicted.mean.new_empty(len(noise), *predicted.mean.shape)
    for first in range(0, len(targets.index), _DRAWN_TOGETHER):
        some = slice(first, first + _DRAWN_TOGETHER)
        part = Gaussian(predicted.mean[:, some], predicted.scale[:, some])
        drawn[:, :, some] = bounded(part, noise[:, :, some])
    return drawn


def _autoregressive(paths: _Paths, targets: Targets, sampler: Sampler) -> Drawn:
    """The mean, or a draw, given all pixels that were drawn in rounds."""
    context, many, hole = paths.context, len(paths.numbers), ~paths.context.mask()
    batch, pixels = hole.shape
    noise = paths.pixel_noise(pixels).expand(-1, batch, -1, -1).flatten(0, 1)
    held = paths.latent_noise()
    held = None if held is None else held.repeat_interleave(batch, dim=0)

    def draw(predicted: Gaussian, index: Index) -> Values:
        return bounded(predicted, noise.gather(1, index.unsqueeze(-1)))

    repeated = replace(
        context,
        pixels=context.pixels.repeat(many, 1, 1, 1),
        observed=context.observed.repeat(many, 1, 1, 1),
    )
    indices = torch.cat([order(hole, context.size, paths.seed, n) for n in paths.numbers])
    sizes = round_sizes(indices.shape[1], sampler.rounds)
    drawn = revealed(paths.model, repeated, indices, sizes, held, draw)
    if sampler.noise and targets.size == context.size:
        return targets.values(drawn.pixels).unflatten(0, (many, batch))
    given = paths.model.condition(drawn)

    def last(some: Targets) -> Gaussian:
        predicted = predicted_given(given, held, some)
        return Gaussian(
            predicted.mean.unflatten(0, (many, batch)), predicted.scale.unflatten(0, (many, batch))
        )

    return _last_pass(last, paths, targets, sampler)


def _last_pass(
    predict: Callable[[Targets], Gaussian], paths: _Paths, targets: Targets, sampler: Sampler
) -> Drawn:
    """Means of all targets, or draws, from predictions of a few at a time."""
    pictures = len(paths.numbers) * len(paths.context.pixels)
    predicted = (predict(some) for some in in_chunks(paths.model, targets, pictures))
    count = len(targets.index)
    if not sampler.noise:
        return gathered((part.mean for part in predicted), count, dim=2)
    parts = (torch.stack([part.mean, part.scale]) for part in predicted)
    mean, scale = gathered(parts, count, dim=3)
    return bounded(Gaussian(mean, scale), paths.pixel_noise(count))
