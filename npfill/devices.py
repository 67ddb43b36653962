"""A word like `cuda` becomes a device that is there, or an error that says why it is not."""

import torch

from npfill.errors import UsageError


def resolve(name: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        UsageError: The word is unknown, or the device is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if _mps() else "cpu"
    kind, _, number = name.partition(":")
    numbered = kind == "cuda" and number.isascii() and number.isdigit()
    if kind not in {"cpu", "cuda", "mps"} or (name != kind and not numbered):
        raise UsageError(f"unknown device {name!r}", "one of: auto, cpu, cuda, cuda:N, mps")
    if kind == "cuda" and not torch.cuda.is_available():
        built = "no CUDA device is visible" if torch.version.cuda else "this torch has no CUDA"
        raise UsageError(f"device {name} is not there: {built}", "use --device cpu")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UsageError(f"device {name} is not there", f"{torch.cuda.device_count()} devices are")
    if kind == "mps" and not _mps():
        raise UsageError(
            "device mps is not there: no Metal in this torch or machine", "use --device cpu"
        )
    return torch.device(name)


def is_out_of_memory(error: Exception) -> bool:
    """Whether a device had no memory left for something."""
    said = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in said)
    )


def _mps() -> bool:
    return torch.backends.mps.is_available()
