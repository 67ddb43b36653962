"""A run from the command line: exact resume, refusals, and what it leaves behind."""

import json
import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import config

from npfill import checkpoint, devices, training
from npfill.cli import main
from npfill.errors import CheckFailedError
from npfill.models import build
from npfill.training import learner, loop, run
from npfill.training.batch import draw
from npfill.training.objectives import Loss, loss
from npfill.training.run import RunFolder, provenance
from tests.conftest import TINY
from tests.forked import Forked, forked, posix


def train(*arguments: str) -> int:
    """The exit code of `npfill train` with the tiny recipe, in this process."""
    try:
        main(["train", *arguments])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def in_process(precision: str, *arguments: str) -> Forked:
    """`npfill train` in a process of its own where this precision is quicker."""

    def run() -> None:
        # Which one is quicker is measured, and under load it may be either.
        setattr(devices, "_cpu_is_quicker_in_bfloat16", lambda: precision == "bfloat16")  # noqa: B010
        config.update("jaxtyping_disable", True)  # the other tests here check shapes
        main(["train", *arguments])

    return forked(run)


@posix
@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_weights_as_an_unbroken_one(
    tmp_path: Path, pictures: Path
) -> None:
    """`kill -9` in the middle, then --resume, bit for bit, in the precision that it began in."""
    changes = ["schedule.steps=150", "run.validate_every=50", "run.precision=auto"]
    common = [str(TINY), *changes, "--data", str(pictures), "--device", "cpu"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert in_process("float32", *common, "--run-dir", str(whole)).wait().code == 0
    process = in_process("float32", *common, "--run-dir", str(broken))
    deadline = time.monotonic() + 120
    while not (broken / "state.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    assert last_step(broken) < 150
    assert in_process("bfloat16", "--resume", "--run-dir", str(broken)).wait().code == 0
    for name in ("best.safetensors", "last.safetensors"):
        one, other = (checkpoint.load(run / name) for run in (whole, broken))
        for key, tensor in one.model.state_dict().items():
            assert torch.equal(tensor, other.model.state_dict()[key]), (name, key)
    assert scores(whole) == scores(broken)


def last_step(run: Path) -> int:
    progress = checkpoint.load_tensors(run / "state.safetensors")[1]["npfill"]
    return int(json.loads(progress)["step"])


def scores(run: Path) -> list[tuple[int, object]]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [(json.loads(line)["step"], json.loads(line)["validation"]) for line in lines]


@pytest.mark.slow
def test_a_run_folder_is_not_written_over(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(TINY), "schedule.steps=5", "--data", str(pictures)]
    run = tmp_path / "run"
    assert train(*arguments, "--run-dir", str(run)) == 0
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    assert train(*arguments, "--run-dir", str(run)) == 4
    assert "--resume" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.slow
def test_a_diverged_loss_stops_with_the_last_good_state_kept(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def diverges(*arguments: object, **named: object) -> Loss:
        calls.append(1)
        result = loss(*arguments, **named)  # type: ignore[arg-type]
        factor = float("nan") if len(calls) > 25 else 1.0
        return Loss(result.total * factor, result.kl)

    monkeypatch.setattr(learner, "loss", diverges)
    run = tmp_path / "run"
    assert (
        train(str(TINY), "--data", str(pictures), "--run-dir", str(run))
        == CheckFailedError.exit_code
    )
    assert last_step(run) == 20
    checkpoint.load(run / "last.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 13, 20])
def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(
    step: int,
    tmp_path: Path,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run that Ctrl-C ended and --resume finished has the weights of an unbroken one."""
    common = [str(TINY), "schedule.steps=40", "--data", str(pictures), "--device", "cpu"]
    assert train(*common, "--run-dir", str(tmp_path / "whole")) == 0
    calls: list[int] = []

    def interrupts(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == step:
            os.kill(os.getpid(), signal.SIGINT)
        return draw(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "draw", interrupts)
    broken = tmp_path / "broken"
    assert train(*common, "--skip-damaged", "--run-dir", str(broken)) == 130
    assert last_step(broken) == step
    assert f"--resume --run-dir {broken} --skip-damaged --device cpu" in capsys.readouterr().err
    assert train("--resume", "--run-dir", str(broken), "--device", "cpu") == 0
    assert scores(broken) == scores(tmp_path / "whole")


@pytest.mark.slow
def test_init_starts_from_weights_of_the_same_configuration(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(pictures)]
    assert train(str(TINY), "schedule.steps=30", *data, "--run-dir", str(tmp_path / "one")) == 0
    weights = tmp_path / "one" / "last.safetensors"
    still = ["schedule.steps=1", "optimiser.learning_rate=0.0"]
    arguments = [str(TINY), *still, *data, "--init", str(weights)]
    assert train(*arguments, "--run-dir", str(tmp_path / "two")) == 0
    one, two = (checkpoint.load(tmp_path / run / "last.safetensors") for run in ("one", "two"))
    for key, tensor in one.model.state_dict().items():
        torch.testing.assert_close(tensor, two.model.state_dict()[key])
    assert (two.provenance["steps"], two.provenance["steps_before"]) == (1, 30)
    arguments = [str(TINY), *still, "model.scale_floor=0.01", *data, "--init", str(weights)]
    assert train(*arguments, "--run-dir", str(tmp_path / "floor")) == 0
    arguments = [str(TINY), "model.latent=5", *data, "--init", str(weights)]
    assert train(*arguments, "--run-dir", str(tmp_path / "three")) == 2
    assert "configuration" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "before"), [(3, 7), ([1], 4), ("abc", 4), (None, 4)])
def test_weights_go_by_the_terms_of_those_that_they_began_with(
    steps: object,
    before: int,
    tmp_path: Path,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe, first = training.find(TINY), tmp_path / "first.safetensors"
    said = {"dataset": "faces", "terms": "research only", "steps": steps, "steps_before": 4}
    checkpoint.save(first, build(recipe.variant, recipe.model), said)

    def interrupts(*arguments: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return draw(*arguments)  # type: ignore[arg-type]

    run, short = tmp_path / "run", ["schedule.steps=2", "data.terms=CC0"]
    words = [str(TINY), *short, "--data", str(pictures), "--run-dir", str(run)]
    with monkeypatch.context() as patch:
        patch.setattr(loop, "draw", interrupts)
        assert train(*words, "--init", str(first)) == 130
    assert train("--resume", "--run-dir", str(run)) == 0
    terms = "CC0; with weights of faces: research only"
    assert capsys.readouterr().err.count(f"terms of the weights: {terms}") == 2
    for name in ("best", "last"):
        origin = checkpoint.load(run / f"{name}.safetensors").provenance
        assert (origin["terms"], origin["steps_before"]) == (terms, before)
    again = tmp_path / "again"
    words = [str(TINY), "schedule.steps=1", "data.terms=research only", "--data", str(pictures)]
    assert train(*words, "--init", str(first), "--run-dir", str(again)) == 0
    origin = checkpoint.load(again / "best.safetensors").provenance
    assert origin["terms"] == "research only"


@pytest.mark.parametrize("depth", ["", ".venv/lib"])
def test_the_commit_is_of_the_source_tree_and_of_no_project_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: str
) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    folder = tmp_path / depth / "npfill" / "training"
    folder.mkdir(parents=True)
    monkeypatch.setattr(run, "__file__", str(folder / "run.py"))
    assert bool(run.commit()) == (depth == "")


def test_a_flow_goes_by_the_terms_of_its_companions() -> None:
    recipe = training.find("flownp-celeba", {"data.terms": "CC0"})
    terms = provenance(recipe, None, torch.device("cpu"), 1)["terms"]
    assert terms.startswith("CC0; with weights of CelebA: ")
    assert terms.count("non-commercial") == 1


@pytest.mark.slow
def test_training_lowers_the_error_on_held_out_pictures(tmp_path: Path, pictures: Path) -> None:
    run = tmp_path / "run"
    changes = ["schedule.steps=200", "optimiser.learning_rate=1e-2", "run.validate_every=50"]
    assert train(str(TINY), *changes, "--data", str(pictures), "--run-dir", str(run)) == 0
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    first, last = (line["validation"]["mse"][-1] for line in (lines[0], lines[-1]))
    assert last < first


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["no-such-recipe"], 2, "npfill train lists them"),
        (["missing.toml"], 3, "missing.toml"),
        ([str(TINY)], 2, "--data"),
        ([str(TINY), "--data", "nowhere"], 3, "nowhere"),
        ([str(TINY), "schedule.stepz=5", "--data", "x"], 2, "did you mean 'steps'?"),
        ([str(TINY), "steps=5", "--data", "x"], 2, "schedule.steps=100"),
        ([str(TINY), "schedule.steps=many", "--data", "x"], 2, "type int"),
        ([str(TINY), "model.variant=gnp", "--data", "x"], 5, "unknown variant"),
        ([str(TINY), "model.latent=100000", "--data", "x"], 5, "out of range"),
        ([str(TINY), "model.decoder.frequencies=0", "--data", "x"], 5, "decoder: frequencies"),
        ([str(TINY), "model.frequencies=4", "--data", "x"], 5, "unknown key 'frequencies'"),
        ([str(TINY), "model.size.x=4", "--data", "x"], 2, "size is no table"),
        ([str(TINY), "data.name=x", "data.name.y=4"], 2, "name is no table"),
        ([str(TINY), f"schedule.steps={'9' * 5000}"], 2, "not a value"),
        ([str(TINY), f"schedule.steps=0x{'f' * 5000}"], 2, "limit"),
        ([str(TINY), f"schedule.steps={'9' * 400}"], 2, "out of range"),
        ([str(TINY), f"optimiser.clip={'9' * 400}"], 2, "too large"),
        ([str(TINY), f"schedule.steps={'[' * 5000}"], 2, "not a value"),
        ([str(TINY), "data.name=\udcff"], 2, "not a value"),
        ([str(TINY), "--device", "tpu", "--data", "x"], 2, "unknown device"),
        (["--resume", "--run-dir", "nowhere"], 3, "nowhere"),
        (["--resume", "--init", "x"], 2, "--run-dir runs/NAME"),
        (["--data", "x"], 2, "no recipe"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_a_way_out(
    arguments: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert train(*arguments) == code
    text = capsys.readouterr().err
    assert says in text
    assert "Traceback" not in text
    assert list(tmp_path.iterdir()) == []


def test_print_config_prints_a_recipe_that_reads_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(str(TINY), "schedule.steps=7", 'data.terms=a\x7f\x01"\\', "--print-config") == 0
    text = capsys.readouterr().out
    assert "steps = 7" in text
    (tmp_path / "again.toml").write_text(text)
    assert train(str(tmp_path / "again.toml"), "--print-config") == 0
    assert capsys.readouterr().out == text


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, and a run on them of two steps."""
    place = tmp_path_factory.mktemp("finished")
    np.save(place / "p.npy", np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8))
    arguments = [str(TINY), "schedule.steps=2", "run.validate_every=1", "--device", "cpu"]
    assert train(*arguments, "--data", str(place / "p.npy"), f"--run-dir={place}/run") == 0
    return place


def resumed(finished: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be damaged and resumed on pictures beside it."""
    shutil.copytree(finished / "run", tmp_path / "run")
    shutil.copy(finished / "p.npy", tmp_path)
    return tmp_path / "run"


def resume(run: Path) -> int:
    return train(
        "--resume", "--run-dir", str(run), "--data", f"{run.parent}/p.npy", "--device", "cpu"
    )


@pytest.mark.slow
def test_a_run_that_was_never_saved_begins_again(finished: Path, tmp_path: Path) -> None:
    run = resumed(finished, tmp_path)
    whole = checkpoint.load(run / "last.safetensors").model.state_dict()
    for name in ("best", "last", "state"):
        (run / f"{name}.safetensors").unlink()
    assert resume(run) == 0
    again = checkpoint.load(run / "last.safetensors").model.state_dict()
    assert all(torch.equal(tensor, again[key]) for key, tensor in whole.items())
    assert [step for step, _ in scores(run)] == [1, 2]


@pytest.mark.parametrize("gone", [["state"], ["state", "last"]])
def test_a_run_that_lost_its_state_is_not_trained_over(
    finished: Path, tmp_path: Path, gone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = resumed(finished, tmp_path)
    for name in gone:
        (run / f"{name}.safetensors").unlink()
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    assert resume(run) == 3
    said = capsys.readouterr().err
    assert "state.safetensors is missing" in said
    assert f"--init {run / ('best' if 'last' in gone else 'last')}.safetensors" in said
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


@posix
def test_one_process_trains_in_a_folder_at_a_time(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = resumed(finished, tmp_path)
    with RunFolder(run).alone():
        before = {path.name: path.read_bytes() for path in run.iterdir()}
        assert resume(run) == 3
        assert "a process trains in it" in capsys.readouterr().err
        assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert resume(run) == 0


def test_a_run_that_is_interrupted_leaves_no_file_of_its_own_behind(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), RunFolder(tmp_path).alone():
        assert [*tmp_path.iterdir()]
        raise KeyboardInterrupt
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_a_run_in_inference_mode_ends_calibrated(tmp_path: Path, pictures: Path) -> None:
    with torch.inference_mode():
        run = training.train(TINY, pictures, tmp_path / "run", changes=["schedule.steps=1"])
    assert "calibration" in checkpoint.load(run / "best.safetensors").provenance


@pytest.mark.slow
def test_a_run_that_diverged_before_a_save_is_started_anew_in_its_folder(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [str(TINY), "schedule.steps=1", "--data", str(pictures), f"--run-dir={tmp_path}/run"]
    with monkeypatch.context() as patch:
        bad = torch.tensor(float("nan"), requires_grad=True)
        patch.setattr(learner, "loss", lambda *_: Loss(bad * 1, torch.zeros(())))
        assert train(*words) == CheckFailedError.exit_code
    assert train(*words, "optimiser.learning_rate=1e-4") == 0
    assert "0.0001" in (tmp_path / "run" / "recipe.toml").read_text()


@pytest.mark.parametrize(
    ("place", "code", "says"),
    [("file", 4, "exists\nhint: --run-dir names"), ("file/run", 3, "name another file or folder")],
)
def test_a_run_folder_that_cannot_be_is_refused_with_a_way_out(
    place: str,
    code: int,
    says: str,
    tmp_path: Path,
    pictures: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("mine")
    assert train(str(TINY), "--data", str(pictures), f"--run-dir={tmp_path / place}") == code
    said = capsys.readouterr().err
    assert says in said
    assert "-o names" not in said
    assert (tmp_path / "file").read_text() == "mine"


def test_other_pictures_are_no_pictures_to_go_on_with(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = resumed(finished, tmp_path)
    np.save(tmp_path / "p.npy", 255 - np.load(tmp_path / "p.npy"))
    assert resume(run) == 3
    assert "not the pictures that the run began with" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_goes_on_with_its_own_weights_and_knows_where_its_pictures_are_now(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = resumed(finished, tmp_path)
    assert train("--resume", "--run-dir", str(run), "--init", "cnp-mnist") == 2
    assert "--init cnp-mnist: the run began with no weights" in capsys.readouterr().err
    assert resume(run) == 0
    assert json.loads((run / "environment.json").read_text())["data"] == str(tmp_path / "p.npy")


@pytest.mark.slow
def test_torn_lines_of_metrics_are_dropped(finished: Path, tmp_path: Path) -> None:
    run = resumed(finished, tmp_path)
    whole = (run / "metrics.jsonl").read_text().splitlines()[0]
    torn = [whole, whole[: whole.rindex("}", 0, -1) + 1], "[]", "7", '{"step": "x"}', "\0"]
    (run / "metrics.jsonl").write_text("\n".join(torn))
    assert resume(run) == 0
    assert [step for step, _ in scores(run)] == [1]


KEYS = ("hardware", "data", "precision", "steps_before")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "change"),
    [
        *((f"environment.json without {key}", key) for key in KEYS),
        *((f"environment.json with a list as {key}", key) for key in KEYS),
        ("environment.json", b""), ("environment.json", b"[]"), ("environment.json", b"7"),
        ("environment.json", b"\xff"), ("environment.json", b"[" * 90000),
        ("recipe.toml", b"\xff"), ("recipe.toml", b"[model]"), ("recipe.toml", b"model = ["),
        ("state.safetensors", b""), ("state.safetensors", b"torn"), ("best.safetensors", b"torn"),
        ("last.safetensors", b"torn"),
    ],
)  # fmt: skip
def test_a_damaged_file_of_a_run_is_one_line(
    finished: Path,
    tmp_path: Path,
    name: str,
    change: str | bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = resumed(finished, tmp_path)
    file, *how = name.split()
    if isinstance(change, str):
        began = json.loads((run / file).read_text())
        began = {key: one for key, one in began.items() if key != change or "with" in how}
        began |= {change: []} if "with" in how else {}
        change = json.dumps(began).encode()
    (run / file).write_bytes(change)
    capsys.readouterr()
    assert resume(run) in {2, 3, 5}
    said = capsys.readouterr().err
    assert said.count("error:") == 1
    assert "a bug in npfill" not in said


def test_the_precision_is_float32_unless_the_recipe_says_otherwise(finished: Path) -> None:
    assert json.loads((finished / "run" / "environment.json").read_text())["precision"] == "float32"


@pytest.mark.slow
def test_a_gradient_that_is_not_finite_is_never_saved(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def breaks(*arguments: object, **named: object) -> Loss:
        calls.append(1)
        result = loss(*arguments, **named)  # type: ignore[arg-type]
        if len(calls) == 30:
            result.total.register_hook(lambda gradient: gradient * float("inf"))
        return result

    monkeypatch.setattr(learner, "loss", breaks)
    run = tmp_path / "run"
    changes = ["run.save_every=10", "--data", str(pictures), "--run-dir", str(run)]
    assert train(str(TINY), *changes) == CheckFailedError.exit_code
    assert last_step(run) == 20


@pytest.mark.slow
def test_a_run_outside_the_main_thread_ends_as_any_other(tmp_path: Path, pictures: Path) -> None:
    run = tmp_path / "run"
    with ThreadPoolExecutor(1) as threads:
        threads.submit(
            training.train, TINY, pictures, run, changes=["schedule.steps=5"], device="cpu"
        ).result()
    assert last_step(run) == 5
