"""The variants by name: a configuration becomes a model."""

from collections.abc import Mapping
from typing import Any

from npfill.config import read
from npfill.errors import ModelError
from npfill.models.anp import ANP
from npfill.models.base import Config, NeuralProcess
from npfill.models.cnp import CNP
from npfill.models.convcnp import ConvCNP
from npfill.models.convcnp_field import FieldConvCNP
from npfill.models.flownp import FlowNP
from npfill.models.format_1 import nested
from npfill.models.latent_cnp import LatentCNP
from npfill.models.neural_process import NP

__all__ = ["VARIANTS", "Config", "NeuralProcess", "build", "config_of", "nested"]

# A new variant is one file with its configuration and its class, and a line here.
VARIANTS: dict[str, type[NeuralProcess]] = {
    each.variant: each for each in (CNP, LatentCNP, NP, ANP, ConvCNP, FieldConvCNP, FlowNP)
}


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


def build(variant: str, config: Config) -> NeuralProcess:
    """A fresh model of single precision with random weights from torch's global generator."""
    return VARIANTS[variant](config).float()
