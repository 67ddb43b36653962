"""Evaluation of models and baselines by one protocol: `evaluate` for Python and the command."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from npfill.baselines import Baseline
from npfill.completion.parameters import check_number
from npfill.data.parts import Split
from npfill.data.sources import read_images, read_photographs
from npfill.errors import InputError, UsageError
from npfill.evaluate import entrants
from npfill.evaluate.contexts import parse
from npfill.evaluate.fields.measured import evaluate_fields
from npfill.evaluate.looks import LOOKS
from npfill.evaluate.own_size import OF_PHOTOGRAPHS
from npfill.evaluate.protocol import Budget, Pictures, Result, Results, images_for, measure
from npfill.evaluate.test_set import test_set_of
from npfill.models import NeuralProcess
from npfill.predictor import Predictor

__all__ = ["LOOKS", "Results", "evaluate", "evaluate_fields"]


def evaluate(
    models: Sequence[str | Path | NeuralProcess | Baseline | Predictor],
    data: str | Path,
    *,
    contexts: str | None = None,
    size: int | None = None,
    samplers: Sequence[str] = (),
    images: int = 1000,
    draws: int | None = None,
    seed: int = 0,
    device: str = "auto",
    photos: bool = False,
    masks: str | Path | None = None,
    on_start: Callable[[int], None] = lambda _: None,
    on_batch: Callable[[str, str, int], None] = lambda *_: None,
) -> Results:
    """Measure models and baselines on the same pictures, with the same contexts.

    Args:
        models: Names of models and baselines, weights, folders of training runs, or what
            `npfill.predictor.load` takes. Without any: of the zoo those for such pictures. Only
            the words `linear` and `nearest` are fitted to training pictures.
        data: Pictures: what `read_images` or `read_photographs` of `npfill.data.sources` reads.
            Their test part is measured; without one, what the run of a model held out of training,
            else the validation part, or all of them, and a note says so.
        contexts: Kinds of contexts as `npfill.evaluate.contexts.parse` reads them; None for those
            of the protocol.
        size: Side of the grid that pictures are brought to; None for that of the models.
        samplers: Names of samplers: each model is measured with each that it has. Without any,
            once, with samples from its latent path, or noise.
        images: The most pictures; see `Budget`.
        draws: Draws of z, and samples of each sampler; None for 16, or 3 samples of photographs.
        seed: The seed of masks and draws.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        photos: Measure photographs at their own size, as they are completed for a user.
        masks: A zip or folder of irregular masks, for photographs.
        on_start: Called with the number of pictures that are to be predicted in all.
        on_batch: Called after each batch with the names of predictor and context and its length.

    Raises:
        UsageError: Parameters contradict each other, models are for different pictures, or a kind
            of context is unknown or impossible.
        InputError: Data or masks cannot be read, there is nothing to train on, or no score.
        ModelError: A name is unknown, weights fail verification, or a package is missing.
    """
    for name, number in (("images", images), ("draws", 1 if draws is None else draws)):
        check_number(name, number, like="rounds")
    if photos and size is not None:
        raise UsageError("`size` is not for `photos`", "leave it out")
    if photos and draws is not None and not samplers:
        raise UsageError("`draws` of `photos` are samples", "name `samplers`, or leave it out")
    if masks is not None and not photos:
        raise UsageError("`masks` goes with `photos`", "add `photos=True`")
    draws = (OF_PHOTOGRAPHS if photos else Budget.draws) if draws is None else draws
    place, budget = Path(data), Budget(images, draws, seed)
    masked = None if masks is None else Path(masks)
    if not models:
        models = entrants.PHOTOGRAPHERS if photos else entrants.fitting_models(place)
    predictors = entrants.named(models, device)
    if photos:
        channels = 3
        read: Callable[[Split], Pictures] = partial(read_photographs, place, least=1)
    else:
        own_size, channels = entrants.common_shape(predictors, place)
        size = size or own_size
        read = partial(read_images, place, size=size, channels=channels)
    kinds = parse(contexts, size, masked)
    test = test_set_of(place, predictors, read)
    pictures = test.pictures[:images]
    count = len(pictures)
    if photos:
        entered = entrants.on_photographs(predictors, samplers, count, budget)
    else:
        entered = entrants.on_grid(predictors, samplers, pictures, test.train, budget)
    if samplers and all(entrant.name in predictors for entrant in entered):
        raise UsageError(f"no model has a sampler {' or '.join(samplers)}", "leave `samplers` out")
    jobs = [
        (entrant, kind, entrant.most if photos else images_for(kind, entrant.most))
        for entrant in entered
        for kind in kinds
    ]
    on_start(sum(number for _, _, number in jobs))
    results: list[Result] = []
    refusals: dict[str, InputError] = {}
    for entrant, kind, number in jobs:
        batches, done = entrant.predictor(kind), partial(on_batch, entrant.name, kind.name)
        refused = partial(refusals.setdefault, entrant.name)
        results.append(measure(entrant.name, batches, kind, pictures[:number], seed, done, refused))
    said = [f"{name} refuses pictures, the first: {error}" for name, error in refusals.items()]
    if not any(result.scores for result in results):
        problem = "; ".join(["no picture has a score", *said])
        raise InputError(problem, "name other contexts or models")
    return Results(
        data=str(data),
        part=test.part,
        size=size,
        channels=channels,
        masks=None if masks is None else str(masks),
        budget=replace(budget, images=count),
        predictors={entrant.name: entrant.origin for entrant in entered},
        results=tuple(results),
        notes=(*test.notes, *said),
    )
