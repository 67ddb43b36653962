"""The tiny models that every law is tested over."""

from typing import Any

import pytest
import torch

from npfill.models import NeuralProcess, build, config_of

_POINTS = {
    "channels": 2,
    "size": 6,
    "coordinates": "fourier",
    "frequencies": 2,
    "scale_floor": 0.01,
}
_PAIR = {
    "encoder": "pointwise",
    "encoder_hidden": [8],
    "width": 6,
    "decoder": "pointwise",
    "decoder_hidden": [8, 8],
}
_BASIS = _PAIR | {"encoder": "basis", "decoder": "basis", "coordinates": "cosine"}
_LATENT = {"latent": 4, "latent_hidden": [8]}

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "cnp": ("cnp", _POINTS | _PAIR),
    "cnp-basis": ("cnp", _POINTS | _BASIS),
    "lcnp": ("lcnp", _POINTS | _PAIR | _LATENT),
    "lcnp-basis": ("lcnp", _POINTS | _BASIS | _LATENT),
    "np": ("np", _POINTS | _PAIR | _LATENT),
    "np-basis": ("np", _POINTS | _BASIS | _LATENT),
    "anp": (
        "anp",
        _POINTS
        | _LATENT
        | {
            "width": 16,
            "heads": 2,
            "self_blocks": 1,
            "cross_blocks": 2,
            "latent_frequencies": 3,
            "decoder_hidden": [8, 8],
        },
    ),
}


def tiny(name: str, **changes: Any) -> NeuralProcess[Any]:
    """A tiny model of float64, its weights random but the same in every test."""
    variant, fields = MODELS[name]
    torch.manual_seed(0)
    return build(variant, config_of(variant, fields | changes, "a test")).double().eval()


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> NeuralProcess[Any]:
    """Each tiny model in turn."""
    return tiny(request.param)
