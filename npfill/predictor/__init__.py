"""Predictors: whatever completes a picture, neural process or baseline, behind one interface.

`load` is the only place where a name becomes a predictor; the last few are kept for the next call.
"""

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import torch

from npfill import baselines, checkpoint, devices, zoo
from npfill.baselines import Baseline
from npfill.files import sha256_of
from npfill.models import NeuralProcess
from npfill.predictor.best import BestPredictor
from npfill.predictor.drawn import Prediction
from npfill.predictor.flows import with_flow
from npfill.predictor.neural import Array, Check, Chosen, HoleArray, NeuralPredictor, Predictor
from npfill.predictor.self_check import SelfCheck, self_check
from npfill.seeds import generator

__all__ = [
    "BaselinePredictor",
    "NeuralPredictor",
    "Prediction",
    "Predictor",
    "SelfCheck",
    "forget",
    "load",
    "self_check",
]

Value = TypeVar("Value")
Model = str | Path | NeuralProcess | Baseline | Predictor

# Loaded models and baselines that are kept for the next call.
_KEPT = 4
_kept: OrderedDict[Hashable, object] = OrderedDict()
_keeping = threading.Lock()


@dataclass(eq=False)
class BaselinePredictor(Predictor):
    """A baseline, on the CPU; it draws samples in one way, where it has a joint distribution."""

    baseline: Baseline
    variant = "baseline"
    draws = "is a baseline: its samples are drawn in one way"

    def _predict(
        self, picture: Array, hole: HoleArray, samples: int, seed: int, how: Chosen, check: Check
    ) -> Prediction:
        filled = self.baseline.fill(picture, hole)
        shape, count = filled.mean.shape, samples if filled.is_joint else 0
        noises = [generator(seed, "sample", number) for number in range(count)]
        drawn = [filled.sample(torch.randn(shape, generator=each).numpy()) for each in noises]
        return Prediction(filled.mean, filled.std, drawn, filled.notes)


def load(model: Model, device: str = "auto", *, fetch: bool = True) -> Predictor:
    """Resolve a name, a path or a model to a predictor.

    The last few that came from files are kept in memory, by the identity of their file.

    Args:
        model: `auto` for the model for photographs, and of data that for data; `best` for the
            better of that and kriging, by a check on the picture; a name that `npfill models` lists
            or that of a baseline; a `.safetensors` file, the folder of a training run, or an
            address on the Hub; a network, which is copied if it must move to another device and
            never moved itself; a baseline; or a predictor, which is returned as it is.
        device: `cpu`, `cuda`, `cuda:N`, `mps`; `auto` takes the best there is for a file, and
            leaves a network where it is. Baselines run on the CPU.
        fetch: Allow the network.

    Raises:
        UsageError: The device is unknown or not there.
        ModelError: The name is unknown, or the file fails verification or cannot be had.
        InputError: A path leads to no file.
        TypeError: It is something else.
    """
    target = devices.resolve(device)
    if isinstance(model, NeuralProcess):
        return _of_network(model, None if device == "auto" else target)
    if isinstance(model, Baseline):
        return BaselinePredictor(model, name=model.name, word=model.name)
    if isinstance(model, Predictor):
        return model
    if not isinstance(model, str | Path):
        raise TypeError(f"{type(model).__name__}: neither the name of a model nor a model")
    word = str(model)
    if word in baselines.BASELINES:
        return _of_baseline(word)
    if word == zoo.BEST:
        names = zoo.for_data(), "kriging"
        candidates = tuple(load(name, device, fetch=fetch) for name in names)
        return BestPredictor(candidates, name=word, word=word, device=candidates[0].device)
    found = zoo.find(word, fetch=fetch)
    weights = _weights(found, target)
    other = zoo.for_data() if word == zoo.AUTO else found.name
    return NeuralPredictor(
        with_flow(found, weights.model, lambda name: _weights(zoo.find(name), target).model),
        name=found.name,
        word=found.name if word == zoo.AUTO else word,
        sha256=found.sha256,
        terms=str(weights.provenance.get("terms", "")),
        device=str(target),
        path=found.path,
        for_data=partial(load, other, device) if other != found.name else None,
    )


def _weights(found: zoo.Found, target: torch.device) -> checkpoint.Weights:
    """The weights of a file, on a device."""
    key = found.sha256 + str(target)
    weights = _keep(found.path, key, lambda: checkpoint.load(found.path))
    weights.model.to(target)
    return weights


def _of_network(model: NeuralProcess, target: torch.device | None) -> NeuralPredictor:
    """A predictor of a network on its own device, or of a copy on another."""
    device = next(model.parameters()).device
    if target is not None and torch.empty(0, device=target).device != device:
        model, device = copy.deepcopy(model).to(target), target
    return NeuralPredictor(model, name=model.variant, word=model.variant, device=str(device))


def _of_baseline(name: str) -> BaselinePredictor:
    """A baseline by its name, with the file that ships for it."""
    path = baselines.BASELINES[name].file
    if path is None or not path.is_file():
        return BaselinePredictor(baselines.build(name), name=name, word=name)
    built = _keep(path, name, lambda: baselines.build(name))
    return BaselinePredictor(built, name=name, word=name, sha256=sha256_of(path), path=path)


def forget() -> None:
    """Drop the models and baselines that are kept in memory."""
    with _keeping:
        _kept.clear()


def _keep(path: Path, how: str, make: Callable[[], Value]) -> Value:
    """Keep what is made of a file in a way; it is made again once the file is another."""
    status = path.stat()
    key = str(path.resolve()), status.st_size, status.st_mtime_ns, how
    with _keeping:
        if key not in _kept:
            _kept[key] = make()
        _kept.move_to_end(key)
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
        return cast(Value, _kept[key])
