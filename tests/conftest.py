"""The tiny models that every law is tested over, and a tiny recipe with pictures to train on."""

import os
import sys
from pathlib import Path
from typing import Any

# One thread for this process and those that it starts: tests run side by side.
os.environ["OMP_NUM_THREADS"] = "1"

from jaxtyping import install_import_hook

# With NPFILL_CHECK_SHAPES=1 every call is checked against the shapes that it states, in twice the
# time. CI runs the quick tests so.
if os.environ.get("NPFILL_CHECK_SHAPES") == "1":
    floors = "context gaussian models baselines data pictures checkpoint sampling scores predictor"
    floors += " completion evaluate training"
    install_import_hook([f"npfill.{floor}" for floor in floors.split()], "beartype.beartype")

import numpy as np
import pytest
import torch

from npfill.models import NeuralProcess, build, config_of

torch.set_num_threads(1)

TINY = Path(__file__).parent / "recipe_tiny.toml"

# Of tests that give what no annotation allows.
wrong_types = pytest.mark.skipif(
    os.environ.get("NPFILL_CHECK_SHAPES") == "1", reason="types are held to be as said"
)

_GRID = {"channels": 2, "size": 6, "scale_floor": 0.01}
_FOURIER = {"coordinates": "fourier", "frequencies": 2}
_PAIR = {
    "encoder": {"kind": "pointwise", "hidden": [8], "width": 6} | _FOURIER,
    "decoder": {"kind": "pointwise", "hidden": [8, 8]} | _FOURIER,
}
_BASIS = {
    "encoder": {"kind": "basis", "frequencies": 2},
    "decoder": {"kind": "basis", "frequencies": 2, "hidden": [8, 8]},
}
_LOCAL = {
    "encoder": {"kind": "local", "nodes": 2},
    "decoder": {"kind": "local", "nodes": 2, "hidden": [8, 8]},
}
_LATENT = {"latent": 4, "latent_hidden": [8]}

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "cnp": ("cnp", _GRID | _PAIR),
    "cnp-basis": ("cnp", _GRID | _BASIS),
    "cnp-local": ("cnp", _GRID | _LOCAL),
    "lcnp": ("lcnp", _GRID | _PAIR | _LATENT),
    "lcnp-basis": ("lcnp", _GRID | _BASIS | _LATENT),
    "np": ("np", _GRID | _PAIR | _LATENT),
    "np-basis": ("np", _GRID | _BASIS | _LATENT),
    "np-local": ("np", _GRID | _LOCAL | _LATENT),
    "anp": (
        "anp",
        _GRID
        | _FOURIER
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
    "convcnp": (
        "convcnp",
        {"channels": 2, "size": 6, "fine": [6, 5, 7], "coarse": [5, 4, 6], "scale_floor": 0.01},
    ),
    "convcnp-refined": (
        "convcnp",
        {
            "channels": 2,
            "size": 6,
            "fine": [6, 5, 7],
            "coarse": [5, 4, 6],
            "scale_floor": 0.01,
            "refined": 2,
        },
    ),
    "convcnp-field": (
        "convcnp-field",
        {"channels": 2, "size": 6, "widths": [6, 5, 7], "scale_floor": 0.01},
    ),
}


def tiny(name: str, **changes: Any) -> NeuralProcess:
    """A tiny model of float64, its weights random but the same in every test."""
    variant, fields = MODELS[name]
    torch.manual_seed(0)
    model = build(variant, config_of(variant, fields | changes, "a test")).double().eval()
    for parameter in model.parameters():
        # Training starts some layers at zero; here all of them must count.
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def of(name: str, channels: int) -> NeuralProcess:
    """A tiny model in single precision, its means about the middle of [0, 1]."""
    model = tiny(name, channels=channels).float()
    if not name.endswith(
        ("local", "convcnp", "refined", "field")
    ):  # their means begin at the context's
        with torch.no_grad():
            last_bias(model)[:channels] += 0.5
    return model


def last_bias(model: NeuralProcess) -> torch.Tensor:
    """What the decoder adds last: to means, and after them to scales."""
    biases = {
        name: parameter
        for name, parameter in model.named_parameters()
        if name.startswith("decoder.") and name.endswith("bias")
    }
    return biases.get("decoder.bias", list(biases.values())[-1])


@pytest.fixture
def without_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages of the extra `depth` cannot be imported."""
    for module in ("imagecodecs", "tifffile"):
        monkeypatch.setitem(sys.modules, module, None)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> NeuralProcess:
    """Each tiny model in turn."""
    return tiny(request.param)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Forty ramps of 8x8, each of its own direction and height, in an .npy file."""
    random, axis = np.random.default_rng(0), np.linspace(-1, 1, 8)
    slopes, heights = random.uniform(-0.2, 0.2, (2, 40, 1, 1)), random.uniform(0.4, 0.6, (40, 1, 1))
    ramps = heights + slopes[0] * axis[:, None] + slopes[1] * axis
    path = tmp_path / "pictures.npy"
    np.save(path, np.rint(ramps * 255).astype(np.uint8))
    return path
