"""Devices: the one that a word means, and the precision and memory that suit a step on it."""

import ctypes
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from timeit import repeat

import torch

from npfill.errors import UsageError

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_PROBE = 768


def resolve(name: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        UsageError: The word is unknown, or the device is not there.
    """
    has_metal = torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if has_metal else "cpu"
    kind, _, number = (name := str(name)).partition(":")  # or a device of torch
    numbered = kind == "cuda" and number.isascii() and number.isdigit()
    if kind not in {"cpu", "cuda", "mps"} or (name != kind and not numbered):
        raise UsageError(f"unknown device {name!r}", "one of: auto, cpu, cuda, cuda:N, mps")
    if kind == "cuda" and not torch.cuda.is_available():
        built = "no CUDA device is visible" if torch.version.cuda else "this torch has no CUDA"
        raise UsageError(f"device {name} is not there: {built}", 'use `device="cpu"`')
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UsageError(f"device {name} is not there", f"{torch.cuda.device_count()} devices are")
    if kind == "mps" and not has_metal:
        raise UsageError(
            "device mps is not there: no Metal in this torch or machine", 'use `device="cpu"`'
        )
    return torch.device(name)


def describe(name: str) -> str:
    """One line on a device: that it is there, and which, or why not."""
    try:
        device = resolve(name)
    except UsageError as error:
        return str(error)
    if device.type == "cuda":
        return f"available, {torch.cuda.get_device_name(device)}"
    return f"available, {torch.get_num_threads()} threads" if name == "cpu" else "available"


def precision(device: torch.device, wanted: str) -> torch.dtype:
    """The type of matrix products for its name, or `auto`: bfloat16 where the device is quicker."""
    if wanted != "auto":
        return torch.bfloat16 if wanted == "bfloat16" else torch.float32
    if device.type == "cuda":
        quicker = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        quicker = device.type == "cpu" and _cpu_is_quicker_in_bfloat16()
    return torch.bfloat16 if quicker else torch.float32


@cache
def _cpu_is_quicker_in_bfloat16() -> bool:
    """True if a matrix product takes at most two thirds of its time in float32.

    Instructions do not tell: with AVX512-BF16 alone, one CPU was twice as fast and another half
    as fast (docs/notes/training.md). The measurement takes a few hundredths of a second.
    """
    single, half = (_seconds_of_a_product(dtype) for dtype in (torch.float32, torch.bfloat16))
    return half < single / 1.5


def _seconds_of_a_product(dtype: torch.dtype) -> float:
    matrix = torch.ones(_PROBE, _PROBE, dtype=dtype)
    # The first also builds what the others run.
    return min(repeat(lambda: matrix @ matrix, number=1, repeat=4))


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Run matrix products in `dtype` and what is delicate in float32."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


def keep_memory() -> None:
    """Let glibc keep freed memory for the next step; elsewhere, nothing happens.

    By default it gives large blocks back to the system, which clears them page by page when the
    next step asks for them: for a batch of large activations that costs as much as the arithmetic.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
