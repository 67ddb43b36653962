"""Weight files: cut, tampered with, hostile, or not ours."""

import json
import pickle
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from npfill.checkpoint import canonical
from npfill.config import plain
from npfill.models import build, config_of
from tests.conftest import MODELS
from tests.corpus.nasty import DONE, MODEL, Nasty, cut

Tensors = dict[str, torch.Tensor]
Metadata = dict[str, Any]
_BROKEN = "not a safetensors file"


@cache
def parts() -> tuple[Tensors, Metadata]:
    """The tensors of a tiny conditional model of colour pictures, and what npfill says of it."""
    variant, fields = MODELS["cnp"]
    config = config_of(variant, fields | {"channels": 3}, "a test")
    torch.manual_seed(0)
    tensors = {name: tensor.float() for name, tensor in build(variant, config).state_dict().items()}
    about = {"format": 1, "variant": variant, "config": plain(config), "provenance": {}}
    return tensors, about


def whole(tensors: Tensors | None = None, about: Metadata | str | None = None) -> bytes:
    """A weight file; with other tensors, or other metadata, than those of the tiny model."""
    own_tensors, own_about = parts()
    said = about if isinstance(about, str) else canonical(own_about | (about or {}))
    return save(own_tensors if tensors is None else tensors, {"npfill": said})


def config(**changes: Any) -> bytes:
    """A weight file whose configuration says something else."""
    own = parts()[1]["config"]
    for name in ("encoder", "decoder"):
        changes = changes | {name: own[name] | changes[name]} if name in changes else changes
    return whole(about={"config": own | changes})


def first(change: Callable[[torch.Tensor], torch.Tensor]) -> bytes:
    """A weight file with one tensor changed."""
    tensors = parts()[0]
    name = min(tensors)
    return whole(tensors | {name: change(tensors[name])})


def reheaded(change: Callable[[dict[str, Any]], object], content: bytes | None = None) -> bytes:
    """A weight file whose header of the format safetensors is changed in place."""
    content = whole() if content is None else content
    end = 8 + int.from_bytes(content[:8], "little")
    head = json.loads(content[8:end])
    change(head)
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + content[end:]


def _set(tensor: dict[str, Any], **fields: Any) -> None:
    tensor.update(fields)


def _tensor(head: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = head[min(parts()[0])]
    return found


class _Attack:
    """Unpickled, it would stop the process."""

    def __reduce__(self) -> tuple[Callable[[int], None], tuple[int]]:
        import os  # noqa: PLC0415 - only a name is pickled

        return os._exit, (66,)


WEIGHTS = {
    "whole.safetensors": Nasty(whole, DONE, "model whole"),
    "half-precision.safetensors": Nasty(
        lambda: whole({name: tensor.half() for name, tensor in parts()[0].items()}), DONE, ""
    ),
    # Cut, or not ours.
    "empty.safetensors": Nasty(lambda: b"", MODEL, _BROKEN),
    "cut-in-length.safetensors": Nasty(lambda: whole()[:5], MODEL, _BROKEN),
    "cut-in-header.safetensors": Nasty(lambda: whole()[:100], MODEL, _BROKEN),
    "cut-in-tensors.safetensors": Nasty(lambda: cut(whole(), 0.9), MODEL, _BROKEN),
    "longer.safetensors": Nasty(lambda: whole() + b"rubbish", MODEL, _BROKEN),
    "text.safetensors": Nasty(
        lambda: b"version https://git-lfs.github.com/spec/v1", MODEL, _BROKEN
    ),
    "html.safetensors": Nasty(lambda: b"<!doctype html><title>404</title>", MODEL, _BROKEN),
    "foreign.safetensors": Nasty(lambda: save(parts()[0], {"format": "pt"}), MODEL, "no npfill"),
    "no-metadata.safetensors": Nasty(lambda: save(parts()[0]), MODEL, "no npfill metadata"),
    "pickle.pt": Nasty(lambda: pickle.dumps(_Attack()), MODEL, "pickled weights can run any code"),
    "pickle.ckpt": Nasty(lambda: pickle.dumps(_Attack()), MODEL, "pickled weights"),
    "pickle.bin": Nasty(lambda: pickle.dumps(_Attack()), MODEL, "pickled weights"),
    "pickle.safetensors": Nasty(lambda: pickle.dumps(_Attack()), MODEL, _BROKEN),
    "pickle.onnx": Nasty(lambda: pickle.dumps(_Attack()), MODEL, _BROKEN),
    # Hostile headers.
    "endless-header.safetensors": Nasty(lambda: b"\xff" * 8 + whole()[8:], MODEL, _BROKEN),
    "no-json.safetensors": Nasty(lambda: struct.pack("<Q", 9) + b"{" * 9, MODEL, _BROKEN),
    "deep-json.safetensors": Nasty(
        lambda: struct.pack("<Q", 200_000) + b"[" * 200_000, MODEL, _BROKEN
    ),
    "overlapping.safetensors": Nasty(
        lambda: reheaded(lambda head: _set(_tensor(head), data_offsets=[0, 4])), MODEL, _BROKEN
    ),
    "backwards.safetensors": Nasty(
        lambda: reheaded(lambda head: _set(_tensor(head), data_offsets=[9, 1])), MODEL, _BROKEN
    ),
    "beyond.safetensors": Nasty(
        lambda: reheaded(lambda head: _set(_tensor(head), data_offsets=[0, 2**62])), MODEL, _BROKEN
    ),
    "huge-shape.safetensors": Nasty(
        lambda: reheaded(lambda head: _set(_tensor(head), shape=[2**40, 2**40])), MODEL, _BROKEN
    ),
    "unknown-dtype.safetensors": Nasty(
        lambda: reheaded(lambda head: _set(_tensor(head), dtype="X99")), MODEL, _BROKEN
    ),
    "eight-bits.safetensors": Nasty(
        lambda: first(lambda tensor: tensor.to(torch.float8_e4m3fn)), MODEL, "float8_e4m3fn"
    ),
    # Hostile metadata.
    "broken-json.safetensors": Nasty(lambda: whole(about="{"), MODEL, "no npfill metadata"),
    "deep-metadata.safetensors": Nasty(
        lambda: whole(about="[" * 100_000), MODEL, "no npfill metadata"
    ),
    "long-number.safetensors": Nasty(
        lambda: whole(about='{"format":' + "9" * 10_000 + "}"), MODEL, "no npfill metadata"
    ),
    "list.safetensors": Nasty(lambda: whole(about="[1]"), MODEL, "incomplete npfill metadata"),
    "nothing-said.safetensors": Nasty(lambda: whole(about="{}"), MODEL, "incomplete npfill"),
    "true-format.safetensors": Nasty(lambda: whole(about={"format": True}), MODEL, "incomplete"),
    "later.safetensors": Nasty(lambda: whole(about={"format": 99}), MODEL, "format 99, not "),
    "variant.safetensors": Nasty(
        lambda: whole(about={"variant": "os.system"}), MODEL, "unknown variant 'os.system'"
    ),
    "two-lines.safetensors": Nasty(
        lambda: whole(about={"variant": "a\nb\x1b[2J"}), MODEL, r"unknown variant 'a\nb\x1b[2J'"
    ),
    "other-variant.safetensors": Nasty(lambda: whole(about={"variant": "anp"}), MODEL, "key '"),
    "unknown-key.safetensors": Nasty(lambda: config(dropout=0.1), MODEL, "unknown key 'dropout'"),
    "mistyped.safetensors": Nasty(
        lambda: config(encoder={"width": "wide"}), MODEL, "width is 'wide'"
    ),
    "absurd.safetensors": Nasty(
        lambda: config(encoder={"width": 10**9}), MODEL, "width = 1000000000 is out"
    ),
    "negative.safetensors": Nasty(lambda: config(channels=-3), MODEL, "channels = -3 is out"),
    "no-number.safetensors": Nasty(
        lambda: config(scale_floor=float("nan")), MODEL, "scale_floor is None"
    ),
    "many-layers.safetensors": Nasty(
        lambda: config(decoder={"hidden": [4096] * 1000}), MODEL, "is out of range"
    ),
    "large.safetensors": Nasty(
        lambda: config(decoder={"hidden": [4096] * 32}), MODEL, "is missing or not expected"
    ),
    # Tensors that are not what the configuration says.
    "missing.safetensors": Nasty(
        lambda: whole(dict(list(parts()[0].items())[1:])), MODEL, "is missing or not expected"
    ),
    "extra.safetensors": Nasty(
        lambda: whole(parts()[0] | {"backdoor": torch.zeros(1)}), MODEL, "tensor 'backdoor'"
    ),
    "shape.safetensors": Nasty(
        lambda: first(lambda _: torch.zeros(2, 2, 2)), MODEL, "of shape (2, 2, 2)"
    ),
    "no-elements.safetensors": Nasty(lambda: first(lambda _: torch.zeros(0)), MODEL, "shape (0,)"),
    "whole-numbers.safetensors": Nasty(
        lambda: first(lambda tensor: tensor.to(torch.int32)), MODEL, "is torch.int32 of shape"
    ),
    "nan.safetensors": Nasty(
        lambda: first(lambda tensor: tensor * np.nan), MODEL, "values that are not finite"
    ),
    "infinite.safetensors": Nasty(
        lambda: first(lambda tensor: tensor + np.inf), MODEL, "values that are not finite"
    ),
    "overflowing.safetensors": Nasty(
        lambda: whole({name: tensor * 0 + 3e38 for name, tensor in parts()[0].items()}),
        MODEL,
        "predictions are not finite",
    ),
}
