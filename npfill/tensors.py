"""Safetensors files: the only reader and writer of tensors on disk."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from npfill.errors import ModelError
from npfill.files import refuse_weights, write_bytes


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values make equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors atomically."""
    write_bytes(path, serialise(tensors, metadata))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors and metadata of a safetensors file, onto the CPU.

    Raises:
        InputError: No file is there.
        ModelError: It is not a safetensors file.
    """
    refuse_weights(path)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118 - not a dict
    except SafetensorError as error:
        raise ModelError(
            f"{path}: not a safetensors file ({error})", "fetch or copy it again"
        ) from None
