"""Arrays as the files that data come in: .npy, .npz and TIFF."""

from pathlib import Path

import numpy as np
import tifffile


def save(path: Path, values: np.ndarray) -> Path:
    """Write an array in the format of the suffix."""
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".npz":
        np.savez(path, heights=values)
    else:
        tifffile.imwrite(path, values, photometric="minisblack", planarconfig="contig")
    return path


def load(path: Path) -> np.ndarray:
    """Read it back."""
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return arrays["heights"]
    return tifffile.imread(path)
