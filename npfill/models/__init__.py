"""The variants by name: a configuration becomes a model."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from npfill.config import read
from npfill.errors import ModelError
from npfill.models.anp import ANP, ANPConfig
from npfill.models.base import NeuralProcess
from npfill.models.cnp import CNP, CNPConfig
from npfill.models.convcnp import ConvCNP, ConvCNPConfig
from npfill.models.latent_cnp import LatentCNP, LatentCNPConfig
from npfill.models.neural_process import NP, NPConfig

__all__ = [
    "ANP",
    "CNP",
    "NP",
    "ConvCNP",
    "LatentCNP",
    "NeuralProcess",
    "build",
    "config_of",
    "fields_of",
]

VARIANTS: dict[str, tuple[Callable[[Any], NeuralProcess[Any]], type[Any]]] = {
    "cnp": (CNP, CNPConfig),
    "lcnp": (LatentCNP, LatentCNPConfig),
    "np": (NP, NPConfig),
    "anp": (ANP, ANPConfig),
    "convcnp": (ConvCNP, ConvCNPConfig),
}

# No size in a configuration may ask for more than this, whoever wrote the file.
_LARGEST_SIZE = 4096
_MOST_LAYERS = 32
# A head holds the distance beside its content: see `parts.attention`.
_HEAD = 4
# How many layers there may be. Both networks of a `ConvCNP` have three strides, or their grids
# would not meet.
_LAYERS = {
    "decoder_hidden": range(1, _MOST_LAYERS + 1),
    "fine": range(3, 4),
    "coarse": range(3, 4),
}


def config_of(variant: str, fields: dict[str, Any], where: str) -> Any:
    """The configuration of a variant from plain values.

    Args:
        variant: A word of the closed table of variants.
        fields: Its fields, as read from a recipe or a weight file.
        where: The file they were read from, for the error's text.

    Raises:
        ModelError: The variant is unknown, or a field is unknown, missing, mistyped or too large.
    """
    if variant not in VARIANTS:
        raise ModelError(f"{where}: unknown variant {variant!r}", f"one of: {', '.join(VARIANTS)}")
    config: Any = read(VARIANTS[variant][1], fields, where, ModelError)
    for name, value in asdict(config).items():
        problem = _problem(name, value, config)
        if problem:
            raise ModelError(f"{where}: {name} = {value} is out of range", problem)
    return config


def _problem(name: str, value: Any, config: Any) -> str:
    """What is wrong with a field of a configuration; nothing if it can be built."""
    if name == "scale_floor":
        return "" if 0.0 <= value < 1.0 else "it lies in [0, 1)"
    if name == "heads" and (value < 1 or config.width % value or config.width // value < _HEAD):
        return f"it divides the width into heads of at least {_HEAD}"
    if name in _LAYERS and len(value) not in _LAYERS[name]:
        return f"it has from {_LAYERS[name][0]} to {_LAYERS[name][-1]} layers"
    if mismatch := _mismatch(name, value, config):
        return mismatch
    raw = getattr(config, "coordinates", "") == "raw"
    unused = {"frequencies": raw, "width": _is_fixed(config)}
    sizes = value if isinstance(value, tuple) else (value,)
    lowest, highest = 0 if unused.get(name) else 1, _LARGEST_SIZE
    if name.endswith("_blocks"):
        highest = _MOST_LAYERS
    whole = [size for size in sizes if isinstance(size, int)]
    if len(sizes) > _MOST_LAYERS or any(not lowest <= size <= highest for size in whole):
        return f"sizes lie in {lowest} .. {highest}, at most {_MOST_LAYERS} of them"
    return ""


def _mismatch(name: str, value: Any, config: Any) -> str:
    """What a field does not go with; nothing if it goes with all others."""
    kind = getattr(config, "encoder", "")
    if name == "decoder" and value == "local" and kind != "local":
        return "a local decoder goes with a local encoder"
    if name == "coordinates" and value != "cosine" and kind == "basis":
        return "a basis encoder goes with cosine coordinates"
    return ""


def _is_fixed(config: Any) -> bool:
    """Whether the encoder has no perceptron."""
    return getattr(config, "encoder", "pointwise") != "pointwise"


def fields_of(config: Any) -> dict[str, Any]:
    """The plain values of a configuration, as `config_of` reads them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(config).items()
    }


def build(variant: str, config: Any) -> NeuralProcess[Any]:
    """A fresh model with random weights from torch's global generator."""
    return VARIANTS[variant][0](config)
