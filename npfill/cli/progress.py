"""How far a training run is: a bar in a terminal, elsewhere lines."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from npfill.cli.console import Talk, stderr

if TYPE_CHECKING:
    from npfill.training.loop import Report, Trainer

_SECONDS_BETWEEN_LINES = 30.0


def run_with_bar(trainer: "Trainer") -> None:
    """Run to the end under a bar."""
    steps = trainer.recipe.schedule.steps
    columns = [TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=stderr) as progress:
        task = progress.add_task("", total=steps, completed=trainer.step)

        def show(report: "Report") -> None:
            progress.update(task, completed=report.step, description=_line(report, steps))
            if report.validation:
                progress.console.print(_scores(report))

        trainer.run(show)


def printer(talk: Talk, steps: int) -> "Callable[[Report], None]":
    """What says a line every so often, where stderr is no terminal."""
    last = time.monotonic()

    def show(report: "Report") -> None:
        nonlocal last
        if report.validation:
            talk.say(_scores(report))
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES or report.step == steps:
            last = time.monotonic()
            left = (steps - report.step) * report.seconds_per_step
            talk.say(f"{_line(report, steps)}  {left / 60:.0f} min left")

    return show


def _line(report: "Report", steps: int) -> str:
    text = f"step {report.step:,}/{steps:,}  loss {report.loss:.3f}"
    kl = f"  KL {report.kl:.1f}" if report.kl else ""
    return f"{text}{kl}  {report.images_per_second:,.0f} images/s"


def _scores(report: "Report") -> str:
    scores = report.validation or {}
    counted = "counts" in scores
    contexts = " / ".join(str(each) for each in scores["counts" if counted else "contexts"])
    errors = " / ".join(f"{error:.4f}" for error in scores["mse"])
    likelihoods = " / ".join(f"{value:.3f}" for value in scores["log_likelihood"])
    where = f"at {contexts} pixels" if counted else contexts
    return f"step {report.step:,}  {where}: MSE {errors}  LL {likelihoods}"
