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

from npfill.sampling.beginnings import from_rim, from_shifts
from npfill.sampling.details import strengthened
from npfill.sampling.patches import Field, Fits, Patches, Values
from npfill.sampling.scales import Scale, blurred, scales
from npfill.seeds import generator
from npfill.steps import Steps

# Rounds of search and votes at the coarsest scale and the next ones; the last is for all others.
_ROUNDS = (12, 8, 6, 4, 3, 2)
# How paintings are begun, by shifts or from the rim: those that the first sample is the best of;
# and those of the others, in turn.
_FIRST, _OTHERS = (True, False), (True, False)
# The spread s of a vote, in intensities, and at the finest scale, where the mean has no texture; at
# the end, of its coarse part and of the whole, and over how many pixels the coarse part is smooth.
_VOTE, _VOTE_FINEST = 0.06, 0.02
_VOTE_COARSE, _VOTE_AT_END, _COARSE = 0.1, 0.05, 4.0
# Where two paintings differ by d, the coarse part has s² = a² + b d²: the mean has nothing finer.
_ALIKE, _APART = 0.1, 20.0
# Share of the sources that a sample draws from at the coarsest scale, and the size of what it
# leaves out, in pixels.
_SHARE, _LEFT_OUT = 0.7, 3.0
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
        parts = (self.picture, self.hole, self.allowed, self.mean, self.std)
        return Painting(*(part[..., *window] for part in parts))

    @cached_property
    def levels(self) -> list[Patches]:
        """The patches of every scale, the finest first; none where there is too little to draw."""
        found = scales(self.picture, self.hole, self.allowed, self.mean, self.std)
        return [Patches(scale) for scale in found]

    def work(self, number: int) -> int:
        """The amount of work that a sample is, in patches to search for."""
        rounds = [_rounds(self._top(False) - level) for level in range(len(self.levels))]
        parts = [len(each.targets) * n for each, n in zip(self.levels, rounds, strict=True)]
        return sum(sum(parts[: self._top(shifted) + 1]) for shifted in _ways(number))

    def _top(self, shifted: bool) -> int:
        """The scale that a painting is begun at."""
        return max(len(self.levels) - (2 if shifted else 1), 0)

    def sample(self, seed: int, number: int, steps: Steps) -> Float[Tensor, "pixel channel"]:
        """The painted pixels of the hole, which depend on the seed and the number alone.

        The first sample is the better of two by the fit of its patches.
        """
        begun = [
            self._paint(
                shifted,
                None
                if number == start == 0
                else generator(seed, "exemplar", number, start, "draw"),
                generator(seed, "exemplar", number, start),
                steps,
            )
            for start, shifted in enumerate(_ways(number))
        ]
        votes = [self.levels[0].votes(*one, sharp=True) for one in begun]
        best = min(range(len(begun)), key=lambda one: float(begun[one][1].mean()))
        return self._settled(votes[best], self._spread(votes))

    def _spread(self, votes: list[Values]) -> Float[Tensor, "pixel 1"]:
        """The spread of the coarse part of the last votes, by how far two paintings differ."""
        if len(votes) == 1:
            return torch.full((len(votes[0]), 1), _VOTE_COARSE)
        apart = (votes[0] - votes[1]).square().mean(1, keepdim=True)
        return (_ALIKE**2 + _APART * self._coarse(apart)).sqrt()

    def _settled(self, votes: Values, spread: Float[Tensor, "pixel 1"]) -> Values:
        """The last votes, held in what is coarse, with stronger details, then held as a whole."""
        patches = self.levels[0]
        painted = torch.where(self.hole, 0.0, self.picture)
        painted[:, self.hole] = (votes + self._coarse(held(votes, patches, spread) - votes)).T
        return held(strengthened(painted, self.hole, self.allowed), patches, _VOTE_AT_END)

    def _coarse(self, values: Values) -> Values:
        """The coarse part of values of the hole, which are 0 outside."""
        everywhere = torch.zeros(self.hole.numel(), values.shape[1])
        everywhere[self.levels[0].pixels] = values
        smooth = blurred(everywhere.T.reshape(-1, *self.hole.shape), _COARSE)
        return smooth[:, self.hole].T

    def _paint(
        self, shifted: bool, draw: torch.Generator | None, random: torch.Generator, steps: Steps
    ) -> tuple[Int[Tensor, " patch"], Float[Tensor, " patch"]]:
        """Search and vote in turn, from the coarsest scale to the finest.

        Args:
            shifted: Begin by shifts, not from the rim.
            draw: For the sources and shifts that it begins with; None to begin with all.
            random: For the search.
            steps: The progress.

        Returns:
            The field of the finest scale, and how well its patches fit.
        """
        field: Field | None = None
        fits: Fits | None = None
        for level in range(self._top(shifted), -1, -1):
            patches, values = self.levels[level], self.levels[level].values.clone()
            allowed = patches.scale.sources.flatten()
            spread = _VOTE if level else _VOTE_FINEST
            if field is None:
                if draw is not None:
                    allowed = _some(patches.scale, draw)
                if shifted:
                    values[patches.pixels] = from_shifts(patches, allowed, draw, spread)
                else:
                    values[patches.pixels] = from_rim(patches, allowed, random, spread)
            else:
                field, known = patches.doubled(self.levels[level + 1], field, allowed, random)
                fits = torch.where(known, 0.0, 1e3)
                votes = patches.votes(field, fits, sharp=False)
                values[patches.pixels] = held(votes, patches, spread)
            for _ in range(_rounds(self._top(False) - level)):
                steps.advance(len(patches.targets))
                field, fits = patches.search(values, field, allowed, random)
                votes = patches.votes(field, fits, sharp=False)
                values[patches.pixels] = held(votes, patches, spread)
        assert field is not None
        assert fits is not None
        return field, fits


def _ways(number: int) -> tuple[bool, ...]:
    """Choose how the paintings of a sample, of which the best is taken, begin: by shifts or not."""
    return _FIRST if number == 0 else (_OTHERS[number % 2],)


def _rounds(above: int) -> int:
    """The rounds at a scale that has so many coarser ones."""
    return _ROUNDS[min(above, len(_ROUNDS) - 1)]


def held(
    votes: Values, patches: Patches, spread: float | Float[Tensor, "pixel #channel"]
) -> Values:
    """The votes, each N(v, spread²), given what is predicted, N(mean, std²)."""
    scale = patches.scale
    mean, std = (each.flatten(1).T[patches.pixels] for each in (scale.mean, scale.std))
    precision = std.clamp(min=_LEAST) ** -2
    colours = (votes[:, : mean.shape[1]] * spread**-2 + mean * precision) / (spread**-2 + precision)
    return torch.cat([colours, votes[:, mean.shape[1] :]], dim=1)


def _some(scale: Scale, random: torch.Generator) -> Bool[Tensor, " place"]:
    """Sources of a sample's own: all but some areas, which differ from sample to sample."""
    noise = blurred(torch.randn(1, *scale.size, generator=random), _LEFT_OUT)[0]
    least = noise[scale.sources].quantile(1.0 - _SHARE)
    return (scale.sources & (noise >= least)).flatten()
