"""Multilayer perceptrons."""

from collections.abc import Sequence
from typing import Annotated

from torch import nn

from npfill.config import Range

# No size in a configuration may ask for more than this, whoever wrote the file.
Size = Annotated[int, Range(1, 4096)]
Sizes = Annotated[tuple[int, ...], Range(1, 4096)]
MOST_LAYERS = 32


def mlp(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """Linear layers of the given hidden widths with a ReLU after each but the last."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU(inplace=True)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))
