"""A configuration is checked before anything is built from it."""

from typing import Any

import pytest

from npfill.config import plain
from npfill.errors import ModelError
from npfill.models import build, config_of, nested
from tests.conftest import MODELS

# Configurations as weight files of format 1 had them, by the tiny models that they are of.
_OLD = {"channels": 2, "size": 6, "coordinates": "fourier", "frequencies": 2, "scale_floor": 0.01}
_OLD |= {"encoder": "pointwise", "encoder_hidden": [8], "width": 6}
_OLD |= {"decoder": "pointwise", "decoder_hidden": [8, 8]}
_OLD_BASIS = _OLD | {"encoder": "basis", "decoder": "basis", "coordinates": "cosine"}
_OLD_LOCAL = _OLD | {"encoder": "local", "decoder": "local", "coordinates": "cosine"}
_LATENT = {"latent": 4, "latent_hidden": [8]}
FLAT = {
    "cnp": _OLD,
    "cnp-basis": _OLD_BASIS,
    "cnp-local": _OLD_LOCAL,
    "lcnp": _OLD | _LATENT,
    "lcnp-basis": _OLD_BASIS | _LATENT,
    "np": _OLD | _LATENT,
    "np-basis": _OLD_BASIS | _LATENT,
    "np-local": _OLD_LOCAL | _LATENT,
}


@pytest.mark.parametrize("name", MODELS)
def test_a_configuration_survives_being_written_and_read(name: str) -> None:
    variant, fields = MODELS[name]
    config = config_of(variant, fields, "a test")
    assert config_of(variant, plain(config), "a test") == config
    assert build(variant, config).config == config


@pytest.mark.parametrize("name", FLAT)
def test_a_flat_configuration_of_format_1_is_the_nested_one(name: str) -> None:
    variant, fields = MODELS[name]
    assert config_of(variant, FLAT[name], "a test") == config_of(variant, fields, "a test")
    assert nested(fields) == fields


@pytest.mark.parametrize(
    ("name", "changes", "key"),
    [
        ("cnp", {"decoder": {"hidden": []}}, "decoder: hidden"),
        ("cnp", {"decoder": {"hidden": [8, 0]}}, "decoder: hidden"),
        ("cnp", {"decoder": {"hidden": [8] * 100}}, "decoder: hidden"),
        ("cnp", {"encoder": {"hidden": [8] * 33}}, "encoder: hidden"),
        ("cnp", {"encoder": {"width": 0}}, "encoder: width"),
        ("cnp", {"encoder": {"width": 10**9}}, "encoder: width"),
        ("cnp", {"encoder": {"width": True}}, "encoder: width"),
        ("cnp", {"encoder": {"frequencies": 0}}, "encoder: frequencies"),
        ("cnp", {"encoder": {"coordinates": "polar"}}, "encoder: coordinates"),
        ("cnp", {"encoder": {"kind": "fourier"}}, "encoder: kind is 'fourier'"),
        ("cnp", {"encoder": {"kind": ["basis"]}}, "encoder: kind is"),
        ("cnp", {"encoder": 3}, "encoder is 3, which is not a table"),
        ("cnp", {"encoder": "basis"}, "encoder is 'basis', which is not a table"),
        ("cnp", {"channels": 0}, "channels"),
        ("cnp", {"size": 0}, "size"),
        ("cnp", {"size": -1}, "size"),
        ("cnp", {"size": 1.5}, "size"),
        ("cnp", {"scale_floor": float("nan")}, "scale_floor"),
        ("cnp", {"scale_floor": -0.1}, "scale_floor"),
        ("cnp", {"scale_floor": 1.0}, "scale_floor"),
        ("cnp", {"latent": 4}, "latent"),
        ("cnp-basis", {"decoder": {"kind": "local"}}, "decoder: unknown key 'frequencies'"),
        ("cnp-basis", {"encoder": {"coordinates": "fourier"}}, "encoder: unknown key"),
        ("cnp-local", {"decoder": {"nodes": 3}}, "decoder: local, on 3 nodes"),
        ("np-local", {"encoder": {"kind": "basis", "frequencies": 2}}, "encoder: unknown key"),
        ("lcnp", {"decoder": {"kind": "local"}}, "decoder: kind is 'local'"),
        ("lcnp", {"latent": 0}, "latent"),
        ("lcnp", {"latent_hidden": "many"}, "latent_hidden"),
        ("anp", {"heads": 0}, "heads"),
        ("anp", {"heads": 3}, "heads"),
        ("anp", {"heads": 16}, "heads"),
        ("anp", {"frequencies": 0}, "frequencies"),
        ("anp", {"latent_frequencies": 0}, "latent_frequencies"),
        ("anp", {"self_blocks": 33}, "self_blocks"),
        ("anp", {"cross_blocks": 4096}, "cross_blocks"),
        ("convcnp", {"fine": [8, 8]}, "fine"),
        ("convcnp", {"coarse": [8, 8, 8, 8]}, "coarse"),
    ],
)
def test_what_cannot_be_built_is_refused(name: str, changes: dict[str, Any], key: str) -> None:
    variant, fields = MODELS[name]
    changed = {
        name: fields[name] | value if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    with pytest.raises(ModelError, match=f"a test: {key}|a test: unknown key '{key}'") as error:
        config_of(variant, fields | changed, "a test")
    assert error.value.hint


@pytest.mark.parametrize(
    ("name", "changes", "key"),
    [
        ("cnp", {"encoder": "fourier"}, "encoder: kind"),
        ("cnp", {"width": 0}, "encoder: width"),
        ("cnp", {"frequencies": 0}, "encoder: frequencies"),
        ("cnp", {"more": 1}, "unknown key 'more'"),
        ("cnp-basis", {"decoder": "local"}, "decoder: local"),
        ("cnp-basis", {"coordinates": "fourier"}, "encoder: unknown key 'coordinates'"),
        ("lcnp", {"decoder": "local"}, "decoder: kind"),
    ],
)
def test_a_flat_configuration_that_cannot_be_built_is_refused(
    name: str, changes: dict[str, Any], key: str
) -> None:
    with pytest.raises(ModelError, match=f"a test: {key}"):
        config_of(MODELS[name][0], FLAT[name] | changes, "a test")


def test_a_missing_field_is_named() -> None:
    variant, fields = MODELS["np"]
    with pytest.raises(ModelError, match="'latent' is missing"):
        config_of(variant, {k: v for k, v in fields.items() if k != "latent"}, "a test")
    with pytest.raises(ModelError, match="encoder: key 'kind' is missing"):
        config_of(variant, fields | {"encoder": {}}, "a test")
    with pytest.raises(ModelError, match="encoder: key 'nodes' is missing"):
        config_of(variant, fields | {"encoder": {"kind": "local"}}, "a test")
