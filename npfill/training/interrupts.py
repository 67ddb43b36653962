"""Ctrl-C, held back until a run can stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noted_interrupts() -> Iterator[list[int]]:
    """Ctrl-C is noted in the list and not raised, so that every step and every save is whole."""
    noted: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)
