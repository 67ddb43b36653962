"""One picture to keep: the first sample alone, and what results say of their samples."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Command

BOX = ("--box", "20,16,14,14")


def a_photograph(path: Path) -> Path:
    row, column = np.indices((48, 56))
    waves = 128 + 60 * np.sin((2 * row + 3 * column) * 0.3)
    waves += np.random.default_rng(0).normal(0, 8, waves.shape)
    Image.fromarray(waves.astype(np.uint8)).save(path)
    return path


@pytest.mark.slow
def test_a_fill_is_the_first_sample_however_many_there_are(npfill: Command, tmp_path: Path) -> None:
    words = ("complete", a_photograph(tmp_path / "p.png"), *BOX)
    assert npfill(*words, "--samples", "0", "--emit", "fill", "-o", tmp_path / "a.png").code == 0
    assert npfill(*words, "--emit", "samples,fill", "-o", tmp_path / "b").code == 0
    one, first, second, fill = (
        np.asarray(Image.open(tmp_path / name))
        for name in ("a.png", "b/p_sample-1.png", "b/p_sample-2.png", "b/p_fill.png")
    )
    assert np.array_equal(one, first)
    assert np.array_equal(fill, first)
    assert not np.array_equal(first, second)
    told = npfill("explain", "--rerun", tmp_path / "a.png")
    assert told.code == 0
    assert "pictures that would fit" in told.err


@pytest.mark.slow
def test_samples_are_said_to_be_what_they_are(npfill: Command, tmp_path: Path) -> None:
    words = ("complete", a_photograph(tmp_path / "p.png"), *BOX, "--json", "-o", tmp_path)
    data = json.loads(npfill(*words).out)["data"]
    assert data["samples_are"].startswith("pictures that would fit")
    kept = Image.open(tmp_path / "p_sample-1.png").text  # type: ignore[attr-defined]
    assert kept["npfill_samples_are"] == data["samples_are"]
    assert "npfill_samples_are" not in Image.open(tmp_path / "p_mean.png").text  # type: ignore[attr-defined]
