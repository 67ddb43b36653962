"""Configurations of format 1, which were flat, as those of format 2."""

from collections.abc import Mapping
from typing import Any

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
