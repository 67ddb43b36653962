"""The progress of work that takes long, told to who listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[int, int], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def told(listener: Listener) -> Iterator[None]:
    """Call a function with the work done and the work in all while the context is open."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


class Steps:
    """Work of which it is told how far it is.

    Args:
        total: The amount of it, in any unit.
    """

    def __init__(self, total: int) -> None:
        self.done, self.total = 0, total

    def advance(self, by: int = 1) -> None:
        """Tell that so much more is done."""
        self.done += by
        listener = _listener.get()
        if listener is not None:
            listener(self.done, self.total)
