"""Scores as plain functions of predictions and truth, one number for each picture of a batch.

A predictive distribution is a mixture of equal parts along a leading axis, one for each draw of z;
a conditional variant has one part. Scores are means over the target pixels, NaN for a picture
without any. Errors and likelihoods take "batch target channel", scores of appearance pictures
"batch channel height width".
"""

import math
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from npfill.gaussian import Gaussian

Values = Float[Tensor, "batch target channel"]
Target = Bool[Tensor, "batch target"]
Score = Float[Tensor, " batch"]
Pictures = Float[Tensor, "batch channel height width"]
Samples = Float[Tensor, "sample batch channel height width"]
Hole = Bool[Tensor, "batch 1 height width"]

# The lower bound of the scale at which likelihoods are compared with published ones.
COMMON_FLOOR = 0.1
EXACT = 1e-12  # a mean squared error, 120 dB: less is rounding, and counts as none
# Wang et al. 2004, "Image Quality Assessment": a Gaussian window of 11 pixels.
_WINDOW, _SIGMA, _K1, _K2 = 11, 1.5, 0.01, 0.03
SSIM_LEAST = _WINDOW // 2 + 1  # the least side of pictures that have one: borders are mirrored


def target_mean(values: Float[Tensor, "batch target"], target: Target) -> Score:
    """Mean over the targets of each picture; NaN where there are none."""
    return torch.where(target, values, 0.0).sum(-1) / target.sum(-1)


def floored(predicted: Gaussian, floor: float = COMMON_FLOOR) -> Gaussian:
    """The same distributions with their scale at a floor."""
    return replace(predicted, scale=predicted.scale.clamp(min=floor))


def log_likelihood(predicted: Gaussian, truth: Values, target: Target) -> Score:
    """Joint log-likelihood of each picture's targets, in nats per target pixel.

    log (1/K) Σ_k Π_t p(y_t | z_k), summed over channels, divided by the number of targets: an
    estimate that is biased low for few draws.
    """
    each = (predicted.log_prob(truth).sum(-1) * target).sum(-1)
    joint = each.logsumexp(0) - math.log(len(each))
    return joint / target.sum(-1)


def pointwise_log_likelihood(predicted: Gaussian, truth: Values, target: Target) -> Score:
    """Mean over targets of log (1/K) Σ_k p(y_t | z_k), in nats per target pixel.

    The density of a pixel is that of its channels together. For one draw it is the joint one.
    """
    each = predicted.log_prob(truth).sum(-1)
    return target_mean(each.logsumexp(0) - math.log(len(each)), target)


def squared_error(mean: Values, truth: Values, target: Target) -> Score:
    """Mean squared error of the predictive mean."""
    return target_mean((mean - truth).square().mean(-1), target)


def z_squared(moments: Gaussian, truth: Values, target: Target) -> Score:
    """Mean standardised squared error, for the predictive mean and std; 1 is calibrated."""
    return target_mean(((truth - moments.mean) / moments.scale).square().mean(-1), target)


def centrality(predicted: Gaussian, truth: Values) -> Values:
    """Probability of the smallest central interval of the mixture that contains the truth.

    |2 F(y) - 1|, with F the mixture's cumulative distribution: a truth lies in the central
    interval of probability p where this is at most p. Exact, without the mixture's quantiles.
    """
    below = torch.special.ndtr((truth - predicted.mean) / predicted.scale).mean(0)
    return (2.0 * below - 1.0).abs()


def coverage(
    centrality: Values, counted: Bool[Tensor, "batch target channel"], level: float
) -> Score:
    """Fraction of the counted intensities within the central interval of a probability."""
    return target_mean((centrality <= level).to(centrality.dtype).flatten(1), counted.flatten(1))


def psnr(mean: Pictures, truth: Pictures, hole: Hole) -> Score:
    """Peak signal-to-noise ratio in the hole, in dB, for a peak of 1; infinite beyond 120."""
    error = target_mean((mean - truth).square().mean(1).flatten(1), hole.flatten(1))
    return -10.0 * torch.where(error < EXACT, 0.0, error).log10()


def ssim(mean: Pictures, truth: Pictures, hole: Hole) -> Score:
    """Structural similarity of the whole pictures, averaged over the hole and the channels.

    Outside the hole the truth stands in both pictures. Borders are mirrored.
    """
    completed = torch.where(hole, mean, truth)
    first, second = _blurred(completed), _blurred(truth)
    variances = _blurred(completed.square()) - first.square(), _blurred(truth.square()) - second**2
    covariance = _blurred(completed * truth) - first * second
    c1, c2 = _K1**2, _K2**2
    above = (2 * first * second + c1) * (2 * covariance + c2)
    below = (first.square() + second.square() + c1) * (variances[0] + variances[1] + c2)
    return target_mean((above / below).mean(1).flatten(1), hole.flatten(1))


def edge_correlation(std: Pictures, truth: Pictures, hole: Hole) -> Score:
    """Correlation in the hole between the std and the magnitude of the truth's gradient."""
    down, across = torch.gradient(truth, dim=(-2, -1))
    gradient = (down.square() + across.square()).sum(1).sqrt().flatten(1)
    deviation = std.square().mean(1).sqrt().flatten(1)
    target = hole.flatten(1)
    gradient = torch.where(target, gradient - target_mean(gradient, target).unsqueeze(1), 0.0)
    deviation = torch.where(target, deviation - target_mean(deviation, target).unsqueeze(1), 0.0)
    product = (gradient * deviation).sum(1)
    return product / (gradient.square().sum(1) * deviation.square().sum(1)).sqrt()


def diversity(samples: Samples, hole: Hole) -> Score:
    """Mean over pairs of samples of their root mean squared difference in the hole."""
    target = hole.flatten(1)
    first, second = torch.triu_indices(len(samples), len(samples), offset=1)
    differences = (samples[first] - samples[second]).square().mean(2).flatten(2)
    distances = [target_mean(difference, target).sqrt() for difference in differences]
    return torch.stack(distances).mean(0)


def coherence(samples: Samples, mean: Pictures, hole: Hole) -> Score:
    """Correlation between neighbouring hole pixels of the samples' deviations from the mean.

    0 for independent noise in every pixel, towards 1 for smooth deviations.
    """
    deviations = torch.where(hole, samples - mean, 0.0)
    products, squares = torch.zeros(()), torch.zeros(())
    for axis in (-2, -1):
        length = deviations.shape[axis] - 1
        first, second = deviations.narrow(axis, 0, length), deviations.narrow(axis, 1, length)
        both = hole.narrow(axis, 0, length) & hole.narrow(axis, 1, length)
        products = products + (first * second).sum((0, 2, 3, 4))
        squares = squares + (0.5 * (first.square() + second.square()) * both).sum((0, 2, 3, 4))
    return products / squares


def _blurred(pictures: Pictures) -> Pictures:
    """Pictures smoothed by the Gaussian window of SSIM."""
    offsets = torch.arange(_WINDOW, dtype=pictures.dtype, device=pictures.device) - _WINDOW // 2
    window = (-0.5 * (offsets / _SIGMA).square()).exp()
    window = (window / window.sum()).expand(pictures.shape[1], 1, 1, -1)
    half, channels = _WINDOW // 2, pictures.shape[1]
    wide = F.pad(pictures, (half, half, half, half), mode="reflect")
    rows = F.conv2d(wide, window, groups=channels)
    return F.conv2d(rows, window.mT, groups=channels)
