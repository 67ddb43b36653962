"""Seconds, peak memory, and processes in which nothing else has run."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_PEAK = "VmHWM:"

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")


def apart(
    work: Callable[_Arguments, _Result], *given: _Arguments.args, **named: _Arguments.kwargs
) -> _Result:
    """The answer of `work`, a function of a module, in a new process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *given, **named).result()


def with_peak(work: Callable[[], _Result]) -> tuple[_Result, float | None]:
    """The answer of `work`, and the most memory that was resident meanwhile, in 10^9 bytes.

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


def clock_of(device: torch.device) -> Callable[[], float]:
    """Seconds of work: of the processor for one thread, so that other processes do not count."""
    if device.type == "cuda":

        def waited() -> float:
            torch.cuda.synchronize(device)
            return time.perf_counter()

        return waited
    return time.process_time if torch.get_num_threads() == 1 else time.perf_counter


def seconds_and_peak(work: Callable[[], object], rounds: int) -> tuple[list[float], float | None]:
    """The seconds of each round on the CPU, in order of size, and the last peak memory."""
    clock, times, peak = clock_of(torch.device("cpu")), [], None
    for _ in range(rounds):
        before = clock()
        _, peak = with_peak(work)
        times.append(clock() - before)
    return sorted(times), peak


def in_words(seconds: float) -> str:
    """Seconds, or milliseconds below one."""
    return f"{1e3 * seconds:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def gigabytes(peak: float | None) -> str:
    """The peak memory; nothing where the system did not tell."""
    return "" if peak is None else f"{peak:.2f} GB"
