"""The patches of a picture, and the search for those that fit the patches of its hole.

Patches are compared by their principal components. A few patches are compared with every source;
many by PatchMatch (Barnes et al. 2009): what fits a neighbour is tried beside it, at 8, 4, 2 and 1
pixels, and then places at random around the best so far.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from npfill.sampling.scales import REACH, SIDE, Scale, touching

Values = Float[Tensor, "pixel channel"]
Field = Int[Tensor, " target"]
Fits = Float[Tensor, " target"]

# Principal components of a patch, and the patches that they are found from.
_COMPONENTS, _ENOUGH = 24, 6000
# Pairs of patches that are compared at once, and the most that are compared one by one.
_AT_ONCE, _FEW = 2**22, 2**24
# A vote counts by its fit, and by how near to the middle of its patch the pixel lies, in pixels;
# at the end the best fit and the middle rule.
_MIDDLE, _MIDDLE_AT_END, _SHARPER = 1.5, 0.4, 8.0
_STEPS = (8, 4, 2, 1)
OFFSETS = [(y, x) for y in range(-REACH, REACH + 1) for x in range(-REACH, REACH + 1)]


def some_of(
    allowed: Bool[Tensor, " place"], most: int, random: torch.Generator
) -> Int[Tensor, " source"]:
    """The numbers of allowed places; where they are more than `most`, of so many at random."""
    places = allowed.nonzero()[:, 0]
    if len(places) <= most:
        return places
    return places[torch.randperm(len(places), generator=random)[: max(most, 1)]]


@dataclass(frozen=True)
class Patches:
    """The patches of a scale. Pixels and patches have row-major numbers: a patch, its centre's.

    A field names for each patch that touches the hole, in `targets`, the source that fits it best.

    Attributes:
        scale: The scale.
    """

    scale: Scale

    @cached_property
    def targets(self) -> Field:
        """The patches that touch the hole."""
        return touching(self.scale.hole).flatten().nonzero()[:, 0]

    @cached_property
    def pixels(self) -> Int[Tensor, " pixel"]:
        """The pixels of the hole."""
        return self.scale.hole.flatten().nonzero()[:, 0]

    @cached_property
    def values(self) -> Values:
        """The picture's values, a row for each pixel."""
        return self.scale.picture.flatten(1).T.contiguous()

    @cached_property
    def places(self) -> Int[Tensor, " place"]:
        """For each pixel, within a margin of zeros, the target that it is the centre of, from 1."""
        places = torch.zeros(self.scale.hole.numel(), dtype=torch.int64)
        places[self.targets] = torch.arange(1, len(self.targets) + 1)
        return F.pad(places.view(self.scale.size), [REACH] * 4).flatten()

    @cached_property
    def components(self) -> Float[Tensor, "component channel side side"]:
        """The principal components of the sources."""
        sources = self.scale.sources.flatten().nonzero()[:, 0]
        some = sources[:: math.ceil(len(sources) / _ENOUGH)]
        offsets = torch.tensor([y * self.scale.size[1] + x for y, x in OFFSETS])
        patches = self.values[some[:, None] + offsets].flatten(1)
        patches = patches - patches.mean(0)
        _, axes = torch.linalg.eigh(patches.T @ patches)
        kernels = axes[:, -_COMPONENTS:].T.reshape(-1, SIDE, SIDE, self.values.shape[1])
        return kernels.permute(0, 3, 1, 2).contiguous()

    @cached_property
    def table(self) -> Float[Tensor, "place component"]:
        """The components of the patch around each pixel; of patches without the hole."""
        height, width = self.scale.size
        table = torch.zeros(height, width, len(self.components))
        for top in range(0, height - 2 * REACH, 64):
            strip = self.scale.picture[:, top : top + 64 + 2 * REACH]
            found = F.conv2d(strip[None], self.components)[0].permute(1, 2, 0)
            table[top + REACH : top + REACH + len(found), REACH : width - REACH] = found
        return table.flatten(0, 1)

    def described(self, values: Values) -> Float[Tensor, "target component"]:
        """The components of the targets, in a picture of these values."""
        width = self.scale.size[1]
        rows, columns = self.targets // width, self.targets % width
        top, left = int(rows.min()), int(columns.min())
        shown = values.view(*self.scale.size, -1)[
            top - REACH : int(rows.max()) + REACH + 1, left - REACH : int(columns.max()) + REACH + 1
        ]
        found = F.conv2d(shown.permute(2, 0, 1)[None].contiguous(), self.components)[0]
        return found[:, rows - top, columns - left].T.contiguous()

    def distance(self, wanted: Float[Tensor, "target component"], field: Field) -> Fits:
        """Squared distances of the targets to their sources."""
        return self.table.index_select(0, field).sub_(wanted).square_().sum(1)

    def search(
        self,
        values: Values,
        field: Field | None,
        allowed: Bool[Tensor, " place"],
        random: torch.Generator,
    ) -> tuple[Field, Fits]:
        """Sources that fit the targets in a picture of these values, and how well.

        Args:
            values: The picture, a row for each pixel.
            field: What fitted before; None to compare with every source, or as many as are few.
            allowed: True at the sources that are drawn from; at least one.
            random: For the places that are tried.
        """
        wanted = self.described(values)
        if field is None or len(field) * int(allowed.sum()) <= _FEW:
            return self._every(wanted, some_of(allowed, _FEW // len(wanted), random))
        return self._patchmatch(wanted, field, allowed, random)

    def _every(
        self, wanted: Float[Tensor, "target component"], sources: Int[Tensor, " source"]
    ) -> tuple[Field, Fits]:
        """The nearest of some sources."""
        rows = self.table[sources]
        norms = rows.square().sum(1)
        parts = wanted.split(max(1, _AT_ONCE // len(sources)))
        nearest = [torch.addmm(norms, part, rows.T, alpha=-2).argmin(1) for part in parts]
        field = sources[torch.cat(nearest)]
        return field, self.distance(wanted, field)

    def _patchmatch(
        self,
        wanted: Float[Tensor, "target component"],
        field: Field,
        allowed: Bool[Tensor, " place"],
        random: torch.Generator,
    ) -> tuple[Field, Fits]:
        """One pass of PatchMatch, over all targets at once."""
        height, width = self.scale.size
        rows, columns = self.targets // width, self.targets % width
        field, best = field.clone(), self.distance(wanted, field)
        everywhere = torch.full((height * width,), -1)

        def attempt(candidate: Field, possible: Bool[Tensor, " target"]) -> None:
            (tried,) = possible.nonzero(as_tuple=True)
            found = candidate[tried]
            distance = self.table.index_select(0, found).sub_(wanted.index_select(0, tried))
            distance = distance.square_().sum(1)
            better = distance < best[tried]
            field[tried[better]], best[tried[better]] = found[better], distance[better]

        for step in _STEPS:
            for down, across in ((step, 0), (-step, 0), (0, step), (0, -step)):
                everywhere[self.targets] = field
                y, x = rows + down, columns + across
                there = (y >= 0) & (y < height) & (x >= 0) & (x < width)
                theirs = everywhere[torch.where(there, y * width + x, 0)]
                shifted = (theirs - down * width - across).clamp(0, height * width - 1)
                new = there & (theirs >= 0) & allowed[shifted] & (shifted != field)
                attempt(shifted, new)
        radius = max(height, width)
        while radius >= 1:
            y, x = (
                each + torch.randint(-radius, radius + 1, each.shape, generator=random)
                for each in (field // width, field % width)
            )
            there = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            candidate = torch.where(there, y * width + x, 0)
            attempt(candidate, there & allowed[candidate])
            radius //= 3
        return field, best

    def votes(self, field: Field, fits: Fits, *, sharp: bool) -> Values:
        """The values of the hole's pixels: means of what the patches over each have there.

        Args:
            field: The source of each target.
            fits: How well it fits: a squared distance.
            sharp: Let the best fit and the middle of patches rule, which blurs less.
        """
        width = self.scale.size[1]
        spread = fits[:: 1 + len(fits) // 10_000].quantile(0.75).clamp(min=1e-8)
        weight = torch.exp(-fits / (2 * spread) * (_SHARPER if sharp else 1.0)) + 1e-6
        weight, field = F.pad(weight, (1, 0)), torch.cat([field[:1], field])  # the first: of none
        middle = _MIDDLE_AT_END if sharp else _MIDDLE
        total = torch.zeros(len(self.pixels), self.values.shape[1])
        count = torch.zeros(len(self.pixels), 1)
        wide = width + 2 * REACH
        padded = (self.pixels // width + REACH) * wide + self.pixels % width + REACH
        for down, across in OFFSETS:
            place = self.places.index_select(0, padded - (down * wide + across))
            near = math.exp(-(down**2 + across**2) / (2 * middle**2))
            counts = (weight.index_select(0, place) * near).unsqueeze(1)
            source = field.index_select(0, place) + (down * width + across)
            total.addcmul_(self.values.index_select(0, source), counts)
            count += counts
        return total / count

    def doubled(
        self,
        coarser: "Patches",
        field: Int[Tensor, " before"],
        allowed: Bool[Tensor, " place"],
        random: torch.Generator,
    ) -> tuple[Field, Bool[Tensor, " target"]]:
        """A field of this scale from that of the next coarser one; True where it says something."""
        (height, width), (rows_before, width_before) = self.scale.size, coarser.scale.size
        rows, columns = self.targets // width, self.targets % width
        y = (rows // 2).clamp(REACH, rows_before - REACH - 1)
        x = (columns // 2).clamp(REACH, width_before - REACH - 1)
        before = torch.full((rows_before * width_before,), -1)
        before[coarser.targets] = field
        source = before[y * width_before + x]
        down = rows + 2 * (source // width_before - y)
        across = columns + 2 * (source % width_before - x)
        known = (source >= 0) & (down >= 0) & (down < height) & (across >= 0) & (across < width)
        found = torch.where(known, down * width + across, 0)
        known &= allowed[found]
        every = allowed.nonzero()[:, 0]
        anywhere = every[torch.randint(len(every), found.shape, generator=random)]
        return torch.where(known, found, anywhere), known
