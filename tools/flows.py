"""From a finished run of a flow to shipped weights, measured beside its companion."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from torch import Tensor

from npfill import checkpoint, zoo
from npfill.evaluate.contexts import grid_protocol
from npfill.evaluate.predictions import GridModel
from npfill.evaluate.protocol import FEWEST_IMAGES, measure
from npfill.evaluate.report import OF_SAMPLERS
from npfill.models.flownp import FlowNP
from npfill.predictor.flows import with_flow
from npfill.sampling import Flow
from tools.shipping import store, trained_weights

_SEED, _DRAWS = 0, 16


def ship_flow(
    name: str,
    weights: Path,
    test: UInt8[Tensor, "image channel size size"],
    on_setting: Callable[[str], None] = lambda _: None,
) -> Path:
    """Take a flow into `pretrained/`, its samples measured as they will be drawn.

    Args:
        name: The word that users will type; `train/NAME.toml` must exist.
        weights: A file that training wrote.
        test: Test pictures, bytes; at most 50 of them are measured.
        on_setting: Called with a word on the progress before each step.

    Returns:
        The file that was written; its card and the card's picture lie beside it.

    Raises:
        InputError: No recipe has this name, or the weights are not from a training run.
    """
    trained = trained_weights(name, weights)
    flow = trained.model.half().float().to(test.device)
    assert isinstance(flow, FlowNP)
    model = with_flow(
        name, flow, lambda other: checkpoint.load(zoo.find(other).path).model.to(test.device)
    )
    scores: dict[str, Any] = {}
    for kind in grid_protocol(test.shape[-1]):
        if kind.family == "ordered":
            continue
        on_setting(kind.name)
        some = test[:FEWEST_IMAGES]
        batches = GridModel(model, _DRAWS, _SEED, Flow())
        result = measure(kind.name, batches, kind, some, _SEED).scores
        values = {key: round(result[key].value, 5) for key in OF_SAMPLERS if key in result}
        scores[kind.name] = {"images": len(some)} | values
    measured = checkpoint.Weights(flow, trained.provenance | {"scores": scores})
    columns = dict.fromkeys(("counts", "mse", "log_likelihood", "floored_log_likelihood"), ())
    return store(name, measured, columns, shown=model)
