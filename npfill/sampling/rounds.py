"""The order in which the pixels of a hole are drawn, and their number in each round."""

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from npfill.seeds import generator


def order(
    hole: Bool[Tensor, "batch pixel"], size: tuple[int, int], seed: int, path: int
) -> Int[Tensor, "batch target"]:
    """Order the pixels of holes: pixels far apart first, neighbours last.

    The order of the thresholds of an ordered dither (Bayer 1973): pixels on a coarse lattice, then
    those that make it finer. Each path has a lattice of its own, shifted by the seed and the path
    alone.

    Args:
        hole: True at the pixels to draw; as many in each picture.
        size: Height and width of the pictures.
        seed: The seed.
        path: The number of the sample.
    """
    bits = max(size).bit_length()
    down, across = torch.randint(2**bits, (2,), generator=generator(seed, "order", path)).tolist()
    rows = (torch.arange(size[0]) + down).unsqueeze(1)
    columns = torch.arange(size[1]) + across
    rank = torch.zeros(size, dtype=torch.int64)
    for bit in range(bits):
        row, column = rows >> bit & 1, columns >> bit & 1
        rank = 4 * rank + 2 * (row ^ column) + row
    ranked = torch.where(hole, rank.flatten().to(hole.device), 4**bits).argsort(dim=1)
    return ranked[:, : int(hole[0].sum())]


def round_sizes(pixels: int, rounds: int) -> list[int]:
    """The number of pixels drawn in each round: the total grows by the same factor each time.

    The first pixels decide the content of the picture, and the last hardly anything.

    Args:
        pixels: The number of pixels to draw.
        rounds: The number of rounds; no more are made than there are pixels.
    """
    rounds = min(rounds, pixels)
    number = np.arange(1, rounds + 1)
    grown = np.rint(pixels ** (number / max(rounds, 1)))
    # At least one in each round, and none left over.
    increasing = np.maximum.accumulate(grown - number) + number
    drawn = np.minimum(np.maximum(increasing, number), pixels - rounds + number)
    return np.diff(drawn.astype(int), prepend=0).tolist()
