"""Fitting the calibration of a model's scale on validation pictures."""

import math
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from npfill.context import Context, Targets
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


def calibrate(
    model: NeuralProcess[Any], images: UInt8[Tensor, "image channel size size"]
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
    size = images.shape[-1]
    some = images[: max(1, _PIXELS // size**2)]
    settings = [*(Setting("random", count) for count in counts_for(size)), *map(Setting, HIDDEN)]
    samples = [_predictions(model, some, setting) for setting in settings]
    fitted = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([fitted], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = torch.stack([_loss(fitted, *sample) for sample in samples]).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    model.calibration.copy_(fitted.detach())
    offset, slope = fitted.tolist()
    return offset, slope


def _loss(
    fitted: Float[Tensor, " 2"],
    share: float,
    components: Gaussian,
    truth: Float[Tensor, " value"],
) -> Float[Tensor, ""]:
    """The negative pointwise log-likelihood, and what z² is beyond its band."""
    factor = (fitted[0] + fitted[1] * math.log(share)).exp()
    scaled = Gaussian(components.mean, components.scale * factor)
    likelihood = scaled.log_prob(truth).logsumexp(0) - math.log(len(components.mean))
    moments = mixture_moments(scaled)
    z_squared = ((truth - moments.mean) / moments.scale).square().mean()
    excess = (z_squared.log().abs() - math.log(_BAND)).clamp(min=0.0)
    return -likelihood.mean() + _PENALTY * excess.square()


@torch.no_grad()
def _predictions(
    model: NeuralProcess[Any],
    images: UInt8[Tensor, "image channel size size"],
    setting: Setting,
) -> tuple[float, Gaussian, Float[Tensor, " value"]]:
    """The share observed, the predictions "draw value" of the hole's intensities, and these."""
    size = images.shape[-1]
    observed = setting.observed(len(images), size, _SEED).to(images.device)
    targets = Targets.every((size, size), images.device)
    means, scales, truths = [], [], []
    chunks = (batch.split(_PICTURES_TOGETHER) for batch in (images, observed))
    for some, seen in zip(*chunks, strict=True):
        pixels = some.float() / 255.0
        given = model.condition(Context(pixels, seen))
        z = None if given.latent is None else draws(given.latent, _SEED, "calibration", _DRAWS)
        predicted, hole = given.predict(z, targets), ~seen.flatten(1)
        means.append(predicted.mean[..., hole, :].flatten(-2))
        scales.append(predicted.scale[..., hole, :].flatten(-2))
        truths.append(targets.values(pixels)[hole].flatten())
    truth = torch.cat(truths)
    order = generator(_SEED, "calibration", setting.name)
    some = torch.randperm(len(truth), generator=order)[:_VALUES].to(truth.device)
    mean, scale = (
        torch.cat(each, dim=-1)[..., some].view(-1, len(some)) for each in (means, scales)
    )
    share = observed[0].float().mean().item()
    return share, Gaussian(mean, scale), truth[some]
