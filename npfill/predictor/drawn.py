"""Predictions as arrays, with samples from a model's grid or from the picture at its own size."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Targets
from npfill.errors import UsageError
from npfill.gaussian import Gaussian, correlated
from npfill.models.base import Conditioned
from npfill.pictures.picture import match_channels
from npfill.sampling import Autoregressive, Exemplar, Sampler
from npfill.sampling.exemplar import WIDE
from npfill.sampling.scales import holds_box

Pixels = Float[np.ndarray, "pixel colour"]
Notes = tuple[str, ...]


@dataclass(frozen=True)
class Prediction:
    """The prediction of the pixels of a hole, in row-major order.

    Attributes:
        mean: Mean of the predictive distribution.
        std: Its standard deviation, in the same unit; None where there is none.
        samples: Draws from it; empty where there is no joint distribution.
        notes: Sentences for the user on how it was made.
        samples_are: What samples are, in words; "" where the sampler's name says it.
        own_std: The standard deviation of the model where a check has rescaled it; else None.
        correlation: That of a pixel's channels; None where it is not known.
    """

    mean: Float[np.ndarray, "pixel channel"]
    std: Float[np.ndarray, "pixel channel"] | None
    samples: list[Float[np.ndarray, "pixel channel"]]
    notes: tuple[str, ...]
    samples_are: str = ""
    own_std: Float[np.ndarray, "pixel channel"] | None = None
    correlation: Float[np.ndarray, "channel channel"] | None = None

    def within(self, wanted: Bool[np.ndarray, " pixel"]) -> "Prediction":
        """Those of the pixels that are wanted."""
        std = None if self.std is None else self.std[wanted]
        samples = [each[wanted] for each in self.samples]
        return replace(self, mean=self.mean[wanted], std=std, samples=samples, own_std=None)

    def clipped(self) -> "Prediction":
        """The same, means and samples within [0, 1]."""
        mean, *samples = (values.clip(0, 1) for values in (self.mean, *self.samples))
        return replace(self, mean=mean, samples=samples)


def drawing_from(
    sampler: Sampler | None,
    allowed: Bool[np.ndarray, "height width"] | None,
    wanted: Bool[np.ndarray, "height width"] | None,
) -> Sampler | None:
    """A sampler that takes patches from where it is allowed, for where they are wanted.

    Raises:
        UsageError: It takes no patches.
    """
    if isinstance(sampler, Exemplar) and wanted is not None:
        sampler = replace(sampler, wanted=torch.from_numpy(wanted))
    if allowed is None:
        return sampler
    if not isinstance(sampler, Exemplar):
        raise UsageError(
            "`draw_from`: samples are not drawn from patches of the picture",
            "`sampler=exemplar` draws so, with any model",
        )
    return replace(sampler, allowed=torch.from_numpy(allowed))


def drawn(
    sampler: Sampler,
    given: Conditioned,
    targets: Targets,
    predicted: Gaussian,
    own: Gaussian,
    samples: int,
    seed: int,
    channels: int,
) -> tuple[list[Pixels], Notes]:
    """Samples of targets by a model, and sentences on them; see `Sampler.sample`.

    Where a check has rescaled the model's `own` standard deviation, samples lie by as much farther
    from the mean, or nearer to it.
    """
    finer, notes = given.context.size != targets.size, Notes()
    other = sampler.substitute(given) if samples and finer else None
    if other is not None:
        notes = (f"every cell of the coarser grid is observed in part: samples are {other.name}",)
    runs_off = samples and isinstance(sampler, Autoregressive) and given.model.any_size
    if runs_off and not given.has_law and holds_box(~given.context.observed[0, 0].cpu(), WIDE):
        notes += (
            f"the hole is wider than {WIDE} px: there each round's errors feed the next, and "
            "autoregressive samples of photographs run off; `sampler=exemplar` does not",
        )
    chosen = other or sampler
    values = chosen.sample(given, targets, seed, samples, predicted)
    if predicted is not own and not chosen.has_moments:
        rest = (values - own.mean) / own.scale  # a ratio of scales overflows: one may be 1e-42
        if given.has_law and given.factor is not None:  # drawn channel by channel
            rest = rest.transpose(1, 2)
            rest = correlated(rest.flatten(2), given.factor).view_as(rest).transpose(1, 2)
        values = own.mean + predicted.scale * rest
    return [channels_last(each, channels) for each in values], notes


def painted(
    sampler: Exemplar,
    picture: Float[np.ndarray, "height width colour"],
    hole: Bool[np.ndarray, "height width"],
    mean: Pixels,
    std: Pixels,
    numbers: range,
    seed: int,
) -> tuple[list[Pixels], Notes, str]:
    """Samples from the picture at its own size and in its own channels; and what they are."""
    missing, values = torch.from_numpy(hole), torch.from_numpy(picture).permute(2, 0, 1)
    predicted = Gaussian(torch.zeros_like(values), torch.zeros_like(values))
    for whole, part in ((predicted.mean, mean), (predicted.scale, std)):
        whole[:, missing] = torch.from_numpy(part).T.to(whole)
    found = sampler.complete(values, missing, predicted, seed, numbers)
    return [sample.numpy() for sample in found.samples], found.notes, found.kind


def channels_last(
    tensor: Float[Tensor, "batch target channel"], channels: int
) -> Float[np.ndarray, "target colour"]:
    """Predictions for the batch that `context_of` made, with the picture's channels last."""
    array = tensor.cpu().numpy()
    if array.shape[-1] == 1:
        return np.ascontiguousarray(array[..., 0].T)
    return match_channels(array[0][None], channels)[0]
