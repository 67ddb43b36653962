"""The mean and covariance of a set of pictures: fitted, and kept in a small file."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors import SafetensorError
from safetensors.torch import load as deserialise
from safetensors.torch import save as serialise
from torch import Tensor

from npfill.errors import ModelError
from npfill.files import write_bytes

_COMPONENTS = 400
_LARGEST_FILE = 64 * 2**20
_TOGETHER = 4096  # pictures in one matrix product


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
    """The mean and covariance of pictures."""
    values = images[0].numel()
    total = torch.zeros(values, dtype=torch.float64)
    products = torch.zeros(values, values, dtype=torch.float64)
    for some in images.split(_TOGETHER):
        rows = some.flatten(1).double() / 255
        total += rows.sum(0)
        products += rows.T @ rows
    mean = total / len(images)
    covariance = products / len(images) - torch.outer(mean, mean)
    return Statistics(mean.view(images.shape[1:]).numpy(), covariance.numpy())


def save(path: Path, statistics: Statistics, provenance: dict[str, Any]) -> None:
    """Write the mean, the leading components of the covariance and the variances that they miss.

    S ≈ V Vᵀ + diag(r), with the eigenvectors scaled by the root of their eigenvalues in V, in half
    precision, and r what V Vᵀ lacks of each variance: positive semidefinite however V is rounded.

    Args:
        path: The file; replaced if it exists.
        statistics: What to write.
        provenance: JSON values: the data, its terms, how many pictures.
    """
    powers, vectors = np.linalg.eigh(statistics.covariance)
    leading = slice(-min(_COMPONENTS, len(powers)), None)
    scaled = (vectors[:, leading] * np.sqrt(powers[leading].clip(min=0))).astype(np.float16)
    explained = np.square(scaled.astype(np.float64)).sum(1)
    residual = (statistics.covariance.diagonal() - explained).clip(min=0)
    tensors = {
        "mean": torch.from_numpy(statistics.mean).float(),
        "components": torch.from_numpy(scaled),
        "residual": torch.from_numpy(residual).float(),
    }
    header = {"format": 1, "baseline": "linear", "provenance": provenance}
    metadata = {"npfill": json.dumps(header, sort_keys=True, separators=(",", ":"))}
    write_bytes(path, serialise(tensors, metadata))


def load(path: Path) -> Statistics:
    """Read what `save` wrote, trusting nothing in the file.

    Raises:
        ModelError: It is not there, or anything in it is not as it must be.
    """
    mean, components, residual = (values.double().numpy() for values in _tensors(path))
    return Statistics(mean, components @ components.T + np.diag(residual))


def _tensors(path: Path) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, components and residual, of shapes that go together, finite."""
    hint = "install npfill again"
    if not path.is_file():
        raise ModelError(f"{path}: the statistics of linear are missing", hint)
    if path.stat().st_size > _LARGEST_FILE:
        raise ModelError(f"{path}: larger than any statistics of pictures", hint)
    try:
        tensors = deserialise(path.read_bytes())
    except SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file ({error})", hint) from None
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
