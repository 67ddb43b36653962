"""Weights that ship get the correlation of their channels; nothing else of them changes."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from npfill import checkpoint, zoo
from npfill.data import Photographs
from npfill.data.sources import read_images
from npfill.errors import UsageError
from npfill.evaluate.contexts import kind
from npfill.evaluate.held_out import correlate
from npfill.evaluate.predictions import GridModel
from npfill.evaluate.protocol import measure
from npfill.files import folder
from npfill.models import NeuralProcess
from npfill.training.batch import training_pictures
from npfill.training.recipe import parse
from tools.shipping import store

# The scores of weights that the correlation changes.
_CHANGED = ("log_likelihood", "floored_log_likelihood", "pointwise", "floored_pointwise")
_OF_ROW = ("counts", "mse", "log_likelihood", "floored_log_likelihood", "contexts", "psnr")
# Of photographs, so many centres of so many pixels; the seed of masks and draws.
_CENTRES, _CENTRE, _SEED = 16, 224, 0


def correlated(
    name: str,
    data: Path,
    on_setting: Callable[[str], None] = lambda _: None,
    pictures: int | None = None,
) -> Path:
    """Fit the correlation of shipped weights on pictures held out, and measure likelihoods again.

    Args:
        name: The model's name.
        data: The pictures that it was trained on, with those that the recipe holds out.
        on_setting: Called with a word on the progress before each step.
        pictures: Fit to so many, the last, and leave the likelihoods those of independent channels,
            which the card says: for a model that takes hours.

    Returns:
        The file, written again with the same tensors.

    Raises:
        UsageError: The model has a single channel.
        InputError: The data cannot be read.
    """
    weights = checkpoint.load(folder("pretrained") / f"{name}.safetensors")
    model, provenance = weights.model, weights.provenance
    if model.config.channels == 1:
        raise UsageError(f"{name} has a single channel", "name a model of colour")
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    recipe = (folder("train") / f"{name}.toml").read_text("utf-8")
    held_out = training_pictures(data, parse(recipe, name))[1]
    if isinstance(held_out, Photographs):
        held_out = held_out[:_CENTRES].centres(_CENTRE)
    elif pictures is not None:
        held_out = held_out[-pictures:]
        provenance = provenance | {"channels_apart": True}
    on_setting("correlation")
    correlate(model, held_out)
    assert all(torch.equal(before[key], tensor) for key, tensor in model.state_dict().items())
    columns = {key: value for key, value in asdict(zoo.entries()[name]).items() if key in _OF_ROW}
    if pictures is None and not isinstance(held_out, Photographs):
        scores = _scored_again(model, provenance["scores"], data, on_setting)
        provenance = provenance | {"scores": scores}
        rows = [scores[f"random:{count}"] for count in columns["counts"]]
        for key in _CHANGED[:2]:
            columns[key] = tuple(round(row[key], 4) for row in rows)
    return store(name, checkpoint.Weights(model, provenance), columns)


def _scored_again(
    model: NeuralProcess,
    scores: dict[str, dict[str, Any]],
    data: Path,
    on_setting: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """The likelihoods measured as they were, on as many pictures with as many draws."""
    images = read_images(data, "test", model.config.size, model.config.channels)
    found = {}
    for name, old in scores.items():
        on_setting(name)
        predictor = GridModel(model, old["draws"], _SEED)
        now = measure(name, predictor, kind(name), images[: old["images"]], _SEED).scores
        found[name] = old | {key: round(now[key].value, 6) for key in _CHANGED if key in old}
        assert abs(now["mse"].value - old["mse"]) < 1e-4 * old["mse"], "not the same pictures"
    return found
