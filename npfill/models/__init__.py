"""The variants by name: a configuration becomes a model."""

from collections.abc import Mapping
from typing import Any

from npfill.config import plain, read
from npfill.errors import ModelError
from npfill.models.anp import ANP
from npfill.models.base import Config, NeuralProcess
from npfill.models.cnp import CNP
from npfill.models.convcnp import ConvCNP
from npfill.models.latent_cnp import LatentCNP
from npfill.models.neural_process import NP

__all__ = ["VARIANTS", "Config", "NeuralProcess", "build", "config_of", "fields_of", "nested"]

# A new variant is one file with its configuration and its class, and a line here.
VARIANTS: dict[str, type[NeuralProcess]] = {
    each.variant: each for each in (CNP, LatentCNP, NP, ANP, ConvCNP)
}

# Format 1 of weight files, and recipes of its time, named encoder and decoder by a word, and both
# shared `coordinates` and `frequencies`: for each kind, its keys and what they were called.
_POSITIONS = {"coordinates": "coordinates", "frequencies": "frequencies"}
_ENCODERS = {
    "pointwise": _POSITIONS | {"hidden": "encoder_hidden", "width": "width"},
    "basis": {"frequencies": "frequencies"},
    "local": {"nodes": "frequencies"},
}
_DECODERS = {
    "pointwise": _POSITIONS | {"hidden": "decoder_hidden"},
    "basis": _POSITIONS | {"hidden": "decoder_hidden"},
    "local": {"coordinates": "coordinates", "nodes": "frequencies", "hidden": "decoder_hidden"},
}
_FLAT = {"coordinates", "frequencies", "encoder_hidden", "width", "decoder_hidden"}


def config_of(variant: str, fields: Mapping[str, Any], where: str) -> Config:
    """The configuration of a variant from plain values.

    Args:
        variant: A word of the table of variants.
        fields: Its fields, as read from a recipe or a weight file, also as format 1 had them.
        where: The file they were read from, for the error's text.

    Raises:
        ModelError: The variant is unknown, or a field is unknown, missing, mistyped or out of
            range.
    """
    if variant not in VARIANTS:
        raise ModelError(f"{where}: unknown variant {variant!r}", f"one of: {', '.join(VARIANTS)}")
    return read(VARIANTS[variant].configuration, nested(fields), where, ModelError)


def fields_of(config: Config) -> dict[str, Any]:
    """The plain values of a configuration, as `config_of` reads them."""
    return plain(config)


def build(variant: str, config: Config) -> NeuralProcess:
    """A fresh model with random weights from torch's global generator."""
    return VARIANTS[variant](config)


def nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with a table for the encoder and one for the decoder.

    One that is not flat stays as it is. Keys that are wrong stay wrong, for the reader to refuse.
    """
    encoder, decoder = fields.get("encoder"), fields.get("decoder")
    if not (isinstance(encoder, str) and isinstance(decoder, str)):
        return dict(fields)
    tables = {
        "encoder": {"kind": encoder} | _renamed(fields, _ENCODERS.get(encoder, {})),
        "decoder": {"kind": decoder} | _renamed(fields, _DECODERS.get(decoder, {})),
    }
    if encoder == "basis" and fields.get("coordinates") != "cosine":
        tables["encoder"] |= _renamed(fields, _POSITIONS)  # it had no others: refused
    return {key: value for key, value in fields.items() if key not in _FLAT} | tables


def _renamed(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {new: fields[old] for new, old in names.items() if old in fields}
