"""Training of the classifier of digits that `npfill.evaluate.classifier` judges samples with."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from npfill import checkpoint
from npfill.data.arrays import idx
from npfill.errors import InputError
from npfill.evaluate.classifier import Classifier
from npfill.seeds import generator

# How idx files of bytes with one axis begin, and what they are called.
_LABELS = b"\x00\x00\x08\x01"
_NAMES = {"train": "train-labels-idx1-ubyte", "test": "t10k-labels-idx1-ubyte"}
_EPOCHS, _BATCH, _LEARNING_RATE, _SEED = 4, 128, 4e-3, 0


def fit(
    images: UInt8[Tensor, "image 1 28 28"],
    labels: Int[Tensor, " image"],
    on_epoch: Callable[[str], None] = lambda _: None,
) -> Classifier:
    """Train a classifier: Adam with one cycle of the learning rate, from a fixed seed.

    Args:
        images: Training pictures, bytes.
        labels: The digits they show.
        on_epoch: Called with a word on the progress before each epoch.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        network = Classifier()
    steps = _EPOCHS * math.ceil(len(images) / _BATCH)
    optimiser = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, steps)
    for epoch in range(_EPOCHS):
        on_epoch(f"epoch {epoch + 1} of {_EPOCHS}")
        shuffled = torch.randperm(len(images), generator=generator(_SEED, "classifier", epoch))
        for batch in shuffled.split(_BATCH):
            loss = F.cross_entropy(network(images[batch].float() / 255.0), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval().requires_grad_(False)


@torch.no_grad()
def accuracy(
    network: Classifier, images: UInt8[Tensor, "image 1 28 28"], labels: Int[Tensor, " image"]
) -> float:
    """The fraction of pictures whose digit is recognised."""
    digits = [network(batch.float() / 255.0).argmax(1) for batch in images.split(1000)]
    return (torch.cat(digits) == labels).double().mean().item()


def save(path: Path, network: Classifier, provenance: dict[str, Any]) -> None:
    """Write a classifier in half precision."""
    header = {"format": 1, "classifier": "digits", "provenance": provenance}
    tensors = {name: tensor.half() for name, tensor in network.state_dict().items()}
    checkpoint.save_tensors(path, tensors, {"npfill": checkpoint.canonical(header)})


def read_labels(folder: Path, split: str) -> Int[Tensor, " image"]:
    """Read the labels of a set of digits, in the order of its pictures.

    Args:
        folder: Where the idx files are, with the MNIST names, gzipped or not.
        split: Which part.

    Raises:
        InputError: They are not there, or cannot be read.
    """
    names = [_NAMES[split], f"{_NAMES[split]}.gz"]
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise InputError(f"{folder}: no {names[0]}", "`data` takes a folder with the MNIST names")
    return torch.from_numpy(idx(path, _LABELS, "labels").astype(np.int64))
