"""A small classifier of digits: it says whether samples look like digits, and like how many."""

from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from npfill import checkpoint
from npfill.errors import ModelError
from npfill.files import folder

FILE = folder("pretrained") / "baselines" / "classifier-mnist.safetensors"
SIZE, CLASSES = 28, 10

_WIDTHS = (16, 32, 64)


class Classifier(nn.Sequential):
    """Three convolutions of 3x3, each halving the picture, and a linear layer."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in zip((1, *_WIDTHS), _WIDTHS, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        side = SIZE // 2 ** len(_WIDTHS)
        super().__init__(*layers, nn.Flatten(), nn.Linear(_WIDTHS[-1] * side**2, CLASSES))


@cache
def load(path: Path = FILE) -> Classifier:
    """Read a classifier, in float32.

    Raises:
        InputError: No file is there.
        ModelError: It is not a classifier.
    """
    tensors, _ = checkpoint.load_tensors(path)
    network = Classifier()
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError:  # of other names or shapes
        raise ModelError(f"{path}: not a classifier of digits", "install npfill again") from None
    return network.eval().requires_grad_(False)


@torch.no_grad()
def probabilities(pictures: Float[Tensor, "*batch 1 28 28"]) -> Float[Tensor, "*batch digit"]:
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
    shares = labels.cpu().double().mean(0)
    return torch.special.entr(shares).sum(-1)
