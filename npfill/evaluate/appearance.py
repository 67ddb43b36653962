"""What a completion looks like: PSNR, SSIM, where the std gathers, how samples differ."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from npfill.scores import over

Pictures = Float[Tensor, "batch channel height width"]
Hole = Bool[Tensor, "batch 1 height width"]

# Wang et al. 2004, "Image Quality Assessment": a Gaussian window of 11 pixels.
_WINDOW, _SIGMA, _K1, _K2 = 11, 1.5, 0.01, 0.03


def psnr(mean: Pictures, truth: Pictures, hole: Hole) -> Float[Tensor, " batch"]:
    """Peak signal-to-noise ratio in the hole, in dB, for a peak of 1; infinite without error."""
    error = (mean - truth).square().mean(1).flatten(1)
    return -10.0 * over(error, hole.flatten(1)).log10()


def ssim(mean: Pictures, truth: Pictures, hole: Hole) -> Float[Tensor, " batch"]:
    """Structural similarity of the whole pictures, averaged over the hole and the channels.

    The picture compared is the truth outside the hole. Borders are mirrored.
    """
    completed = torch.where(hole, mean, truth)
    first, second = _blurred(completed), _blurred(truth)
    variances = _blurred(completed.square()) - first.square(), _blurred(truth.square()) - second**2
    covariance = _blurred(completed * truth) - first * second
    c1, c2 = _K1**2, _K2**2
    above = (2 * first * second + c1) * (2 * covariance + c2)
    below = (first.square() + second.square() + c1) * (variances[0] + variances[1] + c2)
    return over((above / below).mean(1).flatten(1), hole.flatten(1))


def edge_correlation(std: Pictures, truth: Pictures, hole: Hole) -> Float[Tensor, " batch"]:
    """Correlation in the hole of the std with the length of the truth's gradient."""
    down, across = torch.gradient(truth, dim=(-2, -1))
    gradient = (down.square() + across.square()).sum(1).sqrt().flatten(1)
    deviation = std.square().mean(1).sqrt().flatten(1)
    asked = hole.flatten(1)
    gradient = torch.where(asked, gradient - over(gradient, asked).unsqueeze(1), 0.0)
    deviation = torch.where(asked, deviation - over(deviation, asked).unsqueeze(1), 0.0)
    product = (gradient * deviation).sum(1)
    return product / (gradient.square().sum(1) * deviation.square().sum(1)).sqrt()


def diversity(
    samples: Float[Tensor, "sample batch channel height width"], hole: Hole
) -> Float[Tensor, " batch"]:
    """Mean over pairs of samples of their root mean squared difference in the hole."""
    asked = hole.flatten(1)
    first, second = torch.triu_indices(len(samples), len(samples), offset=1)
    differences = (samples[first] - samples[second]).square().mean(2).flatten(2)
    distances = [over(difference, asked).sqrt() for difference in differences]
    return torch.stack(distances).mean(0)


def coherence(
    samples: Float[Tensor, "sample batch channel height width"], mean: Pictures, hole: Hole
) -> Float[Tensor, " batch"]:
    """Correlation of the samples' deviations from the mean between neighbouring pixels of the hole.

    0 for noise of its own in every pixel, towards 1 for deviations that are smooth.
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
    offsets = torch.arange(_WINDOW, dtype=pictures.dtype, device=pictures.device) - _WINDOW // 2
    window = (-0.5 * (offsets / _SIGMA).square()).exp()
    window = (window / window.sum()).expand(pictures.shape[1], 1, 1, -1)
    half, channels = _WINDOW // 2, pictures.shape[1]
    wide = F.pad(pictures, (half, half, half, half), mode="reflect")
    rows = F.conv2d(wide, window, groups=channels)
    return F.conv2d(rows, window.mT, groups=channels)
