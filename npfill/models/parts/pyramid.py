"""The set convolution of a grid at many scales, and the picture that it alone suggests."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from npfill.models.parts.unet import Window, windows

# How many observed pixels a cell takes to be half trusted, and rounds of smoothing: towards a
# membrane at each scale, then towards a thin plate among the pixels.
_DOUBT, _ROUNDS, _PIXEL_ROUNDS = 1.0, 3, 8
# A step of the thin plate's relaxation: the largest that is stable is 2/64.
_STEP = 0.03
# Pixels, and the levels up to this one, are filled in windows of this side where few of those have
# a hole; beyond them reach the smoothings and the interpolation.
_SIDE, _MARGIN, _FINEST = 128, 32, 2
_TINY = 1e-12

Grid = Float[Tensor, "batch channel height width"]
Coarser = Float[Tensor, "batch channel rows columns"]


@dataclass(frozen=True)
class Level:
    """The observed pixels around each cell of a grid whose cells are 2^k pixels wide.

    Attributes:
        mean: Their mean intensity (the normalised convolution); zero where there are none.
        offset: Their centroid relative to the cell's centre (rows, columns), in cells; a single
            zero for pixels.
        density: The observed fraction of the pixels there: the density channel.
        trust: Confidence in the mean, in [0, 1]; of pixels, 1 where they are observed.
        number: The k of the cells' width.
    """

    mean: Grid
    offset: Float[Tensor, "batch _ _ _"]
    density: Float[Tensor, "batch 1 height width"]
    trust: Float[Tensor, "batch 1 height width"]
    number: int

    def cut(self, window: Window) -> "Level":
        """The part of the level that a window computes."""
        mean, density, trust = map(window.cut, (self.mean, self.density, self.trust))
        offset = window.cut(self.offset) if self.number else self.offset
        return Level(mean, offset, density, trust, self.number)

    def centred(self, picture: Grid) -> Float[Tensor, "batch #channel height width"]:
        """The mean at the cells' centres, moved there along the gradient of a picture so far."""
        if not self.number:
            return self.mean
        # Central differences down and to the right, per cell.
        wide = F.pad(picture, (1, 1, 1, 1), mode="replicate")
        down = (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2
        right = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2
        return self.mean - down * self.offset[:, :1] - right * self.offset[:, 1:]


def pyramid(pixels: Grid, observed: Bool[Tensor, "batch 1 height width"]) -> list[Level]:
    """Levels from the pixels themselves to a single cell.

    A set convolution with its density channel (Gordon et al. 2020, "Convolutional Conditional
    Neural Processes", section 4 and algorithm 1) at each scale: sums over windows of 4x4 cells
    of the level below, every second row and column, over the density there.
    """
    density = observed.to(pixels.dtype)
    sums = torch.where(observed, pixels, 0.0)
    moments = _centres(sums, 0) * density
    levels = [Level(sums, torch.zeros_like(density[:, :, :1, :1]), density, density, 0)]
    while max(sums.shape[-2:]) > 1:
        number = len(levels)
        sums, moments, density = (_halved(each) for each in (sums, moments, density))
        weight, count = density.clamp(min=_TINY), density * 4.0 ** (number + 1)
        offset = (moments / weight - _centres(sums, number)) / 2**number * (density > 0)
        trust = count / (count + _DOUBT)
        levels.append(Level(sums / weight, offset, density, trust, number))
    return levels


def filled(levels: list[Level]) -> list[Grid]:
    """The picture at each level, its unobserved parts filled in from the coarser levels.

    From coarse to fine, the interpolation of the level above is blended with this level's mean by
    its trust, and the rest is smoothed towards a membrane over the hole (Δu = 0), in the end
    towards a thin plate (Δ²u = 0). A mean belongs to the centroid of the observed pixels, so it is
    moved to the cell's centre along the gradient so far: a plane is filled in as a plane. Without
    any observed pixel, the picture is 0.5. Of a large picture with a small hole, the finest levels
    are filled around the hole alone, as the pixels need no more; elsewhere they hold the means.
    """
    top = levels[-1]
    picture = torch.where(top.density > 0, top.mean, 0.5)
    pictures = [picture]
    near = _near(levels[0])
    for level in reversed(levels[:-1]):
        whole = near is None or level.number > _FINEST
        picture = _finer(picture, level) if whole else _around(near or [], picture, level)
        pictures.append(picture)
    return pictures[::-1]


def _finer(coarser: Coarser, level: Level) -> Grid:
    """The picture at a level, or a window of it, from the one above."""
    trust, (height, width) = level.trust, level.mean.shape[-2:]
    picture = F.interpolate(coarser, scale_factor=2.0, mode="bilinear")[..., :height, :width]
    mean = level.centred(picture)
    picture = torch.lerp(picture, mean, trust)
    for _ in range(_ROUNDS):
        picture = torch.lerp(_neighbours(picture), mean, trust)
    for _ in range(0 if level.number else _PIXEL_ROUNDS):
        bending = _laplacian(_laplacian(picture))
        picture = torch.lerp(picture.sub(bending, alpha=_STEP), mean, trust)
    return picture


def _near(pixels: Level) -> list[tuple[int, int]] | None:
    """The rows and columns, in windows, of those with a hole; None where many have one."""
    height, width = pixels.mean.shape[-2:]
    every = [*windows(height, width, _SIDE, 0)]
    holed = [each for each in every if not each.cut(pixels.trust).all()]
    some = [(each.top // _SIDE, each.left // _SIDE) for each in holed]
    return None if 4 * len(some) > len(every) else some


def _around(near: list[tuple[int, int]], coarser: Coarser, level: Level) -> Grid:
    """The picture at a fine level, in windows, and as far beyond as the finer one needs it."""
    height, width = level.mean.shape[-2:]
    side, picture = _SIDE >> level.number, level.mean.clone()
    for row, column in near:
        spans = []
        for at, length in ((row, height), (column, width)):
            first, last = at * side, min((at + 1) * side, length)
            spans.append((max(0, first - _MARGIN), min(length, last + _MARGIN)))
            half = _MARGIN // 2 if level.number else 0
            spans.append((max(0, first - half), min(length, last + half)))
        (top, bottom), rows, (left, right), columns = spans
        window = Window(rows, columns, top, bottom, left, right)
        inner = slice(rows[0] - top, rows[1] - top), slice(columns[0] - left, columns[1] - left)
        picture[..., slice(*rows), slice(*columns)] = _finer(
            window.cut(coarser, 2), level.cut(window)
        )[..., *inner]
    return picture


def unseen(levels: list[Level], first: int) -> Float[Tensor, "batch 1 height width"]:
    """For each pixel, the number of levels from `first` on without an observation, by their trust.

    About log2 of the distance to the nearest observed pixel over half a cell of the first level,
    but smooth; 0 where a pixel is nearer.
    """
    count = 1.0 - levels[-1].trust
    for level in reversed(levels[:-1]):
        height, width = level.density.shape[-2:]
        count = F.interpolate(count, scale_factor=2.0, mode="bilinear")[..., :height, :width]
        if level.number >= first:
            count = count + 1.0 - level.trust
    return count


def _halved(grid: Grid) -> Float[Tensor, "batch channel rows columns"]:
    """Means over 4x4 windows around every second row and column, zero beyond the border."""
    odd = (0, grid.shape[-1] % 2, 0, grid.shape[-2] % 2)
    return F.avg_pool2d(F.pad(grid, odd) if any(odd) else grid, 4, stride=2, padding=1)


def _centres(like: Grid, number: int) -> Float[Tensor, "1 2 height width"]:
    """Row and column, in pixels, of the centres of a level's cells."""
    axes = [
        (torch.arange(side, device=like.device, dtype=like.dtype) + 0.5) * 2**number
        for side in like.shape[-2:]
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))[None]


def _neighbours(grid: Grid) -> Grid:
    """The mean of the four neighbours of each cell."""
    padded = F.pad(grid, (1, 1, 1, 1), mode="replicate")
    # In place: at the size of a photograph every copy counts.
    total = padded[..., :-2, 1:-1] + padded[..., 2:, 1:-1]
    total += padded[..., 1:-1, :-2]
    total += padded[..., 1:-1, 2:]
    return total.div_(4)


def _laplacian(grid: Grid) -> Grid:
    """The sum over the four neighbours of how far they lie above each cell."""
    return _neighbours(grid).sub_(grid).mul_(4)
