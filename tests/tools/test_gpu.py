"""Training for a stated time."""

from pathlib import Path

import pytest
import torch

from npfill import checkpoint
from npfill.training import find
from npfill.training.run import RunFolder
from tests.conftest import TINY
from tools import gpu

CPU = torch.device("cpu")


def run_for(
    tmp_path: Path, pictures: Path, folder: str, seconds: float, steps: int | None = None
) -> list[str]:
    said: list[str] = []
    gpu.within(
        str(TINY),
        pictures,
        tmp_path / folder,
        seconds,
        archive=tmp_path / "out" / "tiny.tar",
        device="cpu",
        on_note=said.append,
        steps=steps,
    )
    return said


@pytest.mark.slow
def test_ten_steps_are_rehearsed_and_give_weights_ready_for_use(
    tmp_path: Path, pictures: Path
) -> None:
    said = run_for(tmp_path, pictures, "run", 600, steps=10)
    assert "steps in a second" in said[0]
    assert "10 steps" in said[0]
    assert "calibration" in checkpoint.load(tmp_path / "run" / "best.safetensors").provenance


@pytest.mark.slow
def test_what_time_cut_off_goes_on_from_the_archive_to_the_same_weights(
    tmp_path: Path, pictures: Path
) -> None:
    run_for(tmp_path, pictures, "cut", 0, steps=60)  # ends at the first report
    cut = RunFolder(tmp_path / "cut")
    _, progress = cut.load_state(60)
    assert 0 < progress["step"] < 60
    run_for(tmp_path, pictures, "went_on", 600)
    (tmp_path / "out" / "tiny.tar").unlink()
    run_for(tmp_path, pictures, "whole", 600, steps=60)
    ends = [tmp_path / name / "last.safetensors" for name in ("went_on", "whole")]
    for one, other in zip(*(checkpoint.load(end).model.parameters() for end in ends), strict=True):
        assert torch.equal(one, other)


@pytest.mark.slow
def test_a_pace_is_told_in_steps_and_operations(pictures: Path) -> None:
    rate, work = gpu.pace(find(TINY), pictures, CPU)
    assert rate > 0.0
    assert work > 0.0
    assert gpu.peak(CPU, torch.float32) > rate * work
