"""Training within a stated time, `train/gpu.sh`: for a GPU that is at hand for some minutes.

A run is as long as the time allows: its pace is measured first, and the schedule is set to the
steps that fit, so that the learning rate has come down when the time is over. A run that was cut
off goes on with the next call. Weights and state are copied as they are saved.
"""

import contextlib
import math
import signal
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch.utils.flop_counter import FlopCounterMode

from npfill import devices
from npfill.cli.console import Reporter, report, understand
from npfill.training import train
from npfill.training.batch import draw, training_pictures
from npfill.training.learner import Learner
from npfill.training.loop import Report
from npfill.training.recipe import Recipe, find
from npfill.training.run import RunFolder

# Steps that the pace is measured by, after as many that warm up.
_PILOT = 20
# The share of the time that steps may take; the rest is for validation and calibration.
_STEPS = 0.85
# Bytes of one file that is carried away.
_LARGEST = 16 * 2**20
_SIDE = 4096

app = typer.Typer(
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)
understand(app)


def pace(recipe: Recipe, data: Path, device: torch.device) -> tuple[float, float]:
    """Measure a training step: steps in a second, and operations of one step.

    Forward and backward are counted, products of matrices and convolutions alone, as
    `torch.utils.flop_counter` counts them: two for a product and its sum.
    """
    pictures = training_pictures(data, recipe)[0].to(device)
    learner = Learner(recipe, device, shared=False)
    with FlopCounterMode(display=False) as counter:
        learner.learn(draw(pictures, recipe, 0), 0)
    for step in range(_PILOT):
        learner.learn(draw(pictures, recipe, step), step)
    _wait(device)
    before = time.perf_counter()
    for step in range(_PILOT):
        learner.learn(draw(pictures, recipe, step), step)
    _wait(device)
    return _PILOT / (time.perf_counter() - before), float(counter.get_total_flops())


def peak(device: torch.device, dtype: torch.dtype) -> float:
    """Operations in a second of a large product of matrices on the device, the best of five."""
    side = _SIDE if device.type == "cuda" else _SIDE // 8
    matrix = torch.randn(side, side, device=device).to(dtype)
    best = math.inf
    for _ in range(6):
        before = time.perf_counter()
        matrix @ matrix
        _wait(device)
        best = min(best, time.perf_counter() - before)
    return 2 * side**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def keep(run: RunFolder, archive: Path) -> None:
    """Put what a run has saved so far into one file; that is whole, or the one before.

    If the file were larger than 16 MiB, the state stays out, and weights alone go on.
    """
    files = [run.recipe, run.environment, run.metrics, run.best, run.last, run.state]
    there = [path for path in files if path.exists()]
    if sum(path.stat().st_size for path in there) > _LARGEST:
        there = [path for path in there if path != run.state]
    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_suffix(".part")
    with tarfile.open(part, "w") as tar:
        for path in there:
            tar.add(path, path.name)
    part.replace(archive)


def unpack(archive: Path, run: RunFolder) -> None:
    """Bring back a run that `keep` put away, unless it is there."""
    if archive.exists() and not run.path.exists():
        with tarfile.open(archive) as tar:
            tar.extractall(run.path, filter="data")


def within(
    name: str,
    data: Path,
    run_dir: Path,
    seconds: float,
    *,
    archive: Path | None = None,
    init: str | None = None,
    steps: int | None = None,
    device: str = "auto",
    on_note: Callable[[str], None] = print,
) -> None:
    """Train a recipe for so many seconds, calibration included; go on with a run that is there.

    Args:
        name: The recipe's name or file.
        data: Its pictures.
        run_dir: The folder of the run; where it has a state, the run goes on.
        seconds: Wall-clock time, from the call on.
        archive: A file that what is saved is put into, at each validation and at the end; where
            it is there and the folder is not, it is unpacked first.
        init: Weights to start from.
        steps: Steps of the whole run; by default as many as fit.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        on_note: Called with lines on what is done.
    """
    ends = time.monotonic() + seconds
    run = RunFolder(run_dir)
    if archive is not None:
        unpack(archive, run)
    resume = run.state.exists()
    changes = {} if resume else planned(name, data, ends, steps, devices.resolve(device), on_note)

    def watch(progress: Report) -> None:
        if archive is not None and progress.validation is not None:
            keep(run, archive)
        if time.monotonic() > ends:
            signal.raise_signal(signal.SIGINT)  # the run saves and stops at its next report

    with contextlib.suppress(KeyboardInterrupt):
        train(
            None if resume else name,
            data,
            run_dir,
            changes=changes,
            init=None if resume else init,
            resume=resume,
            device=device,
            on_report=watch,
            on_note=on_note,
        )
    if archive is not None:
        keep(run, archive)


def planned(
    name: str,
    data: Path,
    ends: float,
    steps: int | None,
    device: torch.device,
    on_note: Callable[[str], None],
) -> dict[str, object]:
    """Changes of a recipe by which its run ends in time, at a pace that is measured and told."""
    recipe = find(name, {"run.precision": "auto"})
    rate, work = pace(recipe, data, device)
    share = rate * work / peak(device, devices.precision(device, "auto"))
    count = steps or max(int(rate * (ends - time.monotonic()) * _STEPS), _PILOT)
    on_note(
        f"{name}: {rate:.1f} steps in a second, {rate * work / 1e12:.3f} TFLOP/s, {share:.0%} of "
        f"those of a large product; {count:,} steps"
    )
    return {
        "run.precision": "auto",
        "run.save_every": max(count // 20, 1),
        "run.validate_every": max(count // 5, 1),
        "schedule.steps": count,
        "schedule.warmup": min(recipe.schedule.warmup, count // 10),
    }


@app.command()
def gpu(
    recipe: Annotated[str, typer.Argument(help="A recipe's name; NAME@WEIGHTS starts from these.")],
    data: Annotated[Path, typer.Option(help="A folder with a folder for each set: mnist, celeba.")],
    runs: Annotated[Path, typer.Option(help="The folder of the runs.")] = Path("runs/gpu"),
    out: Annotated[Path | None, typer.Option(help="A folder for what is kept of each run.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Wall-clock time.")] = 480,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps, not those that fit.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
) -> None:
    """Train one recipe for so many seconds, and keep what it gives."""
    name, _, init = recipe.partition("@")
    stem = Path(name).stem
    within(
        name,
        data / find(name).data.name.lower(),
        runs / stem,
        seconds,
        archive=out / f"{stem}.tar" if out else None,
        init=init or None,
        steps=steps,
        device=device,
        on_note=Reporter().say,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends with its exit code.

    Args:
        arguments: The words after `tools.gpu`; those of the process by default.
    """
    try:
        app(args=None if arguments is None else list(arguments), prog_name="tools.gpu")
    except Exception as error:  # the one place where errors become a line and an exit code
        sys.exit(report(error))


if __name__ == "__main__":
    main()
