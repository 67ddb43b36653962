"""The baselines by name: what neural processes are compared with."""

from collections.abc import Callable

from npfill.baselines.base import Baseline, Filled
from npfill.baselines.biharmonic import Biharmonic
from npfill.baselines.gp import GaussianProcess
from npfill.baselines.linear import Linear
from npfill.baselines.nearest import Nearest
from npfill.baselines.opencv import NavierStokes, Telea
from npfill.baselines.statistics import load
from npfill.errors import ModelError
from npfill.files import folder

__all__ = ["FILES", "NAMES", "Baseline", "Filled", "build"]

# What ships with npfill for a baseline.
FILES = {"linear": folder("pretrained") / "baselines" / "linear-mnist.safetensors"}

_BASELINES: dict[str, Callable[[], Baseline]] = {
    "nearest": Nearest,
    "linear": lambda: Linear(load(FILES["linear"])),
    "gp": GaussianProcess,
    "telea": Telea,
    "navier-stokes": NavierStokes,
    "biharmonic": Biharmonic,
}
NAMES = tuple(_BASELINES)


def build(name: str) -> Baseline:
    """A baseline as it is compared: three neighbours, and linear with the statistics of MNIST.

    Raises:
        ModelError: No baseline has this name, or its bundled file is damaged.
    """
    if name not in _BASELINES:
        raise ModelError(f"no baseline is called {name!r}", f"one of: {', '.join(NAMES)}")
    return _BASELINES[name]()
