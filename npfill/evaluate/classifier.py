"""A small classifier of digits: it says whether samples look like digits, and like how many."""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from npfill import checkpoint
from npfill.errors import ModelError
from npfill.files import folder
from npfill.seeds import generator

FILE = folder("pretrained") / "baselines" / "classifier-mnist.safetensors"
SIZE, CLASSES = 28, 10

_WIDTHS = (16, 32, 64)
_EPOCHS, _BATCH, _LEARNING_RATE, _SEED = 4, 128, 4e-3, 0


class Classifier(nn.Sequential):
    """Three convolutions of 3x3, each halving the picture, and a linear layer."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in zip((1, *_WIDTHS), _WIDTHS, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        side = SIZE // 2 ** len(_WIDTHS)
        super().__init__(*layers, nn.Flatten(), nn.Linear(_WIDTHS[-1] * side**2, CLASSES))


def fit(
    images: UInt8[Tensor, "image 1 28 28"],
    labels: Int[Tensor, " image"],
    on_epoch: Callable[[str], None] = lambda _: None,
) -> Classifier:
    """Train a classifier: Adam with one cycle of the learning rate, from a fixed seed.

    Args:
        images: Training pictures, bytes.
        labels: The digits they show.
        on_epoch: Told what is done next.
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
        for some in shuffled.split(_BATCH):
            loss = F.cross_entropy(network(images[some].float() / 255.0), labels[some])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval().requires_grad_(False)


@torch.no_grad()
def accuracy(
    network: Classifier, images: UInt8[Tensor, "image 1 28 28"], labels: Int[Tensor, " image"]
) -> float:
    """The share of pictures whose digit is found."""
    found = [network(some.float() / 255.0).argmax(1) for some in images.split(1000)]
    return (torch.cat(found) == labels).double().mean().item()


def save(path: Path, network: Classifier, provenance: dict[str, Any]) -> None:
    """Write a classifier in half precision."""
    header = {"format": 1, "classifier": "digits", "provenance": provenance}
    tensors = {name: tensor.half() for name, tensor in network.state_dict().items()}
    checkpoint.save_tensors(path, tensors, {"npfill": checkpoint.canonical(header)})


@cache
def load(path: Path = FILE) -> Classifier:
    """Read what `save` wrote, in float32.

    Raises:
        InputError: No file is there.
        ModelError: It is not a classifier.
    """
    tensors, _ = checkpoint.load_tensors(path)
    network = Classifier()
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    if {name: tensor.shape for name, tensor in tensors.items()} != shapes:
        raise ModelError(f"{path}: not a classifier of digits", "install npfill again")
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return network.eval().requires_grad_(False)


@torch.no_grad()
def probabilities(
    pictures: Float[Tensor, "*batch 1 28 28"],
) -> Float[Tensor, "*batch digit"]:
    """What the bundled classifier takes pictures for."""
    network = load().to(pictures.device)
    flat = network(pictures.float().reshape(-1, 1, SIZE, SIZE)).softmax(1)
    return flat.view(*pictures.shape[:-3], CLASSES)


def confidence(pictures: Float[Tensor, "*batch 1 28 28"]) -> Float[Tensor, "*batch"]:
    """The probability of the likeliest digit: near 1 for digits."""
    return probabilities(pictures).amax(-1)


def label_entropy(samples: Float[Tensor, "sample batch 1 28 28"]) -> Float[Tensor, " batch"]:
    """The entropy in nats of the digits that a picture's samples are taken for; 0 if all agree."""
    labels = F.one_hot(probabilities(samples).argmax(-1), CLASSES)
    shares = labels.double().mean(0)
    return torch.special.entr(shares).sum(-1)
