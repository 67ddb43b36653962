"""Holes that models are trained and scored with: on grids, and the damage that people bring.

The families of `STRUCTURED` draw masks of a whole batch of pictures of one size, True where they
are observed, on the device of their generator and without a loop over pictures. Those of `FAMILIES`
draw one hole of a photograph, True where it is missing: lengths are in pixels, and how many there
are goes with the area.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

Mask = Bool[Tensor, "batch 1 size size"]
Hole = Bool[np.ndarray, "height width"]
Size = tuple[int, int]

# Straight strokes on a grid.
_STROKES = 6
# Fraction of pixels that are kept where they are scattered: least and most.
_FEWEST, _MOST = 0.02, 0.98
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;!?&@"


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


def _half(batch: int, size: int, generator: torch.Generator) -> Mask:
    """One of the four halves of each picture."""
    rows, columns = _grid(size, generator.device)
    side = torch.randint(4, (batch, 1, 1, 1), generator=generator, device=generator.device)
    along = torch.where(side < 2, rows, columns)
    return (along < 0.5) ^ (side % 2 == 1)


def _box(batch: int, size: int, generator: torch.Generator) -> Mask:
    """All but a box whose sides are a quarter to three quarters of the picture's."""
    rows, columns = _grid(size, generator.device)
    draws = torch.rand(4, batch, 1, 1, 1, generator=generator, device=generator.device)
    height, width = 0.25 + 0.5 * draws[0], 0.25 + 0.5 * draws[1]
    top, left = draws[2] * (1 - height), draws[3] * (1 - width)
    inside = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    return ~inside


def _straight_strokes(batch: int, size: int, generator: torch.Generator) -> Mask:
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
    "half": _half,
    "box": _box,
    "strokes": _straight_strokes,
}


def _grid(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Row and column coordinates in [0, 1], each "1 1 size size"."""
    centres = (torch.arange(size, device=device) + 0.5) / size
    rows, columns = torch.meshgrid(centres, centres, indexing="ij")
    return rows[None, None], columns[None, None]


def scattered(size: Size, random: np.random.Generator, kept: float | None = None) -> Hole:
    """All but a fraction of the pixels, drawn one by one; it is log-uniform by default."""
    if kept is None:
        kept = float(np.exp(random.uniform(np.log(_FEWEST), np.log(_MOST))))
    return np.asarray(random.random(size) >= kept)


def _scratches(size: Size, random: np.random.Generator) -> Hole:
    """Long thin curves, 1 to 5 pixels wide, from edge to edge or not so far."""
    canvas, draw = _canvas(size)
    for _ in range(1 + random.poisson(size[0] * size[1] / 3000)):
        start, bend, end = (random.uniform(-0.1, 1.1, 2) * size[::-1] for _ in range(3))
        bend = (start + end) / 2 + (bend - (start + end) / 2) * 0.3
        along = np.linspace(0, 1, 24)[:, None]
        curve = (1 - along) ** 2 * start + 2 * along * (1 - along) * bend + along**2 * end
        _line(draw, curve, int(random.integers(1, 6)))
    return _hole(canvas)


def _strokes(size: Size, random: np.random.Generator) -> Hole:
    """Wandering strokes of a brush, 6 to 40 pixels wide."""
    canvas, draw = _canvas(size)
    for _ in range(1 + random.poisson(size[0] * size[1] / 8000)):
        steps, width = int(random.integers(2, 9)), int(random.integers(6, 41))
        turns = random.normal(0, 0.9, steps).cumsum() + random.uniform(0, 2 * np.pi)
        lengths = random.uniform(8, 60, steps)[:, None]
        moves = np.stack([np.cos(turns), np.sin(turns)], axis=1) * lengths
        _line(draw, random.uniform(0, 1, 2) * size[::-1] + moves.cumsum(axis=0), width)
    return _hole(canvas)


def _text(size: Size, random: np.random.Generator) -> Hole:
    """Lines of letters, 10 to 32 pixels high."""
    canvas, draw = _canvas(size)
    height = int(random.integers(10, 33))
    font, top = ImageFont.load_default(height), random.uniform(0, height)
    while top < size[0]:
        count = int(random.integers(3, 5 + 3 * size[1] // height))
        words = "".join(
            letter if random.random() > 0.15 else " "
            for letter in random.choice(list(_LETTERS), count)
        )
        draw.text((random.uniform(-height, size[1] / 2), top), words, fill=255, font=font)
        top += height * random.uniform(1.1, 3.0)
    return _hole(canvas)


def _boxes(size: Size, random: np.random.Generator) -> Hole:
    """A few boxes, their sides from 8 pixels to two thirds of the picture's shorter side."""
    hole = np.zeros(size, dtype=bool)
    longest = max(9.0, min(size) * 0.66)
    for _ in range(int(random.integers(1, 5))):
        height, width = np.exp(random.uniform(np.log(8), np.log(longest), 2)).astype(int)
        top, left = random.integers(-height // 2, size[0]), random.integers(-width // 2, size[1])
        hole[max(0, top) : top + height, max(0, left) : left + width] = True
    return hole


def _blobs(size: Size, random: np.random.Generator) -> Hole:
    """Smooth noise above a level: islands and bays that take 3 to 60 % of the picture."""
    coarse = np.maximum(2, np.array(size) // int(random.integers(12, 65)))
    noise = Image.fromarray(random.normal(size=coarse).astype(np.float32))
    smooth = np.asarray(noise.resize(size[::-1], Image.Resampling.BICUBIC))
    return smooth > np.quantile(smooth, 1 - random.uniform(0.03, 0.6))


def _lines(size: Size, random: np.random.Generator) -> Hole:
    """Dead rows or columns, alone or a few together; both, now and then."""
    hole = np.zeros(size, dtype=bool)
    kind = random.integers(4)
    for axis in (0, 1):
        if kind in {axis, axis + 2}:
            dead = random.random(size[axis]) < random.uniform(0.005, 0.3)
            for _ in range(int(random.integers(0, 4))):
                dead[1:] |= dead[:-1]
            hole |= dead[:, None] if axis == 0 else dead
    return hole


def _borders(size: Size, random: np.random.Generator) -> Hole:
    """All but a part of the picture that has been given margins: up to half of it at some sides."""
    hole = np.ones(size, dtype=bool)
    chosen = random.random(4) < 0.4
    chosen[random.integers(4)] = True
    margins = random.uniform(0.02, 0.5, 4) * chosen
    top, bottom = (round(share * size[0]) for share in margins[:2])
    left, right = (round(share * size[1]) for share in margins[2:])
    hole[top : max(top + 1, size[0] - bottom), left : max(left + 1, size[1] - right)] = False
    return hole


def _bands(size: Size, random: np.random.Generator) -> Hole:
    """Bands of 4 to 12 pixels along the rows or the columns."""
    axis = int(random.integers(2))
    hidden = np.zeros(size[axis], dtype=bool)
    for _ in range(1 + random.poisson(size[axis] / 40)):
        first, wide = random.integers((0, 4), (size[axis], 13))
        hidden[first : first + wide] = True
    return np.broadcast_to(hidden[:, None] if axis == 0 else hidden, size).copy()


FAMILIES: dict[str, Callable[[Size, np.random.Generator], Hole]] = {
    "scattered": scattered,
    "scratches": _scratches,
    "strokes": _strokes,
    "text": _text,
    "boxes": _boxes,
    "blobs": _blobs,
    "lines": _lines,
    "borders": _borders,
    "bands": _bands,
}


def _canvas(size: Size) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    canvas = Image.new("L", size[::-1])
    return canvas, ImageDraw.Draw(canvas)


def _line(draw: ImageDraw.ImageDraw, points: np.ndarray, width: int) -> None:
    """A line with round joints and ends."""
    draw.line([tuple(point) for point in points], fill=255, width=width, joint="curve")
    for x, y in points[[0, -1]]:
        reach = width / 2
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)


def _hole(canvas: Image.Image) -> Hole:
    return np.asarray(canvas) > 127
