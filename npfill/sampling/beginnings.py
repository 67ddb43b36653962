"""Two ways to begin a hole: from its rim inwards, or by parts of the picture moved over it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from npfill.sampling.patches import OFFSETS, Patches, Values, some_of
from npfill.sampling.scales import REACH, Scale, blurred, spread_into

# The most sources that the hole is filled from, from its rim.
_SOURCES = 2048
# The width around the hole by which shifts are compared, the most shifts, and over how many pixels
# the choice between them is smooth; the least share of what is compared that a shift must show.
_RING, _SHIFTS, _SMOOTH, _LEAST = 6, 40, 2.5, 0.4
# By how much, in logarithms, a sample is drawn to some shifts and not to others.
_DRAWN = 0.2
# The squared distance that stands for what a shift does not show.
_UNSEEN = 0.1


def from_rim(
    patches: Patches, allowed: Bool[Tensor, " place"], random: torch.Generator, spread: float
) -> Values:
    """The hole filled layer by layer from its rim, with the middles of patches that fit best.

    A pixel counts in a comparison as 1 where it is observed or filled, and else as much as its mean
    is sure: s² / (s² + std²), with the spread s of a vote.
    """
    scale, (height, width) = patches.scale, patches.scale.size
    values = _expected(scale).flatten(1).T.contiguous()
    sure = torch.where(scale.hole, _sure(scale, spread), 1.0).flatten()
    around = torch.tensor([y * width + x for y, x in OFFSETS])
    sources = some_of(allowed, _SOURCES, random)
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


def from_shifts(
    patches: Patches, allowed: Bool[Tensor, " place"], draw: torch.Generator | None, spread: float
) -> Values:
    """The hole filled by parts of the picture that are moved over it as they are.

    In pictures of patterns and buildings few shifts say most (He and Sun 2012, "Statistics of patch
    offsets for image completion"). Here they are those by which the picture moved over itself is
    most alike around the hole, and in it to the mean where that is sure; each pixel has the one
    that is best in its neighbourhood.

    Args:
        patches: The patches of the scale.
        allowed: True at the sources that are drawn from.
        draw: Draws a sample to some shifts and not to others; None to take them as they fit.
        spread: The spread of a vote.
    """
    scale, (height, width) = patches.scale, patches.scale.size
    begun = _expected(scale)
    colours, counts = begun[: len(scale.mean)], _counted(scale, spread)
    total = _smooth(counts).clamp(min=1e-6)
    least, values = torch.full_like(total, torch.inf), begun.flatten(1).T.contiguous()
    row, column = torch.arange(height)[:, None], torch.arange(width)
    for down, across in _alike(scale, colours, counts):
        y, x = row + down, column + across
        there = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
        there &= ~scale.hole[y, x]
        apart = (colours - colours[:, y, x]).square().sum(0)
        cost = _smooth(counts * torch.where(there, apart, _UNSEEN)) / total
        if draw is not None:
            cost *= torch.exp(_DRAWN * torch.randn((), generator=draw))
        better = scale.hole & there & allowed.view(height, width)[y, x] & (cost < least)
        least = torch.where(better, cost, least)
        values[better.flatten()] = patches.values[(y * width + x)[better]]
    return values[patches.pixels]


def _alike(
    scale: Scale,
    colours: Float[Tensor, "colour height width"],
    counts: Float[Tensor, "height width"],
) -> list[tuple[int, int]]:
    """The shifts by which the picture is most like itself: local minima, the best first."""
    (height, width), seen = scale.size, (~scale.hole).float()

    def moved(fixed: Tensor, over: Tensor) -> Float[Tensor, "... rows columns"]:
        """Sums of products for every shift of the second."""
        size = 2 * height, 2 * width
        still, other = (torch.fft.rfft2(each, s=size) for each in (fixed, over))
        found = torch.fft.irfft2(still.conj() * other, s=size)
        return found.roll((height, width), (-2, -1))

    squares = colours.square().sum(0)
    apart = moved(counts * squares, seen) + moved(counts, seen * squares)
    apart -= 2 * moved(counts * colours, seen * colours).sum(0)
    weight = moved(counts, seen)
    shown = weight > _LEAST * counts.sum()
    apart = torch.where(shown, apart / weight.clamp(min=1e-6), torch.inf)
    lowest = apart == -F.max_pool2d(-apart[None], 5, 1, 2)[0]
    (places,) = (lowest & shown).flatten().nonzero(as_tuple=True)
    best = places[apart.flatten()[places].argsort(stable=True)[:_SHIFTS]].tolist()
    return [(place // (2 * width) - height, place % (2 * width) - width) for place in best]


def _expected(scale: Scale) -> Float[Tensor, "channel height width"]:
    """The picture with its mean in the hole, as rough there as around."""
    rough = scale.picture[len(scale.mean) :]
    if len(rough):
        rough = spread_into(rough, ~scale.hole, 2)
    return torch.where(scale.hole, torch.cat([scale.mean, rough]), scale.picture)


def _sure(scale: Scale, spread: float) -> Float[Tensor, "height width"]:
    """As how much the mean counts beside a pixel that is known."""
    return spread**2 / (spread**2 + scale.std.square().mean(0))


def _counted(scale: Scale, spread: float) -> Float[Tensor, "height width"]:
    """As how much a pixel counts in the comparison of shifts: near the hole, and in it."""
    near = F.max_pool2d(scale.hole.float()[None], 2 * _RING + 1, 1, _RING)[0]
    return torch.where(scale.hole, _sure(scale, spread), near)


def _smooth(values: Float[Tensor, "height width"]) -> Float[Tensor, "height width"]:
    return blurred(values[None], _SMOOTH)[0]
