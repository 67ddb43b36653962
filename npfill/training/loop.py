"""The training loop: steps, validation, checkpoints, resume."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from npfill import checkpoint, models
from npfill.config import Json
from npfill.data import Pictures
from npfill.errors import CheckFailedError, ModelError
from npfill.training.batch import draw
from npfill.training.distributed import Rank, all_reduce_sum, barrier
from npfill.training.learner import Learner
from npfill.training.objectives import Loss
from npfill.training.recipe import Recipe, render
from npfill.training.run import RunFolder

_REPORT_EVERY = 20


@dataclass(frozen=True)
class Report:
    """Progress of a run.

    Attributes:
        step: Steps done.
        loss: Loss of the last one, in nats per target pixel.
        kl: Its KL, in nats per picture; 0 for a conditional variant.
        images_per_second: Pictures that were trained on in a second, since the last report.
        validation: Scores, where the step was validated.
    """

    step: int
    loss: float
    kl: float
    images_per_second: float
    validation: Json | None = None


class Trainer:
    """Training run in progress, with everything that a resume must bring back.

    Args:
        recipe: What to train, and how.
        folder: Where the run is kept.
        train: Training pictures, bytes, on the device of the training.
        score: Scores of a model on held-out pictures; of these, the best weights have the highest
            mean `floored_log_likelihood`: the small scales of a latent variant say little with
            the few draws that a validation can afford.
        provenance: Origin of the weights, which they state beside recipe and scores.
        rank: Place of this process among those of the run.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        train: Pictures,
        score: Callable[[models.NeuralProcess], Json],
        provenance: Json,
        rank: Rank,
    ) -> None:
        self.recipe, self.folder, self.provenance = recipe, folder, provenance
        self.train, self.score, self.rank = train, score, rank
        self.learner = Learner(recipe, train.device, shared=rank.count > 1)
        self.step = 0
        self.best = -math.inf
        self.seconds = 0.0

    def resume(self) -> None:
        """Go on from the folder's last save: on the hardware that it began on, exactly."""
        tensors, progress = self.folder.load_state(self.recipe.schedule.steps)
        if not self.learner.fits(tensors):
            raise ModelError(f"{self.folder.state}: not the state of this run", "start it again")
        began = self.folder.read_environment()
        if began["hardware"] == self.provenance["hardware"]:
            # What is quicker is measured, and may be measured otherwise on another day.
            self.learner.dtype = getattr(torch, began["precision"])
        self.step, self.seconds = progress["step"], progress["seconds"]
        self.best = progress["best"] if progress["best"] is not None else -math.inf
        self.learner.restore(tensors, self.step)
        if self.rank.is_main:
            if math.isfinite(self.best):
                checkpoint.load(self.folder.best)  # now rather than at the end
            self.folder.forget_after(self.step)

    def run(self, on_report: Callable[[Report], None]) -> None:
        """Train to the recipe's last step, saving and validating as it says.

        Of several processes, the one that leads validates, saves and reports. They agree on when
        to stop: at the next report.

        Raises:
            CheckFailedError: The loss is not finite. The last save stays as it is.
            KeyboardInterrupt: After Ctrl-C, once the step is whole and saved.
        """
        clock, done, pictures = time.perf_counter(), 0, 0
        with _noted_interrupts() as interrupts:
            while self.step < self.recipe.schedule.steps:
                batch = draw(self.train, self.recipe, self.step)
                mine = batch.part(self.rank.number, self.rank.count)
                last = self.learner.learn(mine, self.step)
                self.step += 1
                done, pictures = done + 1, pictures + len(batch.context.pixels)
                alone = bool(interrupts) and self.rank.count == 1
                if not (self._saves() or done >= _REPORT_EVERY or alone):
                    continue
                loss, kl, stops = self._agree(last, bool(interrupts))
                elapsed = time.perf_counter() - clock
                self.seconds += elapsed
                if self.rank.is_main:
                    on_report(self._report(loss, kl, pictures / elapsed, stops))
                if stops and self.step < self.recipe.schedule.steps:
                    # A process that ends before the save would have the others ended too.
                    barrier()
                    raise KeyboardInterrupt
                clock, done, pictures = time.perf_counter(), 0, 0

    def _validates(self) -> bool:
        run, steps = self.recipe.run, self.recipe.schedule.steps
        return self.step == steps or self.step % run.validate_every == 0

    def _saves(self) -> bool:
        return self._validates() or self.step % self.recipe.run.save_every == 0

    def _agree(self, last: Loss, interrupted: bool) -> tuple[float, float, bool]:
        """Average loss and KL over all processes, and tell whether any was interrupted."""
        stop = torch.full_like(last.kl, float(interrupted))
        values = all_reduce_sum(torch.stack([last.total.detach(), last.kl, stop])).tolist()
        loss, kl, stops = (value / self.rank.count for value in values)
        if not math.isfinite(loss):
            kept = f"the last good state is in {self.folder.path}; " * self.folder.state.exists()
            raise CheckFailedError(
                f"the loss is {loss} at step {self.step}",
                f"{kept}lower optimiser.learning_rate or optimiser.clip",
            )
        return loss, kl, stops > 0.0

    def _report(self, loss: float, kl: float, pace: float, stops: bool) -> Report:
        """Validate and save where it is due, and describe the progress."""
        validation = self._validate() if self._validates() else None
        report = Report(self.step, loss, kl, pace, validation)
        if stops or self._saves():
            self._save(report)
        return report

    def _validate(self) -> Json:
        scores = self.score(self.learner.average)
        if (merit := merit_of(scores)) > self.best:
            self.best = merit
            self._write(self.folder.best, scores)
        return scores

    def _save(self, report: Report) -> None:
        self._write(self.folder.last, report.validation)
        if report.validation is not None:
            pace = round(report.images_per_second, 1)
            timed = {"seconds": round(self.seconds, 1), "images_per_second": pace}
            self.folder.log(vars(report) | timed)
        progress = {"step": self.step, "best": self.best, "seconds": self.seconds}
        self.folder.save_state(self.learner.state(), progress)

    def _write(self, path: Path, scores: Json | None) -> None:
        run = {"recipe": render(self.recipe), "steps": self.step, "seconds": round(self.seconds)}
        origin = self.provenance | run | {"validation": scores}
        checkpoint.save(path, self.learner.average, origin)


def merit_of(scores: Json) -> float:
    """The number by which weights are the best: a likelihood, or of a flow minus its error.

    Where pictures have holes of their own, a context that leaves nothing to score counts nowhere.
    """
    if "velocity_error" in scores:
        return -float(scores["velocity_error"])
    return torch.tensor(scores["floored_log_likelihood"], dtype=torch.float64).nanmean().item()


@contextmanager
def _noted_interrupts() -> Iterator[list[int]]:
    """Note Ctrl-C in the list in place of raising it, so that steps and saves are whole."""
    noted: list[int] = []
    is_told = threading.current_thread() is threading.main_thread()  # which alone is told of it
    before = is_told and signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    try:
        yield noted
    finally:
        if is_told:
            signal.signal(signal.SIGINT, before)
