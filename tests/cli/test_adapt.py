"""A network trained on the picture itself, on the command line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npfill import checkpoint
from tests.cli.conftest import Command
from tests.conftest import of
from tests.test_adapt import HOLE, PICTURE


@pytest.mark.slow
def test_a_time_is_recorded_as_the_steps_that_it_gave_and_made_again(
    npfill: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.uint8(255 * PICTURE[..., 0])).save("photo.png")
    Image.fromarray(np.uint8(255 * HOLE)).save("mask.png")
    checkpoint.save(tmp_path / "tiny.safetensors", of("convcnp", 1), {})
    asked = ("--mask", "mask.png", "-m", "tiny.safetensors", "--samples", "0")
    ended = npfill("complete", "photo.png", *asked, "--adapt", "0.1s")
    assert ended.code == 0
    assert "adapted in " in ended.err
    with Image.open("photo_mean.png") as result:
        assert "0.1s" not in result.info["npfill_options"]
    again = npfill("explain", "photo_mean.png", "--rerun")
    assert again.code == 0
    assert "the same, byte for byte" in again.err


def test_what_is_no_budget_is_refused(npfill: Command, photo: Path) -> None:
    ended = npfill("complete", photo, "--box", "1,1,2,2", "--adapt", "soon")
    assert ended.code == 2
    assert ended.err.splitlines() == [
        "error: --adapt soon",
        "hint: steps, as in 300, or a time, as in 60s and 2min",
    ]
