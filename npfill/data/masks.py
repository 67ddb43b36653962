"""Masks of pictures of one size: the families of holes that a model is trained for.

Each family draws "batch 1 size size" masks, True where the picture is observed, on the device of
its generator and without a loop over pictures.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool
from torch import Tensor

Mask = Bool[Tensor, "batch 1 size size"]

_STROKES = 6


def random_pixels(
    batch: int, size: int, count: int, generator: torch.Generator, within: Mask | None = None
) -> Mask:
    """`count` pixels of each picture, drawn without replacement.

    Where `within` is given, only its True pixels are drawn, and all of them if it has no more
    than `count`.
    """
    scores = torch.rand(batch, size * size, generator=generator, device=generator.device)
    if within is not None:
        scores = scores.masked_fill(~within.flatten(1), -1.0)
    drawn = scores.topk(count, dim=1, sorted=False)
    observed = torch.zeros_like(scores, dtype=torch.bool)
    observed = observed.scatter_(1, drawn.indices, drawn.values >= 0.0)
    return observed.view(batch, 1, size, size)


def half(batch: int, size: int, generator: torch.Generator) -> Mask:
    """One of the four halves of each picture."""
    rows, columns = _grid(size, generator.device)
    side = torch.randint(4, (batch, 1, 1, 1), generator=generator, device=generator.device)
    along = torch.where(side < 2, rows, columns)
    return (along < 0.5) ^ (side % 2 == 1)


def box(batch: int, size: int, generator: torch.Generator) -> Mask:
    """All but a box whose sides are a quarter to three quarters of the picture's."""
    rows, columns = _grid(size, generator.device)
    draws = torch.rand(4, batch, 1, 1, 1, generator=generator, device=generator.device)
    height, width = 0.25 + 0.5 * draws[0], 0.25 + 0.5 * draws[1]
    top, left = draws[2] * (1 - height), draws[3] * (1 - width)
    inside = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    return ~inside


def strokes(batch: int, size: int, generator: torch.Generator) -> Mask:
    """All but a few thick straight strokes."""
    rows, columns = _grid(size, generator.device)
    point = torch.stack([rows, columns], dim=-1)
    shape = (batch, _STROKES, 1, 1, 2)
    start = torch.rand(shape, generator=generator, device=generator.device)
    end = torch.rand(shape, generator=generator, device=generator.device)
    thickness = torch.rand(batch, _STROKES, 1, 1, generator=generator, device=generator.device)
    along = end - start
    fraction = ((point - start) * along).sum(-1) / along.square().sum(-1).clamp(min=1e-6)
    nearest = start + fraction.clamp(0, 1).unsqueeze(-1) * along
    near = (point - nearest).norm(dim=-1) < 0.02 + 0.06 * thickness
    return ~near.any(dim=1, keepdim=True)


STRUCTURED: dict[str, Callable[[int, int, torch.Generator], Mask]] = {
    "half": half,
    "box": box,
    "strokes": strokes,
}


def _grid(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Row and column coordinates in [0, 1], each "1 1 size size"."""
    centres = (torch.arange(size, device=device) + 0.5) / size
    rows, columns = torch.meshgrid(centres, centres, indexing="ij")
    return rows[None, None], columns[None, None]
