"""Fitting the calibration of a model's scale on validation pictures."""

import math
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from npfill.context import Context, Targets
from npfill.data.sets import PartlyKnown, Photographs, parted
from npfill.evaluate.damages import KEPT, Damage
from npfill.evaluate.settings import HIDDEN, Setting, counts_for
from npfill.gaussian import Gaussian, mixture_moments
from npfill.models import NeuralProcess
from npfill.sampling import draws
from npfill.seeds import generator

_DRAWS = 16
_PICTURES_TOGETHER = 16
_SEED = 0
# z² may lie within this factor of 1; the weight of what lies outside.
_BAND, _PENALTY = 1.1, 100.0
_STEPS = 100
# Of large pictures only so many are used that they have together as many pixels as this.
_PIXELS = 400_000
# Intensities in each setting that are fitted to: what bounds the memory.
_VALUES = 200_000
# The holes that the calibration for photographs is fitted to.
_DAMAGES = (
    *KEPT,
    *(Damage(family) for family in ("text", "scratches", "strokes", "boxes", "blobs", "borders")),
)

# The log of the share observed, predictions "draw value" of the hole's intensities, and these.
_Sample = tuple[Tensor, Gaussian, Tensor]


def calibrate(
    model: NeuralProcess[Any], images: UInt8[Tensor, "image channel size size"] | PartlyKnown
) -> tuple[float, float]:
    """Fit and set the (a, b) of a model's calibration: scale x exp(a + b log share observed).

    They maximise the mean pointwise log-likelihood over the protocol's numbers of random context
    pixels and its hidden parts, among those whose z² is within a factor of 1.1 of 1 in each of
    these; where there are none, the excess is small. For one Gaussian a pixel the best likelihood
    has a z² of 1 by itself; for a mixture over z it has not.

    Args:
        model: The model, in evaluation mode. Its calibration is replaced.
        images: Validation pictures, bytes, on the model's device; of large ones the first few.

    Returns:
        a and b.
    """
    model.calibration.zero_()
    size = parted(images)[0].shape[-1]
    some = images[: max(1, _PIXELS // size**2)]
    settings = [*(Setting("random", count) for count in counts_for(size)), *map(Setting, HIDDEN)]
    return _fit(model, [_predictions(model, some, setting) for setting in settings])


def calibrate_photographs(
    model: NeuralProcess[Any], photographs: Photographs
) -> tuple[float, float]:
    """The same for a conditional model of photographs, over kinds of holes that people bring.

    Args:
        model: The model, in evaluation mode. Its calibration is replaced.
        photographs: Validation pictures, on the model's device.

    Returns:
        a and b.
    """
    model.calibration.zero_()
    return _fit(model, [_in_holes(model, photographs, damage) for damage in _DAMAGES])


def _fit(model: NeuralProcess[Any], samples: list[_Sample]) -> tuple[float, float]:
    fitted = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([fitted], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = torch.stack([_loss(fitted, model.widest, *sample) for sample in samples]).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    model.calibration.copy_(fitted.detach())
    offset, slope = fitted.tolist()
    return offset, slope


def _loss(
    fitted: Float[Tensor, " 2"],
    widest: float,
    log_share: Float[Tensor, " value"],
    components: Gaussian,
    truth: Float[Tensor, " value"],
) -> Float[Tensor, ""]:
    """The negative pointwise log-likelihood, and what z² is beyond its band."""
    factor = (fitted[0] + fitted[1] * log_share).exp()
    scaled = Gaussian(components.mean, (components.scale * factor).clamp(max=widest))
    likelihood = scaled.log_prob(truth).logsumexp(0) - math.log(len(components.mean))
    moments = mixture_moments(scaled)
    z_squared = ((truth - moments.mean) / moments.scale).square().mean()
    excess = (z_squared.log().abs() - math.log(_BAND)).clamp(min=0.0)
    return -likelihood.mean() + _PENALTY * excess.square()


@torch.no_grad()
def _predictions(
    model: NeuralProcess[Any],
    images: UInt8[Tensor, "image channel size size"] | PartlyKnown,
    setting: Setting,
) -> _Sample:
    """What is said in a setting of the protocol."""
    whole, known = parted(images)
    size = whole.shape[-1]
    drawn = setting.observed(len(images), size, _SEED).to(images.device)
    known = torch.ones_like(drawn) if known is None else known
    targets = Targets.every((size, size), images.device)
    shares, means, scales, truths = [], [], [], []
    chunks = (batch.split(_PICTURES_TOGETHER) for batch in (whole, drawn & known, known))
    for some, seen, there in zip(*chunks, strict=True):
        pixels = some.float() / 255.0
        given = model.condition(Context(pixels, seen))
        z = None if given.latent is None else draws(given.latent, _SEED, "calibration", _DRAWS)
        predicted, hole = given.predict(z, targets), (there & ~seen).flatten(1)
        means.append(predicted.mean[..., hole, :].flatten(-2))
        scales.append(predicted.scale[..., hole, :].flatten(-2))
        truths.append(targets.values(pixels)[hole].flatten())
        share = given.log_share_at(targets).unsqueeze(-1)
        shares.append(share.expand(targets.values(pixels).shape)[hole].flatten())
    truth = torch.cat(truths)
    order = generator(_SEED, "calibration", setting.name)
    some = torch.randperm(len(truth), generator=order)[:_VALUES].to(truth.device)
    mean, scale = (
        torch.cat(each, dim=-1)[..., some].view(-1, len(some)) for each in (means, scales)
    )
    return torch.cat(shares)[some], Gaussian(mean, scale), truth[some]


@torch.no_grad()
def _in_holes(model: NeuralProcess[Any], photographs: Photographs, damage: Damage) -> _Sample:
    """What is said of one kind of hole in photographs, as much of each."""
    shares, means, scales, truths = [], [], [], []
    for number, picture in enumerate(photographs.pictures):
        size = picture.shape[-2], picture.shape[-1]
        hole = torch.from_numpy(damage.hole(size, _SEED, number).copy()).to(picture.device)
        index = hole.flatten().nonzero().squeeze(1)
        order = generator(_SEED, "calibration", damage.name, number)
        some = torch.randperm(len(index), generator=order)[: _VALUES // len(photographs)]
        targets = Targets(index[some.to(index.device)], size)
        pixels = picture[None].float() / 255.0
        given = model.condition(Context(pixels, ~hole[None, None]))
        predicted = model.predict(given.encoded, None, targets)
        means.append(predicted.mean.flatten())
        scales.append(predicted.scale.flatten())
        truths.append(targets.values(pixels).flatten())
        share = given.log_share_at(targets).unsqueeze(-1)
        shares.append(share.expand(predicted.mean.shape).flatten())
    mean, scale = torch.cat(means), torch.cat(scales)
    return torch.cat(shares), Gaussian(mean[None], scale[None]), torch.cat(truths)
