"""A linear Gaussian model: the training pictures' mean and covariance, given the context."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from npfill.baselines.base import Baseline, BaselinePrediction, Hole, Picture, cholesky, solved
from npfill.checkpoint import load_tensors
from npfill.errors import InputError, ModelError
from npfill.files import folder

# The std of the noise in every value: with it, pixels that are the same in every training picture
# have a density too.
NOISE = 0.01
# Pictures in one matrix product.
_CHUNK = 4096


@dataclass(frozen=True)
class Statistics:
    """Moments of pictures, with intensities in [0, 1], in float64.

    Attributes:
        mean: The mean picture.
        covariance: Of all values in channel-major order, divided by the number of pictures.
    """

    mean: Float[np.ndarray, "channel height width"]
    covariance: Float[np.ndarray, "value value"]


def fit(images: UInt8[Tensor, "image channel size size"]) -> Statistics:
    """Mean and covariance of a set of pictures of 8 bits."""
    values = images[0].numel()
    total = torch.zeros(values, dtype=torch.float64)
    products = torch.zeros(values, values, dtype=torch.float64)
    for some in images.split(_CHUNK):
        rows = some.flatten(1).double() / 255
        total += rows.sum(0)
        products += rows.T @ rows
    mean = total / len(images)
    covariance = products / len(images) - torch.outer(mean, mean)
    return Statistics(mean.view(images.shape[1:]).numpy(), covariance.numpy())


def load(path: Path) -> Statistics:
    """Read a file of `python -m tools.release linear`, trusting nothing in it.

    Raises:
        ModelError: It is missing, or its content is not as it must be.
    """
    mean, components, residual = (values.double().numpy() for values in _tensors(path))
    return Statistics(mean, components @ components.T + np.diag(residual))


def _tensors(path: Path) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, components and residual, of shapes that go together, finite."""
    hint = "install npfill again"
    if not path.is_file():
        raise ModelError(f"{path}: the statistics of linear are missing", hint)
    tensors, _ = load_tensors(path)
    if tensors.keys() != {"mean", "components", "residual"}:
        raise ModelError(f"{path}: holds {', '.join(sorted(tensors))}", hint)
    mean, components, residual = (tensors[key] for key in ("mean", "components", "residual"))
    lengths = [components.shape[:1], residual.shape]
    if (mean.ndim, components.ndim) != (3, 2) or lengths != [(mean.numel(),)] * 2:
        raise ModelError(f"{path}: the shapes of its tensors do not go together", hint)
    dtypes = [values.dtype for values in (mean, components, residual)]
    if dtypes != [torch.float32, torch.float16, torch.float32]:
        raise ModelError(f"{path}: the types of its numbers are not as expected", hint)
    sums = (values.double().abs().sum().item() for values in (mean, components, residual))
    if not all(math.isfinite(value) for value in sums) or residual.min() < 0:
        raise ModelError(f"{path}: holds values that are not finite, or negative variances", hint)
    return mean, components, residual


class Linear(Baseline):
    """N(m, S + `NOISE`² I) over whole pictures, conditioned on the observed pixels.

    The distribution is exact and joint, so that samples are coherent; without any observed pixel it
    is the prior. Statistics of grey pictures complete a colour picture channel by channel.

    Args:
        statistics: m and S of pictures of one size, the only one that is completed.
    """

    name: ClassVar[str] = "linear"
    file: ClassVar[Path | None] = folder("pretrained") / "baselines" / "linear-mnist.safetensors"

    def __init__(self, statistics: Statistics) -> None:
        self._mean = statistics.mean
        self._covariance = statistics.covariance + NOISE**2 * np.eye(self._mean.size)

    @classmethod
    def build(cls) -> "Linear":
        """The baseline with the statistics of MNIST that ship with npfill."""
        assert cls.file is not None
        return cls(load(cls.file))

    def fill(self, picture: Picture, hole: Hole) -> BaselinePrediction:
        """See `Baseline.fill`. Exact, in float64."""
        channels = picture.shape[-1]
        self._refuse_other(hole.shape, channels)
        groups = channels // len(self._mean)
        missing = np.tile(hole.ravel(), len(self._mean))
        # With what is observed first, the last block of the factor is that of the conditional
        # covariance: no system needs to be solved for it.
        order = np.argsort(missing, kind="stable")
        seen = len(order) - int(missing.sum())
        factor = cholesky(self._covariance[np.ix_(order, order)])
        own = np.ascontiguousarray(factor[seen:, seen:])
        values = np.moveaxis(picture, -1, 0).reshape(groups, -1)[:, order[:seen]]
        prior = self._mean.ravel()[order]
        white = solved(factor[:seen, :seen], (values - prior[:seen]).T)
        mean = prior[seen:, None] + factor[seen:, :seen] @ white
        std = np.tile(np.sqrt(np.square(own).sum(1)), groups)
        notes = ("linear knows grey pictures: each colour channel is completed by itself",)
        return BaselinePrediction(
            mean=mean.T.reshape(channels, -1).T,
            std=std.reshape(channels, -1).T,
            factors=(own,) * groups,
            notes=notes if groups > 1 else (),
        )

    def _refuse_other(self, size: tuple[int, ...], channels: int) -> None:
        known, height, width = self._mean.shape
        if size != (height, width):
            raise InputError(
                f"linear completes pictures of {width}x{height}, this one is {size[1]}x{size[0]}",
                f"resize the picture to {width}x{height}, or name another model",
            )
        if channels % known:
            raise InputError(
                f"linear was fitted to pictures of {known} channels, this one has {channels}",
                "convert the picture, or name another model",
            )
