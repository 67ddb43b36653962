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
# Pixels are filled in windows of this side where few of those have a hole; beyond them reach the
# smoothings and the interpolation.
_SIDE, _MARGIN = 128, 32
_TINY = 1e-12

Grid = Float[Tensor, "batch channel height width"]
Trust = Float[Tensor, "batch 1 height width"]
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
    any observed pixel, the picture is 0.5.
    """
    top = levels[-1]
    picture = torch.where(top.density > 0, top.mean, 0.5)
    pictures = [picture]
    for level in reversed(levels[1:-1]):
        picture = _finer(picture, level, level.mean, level.trust)
        pictures.append(picture)
    if len(levels) > 1:
        pictures.append(_pixels(picture, levels[0]))
    return pictures[::-1]


def _finer(coarser: Coarser, level: Level, mean: Grid, trust: Trust) -> Grid:
    """The picture at a level, or a window of it, from the one above."""
    height, width = mean.shape[-2:]
    picture = F.interpolate(coarser, scale_factor=2.0, mode="bilinear")[..., :height, :width]
    if level.number:
        # Central differences down and to the right, per cell.
        wide = F.pad(picture, (1, 1, 1, 1), mode="replicate")
        down = (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2
        right = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2
        mean = mean - down * level.offset[:, :1] - right * level.offset[:, 1:]
    picture = torch.lerp(picture, mean, trust)
    for _ in range(_ROUNDS):
        picture = torch.lerp(_neighbours(picture), mean, trust)
    for _ in range(0 if level.number else _PIXEL_ROUNDS):
        bending = _laplacian(_laplacian(picture))
        picture = torch.lerp(picture.sub(bending, alpha=_STEP), mean, trust)
    return picture


def _pixels(coarser: Coarser, level: Level) -> Grid:
    """The picture itself: what is observed of it, and the rest from the level above.

    Of a large picture with a small hole, only windows with a hole are computed.
    """
    height, width = level.mean.shape[-2:]
    every = [*windows(height, width, _SIDE, _MARGIN)]
    some = [each for each in every if not _own(each, level.trust).all()]
    if 4 * len(some) > len(every):
        return _finer(coarser, level, level.mean, level.trust)
    picture = level.mean.clone()
    for window in some:
        parts = window.cut(coarser, 2), level, window.cut(level.mean), window.cut(level.trust)
        (top, bottom), (left, right) = window.rows, window.columns
        rows = slice(top - window.top, bottom - window.top)
        columns = slice(left - window.left, right - window.left)
        _own(window, picture).copy_(_finer(*parts)[..., rows, columns])
    return picture


def _own(window: Window, grid: Tensor) -> Tensor:
    """The part of a grid that a window answers for."""
    return grid[..., slice(*window.rows), slice(*window.columns)]


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
    height, width = grid.shape[-2:]
    return F.avg_pool2d(F.pad(grid, (0, width % 2, 0, height % 2)), 4, stride=2, padding=1)


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
