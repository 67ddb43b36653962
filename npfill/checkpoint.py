"""A model and its weight file: the only reader and writer of tensors on disk."""

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from npfill import models
from npfill.config import plain
from npfill.errors import ModelError
from npfill.files import json_text, refuse_weights, write_bytes
from npfill.gaussian import factor_of

# Format 1 had flat configurations: `models.nested` reads them.
FORMAT, _READABLE = 2, {1, 2}
_KEY = "npfill"


@dataclass(frozen=True)
class Weights:
    """A model with what is known of where it comes from."""

    model: models.NeuralProcess
    provenance: dict[str, Any] = field(default_factory=dict)


def save(
    path: Path, model: models.NeuralProcess, provenance: dict[str, Any], *, half: bool = False
) -> None:
    """Write a model atomically, with its configuration and provenance as metadata.

    One metadata key with canonical JSON keeps equal contents equal bytes.

    Args:
        path: The file; replaced if it exists.
        model: The plain module, not a compiled one.
        provenance: JSON values: recipe, data and terms, seed, commit, hardware, steps, scores.
        half: Store the numbers in half precision.
    """
    header = {
        "format": FORMAT,
        "variant": model.variant,
        "config": plain(model.config),
        "provenance": provenance,
    }
    if model.correlation:
        header["correlation"] = list(model.correlation)
    tensors = {
        name: tensor.detach().cpu().to(torch.float16 if half else torch.float32).contiguous()
        for name, tensor in model.state_dict().items()
    }
    save_tensors(path, tensors, {_KEY: canonical(header)})


def load(path: Path) -> Weights:
    """Read a model in float32 on the CPU, in evaluation mode, trusting nothing in the file.

    Raises:
        InputError: No file is there.
        ModelError: It is not an npfill weight file, or anything in it is not as it must be.
    """
    tensors, metadata = load_tensors(path)
    try:
        header = json.loads(metadata[_KEY])
    except (KeyError, ValueError, RecursionError):
        raise ModelError(
            f"{path}: no npfill metadata in it", "only files written by npfill can be used"
        ) from None
    kinds = {"format": int, "variant": str, "config": dict, "provenance": dict}
    if not isinstance(header, dict) or any(
        type(header.get(key)) is not kind for key, kind in kinds.items()
    ):
        raise ModelError(f"{path}: incomplete npfill metadata", "fetch or copy it again")
    if header["format"] not in _READABLE:
        raise ModelError(f"{path}: format {header['format']}, not {FORMAT}", "update npfill")
    config = models.config_of(header["variant"], header["config"], str(path))
    # On the meta device a model has shapes but takes no memory, whatever the file asks for.
    with torch.device("meta"):
        model = models.build(header["variant"], config)
    _verify(path, tensors, model.state_dict())
    numbers = {name: tensor.float() for name, tensor in tensors.items()}
    model.load_state_dict(numbers, strict=True, assign=True)
    model.correlation = _correlation(path, header.get("correlation", []), config.channels)
    return Weights(model.eval().requires_grad_(False), header["provenance"])


def _correlation(path: Path, numbers: object, channels: int) -> tuple[float, ...]:
    """The correlation of a model's channels, as its file states it; empty where it does not."""
    if numbers == []:
        return ()
    try:
        correlation = tuple(map(float, numbers))  # type: ignore[call-overload]
        factor_of(correlation, channels)
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"{path}: no correlation of channels", "fetch it again") from None
    return correlation


def _verify(path: Path, tensors: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Exactly the expected names, shapes and floating dtypes, and finite values."""
    if tensors.keys() != expected.keys():
        odd = min(tensors.keys() ^ expected.keys())
        raise ModelError(f"{path}: tensor {odd!r} is missing or not expected", "fetch it again")
    for name, tensor in tensors.items():
        shape, dtypes = expected[name].shape, {torch.float16, torch.float32}
        if tensor.shape != shape or tensor.dtype not in dtypes:
            raise ModelError(
                f"{path}: {name} is {tensor.dtype} of shape {tuple(tensor.shape)}",
                f"float16 or float32 of shape {tuple(shape)} was expected",
            )
        if not math.isfinite(tensor.double().abs().sum().item()):
            raise ModelError(f"{path}: {name} holds values that are not finite", "fetch it again")


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values make equal bytes."""
    return json_text(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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
        with path.open("rb") as opened:
            # The library opens no name that is not of Unicode.
            is_plain = str(path).encode(errors="ignore") == os.fsencode(path)
            name = path if is_plain else f"/dev/fd/{opened.fileno()}"
            with safe_open(name, framework="pt") as file:
                return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118 - not a dict
    except SafetensorError as error:
        raise ModelError(
            f"{path}: not a safetensors file ({error})", "fetch or copy it again"
        ) from None
