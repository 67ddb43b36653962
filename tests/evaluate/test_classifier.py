"""The classifier of digits that judges samples, and where its labels come from."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from npfill.errors import InputError, ModelError
from npfill.evaluate import classifier
from npfill.files import folder
from npfill.pictures.picture import intensities
from npfill.pictures.read import read_picture
from tools.classifier import read_labels

LABELS = b"\x00\x00\x08\x01\x00\x00\x00\x03\x05\x00\x09"


def the_digit() -> torch.Tensor:
    picture = intensities(read_picture(folder("examples") / "digit.png").image)
    return torch.from_numpy(picture).permute(2, 0, 1)


def test_the_bundled_classifier_is_sure_of_a_digit_and_less_so_of_half_of_it_blurred() -> None:
    digit = the_digit()
    assert classifier.probabilities(digit).argmax() == 3
    assert classifier.confidence(digit) > 0.99
    faint = torch.nn.functional.avg_pool2d(digit, 9, 1, padding=4) * 0.5
    assert classifier.confidence(faint) < 0.9


def test_label_entropy_counts_the_digits_that_samples_look_like() -> None:
    digit = the_digit()
    agreeing = torch.stack([digit] * 4).unsqueeze(1)
    differing = torch.stack([digit, digit, digit.flip(2).flip(1) * 0, digit * 0]).unsqueeze(1)
    assert classifier.label_entropy(agreeing).item() == 0
    assert classifier.label_entropy(differing).item() == pytest.approx(np.log(2))


def test_a_file_that_holds_no_classifier_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="not a classifier"):
        classifier.load(tmp_path / "other.safetensors")


def test_the_bundled_classifier_is_small() -> None:
    assert classifier.FILE.stat().st_size < 200_000


@pytest.mark.parametrize("packed", [False, True])
def test_labels_are_read_gzipped_or_not(tmp_path: Path, packed: bool) -> None:
    name = f"t10k-labels-idx1-ubyte{'.gz' if packed else ''}"
    (tmp_path / name).write_bytes(gzip.compress(LABELS) if packed else LABELS)
    assert read_labels(tmp_path, "test").tolist() == [5, 0, 9]


@pytest.mark.parametrize("content", [b"", LABELS[:-1], b"\x1f\x8b\x00", b"\x00\x00\x08\x03" * 4])
def test_what_holds_no_labels_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(InputError, match="train-labels"):
        read_labels(tmp_path, "train")
    with pytest.raises(InputError, match="no t10k-labels"):
        read_labels(tmp_path, "test")
