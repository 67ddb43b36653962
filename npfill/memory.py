"""Memory: how much is left, and errors that say that there is none."""

import math
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from npfill.errors import InputError, NpfillError

_GROUP = Path("/sys/fs/cgroup")  # that of a container, of version 2

# How libraries say it.
_SAID = (
    "out of memory", "allocate memory", "unable to allocate", "not enough memory",
    "insufficient memory", "bad_alloc", "failed to map segment",
)  # fmt: skip


def is_out_of_memory(error: Exception) -> bool:
    """True for an error, of any library, that says that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    names_a_file = isinstance(error, NpfillError) or getattr(error, "filename", None) is not None
    return not names_a_file and any(words in str(error).lower() for words in _SAID)


def refuse_beyond(needed: int, what: str, hint: str) -> None:
    """Refuse what surely does not fit into memory, before the work.

    Args:
        needed: The least number of bytes that it takes.
        what: What takes them, for the message.
        hint: A way out.

    Raises:
        InputError: It is more than there is.
    """
    free = left()
    if needed > free:
        raise InputError(
            f"{what}: {needed / 1e9:,.1f} GB of memory or more, and {free / 1e9:,.1f} GB are left",
            hint,
        )


def left() -> float:
    """The bytes that this process can still have; infinite where the system does not say."""
    known = [math.inf]
    with suppress(OSError, ValueError, KeyError):
        lines = (line.split() for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        kilobytes = {name: int(count) for name, count, *_ in lines}
        known.append(1024 * (kilobytes["MemAvailable:"] + kilobytes["SwapFree:"]))
    with suppress(OSError, ValueError):  # of a container; "max" is none
        most, used = (int((_GROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        # The cache of files that nobody reads is given back first.
        words = (_GROUP / "memory.stat").read_text().split()
        cache = int(words[words.index("inactive_file") + 1])
        known.append(max(0, most - used + cache))
    with suppress(ImportError, OSError, ValueError):
        resource = import_module("resource")  # not on Windows
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        if limit != resource.RLIM_INFINITY:
            known.append(max(0, limit - pages * resource.getpagesize()))
    return min(known)
