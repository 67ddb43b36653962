"""The baselines by name: what neural processes are compared with."""

from npfill.baselines.base import Baseline, BaselinePrediction
from npfill.baselines.gp import GaussianProcess
from npfill.baselines.griddata import Griddata
from npfill.baselines.inpaint import Biharmonic, NavierStokes, Telea
from npfill.baselines.kriging import Kriging
from npfill.baselines.linear import Linear
from npfill.baselines.nearest import Nearest
from npfill.errors import ModelError

__all__ = ["BASELINES", "Baseline", "BaselinePrediction", "build"]

_EVERY = Nearest, Griddata, Linear, GaussianProcess, Kriging, Telea, NavierStokes, Biharmonic
BASELINES: dict[str, type[Baseline]] = {baseline.name: baseline for baseline in _EVERY}


def build(name: str) -> Baseline:
    """A baseline as it is compared: three neighbours, and linear with the statistics of MNIST.

    Raises:
        ModelError: No baseline has this name, or its bundled file is damaged.
    """
    if name not in BASELINES:
        raise ModelError(f"no baseline is called {name!r}", f"one of: {', '.join(BASELINES)}")
    return BASELINES[name].build()
