"""A hole painted with patches of the picture around it, from coarse to fine.

Wexler, Shechtman and Irani 2007, "Space-time completion of video", with the search of Barnes et
al. 2009 and the roughness of Newson et al. 2014; what they lack is a prediction of the hole, by
which every vote is held here: a patch's value v counts as N(v, s²) beside N(mean, std²).
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from npfill.sampling.patches import OFFSETS, Field, Fits, Patches, Values, some_of
from npfill.sampling.scales import REACH, Scale, scales, spread_into
from npfill.seeds import generator
from npfill.steps import Steps

# Rounds of search and votes at the coarsest scale and the next ones; the last is for all others.
_ROUNDS = (12, 8, 6, 4, 3, 2)
# Paintings that are begun for the first sample: that which fits best at half size is finished.
STARTS = 3
# The spread s of a vote, in intensities, and at the finest scale, where the mean has no texture; at
# the end, of its coarse part and of the whole, and over how many pixels the coarse part is smooth.
_VOTE, _VOTE_FINEST = 0.06, 0.02
_VOTE_COARSE, _VOTE_AT_END, _COARSE = 0.1, 0.02, 4.0
# Share of the sources that a sample draws from at the coarsest scale, and the size of what it
# leaves out, in pixels.
_SHARE, _LEFT_OUT = 0.7, 3.0
# The most sources that the hole is first filled from.
_FIRST = 2048
# The least std, in intensities.
_LEAST = 1e-3


@dataclass(frozen=True)
class Painting:
    """A picture whose hole is to be painted.

    Attributes:
        picture: The picture; what lies in the hole is never read.
        hole: True where it is to be painted.
        allowed: True where it may be drawn from.
        mean: The predictive mean in the hole.
        std: Its standard deviation in the hole.
    """

    picture: Float[Tensor, "channel height width"]
    hole: Bool[Tensor, "height width"]
    allowed: Bool[Tensor, "height width"]
    mean: Float[Tensor, "channel height width"]
    std: Float[Tensor, "channel height width"]

    def around(self, window: tuple[slice, slice]) -> "Painting":
        """The part of the picture in a window of rows and columns."""
        return Painting(
            self.picture[:, *window],
            self.hole[window],
            self.allowed[window],
            self.mean[:, *window],
            self.std[:, *window],
        )

    @cached_property
    def levels(self) -> list[Patches]:
        """The patches of every scale, the finest first; none where there is too little to draw."""
        found = scales(self.picture, self.hole, self.allowed, self.mean, self.std)
        return [Patches(scale) for scale in found]

    def work(self, number: int) -> int:
        """The amount of work that a sample is, in patches to search for."""
        rounds = [_rounds(len(self.levels) - 1 - level) for level in range(len(self.levels))]
        parts = [len(each.targets) * n for each, n in zip(self.levels, rounds, strict=True)]
        return parts[0] + self._starts(number) * sum(parts[1:])

    def _starts(self, number: int) -> int:
        return STARTS if number == 0 and len(self.levels) > 1 else 1

    def sample(self, seed: int, number: int, steps: Steps) -> Float[Tensor, "pixel channel"]:
        """The painted pixels of the hole, which depend on the seed and the number alone.

        The first sample is the best of `STARTS` by the fit of its patches, before the finest scale.
        """
        begun = [
            self._coarse(generator(seed, "exemplar", number, start), steps)
            for start in range(self._starts(number))
        ]
        field, random, _ = min(begun, key=lambda one: one[2])
        field, fits = self._paint(0, field, random, steps)
        patches = self.levels[0]
        return _settled(patches.votes(field, fits, sharp=True), patches)

    def _coarse(
        self, random: torch.Generator, steps: Steps
    ) -> tuple[Field | None, torch.Generator, float]:
        """Paint at all scales but the finest.

        Returns:
            The field of the second finest, if there is one, the generator for what is to follow,
            and the mean distance of a patch to its source.
        """
        field, fit = None, 0.0
        for number in range(len(self.levels) - 1, 0, -1):
            field, fits = self._paint(number, field, random, steps)
            fit = float(fits.mean())
        return field, random, fit

    def _paint(
        self, number: int, field: Field | None, random: torch.Generator, steps: Steps
    ) -> tuple[Int[Tensor, " patch"], Float[Tensor, " patch"]]:
        """Search and vote in turn at one scale, from what the coarser one found."""
        patches, values = self.levels[number], self.levels[number].values.clone()
        allowed, coarsest = patches.scale.sources.flatten(), number == len(self.levels) - 1
        fits: Fits | None = None
        spread = _VOTE if number else _VOTE_FINEST
        if coarsest:
            allowed = _some(patches.scale, random)
            values[patches.pixels] = _begun(patches, allowed, random, spread)
        else:
            assert field is not None
            field, known = patches.doubled(self.levels[number + 1], field, allowed, random)
            fits = torch.where(known, 0.0, 1e3)
            values[patches.pixels] = held(patches.votes(field, fits, sharp=False), patches, spread)
        for _ in range(_rounds(len(self.levels) - 1 - number)):
            steps.advance(len(patches.targets))
            field, fits = patches.search(values, field, allowed, random)
            values[patches.pixels] = held(patches.votes(field, fits, sharp=False), patches, spread)
        assert field is not None
        assert fits is not None
        return field, fits


def _rounds(above: int) -> int:
    """The rounds at a scale that has so many coarser ones."""
    return _ROUNDS[min(above, len(_ROUNDS) - 1)]


def held(votes: Values, patches: Patches, spread: float) -> Values:
    """The votes, each N(v, spread²), given what is predicted, N(mean, std²)."""
    scale = patches.scale
    mean, std = (each.flatten(1).T[patches.pixels] for each in (scale.mean, scale.std))
    precision = std.clamp(min=_LEAST) ** -2
    colours = (votes[:, : mean.shape[1]] * spread**-2 + mean * precision) / (spread**-2 + precision)
    return torch.cat([colours, votes[:, mean.shape[1] :]], dim=1)


def _settled(votes: Values, patches: Patches) -> Values:
    """The last votes, held in what is coarse: the mean is right there and has nothing finer."""
    scale = patches.scale
    moved = torch.zeros(scale.hole.numel(), votes.shape[1])
    moved[patches.pixels] = held(votes, patches, _VOTE_COARSE) - votes
    smooth = _blurred(moved.T.reshape(-1, *scale.size), _COARSE)
    return held(votes + smooth.flatten(1).T[patches.pixels], patches, _VOTE_AT_END)


def _begun(
    patches: Patches, allowed: Bool[Tensor, " place"], random: torch.Generator, spread: float
) -> Values:
    """The hole filled layer by layer from its rim, with the middles of patches that fit best.

    A pixel counts in a comparison as 1 where it is observed or filled, and else as much as its mean
    is sure: s² / (s² + std²), with the spread s of a vote.
    """
    scale = patches.scale
    colours, (height, width) = len(scale.mean), scale.size
    rough = scale.picture[colours:]
    if len(rough):
        rough = spread_into(rough, ~scale.hole, 2)
    begun = torch.cat([scale.mean, rough])
    values = torch.where(scale.hole, begun, scale.picture).flatten(1).T.contiguous()
    sure = spread**2 / (spread**2 + scale.std.square().mean(0))
    sure = torch.where(scale.hole, sure, 1.0).flatten()
    around = torch.tensor([y * width + x for y, x in OFFSETS])
    sources = some_of(allowed, _FIRST, random)
    known = patches.values[sources[:, None] + around]
    squares, known = known.square().sum(2), known.flatten(1)
    left = scale.hole.clone()
    while left.any():
        near = F.max_pool2d((~left).float()[None, None], 3, 1, 1)[0, 0] > 0
        layer = (left & near).flatten().nonzero()[:, 0]
        row, column = layer // width, layer % width
        y, x = row.clamp(REACH, height - REACH - 1), column.clamp(REACH, width - REACH - 1)
        shown = (y * width + x)[:, None] + around
        counts = sure[shown]
        wanted = (values[shown] * counts[..., None]).flatten(1)
        best = (counts @ squares.T).sub_(wanted @ known.T, alpha=2).argmin(1)
        values[layer] = patches.values[sources[best] + layer - (y * width + x)]
        sure[layer] = 1.0
        left = left & ~near
    return values[patches.pixels]


def _some(scale: Scale, random: torch.Generator) -> Bool[Tensor, " place"]:
    """Sources of a sample's own: all but some areas, which differ from sample to sample."""
    noise = _blurred(torch.randn(1, *scale.size, generator=random), _LEFT_OUT)[0]
    least = noise[scale.sources].quantile(1.0 - _SHARE)
    return (scale.sources & (noise >= least)).flatten()


def _blurred(
    values: Float[Tensor, "channel height width"], spread: float
) -> Float[Tensor, "channel height width"]:
    """Means with Gaussian weights of a spread in pixels."""
    reach = int(3 * spread)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * spread**2))
    kernel = (kernel / kernel.sum()).view(1, 1, -1)
    padded = F.pad(values[:, None], [reach] * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.unsqueeze(-1)), kernel.unsqueeze(-2))[:, 0]
