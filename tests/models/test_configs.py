"""A configuration is checked before anything is built from it."""

from typing import Any

import pytest

from npfill.errors import ModelError
from npfill.models import build, config_of, fields_of
from tests.conftest import MODELS


@pytest.mark.parametrize("name", MODELS)
def test_a_configuration_survives_being_written_and_read(name: str) -> None:
    variant, fields = MODELS[name]
    config = config_of(variant, fields, "a test")
    assert config_of(variant, fields_of(config), "a test") == config
    assert build(variant, config).config == config


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("cnp", {"decoder_hidden": []}),
        ("cnp", {"decoder_hidden": [8, 0]}),
        ("cnp", {"decoder_hidden": [8] * 100}),
        ("cnp", {"channels": 0}),
        ("cnp", {"size": 0}),
        ("cnp", {"size": -1}),
        ("cnp", {"size": 1.5}),
        ("cnp", {"width": 0}),
        ("cnp", {"width": 10**9}),
        ("cnp", {"width": True}),
        ("cnp", {"frequencies": 0}),
        ("cnp", {"coordinates": "polar"}),
        ("cnp", {"scale_floor": float("nan")}),
        ("cnp", {"scale_floor": -0.1}),
        ("cnp", {"scale_floor": 1.0}),
        ("cnp", {"latent": 4}),
        ("cnp-basis", {"decoder": "local"}),
        ("cnp-basis", {"coordinates": "fourier"}),
        ("lcnp", {"decoder": "local"}),
        ("lcnp", {"latent": 0}),
        ("lcnp", {"latent_hidden": "many"}),
        ("anp", {"heads": 0}),
        ("anp", {"heads": 3}),
        ("anp", {"heads": 16}),
        ("anp", {"latent_frequencies": 0}),
        ("anp", {"self_blocks": 33}),
        ("anp", {"cross_blocks": 4096}),
    ],
)
def test_what_cannot_be_built_is_refused(name: str, changes: dict[str, Any]) -> None:
    variant, fields = MODELS[name]
    with pytest.raises(ModelError, match=f"a test.*{next(iter(changes))}"):
        config_of(variant, fields | changes, "a test")


def test_a_missing_field_is_named() -> None:
    variant, fields = MODELS["np"]
    with pytest.raises(ModelError, match="'latent' is missing"):
        config_of(variant, {k: v for k, v in fields.items() if k != "latent"}, "a test")
