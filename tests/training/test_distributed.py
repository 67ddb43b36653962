"""Several processes on one batch, against one process."""

import os
import socket
from pathlib import Path

import pytest
import torch

from npfill import checkpoint
from npfill.cli import main
from npfill.training import learner
from npfill.training.batch import draw
from npfill.training.distributed import from_environment
from npfill.training.objectives import loss
from npfill.training.recipe import parse
from tests.conftest import TINY, tiny
from tests.forked import Forked, forked, posix

COUNT = 2


def process(rank: int, port: int, *arguments: str) -> Forked:
    """`npfill train` as torchrun starts it."""
    said = {
        "TORCHELASTIC_RUN_ID": "test",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(COUNT),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }

    def run() -> None:
        os.environ.update(said)
        main(["train", *arguments])

    return forked(run)


def together(*arguments: str) -> list[str]:
    """What each of the processes of a run says."""
    try:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    except OSError as error:
        pytest.skip(f"no sockets here: {error}")
    processes = [process(rank, port, *arguments) for rank in range(COUNT)]
    ended = [each.wait() for each in processes]
    said = [each.err for each in ended]
    assert [each.code for each in ended] == [0] * COUNT, said
    return said


@posix
@pytest.mark.slow
def test_two_processes_give_the_weights_of_one_and_the_first_talks(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = ["schedule.steps=12", "objective.from_context=0.3", "run.validate_every=6"]
    common = [str(TINY), *changes, "--data", str(pictures), "--device", "cpu"]
    # In bfloat16 the sum of two halves' gradients is not that of the whole to float tolerance.
    monkeypatch.setattr(learner, "precision", lambda *_: torch.float32)
    with pytest.raises(SystemExit, match="0"):
        main(["train", *common, "--run-dir", str(tmp_path / "alone")])
    said = together(*common, "--run-dir", str(tmp_path / "together"))
    assert "done" in said[0]
    assert said[1] == ""
    one, two = (
        checkpoint.load_tensors(tmp_path / run / "state.safetensors")[0]
        for run in ("alone", "together")
    )
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("draws", [1, 3])
def test_the_loss_of_a_batch_is_the_mean_of_its_shares(draws: int) -> None:
    changes = [f"objective.draws={draws}", "objective.beta=0.0", "objective.from_context=0.3"]
    recipe = parse(TINY.read_text(), "tiny", changes)
    pictures = torch.randint(0, 256, (9, 1, 8, 8), dtype=torch.uint8)
    batch = draw(pictures, recipe, step=1)
    model = tiny("np-basis", channels=1, size=8).float()
    whole = loss(model, batch, recipe.objective, 0.7)
    parts = [loss(model, batch.part(n, COUNT), recipe.objective, 0.7) for n in range(COUNT)]
    torch.testing.assert_close(torch.stack([part.total for part in parts]).mean(), whole.total)
    torch.testing.assert_close(torch.stack([part.kl for part in parts]).mean(), whole.kl)


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert from_environment().count == 1


@pytest.mark.parametrize(("rank", "says"), [(0, "3 processes do not divide"), (1, "")])
def test_a_batch_that_cannot_be_shared_is_one_line_from_the_first_process(
    rank: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = {"TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": "3"}
    for name, value in (said | {"RANK": str(rank), "LOCAL_RANK": str(rank)}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stop:
        main(["train", str(TINY), "--data", "x"])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert says in error
    assert bool(error) == bool(says)
