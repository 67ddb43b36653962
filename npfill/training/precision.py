"""The precision and the memory that suit a step's device."""

import ctypes
import time
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_PROBE = 768


def precision(device: torch.device) -> torch.dtype:
    """What matrix products run in: bfloat16 where the device is quicker in it, or float32."""
    if device.type == "cuda":
        quicker = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        quicker = device.type == "cpu" and _cpu_is_quicker_in_bfloat16()
    return torch.bfloat16 if quicker else torch.float32


@cache
def _cpu_is_quicker_in_bfloat16() -> bool:
    """Whether a matrix product takes two thirds of its time in float32, or less.

    Instructions do not tell: with AVX512-BF16 alone, one CPU was twice as fast and another half
    as fast (train/README.md). The measurement takes a few hundredths of a second.
    """
    single, half = (_seconds_of_a_product(dtype) for dtype in (torch.float32, torch.bfloat16))
    return half < single / 1.5


def _seconds_of_a_product(dtype: torch.dtype) -> float:
    matrix = torch.ones(_PROBE, _PROBE, dtype=dtype)
    seconds = []
    for _ in range(4):  # the first also builds what the others run
        before = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - before)
    return min(seconds)


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[Any]:
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
