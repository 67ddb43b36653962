"""npfill completes pictures with missing pixels and says how sure it is.

`complete` and `complete_many` complete pictures and data, `load` loads a model, `train` trains one,
and `mask` holds functions that propose masks.
They are imported on first use: `import npfill` takes no time and loads no torch.
"""

TYPE_CHECKING = False  # as type checkers know it: nothing is imported before the entry point runs
if TYPE_CHECKING:
    from npfill import mask as mask
    from npfill import training as _training
    from npfill.completion import Completion as Completion
    from npfill.completion import complete as complete
    from npfill.completion import complete_many as complete_many
    from npfill.exploring import Explorer as Explorer
    from npfill.package import __version__ as __version__
    from npfill.predictor import load as load

    train = _training.train

__all__ = [
    "Completion",
    "Explorer",
    "__version__",
    "complete",
    "complete_many",
    "load",
    "mask",
    "train",
]

_HOMES = {
    "Completion": "npfill.completion",
    "Explorer": "npfill.exploring",
    "__version__": "npfill.package",
    "complete": "npfill.completion",
    "complete_many": "npfill.completion",
    "load": "npfill.predictor",
    "mask": "npfill.mask",
    "train": "npfill.training",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'npfill' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    home = import_module(_HOMES[name])
    return home if _HOMES[name] == f"npfill.{name}" else getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
