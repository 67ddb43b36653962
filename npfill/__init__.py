"""npfill completes pictures with missing pixels and says how sure it is.

`npfill.complete` and `npfill.load` are the two functions of the library. They are imported on
first use, so that `import npfill` costs nothing and loads no torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from npfill.completion.arrays import Completion as Completion
    from npfill.completion.arrays import complete as complete
    from npfill.zoo import load as load

__version__ = "0.1.0"
__all__ = ["Completion", "__version__", "complete", "load"]

_HOMES = {
    "Completion": "npfill.completion.arrays",
    "complete": "npfill.completion.arrays",
    "load": "npfill.zoo",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'npfill' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - nothing heavy until it is asked for

    return getattr(import_module(_HOMES[name]), name)
