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


def with_flow(found: zoo.Found, model: NeuralProcess, load: Load) -> NeuralProcess:
    """A model that has a flow to draw its samples; a flow has its companion then, too.

    It shares its weights with the one that is given.

    Args:
        found: The model's file: a flow goes with the very weights that it was trained beside.
        model: The model.
        load: Loads what goes with it.

    Raises:
        ModelError: A flow and its companion are for different pictures, or cannot be had.
    """
    name, rows = found.name, zoo.shipped()
    if isinstance(model, FlowNP):
        companion = load(model.config.companions[0])
        _compare(companion, model, name)
        whole = copy.copy(model)
        whole.companions, whole.flows, whole.default_sampler = (companion,), (model,), Flow.name
        return whole
    if name not in rows or found.sha256 != rows[name].sha256:
        return model
    for other, row in rows.items():
        if row.variant != FlowNP.variant or row.data != rows[name].data:
            continue
        flow = load(other)
        if isinstance(flow, FlowNP) and name in flow.config.companions:
            _compare(model, flow, other)
            joined = copy.copy(model)
            joined.flows, joined.default_sampler = (flow,), Flow.name
            return joined
    return model


def _compare(companion: NeuralProcess, flow: FlowNP, name: str) -> None:
    """Refuse a companion that is a flow itself, or is for other pictures."""
    shapes = [(each.config.size, each.config.channels) for each in (companion, flow)]
    if isinstance(companion, FlowNP) or shapes[0] != shapes[1]:
        raise ModelError(
            f"{name}: {companion.variant} is no companion of it", "its recipe names another"
        )
