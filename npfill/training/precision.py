"""The precision and the memory that suit a step's device."""

import ctypes
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def precision(device: torch.device) -> torch.dtype:
    """What matrix products run in: bfloat16 where the device has matrix units for it, or float32.

    A CPU with AVX512-BF16 but no AMX is slower in bfloat16 than in float32: see
    benchmarks/README.md.
    """
    if device.type == "cuda":
        has_units = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_units = device.type == "cpu" and torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if has_units else torch.float32


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
