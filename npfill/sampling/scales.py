"""A picture with a hole at coarser and coarser scales, for painting from the coarsest on."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

# Side of a patch, and how far it reaches from its centre.
SIDE, REACH = 7, 3
# The widest box in the hole at the coarsest scale, in pixels: under two patches.
_WIDEST = 12
# Fewest patches to draw from at a scale.
FEWEST = 400
# Weight of how rough a place is beside its colours, and the reach of that at half size.
_ROUGHNESS, _AROUND = 0.7, 3


@dataclass(frozen=True)
class Scale:
    """A picture at one scale.

    Attributes:
        picture: The channels, and but at the finest scale two more that say how rough the picture
            is down and across around a pixel; in the hole nothing of worth.
        hole: True where it is to be drawn.
        sources: True at the centres of patches that may be drawn from.
        mean: The predictive mean in the hole.
        std: Its standard deviation in the hole.
    """

    picture: Float[Tensor, "channel height width"]
    hole: Bool[Tensor, "height width"]
    sources: Bool[Tensor, "height width"]
    mean: Float[Tensor, "colour height width"]
    std: Float[Tensor, "colour height width"]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.hole.shape[0], self.hole.shape[1]


def scales(
    picture: Float[Tensor, "channel height width"],
    hole: Bool[Tensor, "height width"],
    allowed: Bool[Tensor, "height width"],
    mean: Float[Tensor, "channel height width"],
    std: Float[Tensor, "channel height width"],
) -> list[Scale]:
    """The scales of a picture by halves, the finest first; none where there is too little to draw.

    A coarser pixel is in the hole where half of what it covers is; else it is the mean of what is
    observed. The last scale is the first at which the hole is narrow beside a patch, or the last
    that leaves patches to draw from.

    Args:
        picture: A picture, without worth where the hole is.
        hole: True where it is to be drawn.
        allowed: True where it may be drawn from.
        mean: The predictive mean in the hole.
        std: Its standard deviation in the hole.
    """
    found: list[Scale] = []
    if not hole.any() or int(_centres(~hole & allowed).sum()) < FEWEST:
        return found
    missing, barred = hole.float()[None], (~allowed).float()[None]
    values = torch.where(hole, 0.0, picture)
    rough = _roughness(values, hole)
    while True:
        selected = missing[0] >= 0.5 if found else hole
        sources = _centres(~selected & (barred[0] < 0.5))
        if not selected.any() or int(sources.sum()) < FEWEST:
            return found
        shown = torch.cat([values, rough]) if found else values
        found.append(Scale(shown, selected, sources, mean, std))
        if not holds_box(selected, _WIDEST + 1):
            return found
        seen = _halved(1.0 - missing)
        values = _halved(values * (1.0 - missing)) / seen.clamp(min=1e-6)
        if len(found) > 1:
            rough = _halved(rough * (1.0 - missing)) / seen.clamp(min=1e-6)
        inside = _halved(missing).clamp(min=1e-6)
        mean, std = (_halved(each * missing) / inside for each in (mean, std))
        missing, barred = 1.0 - seen, _halved(barred)


def blurred(
    values: Float[Tensor, "channel height width"], spread: float
) -> Float[Tensor, "channel height width"]:
    """Means with Gaussian weights of a spread in pixels."""
    reach = int(3 * spread)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * spread**2))
    return convolved(values, kernel / kernel.sum())


def convolved(
    values: Float[Tensor, "channel height width"], kernel: Float[Tensor, " tap"]
) -> Float[Tensor, "channel height width"]:
    """Values convolved with a kernel of odd length, down and across; the border repeats."""
    padded = F.pad(values[:, None], [len(kernel) // 2] * 4, mode="replicate")
    taps = kernel[None, None]
    return F.conv2d(F.conv2d(padded, taps.unsqueeze(-1)), taps.unsqueeze(-2))[:, 0]


def holds_box(hole: Bool[Tensor, "height width"], side: int) -> bool:
    """A box of this side fits into the hole."""
    if min(hole.shape) < side:
        return False
    observed = (~hole).float()[None, None]
    down = F.max_pool2d(observed, (side, 1), 1)
    return bool((F.max_pool2d(down, (1, side), 1) == 0).any())


def touching(hole: Bool[Tensor, "height width"]) -> Bool[Tensor, "height width"]:
    """The centres of the patches that have a pixel of the hole; patches lie in the picture."""
    (height, width), centres = hole.shape, torch.zeros_like(hole)
    near = F.max_pool2d(hole.float()[None, None], SIDE, 1, REACH)[0, 0] > 0
    within = slice(REACH, height - REACH), slice(REACH, width - REACH)
    centres[within] = near[within]
    return centres


def _centres(free: Bool[Tensor, "height width"]) -> Bool[Tensor, "height width"]:
    """The centres of the patches that lie within an area."""
    taken = F.pad((~free).float()[None, None], [REACH] * 4, value=1.0)
    return F.max_pool2d(taken, SIDE, 1)[0, 0] == 0


def _halved(values: Float[Tensor, "channel height width"]) -> Float[Tensor, "channel rows columns"]:
    """The means of 2x2 pixels; the last row and column stand twice where they are odd."""
    height, width = values.shape[1:]
    edges = (0, width % 2, 0, height % 2)
    return F.avg_pool2d(F.pad(values[None], edges, mode="replicate"), 2)[0]


def _roughness(
    values: Float[Tensor, "channel height width"], hole: Bool[Tensor, "height width"]
) -> Float[Tensor, "2 rows columns"]:
    """The mean differences down and across at half size, on the scale of the colours' own spread.

    The texture features of Newson et al. 2014, section 3.2.
    """
    grey, seen = values.mean(0), ~hole
    across = (0, 1, 0, 0), (0, 0, 0, 1)
    steps = torch.stack([F.pad(grey.diff(dim=1 - axis).abs(), across[axis]) for axis in (0, 1)])
    pairs = seen[:, 1:] & seen[:, :-1], seen[1:] & seen[:-1]
    known = torch.stack([F.pad(pairs[axis], across[axis]) for axis in (0, 1)]).float()
    steps, known = _halved(steps * known), _halved(known)
    rough = spread_into(steps / known.clamp(min=1e-6), known, _AROUND)
    return rough * (_ROUGHNESS * values[:, seen].std() / rough.std().clamp(min=1e-4))


def spread_into(
    values: Float[Tensor, "channel height width"],
    known: Tensor,
    reach: int,
    wanted: Bool[Tensor, "height width"] | None = None,
) -> Float[Tensor, "channel height width"]:
    """Means of what is known around each pixel; where nothing is within reach, of such means.

    Args:
        values: The values.
        known: Where they are, as weights from 0 to 1 or as truths; of none, means are 0.
        reach: How far around a pixel, in pixels.
        wanted: Where means are needed; everywhere by default. Elsewhere 0 stands for some.
    """
    side = 2 * reach + 1

    def around(each: Tensor) -> Tensor:
        rows = F.avg_pool2d(each[None], (side, 1), 1, (reach, 0))
        return F.avg_pool2d(rows, (1, side), 1, (0, reach))[0]

    weights = known.to(values.dtype).expand_as(values)
    total, count = around(values * weights), around(weights)
    reached = count > 0
    means = torch.where(reached, total / count, 0.0)
    while reached.any() and not (reached if wanted is None else reached[:, wanted]).all():
        # Means count alike, however far they come from: a weight that shrank at each step would
        # be 0 in the middle of a hole some hundred pixels wide.
        count = around(reached.to(values.dtype))
        means = torch.where(reached | (count == 0), means, around(means) / count)
        reached = count > 0
    return means
