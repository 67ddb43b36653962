"""From a finished run of a flow to shipped weights: its mean and std, and its samples, measured."""

from collections.abc import Callable
from pathlib import Path

from jaxtyping import UInt8
from torch import Tensor

from npfill import checkpoint, zoo
from npfill.data import MaskedImages
from npfill.evaluate.contexts import grid_protocol
from npfill.evaluate.held_out import calibrate
from npfill.evaluate.predictions import GridModel
from npfill.evaluate.protocol import FEWEST_IMAGES, measure
from npfill.evaluate.report import OF_SAMPLERS
from npfill.models.flownp import FlowNP
from npfill.predictor.flows import with_flow
from npfill.sampling import Flow
from tools.shipping import columns_of, scores_of, store, trained_weights

_SEED, _DRAWS = 0, 16


def ship_flow(
    name: str,
    weights: Path,
    validation: UInt8[Tensor, "held_out channel size size"] | MaskedImages,
    test: UInt8[Tensor, "image channel size size"],
    on_setting: Callable[[str], None] = lambda _: None,
) -> Path:
    """Take a flow into `pretrained/`, calibrated, its mean, std and samples as they will be.

    Args:
        name: The word that users will type; `train/NAME.toml` must exist.
        weights: A file that training wrote.
        validation: Pictures held out of training, bytes: what the calibration is fitted to.
        test: Test pictures, bytes: mean and std of all at random counts, at most 200 elsewhere;
            samples of 50, or of 16 in colour.
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
        zoo.Found(name, weights, ""),
        flow,
        lambda other: checkpoint.load(zoo.find(other).path).model.to(test.device),
    )
    on_setting("calibration")
    calibrate(model, validation)
    model.half().float()
    flow.correlation = model.correlation
    scores = scores_of(model, test, 1, on_setting)
    for kind in grid_protocol(test.shape[-1]):
        if kind.family == "ordered":
            continue
        on_setting(f"samples, {kind.name}")
        some = test[: FEWEST_IMAGES // test.shape[1]]
        batches = GridModel(model, _DRAWS, _SEED, Flow())
        result = measure(kind.name, batches, kind, some, _SEED).scores
        values = {key: round(result[key].value, 5) for key in OF_SAMPLERS if key in result}
        scores[kind.name]["of_samples"] = {"images": len(some)} | values
    measured = checkpoint.Weights(flow, trained.provenance | {"scores": scores})
    return store(name, measured, columns_of(scores, model.config.size), shown=model)
