"""Progress in a notebook: a line with the time left, once work takes longer than two seconds."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from npfill.steps import told

_PATIENCE, _BETWEEN = 2.0, 0.5  # seconds


@contextmanager
def progress_in_notebook() -> Iterator[None]:
    """Show how far a completion is while the context is open; nothing outside of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if type(shell).__name__ != "ZMQInteractiveShell":
        yield
        return
    line, first, said = None, time.monotonic(), 0.0
    began, before = first, 0

    def say(text: str) -> None:
        nonlocal line
        if line is None:
            show = import_module("IPython.display").display
            line = show({"text/plain": text}, raw=True, display_id=True)
        else:
            line.update({"text/plain": text}, raw=True)

    def listen(done: int, total: int) -> None:
        nonlocal began, before, said
        now = time.monotonic()
        began, before = (began if done > before else now), done
        if now - first > _PATIENCE and now - said > _BETWEEN:
            said = now
            left = (now - began) / done * (total - done) if done else 0
            say(f"completing: {100 * done / total:.0f} %, {left:.0f} s left")

    with told(listen):
        yield
    if line is not None:
        say(f"completed in {time.monotonic() - first:.0f} s")
