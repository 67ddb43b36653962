"""The predictors of an evaluation: from names to what predicts batches."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import Tensor

from npfill import zoo
from npfill.baselines import BASELINES, Baseline, linear, nearest
from npfill.data import Images
from npfill.data.sources import shape_of
from npfill.errors import InputError, UsageError
from npfill.evaluate.contexts import ContextKind
from npfill.evaluate.own_size import AtOwnSize
from npfill.evaluate.predictions import BatchPredictor, GridBaseline, GridModel
from npfill.evaluate.protocol import FEWEST_IMAGES, Budget, Pictures, measure
from npfill.models import NeuralProcess
from npfill.predictor import BaselinePredictor, NeuralPredictor, Predictor, load
from npfill.sampling import SAMPLERS, sampler_for

# Predictors of photographs where none is named.
PHOTOGRAPHERS = ("convcnp-photo", "telea", "navier-stokes", "biharmonic")
# Numbers of neighbours to choose from, and on how many training pictures.
_NEIGHBOURS, _CHOSEN_ON = (1, 3, 5, 9), 100
# `linear` factors a matrix of as many rows as a picture has values: the most it is given, and the
# most at which it is measured on as many pictures as the others.
_MOST_VALUES, _FEW_VALUES = 4096, 1024
_OF_EACH = "fitted to each picture"


@dataclass(frozen=True)
class Entrant:
    """A predictor under evaluation.

    Attributes:
        name: Its name in results.
        origin: The hash of its weights, or what it was fitted to.
        predictor: The predictor of a kind of context.
        most: The most pictures that it is measured on.
    """

    name: str
    origin: str
    predictor: Callable[[ContextKind], BatchPredictor]
    most: int


def named(
    models: Sequence[str | Path | NeuralProcess | Baseline | Predictor], device: str
) -> dict[str, Predictor]:
    """Predictors to measure, by the words that name them.

    Objects go by their name; where that is taken, or a bundled baseline's, with their place.

    Raises:
        ModelError: A name is unknown, weights fail verification, or a package is missing.
    """
    found: dict[str, Predictor] = {}
    models = [models] if isinstance(models, str) else models
    taken = {*BASELINES, *(str(model) for model in models if isinstance(model, str | Path))}
    for model in models:
        loaded = load(model, device)
        word = isinstance(model, str | Path)
        name = str(model) if word else loaded.name
        is_free = word or name not in {*taken, *found}
        found[name if is_free else f"{name} {len(found) + 1}"] = loaded
    return found


def on_photographs(
    predictors: Mapping[str, Predictor], samplers: Sequence[str], pictures: int, budget: Budget
) -> list[Entrant]:
    """Every predictor as it completes pictures for a user; models with each of the samplers.

    Raises:
        UsageError: A sampler is unknown.
    """
    found = []
    for name, predictor in predictors.items():
        words: Sequence[str | None] = [None]
        if isinstance(predictor, NeuralPredictor) and samplers:
            words = [word for word in samplers if not _refuses(word, predictor)]
        for word in words:
            batches = AtOwnSize(predictor, budget.seed, word, budget.draws)
            title = name if word is None else f"{name} {word}"
            found.append(Entrant(title, _origin(predictor), _always(batches), pictures))
    return found


def on_grid(
    predictors: Mapping[str, Predictor],
    samplers: Sequence[str],
    pictures: Pictures,
    train: Callable[[], Pictures] | None,
    budget: Budget,
) -> list[Entrant]:
    """Every predictor on a grid: models as they are or with each sampler, baselines fitted.

    `train` reads the pictures that baselines may be fitted to; None where there are none.

    Raises:
        InputError: There are no training pictures, and a baseline needs some.
        UsageError: A sampler is unknown, or the pictures are too large for a baseline.
    """
    assert isinstance(pictures, Tensor)
    found: list[Entrant] = []
    train = None if train is None else cache(train)
    for name, predictor in predictors.items():
        if isinstance(predictor, NeuralPredictor):
            found += _model(name, predictor, samplers, len(pictures), budget)
        elif isinstance(predictor, BaselinePredictor):
            found.append(_baseline(name, predictor.baseline, pictures, train, budget.seed))
        else:
            chooser, most = AtOwnSize(predictor, budget.seed), min(len(pictures), FEWEST_IMAGES)
            found.append(Entrant(name, _origin(predictor), _always(chooser), most))
    return found


def fitting_models(data: Path) -> list[str]:
    """The models of the zoo for pictures such as these.

    Raises:
        UsageError: There are none.
    """
    shape = shape_of(data)
    # A flow has no such scores: mean and std are those of its companion.
    names = [
        name
        for name, entry in zoo.entries().items()
        if (entry.size, entry.channels) == shape and entry.mse
    ]
    if not names:
        raise UsageError(
            f"no model of the zoo is for pictures of {_words(*shape)}", "name what to evaluate"
        )
    return names


def common_shape(predictors: Mapping[str, Predictor], data: Path) -> tuple[int, int]:
    """Side and channels of the grid of all models; without models, of the data's pictures.

    Raises:
        UsageError: The models are for different pictures.
        InputError: The data cannot be read.
    """
    shapes = {
        name: (each.model.config.size, each.model.config.channels)
        for name, each in predictors.items()
        if isinstance(each, NeuralPredictor)
    }
    if not shapes:
        return shape_of(data)
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


def _origin(predictor: Predictor) -> str:
    if isinstance(predictor, NeuralPredictor):
        return f"sha256 {predictor.sha256}" if predictor.sha256 else "a network in memory"
    return _OF_EACH if predictor.sha256 is None else f"bundled, sha256 {predictor.sha256}"


def _always(predictor: BatchPredictor) -> Callable[[ContextKind], BatchPredictor]:
    return lambda _: predictor


def _model(
    name: str, predictor: NeuralPredictor, samplers: Sequence[str], most: int, budget: Budget
) -> list[Entrant]:
    """A model as it is, or with each sampler that it has."""
    model, origin = predictor.model, _origin(predictor)
    if not samplers:
        return [Entrant(name, origin, _always(GridModel(model, budget.draws, budget.seed)), most)]
    found = []
    wanted = [sampler_for(model, word) for word in samplers if not _refuses(word, predictor)]
    for sampler in {each.name: each for each in wanted}.values():
        batches = GridModel(model, budget.draws, budget.seed, sampler)
        fewer, made = min(most, FEWEST_IMAGES), f"{origin}; samples: {sampler.meaning}"
        found.append(Entrant(f"{name} {sampler.name}", made, _always(batches), fewer))
    return found


def _refuses(word: str, predictor: NeuralPredictor) -> bool:
    """A sampler is not for a model.

    Raises:
        UsageError: It is unknown.
    """
    if word in SAMPLERS and SAMPLERS[word].refuse(predictor.model):
        return True
    predictor.check_sampler(word)
    return False


def _baseline(
    name: str, baseline: Baseline, images: Images, train: Callable[[], Pictures] | None, seed: int
) -> Entrant:
    """A baseline, fitted to training pictures where a word names one that learns."""
    slow = baseline.name == "gp" or (baseline.name == "linear" and images[0].numel() > _FEW_VALUES)
    most = min(len(images), FEWEST_IMAGES) if slow else len(images)
    plain = _always(GridBaseline(baseline, seed))
    if name == "linear":
        return _linear(images, most, train, seed)
    if name != "nearest":
        return Entrant(name, _OF_EACH, plain, most)
    if train is None:
        return Entrant(name, "3 neighbours, as there are no pictures to choose on", plain, most)
    held_out = train()[-_CHOSEN_ON:]
    origin = f"best of {', '.join(map(str, _NEIGHBOURS))} neighbours on {len(held_out)} others"
    return Entrant(name, origin, lambda context: _nearest(context, held_out, seed), most)


def _linear(images: Images, most: int, train: Callable[[], Pictures] | None, seed: int) -> Entrant:
    """The Gaussian with the mean and covariance of training pictures."""
    if train is None:
        raise InputError(
            "there is no training part of the data, which linear is fitted to",
            "name a folder with train and test parts, or leave the baseline out",
        )
    values = images[0].numel()
    if values > _MOST_VALUES:
        side = math.isqrt(_MOST_VALUES // images.shape[1]) // 32 * 32
        raise UsageError(
            f"linear: pictures of {values:,} values are too large for it",
            f"`size={side}` makes them smaller",
        )
    pictures = train()
    assert isinstance(pictures, Tensor)
    fitted = GridBaseline(linear.Linear(linear.fit(pictures)), seed)
    return Entrant(
        "linear", f"fitted to {len(pictures):,} training pictures", _always(fitted), most
    )


def _nearest(context: ContextKind, images: Pictures, seed: int) -> GridBaseline:
    """Nearest neighbours with the k that is best for a kind of context on other pictures."""

    def error(trial: GridBaseline) -> float:
        found = measure("", trial, context, images, seed).scores.get("mse")
        return found.value if found else 0.0

    return min((GridBaseline(nearest.Nearest(k), seed) for k in _NEIGHBOURS), key=error)
