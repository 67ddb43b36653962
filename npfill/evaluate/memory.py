"""The peak memory of this process, where Linux tells."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_PEAK = "VmHWM:"

_Result = TypeVar("_Result")


def with_peak(work: Callable[[], _Result]) -> tuple[_Result, float | None]:
    """What work answers, and the most memory that was resident meanwhile, in 10^9 bytes.

    The memory is that of the whole process; None where the system does not tell.
    """
    try:
        _RESET.write_text("5")  # Linux, proc_pid_clear_refs(5): begin the peak anew
        told = True
    except OSError:
        told = False
    answer = work()
    return answer, _peak() if told else None


def _peak() -> float:
    lines = _STATUS.read_text().splitlines()
    kibibytes = next(int(line.split()[1]) for line in lines if line.startswith(_PEAK))
    return kibibytes * 1024 / 1e9
