"""Scores of a model while it is trained: few, and cheap."""

from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from npfill.evaluate.answers import ModelCompleter
from npfill.evaluate.settings import Setting, counts_for
from npfill.models import NeuralProcess
from npfill.scores import squared_error

_SCORES = ("mse", "log_likelihood", "floored_log_likelihood", "kl")
_SEED = 0
# Of large pictures only so many are scored that they have together as many pixels as this.
_PIXELS = 400_000


@torch.no_grad()
def at_random_counts(
    model: NeuralProcess[Any], images: UInt8[Tensor, "image channel size size"], latents: int
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
    size = images.shape[-1]
    counts, images = counts_for(size), images[: max(1, _PIXELS // size**2)]
    completer = ModelCompleter(model, latents, _SEED)
    rows = [_at_count(completer, images, count) for count in counts]
    columns = zip(*rows, strict=True)
    return {"counts": list(counts)} | dict(zip(_SCORES, map(list, columns), strict=True))


def _at_count(
    completer: ModelCompleter, images: UInt8[Tensor, "image channel size size"], count: int
) -> list[float]:
    """The scores at one number of context pixels, in the order of `_SCORES`."""
    size = images.shape[-1]
    chunk = completer.chunk(size * size)
    observed = Setting("random", count).observed(len(images), size, _SEED)
    rows = []
    for some, seen in zip(images.split(chunk), observed.split(chunk), strict=True):
        pixels = some.float() / 255.0
        answer = completer.answer(pixels, seen.to(pixels.device))
        assert answer.likelihoods is not None
        error = squared_error(answer.mean, pixels.flatten(2).mT, ~seen.flatten(1).to(pixels.device))
        kl = torch.zeros_like(error) if answer.kl is None else answer.kl
        rows.append(torch.stack([error, *answer.likelihoods, kl]))
    return torch.cat(rows, dim=1).mean(1).tolist()
