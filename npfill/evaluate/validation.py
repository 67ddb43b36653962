"""Scores of a model while it is trained: few, and cheap."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from npfill.data.sets import PartlyKnown, Photographs, parted
from npfill.evaluate.answers import ModelCompleter
from npfill.evaluate.damages import KEPT, Damage
from npfill.evaluate.settings import Setting, counts_for
from npfill.models import NeuralProcess
from npfill.scores import squared_error

_SCORES = ("mse", "log_likelihood", "floored_log_likelihood", "kl")
_SEED = 0
# Of large pictures only so many are scored that they have together as many pixels as this.
_PIXELS = 400_000
# Of photographs the middle is scored, so many pixels wide, with these holes.
_CENTRE = 224
_DAMAGES = (*KEPT, Damage("scratches"), Damage("text"), Damage("strokes"))


@torch.no_grad()
def at_random_counts(
    model: NeuralProcess[Any],
    images: UInt8[Tensor, "image channel size size"] | PartlyKnown,
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
    completer = ModelCompleter(model, latents, _SEED)
    settings = [Setting("random", count) for count in counts]
    rows = [
        _row(completer, some, each.observed(len(some), size, _SEED), known) for each in settings
    ]
    return {"counts": list(counts)} | _columns(rows)


@torch.no_grad()
def of_photographs(model: NeuralProcess[Any], photographs: Photographs) -> dict[str, Any]:
    """Scores of a model for photographs, on the centre squares of held-out ones.

    Returns:
        `contexts`, the names of what is missing, and for each of these the scores that
        `at_random_counts` gives.
    """
    images = torch.stack([_centre(picture) for picture in photographs.pictures])
    completer, size = ModelCompleter(model, 1, _SEED), (_CENTRE, _CENTRE)
    rows = []
    for damage in _DAMAGES:
        holes = [damage.hole(size, _SEED, number) for number in range(len(images))]
        rows.append(_row(completer, images, ~torch.from_numpy(np.stack(holes)).unsqueeze(1)))
    return {"contexts": [damage.name for damage in _DAMAGES]} | _columns(rows)


def _centre(
    picture: UInt8[Tensor, "channel height width"],
) -> UInt8[Tensor, "channel side side"]:
    """The middle of a picture."""
    top, left = ((side - _CENTRE) // 2 for side in picture.shape[-2:])
    return picture[:, top : top + _CENTRE, left : left + _CENTRE]


def _columns(rows: list[list[float]]) -> dict[str, list[float]]:
    return dict(zip(_SCORES, map(list, zip(*rows, strict=True)), strict=True))


def _row(
    completer: ModelCompleter,
    images: UInt8[Tensor, "image channel size size"],
    observed: Bool[Tensor, "image 1 size size"],
    known: Bool[Tensor, "image 1 size size"] | None = None,
) -> list[float]:
    """The scores with one kind of context, in the order of `_SCORES`."""
    chunk = completer.chunk(images.shape[-1] ** 2)
    everywhere = torch.ones_like(observed) if known is None else known
    rows = []
    chunks = (each.split(chunk) for each in (images, observed, everywhere))
    for some, drawn, there in zip(*chunks, strict=True):
        pixels, known_here = some.float() / 255.0, there.to(some.device)
        seen = drawn.to(some.device) & known_here
        answer = completer.answer_where(known_here, pixels, seen)
        assert answer.likelihoods is not None
        asked = (known_here & ~seen).flatten(1)
        error = squared_error(answer.mean, pixels.flatten(2).mT, asked)
        kl = torch.zeros_like(error) if answer.kl is None else answer.kl
        # A picture of which all that is known is observed has no score.
        rows.append(torch.stack([error, *answer.likelihoods, kl])[:, asked.any(1)])
    return torch.cat(rows, dim=1).mean(1).tolist()
