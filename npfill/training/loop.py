"""The training loop: steps, schedule, averaging, checkpoints, resume."""

import copy
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from npfill import checkpoint, models
from npfill.errors import CheckFailedError
from npfill.seeds import generator
from npfill.training.batches import draw
from npfill.training.objectives import loss
from npfill.training.recipe import Recipe, render
from npfill.training.run_folder import RunFolder

_REPORT_EVERY = 20


@dataclass(frozen=True)
class Report:
    """Where a run stands, for whoever watches it."""

    step: int
    loss: float
    kl: float
    images_per_second: float
    seconds_per_step: float
    validation: dict[str, Any] | None = None


class Trainer:
    """A model in training, with everything that a resume must bring back.

    Args:
        recipe: What to train, and how.
        folder: Where the run is kept.
        train: Training pictures, bytes, on the device of the training.
        score: Scores of a model on held-out pictures; of these, the best weights have the highest
            mean `floored_log_likelihood`: the small scales of a latent variant say little with
            the few draws that a validation can afford.
        provenance: What the weights will say of where they come from, beside recipe and scores.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        train: UInt8[Tensor, "image channel size size"],
        score: Callable[[models.NeuralProcess[Any]], dict[str, Any]],
        provenance: dict[str, Any],
    ) -> None:
        self.recipe, self.folder, self.provenance = recipe, folder, provenance
        self.train, self.score = train, score
        torch.manual_seed(recipe.run.seed)
        self.model = models.build(recipe.variant, recipe.model).to(train.device)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=recipe.optimiser.learning_rate,
            weight_decay=recipe.optimiser.weight_decay,
            fused=train.device.type in {"cpu", "cuda"},
        )
        self.step = 0
        self.best = -math.inf
        self.seconds = 0.0

    def start_from(self, weights: nn.Module) -> None:
        """Begin with these weights instead of random ones."""
        for module in (self.model, self.average):
            module.load_state_dict(weights.state_dict())

    def resume(self) -> None:
        """Go on from the folder's last save, exactly."""
        tensors, progress = self.folder.load_state()
        groups: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            group, _, rest = name.partition("/")
            groups.setdefault(group, {})[rest] = tensor.to(self.train.device)
        self.model.load_state_dict(groups["model"])
        self.average.load_state_dict(groups["average"])
        for name, parameter in self.model.named_parameters():
            self.optimiser.state[parameter] = {
                "step": torch.tensor(float(progress["step"]), device=self._step_device()),
                "exp_avg": groups["exp_avg"][name],
                "exp_avg_sq": groups["exp_avg_sq"][name],
            }
        self.step, self.seconds = progress["step"], progress["seconds"]
        self.best = progress["best"] if progress["best"] is not None else -math.inf
        self.folder.forget_after(self.step)

    def run(self, on_report: Callable[[Report], None]) -> None:
        """Train to the recipe's last step, saving and validating as it says.

        Raises:
            CheckFailedError: The loss is not finite. The last save stays as it is.
            KeyboardInterrupt: After Ctrl-C, once the step is whole and saved.
        """
        schedule, run = self.recipe.schedule, self.recipe.run
        clock, done = time.perf_counter(), 0
        with _noted_interrupts() as interrupts:
            while self.step < schedule.steps:
                last = self._train_step()
                self.step += 1
                done += 1
                ends = self.step == schedule.steps
                validates = ends or self.step % run.validate_every == 0
                saves = validates or self.step % run.save_every == 0
                if saves or done >= _REPORT_EVERY:
                    values = torch.stack([last.total.detach(), last.kl]).tolist()
                    self._check(values[0])
                    elapsed = time.perf_counter() - clock
                    self.seconds += elapsed
                    validation = self._validate() if validates else None
                    pace = elapsed / done
                    report = Report(
                        self.step, values[0], values[1], schedule.batch / pace, pace, validation
                    )
                    if saves:
                        self._save(report)
                    on_report(report)
                    clock, done = time.perf_counter(), 0
                if interrupts and not ends:
                    self._check(last.total.item())
                    self._save(None)
                    raise KeyboardInterrupt

    def _train_step(self) -> Any:
        recipe, step = self.recipe, self.step
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(recipe, step)
        batch = draw(self.train, recipe, step)
        warmed = min(1.0, (step + 1) / max(1, recipe.objective.kl_warmup))
        kl_weight = recipe.objective.kl_weight * warmed
        noise = generator(recipe.run.seed, step, "z", device=self.train.device)
        with self._precision():
            result = loss(self.model, batch, recipe.objective, kl_weight, noise)
        self.optimiser.zero_grad(set_to_none=True)
        result.total.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), recipe.optimiser.clip)
        self.optimiser.step()
        # The average starts as a plain mean and lengthens to the recipe's decay.
        decay = min(recipe.optimiser.ema, (1 + step) / (10 + step))
        torch._foreach_lerp_(
            list(self.average.parameters()), list(self.model.parameters()), 1.0 - decay
        )
        return result

    def _precision(self) -> AbstractContextManager[Any]:
        """bfloat16 on CUDA. On the CPUs measured it is slower than float32: see train/README.md."""
        if self.train.device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()

    def _step_device(self) -> torch.device:
        return self.train.device if self.train.device.type == "cuda" else torch.device("cpu")

    def _check(self, value: float) -> None:
        if not math.isfinite(value):
            raise CheckFailedError(
                f"the loss is {value} at step {self.step}",
                f"the last good state is in {self.folder.path}; "
                "lower optimiser.learning_rate or optimiser.clip",
            )

    def _validate(self) -> dict[str, Any]:
        scores = self.score(self.average)
        likelihoods = scores["floored_log_likelihood"]
        mean = sum(likelihoods) / len(likelihoods)
        if mean > self.best:
            self.best = mean
            self._write(self.folder.best, scores)
        return scores

    def _save(self, report: Report | None) -> None:
        self._write(self.folder.last, report.validation if report else None)
        tensors = {}
        for name, parameter in self.model.named_parameters():
            state = self.optimiser.state[parameter]
            tensors[f"exp_avg/{name}"] = state["exp_avg"]
            tensors[f"exp_avg_sq/{name}"] = state["exp_avg_sq"]
        for group, module in (("model", self.model), ("average", self.average)):
            tensors |= {f"{group}/{name}": value for name, value in module.state_dict().items()}
        best = self.best if math.isfinite(self.best) else None
        if report is not None and report.validation is not None:
            self.folder.log(
                {
                    "step": self.step,
                    "seconds": round(self.seconds, 1),
                    "loss": report.loss,
                    "kl": report.kl,
                    "images_per_second": round(report.images_per_second, 1),
                    "validation": report.validation,
                }
            )
        self.folder.save_state(tensors, {"step": self.step, "best": best, "seconds": self.seconds})

    def _write(self, path: Any, scores: dict[str, Any] | None) -> None:
        checkpoint.save(
            path,
            self.average,
            {
                **self.provenance,
                "recipe": render(self.recipe),
                "steps": self.step,
                "seconds": round(self.seconds),
                "validation": scores,
            },
        )


@contextmanager
def _noted_interrupts() -> Iterator[list[int]]:
    """Ctrl-C is noted in the list and not raised, so that every step and every save is whole."""
    noted: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def learning_rate(recipe: Recipe, step: int) -> float:
    """A linear rise over the warm-up, then a cosine to a hundredth of the peak at the last step."""
    schedule, peak = recipe.schedule, recipe.optimiser.learning_rate
    if step < schedule.warmup:
        return peak * (step + 1) / schedule.warmup
    share = (step - schedule.warmup) / max(1, schedule.steps - schedule.warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))
