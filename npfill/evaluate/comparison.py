"""Models and baselines, side by side on the same test pictures."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from npfill import baselines, zoo
from npfill.baselines import linear, nearest
from npfill.data.sources import has_parts, read_images, shape_of
from npfill.errors import InputError, UsageError
from npfill.evaluate.answers import BaselineCompleter, Completer, ModelCompleter
from npfill.evaluate.protocol import FEWEST_IMAGES, Result, images_for, measure
from npfill.evaluate.sampled import SamplerCompleter
from npfill.evaluate.settings import Setting, parse, protocol
from npfill.models import NeuralProcess
from npfill.sampling import sampler_for

# Numbers of neighbours to choose from, and on how many training pictures.
_NEIGHBOURS, _CHOSEN_ON = (1, 3, 5, 9), 100
# `linear` factors a matrix of as many rows as a picture has values: the most it is given, and the
# most at which it is measured on as many pictures as the others.
_MOST_VALUES, _FEW_VALUES = 4096, 1024


@dataclass(frozen=True)
class Budget:
    """How much is measured.

    Attributes:
        images: Test pictures at random counts; at most 200 are used elsewhere, and 50 for `gp`,
            for samplers and for `linear` with more than 1,024 values a picture.
        draws: Draws of z.
        seed: Of masks and draws.
    """

    images: int
    draws: int
    seed: int


@dataclass(frozen=True)
class Comparison:
    """What was measured, with everything that the numbers depend on.

    Attributes:
        data: The data's place.
        size: Side of the pictures.
        channels: Their channels.
        budget: How much was measured.
        origins: Of each completer by name: the hash of its weights, or what it was fitted to.
        results: One for each completer and setting.
    """

    data: str
    size: int
    channels: int
    budget: Budget
    origins: dict[str, str]
    results: tuple[Result, ...]


@dataclass(frozen=True)
class _Entrant:
    """A completer, or one for each setting, and the most pictures that it is measured on."""

    name: str
    origin: str
    completer: Callable[[Setting], Completer]
    most: int


def compare(
    names: Sequence[str],
    data: Path,
    contexts: str | None,
    size: int | None,
    samplers: Sequence[str],
    budget: Budget,
    device: torch.device,
    on_start: Callable[[int], None],
    on_batch: Callable[[str, Setting, int], None],
) -> Comparison:
    """Measure models and baselines on test pictures.

    Args:
        names: Names of models, paths to weights and names of baselines; without any, the models
            of the zoo for pictures such as these.
        data: What `read_images` reads.
        contexts: Settings as `settings.parse` reads them; None for the protocol's.
        size: Side of the grid that pictures are brought to; None for that of the models.
        samplers: Names of samplers: each model is measured with each that it has. Without any,
            once, with samples as its latent path, or noise, gives them.
        budget: How much is measured.
        device: Where the models run.
        on_start: Told how many pictures are to be done in all.
        on_batch: Told of each batch that is done: name, setting and number of pictures.

    Raises:
        UsageError: Models for different pictures, or a setting that is unknown or impossible.
        InputError: The data cannot be read, or has no training part where one is needed.
        ModelError: A name is unknown, weights fail verification, or a package is missing.
    """
    names = list(dict.fromkeys(names)) or _fitting_models(data)
    models = {name: zoo.load(name).to(device) for name in names if name not in baselines.NAMES}
    own_size, channels = _shape(models, data)
    size = size or own_size
    settings = protocol(size) if contexts is None else parse(contexts, size)
    images = read_images(data, "test", size, channels)[: budget.images]
    train = cache(partial(read_images, data, "train", size, channels))  # read once, if at all
    entrants = [
        entrant
        for name in names
        for entrant in (
            _model(name, models[name], samplers, len(images), budget)
            if name in models
            else [_baseline(name, data, images, train, budget.seed)]
        )
    ]
    jobs = [(entrant, setting) for entrant in entrants for setting in settings]
    on_start(sum(images_for(setting, entrant.most) for entrant, setting in jobs))
    results = [
        _measured(entrant, setting, images, budget.seed, device, on_batch)
        for entrant, setting in jobs
    ]
    origins = {entrant.name: entrant.origin for entrant in entrants}
    budget = replace(budget, images=len(images))
    return Comparison(str(data), size, channels, budget, origins, tuple(results))


def _measured(
    entrant: _Entrant,
    setting: Setting,
    images: UInt8[Tensor, "image channel size size"],
    seed: int,
    device: torch.device,
    on_batch: Callable[[str, Setting, int], None],
) -> Result:
    completer = entrant.completer(setting)
    some = images[: images_for(setting, entrant.most)]
    if isinstance(completer, ModelCompleter):
        some = some.to(device)
    return measure(
        entrant.name,
        completer,
        setting,
        some,
        seed,
        lambda done: on_batch(entrant.name, setting, done),
    )


def _fitting_models(data: Path) -> list[str]:
    """The models of the zoo that were made for pictures such as these."""
    shape = shape_of(data, "test")
    names = [name for name, entry in zoo.entries().items() if (entry.size, entry.channels) == shape]
    if not names:
        raise UsageError(
            f"no model of the zoo is for pictures of {_words(*shape)}", "name what to evaluate"
        )
    return names


def _shape(models: dict[str, NeuralProcess[Any]], data: Path) -> tuple[int, int]:
    """Side and channels of the pictures that all models are for; without models, of the data's."""
    shapes = {name: (model.config.size, model.config.channels) for name, model in models.items()}
    if not shapes:
        return shape_of(data, "test")
    (first, shape), *others = shapes.items()
    for name, other in others:
        if other != shape:
            raise UsageError(
                f"{first} is for pictures of {_words(*shape)}, {name} of {_words(*other)}",
                "evaluate them apart",
            )
    return shape


def _words(size: int, channels: int) -> str:
    return f"{size}x{size} {'grey' if channels == 1 else 'RGB'}"


def _model(
    name: str, model: NeuralProcess[Any], samplers: Sequence[str], most: int, budget: Budget
) -> list[_Entrant]:
    """A model as it is, or with each sampler that it has."""
    origin = f"sha256 {zoo.find(name).sha256}"
    if not samplers:
        plain = ModelCompleter(model, budget.draws, budget.seed)
        return [_Entrant(name, origin, _always(plain), most)]
    found = []
    for word in samplers:
        if word == "latent" and not model.has_latent:
            continue
        sampler = sampler_for(model, word)
        completer = SamplerCompleter(model, sampler, budget.draws, budget.seed)
        called, fewer = f"{name} {sampler.name}", min(most, FEWEST_IMAGES)
        found.append(_Entrant(called, origin, _always(completer), fewer))
    return found


def _always(completer: Completer) -> Callable[[Setting], Completer]:
    """The same completer in every setting."""
    return lambda _: completer


def _baseline(
    name: str,
    data: Path,
    images: UInt8[Tensor, "image channel size size"],
    train: Callable[[], UInt8[Tensor, "image channel size size"]],
    seed: int,
) -> _Entrant:
    """A baseline, fitted to the data's training part where it is one that learns."""
    most = min(len(images), FEWEST_IMAGES) if name == "gp" else len(images)
    if name not in {"linear", "nearest"}:
        single = BaselineCompleter(baselines.build(name), seed)
        return _Entrant(name, "fitted to each picture", _always(single), most)
    if not has_parts(data):
        raise InputError(
            f"{data}: there is no training part, which {name} is fitted to",
            "name a folder with train and test parts, or leave the baseline out",
        )
    values = images[0].numel()
    if name == "linear" and values > _MOST_VALUES:
        raise UsageError(
            f"linear: pictures of {values:,} values are too large for it",
            f"--size {math.isqrt(_MOST_VALUES // images.shape[1]) // 32 * 32} makes them smaller",
        )
    if name == "linear":
        most = min(most, FEWEST_IMAGES) if values > _FEW_VALUES else most
        single = BaselineCompleter(linear.Linear(linear.fit(train())), seed)
        return _Entrant(
            name, f"fitted to {len(train()):,} training pictures", _always(single), most
        )
    held_out = train()[-_CHOSEN_ON:]
    origin = f"best of {', '.join(map(str, _NEIGHBOURS))} neighbours on {len(held_out)} others"
    return _Entrant(name, origin, lambda setting: _nearest(setting, held_out, seed), most)


def _nearest(
    setting: Setting, images: UInt8[Tensor, "image channel size size"], seed: int
) -> BaselineCompleter:
    """Nearest neighbours with the k that is best in this setting on pictures that are no test."""
    trials: Iterator[BaselineCompleter] = (
        BaselineCompleter(nearest.Nearest(k), seed) for k in _NEIGHBOURS
    )
    scored = [
        (measure("", trial, setting, images, seed).scores.get("mse"), trial) for trial in trials
    ]
    return min(scored, key=lambda pair: pair[0].value if pair[0] else 0.0)[1]
