"""The labels of digits, for the classifier that judges samples."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from npfill.data.sources import Split, unzipped
from npfill.errors import InputError

_IDX_NAMES = {"train": "train-labels-idx1-ubyte", "test": "t10k-labels-idx1-ubyte"}
_IDX_UINT8_1D = b"\x00\x00\x08\x01"


def read_labels(folder: Path, split: Split) -> Int[Tensor, " image"]:
    """The labels of a set of digits in the order of its pictures.

    Args:
        folder: Where the idx files are, with the MNIST names, gzipped or not.
        split: Which part.

    Raises:
        InputError: They are not there, or cannot be read.
    """
    names = [_IDX_NAMES[split], f"{_IDX_NAMES[split]}.gz"]
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise InputError(f"{folder}: no {names[0]}", "--data takes a folder with the MNIST names")
    content = unzipped(path)
    if content[:4] != _IDX_UINT8_1D or len(content) != 8 + int.from_bytes(content[4:8], "big"):
        raise InputError(f"{path}: not an idx file of labels, or truncated", "copy it again")
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=8).astype(np.int64))
