"""The file of statistics that ships for the baseline `linear`."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from npfill.baselines.linear import Statistics
from npfill.checkpoint import canonical, save_tensors

# Components of the covariance that a file keeps.
_COMPONENTS = 400


def save_statistics(path: Path, statistics: Statistics, provenance: Mapping[str, object]) -> None:
    """Write the mean, the leading components of the covariance, and the variances they leave out.

    S ≈ V Vᵀ + diag(r), with the eigenvectors scaled by the root of their eigenvalues in V, in half
    precision, and r the part of each variance that V Vᵀ lacks: positive semidefinite however V is
    rounded.

    Args:
        path: The file; replaced if it exists.
        statistics: The moments.
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
    header = {"format": 1, "baseline": "linear", "provenance": dict(provenance)}
    save_tensors(path, tensors, {"npfill": canonical(header)})
