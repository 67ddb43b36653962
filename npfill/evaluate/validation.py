"""Scores of a model while it is trained: few, and cheap."""

from typing import Any

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from npfill.data.sets import MaskedImages, Photographs, parted
from npfill.evaluate.contexts import counts_for, kind, parse
from npfill.evaluate.predictions import GridModel
from npfill.models import NeuralProcess
from npfill.scores import squared_error

_SCORES = ("mse", "log_likelihood", "floored_log_likelihood", "kl")
_SEED = 0
# Large pictures: only as many are scored as have this many pixels together.
_PIXELS = 400_000
# Of photographs the centre is scored, so many pixels wide, with these contexts.
_CENTRE = 224
_DAMAGES = "keep,scratches,text,strokes"


@torch.no_grad()
def at_random_counts(
    model: NeuralProcess,
    images: UInt8[Tensor, "image channel size size"] | MaskedImages,
    latents: int,
) -> dict[str, Any]:
    """Scores at each of the protocol's numbers of random context pixels.

    Args:
        model: The model, in evaluation mode.
        images: Held-out pictures, bytes, on the model's device; of large ones the first few.
        latents: Draws of z from q(z | C), for a latent variant.

    Returns:
        `counts`, and for each of them `mse`; `log_likelihood`, joint, in nats per target pixel,
        with the model's own floor under the scale; `floored_log_likelihood`, the same with a floor
        of 0.1; `kl`, of q(z | all pixels) from q(z | C) in nats per picture, 0 for a conditional
        variant.
    """
    whole, known = parted(images)
    size = whole.shape[-1]
    counts, most = counts_for(size), max(1, _PIXELS // size**2)
    some, known = whole[:most], None if known is None else known[:most]
    predictor, shape = GridModel(model, latents, _SEED), (size, size)
    masks = [kind(f"random:{count}").observed(len(some), shape, _SEED) for count in counts]
    return {"counts": list(counts)} | _columns(
        [_row(predictor, some, observed, known) for observed in masks]
    )


@torch.no_grad()
def of_photographs(model: NeuralProcess, photographs: Photographs) -> dict[str, Any]:
    """Scores of a model for photographs, on the centre squares of held-out ones.

    Returns:
        `contexts`, the names of the kinds of contexts, and for each of these the scores that
        `at_random_counts` gives.
    """
    images = torch.stack([_centre(picture) for picture in photographs.pictures])
    predictor, kinds = GridModel(model, 1, _SEED), parse(_DAMAGES, None)
    masks = [each.observed(len(images), (_CENTRE, _CENTRE), _SEED) for each in kinds]
    return {"contexts": [each.name for each in kinds]} | _columns(
        [_row(predictor, images, observed) for observed in masks]
    )


def _centre(
    picture: UInt8[Tensor, "channel height width"],
) -> UInt8[Tensor, "channel side side"]:
    """The centre square of a picture."""
    top, left = ((side - _CENTRE) // 2 for side in picture.shape[-2:])
    return picture[:, top : top + _CENTRE, left : left + _CENTRE]


def _columns(rows: list[list[float]]) -> dict[str, list[float]]:
    return dict(zip(_SCORES, map(list, zip(*rows, strict=True)), strict=True))


def _row(
    predictor: GridModel,
    images: UInt8[Tensor, "image channel size size"],
    observed: Bool[Tensor, "image 1 size size"],
    known: Bool[Tensor, "image 1 size size"] | None = None,
) -> list[float]:
    """The scores with one kind of context, in the order of `_SCORES`."""
    chunk = predictor.chunk(images.shape[-1] ** 2)
    everywhere = torch.ones_like(observed) if known is None else known
    rows = []
    chunks = (each.split(chunk) for each in (images, observed, everywhere))
    for some, drawn, there in zip(*chunks, strict=True):
        pixels, known_here = some.float() / 255.0, there.to(some.device)
        seen = drawn.to(some.device) & known_here
        prediction = predictor.predict(pixels, seen, known_here)
        assert prediction.likelihoods is not None
        target = (known_here & ~seen).flatten(1)
        error = squared_error(prediction.mean, pixels.flatten(2).mT, target)
        kl = torch.zeros_like(error) if prediction.kl is None else prediction.kl
        # A picture without a pixel that is known and not observed has no score.
        rows.append(torch.stack([error, *prediction.likelihoods, kl])[:, target.any(1)])
    return torch.cat(rows, dim=1).mean(1).tolist()
