"""How the coordinates of a pixel are shown to a network."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

Encoding = Literal["raw", "fourier"]


class Coordinates(nn.Module):
    """Features φ(x) of a position x in [0, 1]².

    `raw` gives the two coordinates. `fourier` adds cos(π k x) and sin(π k x) for k = 1 ..
    `frequencies` on each axis (Tancik et al. 2020, "Fourier Features Let Networks Learn High
    Frequency Functions in Low Dimensional Domains", here with a fixed ladder of frequencies).
    """

    def __init__(self, encoding: Encoding, frequencies: int) -> None:
        super().__init__()
        self.frequencies = frequencies if encoding == "fourier" else 0
        self.features = 2 + 4 * self.frequencies

    def forward(self, positions: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch feature"]:
        """φ(x), about centred on zero."""
        centred = 2.0 * positions - 1.0
        if not self.frequencies:
            return centred
        ladder = torch.arange(
            1, self.frequencies + 1, device=positions.device, dtype=positions.dtype
        )
        angles = (positions.unsqueeze(-1) * ladder * math.pi).flatten(-2)
        return torch.cat([centred, angles.cos(), angles.sin()], dim=-1)
