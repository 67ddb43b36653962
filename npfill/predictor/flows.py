"""Models with the flows that were trained beside them."""

import copy
from collections.abc import Callable

from npfill import zoo
from npfill.errors import ModelError
from npfill.models import NeuralProcess
from npfill.models.flownp import FlowNP
from npfill.sampling import Flow

# Loads the network of a name of the zoo.
Load = Callable[[str], NeuralProcess]


def with_flow(name: str, model: NeuralProcess, load: Load) -> NeuralProcess:
    """A model that has a flow to draw its samples: of a flow, its companion with it.

    Args:
        name: The model's name.
        model: The model.
        load: Loads what goes with it.

    Raises:
        ModelError: A flow and its companion are for different pictures, or cannot be had.
    """
    if isinstance(model, FlowNP):
        return _joined(load(model.config.companions[0]), model, name, is_own=True)
    rows = zoo.shipped()
    for other, row in rows.items():
        if row.variant != FlowNP.variant or name not in rows or row.data != rows[name].data:
            continue
        flow = load(other)
        if isinstance(flow, FlowNP) and name in flow.config.companions:
            is_own = name == flow.config.companions[0]
            return _joined(model, flow, other, is_own=is_own)
    return model


def _joined(companion: NeuralProcess, flow: FlowNP, name: str, *, is_own: bool) -> NeuralProcess:
    """A companion that shares its weights with the one given, with a flow: by default its own."""
    shapes = [(each.config.size, each.config.channels) for each in (companion, flow)]
    if isinstance(companion, FlowNP) or shapes[0] != shapes[1]:
        raise ModelError(
            f"{name}: {companion.variant} is no companion of it", "its recipe names another"
        )
    joined = copy.copy(companion)
    joined.flows = (flow,)
    if is_own:
        joined.default_sampler = Flow.name
    return joined
