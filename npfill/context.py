"""The input of a neural process: a context, and the targets to predict.

A picture is a function from [0, 1]² to channel intensities, sampled at pixel centres. The longer
side of a picture spans [0, 1] and the shorter is centred, so that pixels are square.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

# Pictures, and several masks of their observed pixels.
Pixels = Float[Tensor, "batch channel height width"]
Masks = Bool[Tensor, "mask batch 1 height width"]
# Of a decoder: targets, representations for each of them or for all, and draws of z.
Positions = Float[Tensor, "*positions 2"]
Rows = Float[Tensor, "batch row width"]
Row = Float[Tensor, "batch 1 width"]
Latents = Float[Tensor, "sample batch latent"]


def pixel_axes(
    size: tuple[int, int], frame: tuple[int, int], like: Tensor
) -> tuple[Float[Tensor, " height"], Float[Tensor, " width"]]:
    """Coordinates of the rows and of the columns of a grid's pixel centres.

    Args:
        size: Height and width of the grid.
        frame: Height and width of the picture that the grid covers, in any unit; only their
            ratio matters. A grid coarser than its picture has the picture's frame.
        like: A tensor of the device and dtype wanted.
    """
    longer = max(frame)
    rows, columns = (
        ((torch.arange(n, device=like.device, dtype=like.dtype) + 0.5) / n * side
         + (longer - side) / 2) / longer
        for n, side in zip(size, frame, strict=True)
    )  # fmt: skip
    return rows, columns


@dataclass(frozen=True)
class Context:
    """Pictures with holes: a batch of grids, and the mask of their observed pixels.

    Attributes:
        pixels: Intensities in [0, 1]; never read where `observed` is False.
        observed: True where the picture is visible.
        frame: Height and width of the picture that the grid covers, if not those of the grid.
        at_most: Upper bound of the number of observed pixels of a picture, if it is known: saves
            a device the synchronisation that counting them costs.
    """

    pixels: Pixels
    observed: Bool[Tensor, "batch 1 height width"]
    frame: tuple[int, int] | None = None
    at_most: int | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the grid."""
        return self.pixels.shape[-2], self.pixels.shape[-1]

    def axes(self) -> tuple[Float[Tensor, " height"], Float[Tensor, " width"]]:
        """Coordinates of the grid's rows and columns."""
        return pixel_axes(self.size, self.frame or self.size, self.pixels)

    def positions(self) -> Float[Tensor, "pixel 2"]:
        """Coordinates (row, column) of the grid's pixels, in row-major order."""
        return torch.cartesian_prod(*self.axes())

    def seen(self) -> Pixels:
        """Intensities, zero where nothing is observed."""
        return torch.where(self.observed, self.pixels, 0.0)

    def values(self) -> Float[Tensor, "batch pixel channel"]:
        """Intensities in row-major order, zero where nothing is observed."""
        return self.seen().flatten(2).mT

    def mask(self) -> Bool[Tensor, "batch pixel"]:
        """The mask of observed pixels, in row-major order."""
        return self.observed.flatten(1)


@dataclass(frozen=True)
class Targets:
    """The pixels of a grid to predict.

    Attributes:
        index: Row-major pixel numbers, for each picture of a batch or, with one axis, shared by
            all.
        size: Height and width of their grid, which may differ from the context's.
    """

    index: Int[Tensor, "*batch target"]
    size: tuple[int, int]

    @classmethod
    def every(cls, size: tuple[int, int], device: torch.device | str = "cpu") -> "Targets":
        """All pixels of a grid."""
        return cls(torch.arange(size[0] * size[1], device=device), size)

    def positions(self, like: Tensor) -> Float[Tensor, "*batch target 2"]:
        """Coordinates of the targets, on the device and in the dtype of `like`."""
        # Computed from the index: a large grid is never laid out for a few of its pixels.
        longer, width = max(self.size), self.size[1]
        rows, columns = torch.div(self.index, width, rounding_mode="floor"), self.index % width
        axes = zip((rows, columns), self.size, strict=True)
        both = [(at.to(like.dtype) + 0.5 + (longer - side) / 2) / longer for at, side in axes]
        return torch.stack(both, dim=-1)

    def values(self, pixels: Pixels) -> Float[Tensor, "batch target channel"]:
        """The intensities of a batch of pictures at the targets."""
        flat = pixels.flatten(2).mT
        if self.index.ndim == 1:
            return flat[:, self.index]
        return flat.gather(1, self.index.unsqueeze(-1).expand(-1, -1, flat.shape[-1]))


def observed_average(
    values: Float[np.ndarray, "height width channel"],
    observed: Bool[np.ndarray, "height width"],
    longest: int,
) -> tuple[Float[np.ndarray, "rows columns channel"], Bool[np.ndarray, "rows columns"]]:
    """Average the observed pixels of a picture that is too large onto a coarser grid.

    The cells of the grid divide the picture equally: cell i of n covers the pixels from
    floor(i H / n) to floor((i + 1) H / n). A cell with at least one observed pixel is observed:
    of a picture of scattered pixels, none is lost.

    Args:
        values: A picture; values that are not observed are never read.
        observed: True where the picture is known.
        longest: The most pixels of the grid's longer side.

    Returns:
        The arguments if the picture fits; else float32 averages, zero where nothing is observed,
        and the observed cells, on a grid whose longer side is `longest`.
    """
    longer = max(observed.shape)
    if longer <= longest:
        return values, observed
    grid = [max(1, round(side * longest / longer)) for side in observed.shape]
    # The first pixel of each cell.
    edges = [np.arange(n) * side // n for n, side in zip(grid, observed.shape, strict=True)]
    sums = _cell_sums(np.where(observed[..., None], values, 0), edges)
    counts = _cell_sums(observed[..., None], edges)
    averages = sums / np.maximum(counts, 1)
    return averages.astype(np.float32), counts[..., 0] > 0


def _cell_sums(values: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    rows, columns = edges
    by_row = np.add.reduceat(values, rows, axis=0, dtype=np.float64)
    return np.add.reduceat(by_row, columns, axis=1)
