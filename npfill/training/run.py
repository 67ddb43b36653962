"""Folder of a run, and the environment that it took place in."""

import json
import math
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from torch import Tensor

from npfill import checkpoint, zoo
from npfill.config import Json
from npfill.devices import precision
from npfill.errors import InputError, ModelError, OverwriteError
from npfill.files import json_text, lock, write_bytes
from npfill.package import __version__
from npfill.training.recipe import Recipe

# What a resume needs of the environment.
_BEGAN = {"data": str, "hardware": str, "precision": str, "steps_before": int}


class RunFolder:
    """Folder with the files of one training run.

    Attributes:
        path: The folder.
        recipe: Resolved recipe, as TOML.
        environment: Versions, hardware and the data's place, as JSON.
        metrics: One JSON line for each validation.
        best: Averaged weights with the best validation so far.
        last: Averaged weights of the last save.
        state: Everything that an exact resume needs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe, self.environment = path / "recipe.toml", path / "environment.json"
        self.metrics, self.state = path / "metrics.jsonl", path / "state.safetensors"
        self.best, self.last = path / "best.safetensors", path / "last.safetensors"

    def is_bare(self, recipe: str) -> bool:
        """Tell whether a run left no more than how it began, or this recipe alone."""
        try:
            names = {each.name for each in self.path.iterdir() if each.suffix != ".part"}
            other = names == {self.recipe.name} and self.recipe.read_text("utf-8") != recipe
        except (OSError, ValueError):
            return False
        return not other and names <= {self.recipe.name, self.environment.name}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from training in the folder; raise InputError where one does."""
        held = self.path / ".npfill-run.part"  # goes as what killed runs have left
        with suppress(OverwriteError):
            write_bytes(held, b"", overwrite=False)
        with held.open("r+b") as file:
            if lock(file.fileno(), wait=False) is False:
                raise InputError(f"{self.path}: a process trains in it", "`run_dir` names another")
            try:
                yield
            finally:
                file.close()  # before Windows lets it be removed
                held.unlink(missing_ok=True)

    def create(self, recipe: str, environment: Json) -> None:
        """Make the folder with its recipe and environment; of a run without a save, anew."""
        write_bytes(self.recipe, recipe.encode())
        text = json_text(environment, indent=2, sort_keys=True) + "\n"
        write_bytes(self.environment, text.encode())
        if self.metrics.exists():
            self.forget_after(0)

    def read_environment(self) -> Json:
        """Read the environment that `create` wrote.

        Raises:
            InputError: The folder holds no run, or its environment is damaged.
        """
        with suppress(OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            found = json.loads(self.environment.read_text("utf-8"))
            wrong = [key for key, kind in _BEGAN.items() if type(found[key]) is not kind]
            texts = type(found.get("init") or "") is type(found.get("terms", "")) is str
            if texts and not wrong and found["precision"] in {"float32", "bfloat16"}:
                return dict(found)
        raise InputError(
            f"{self.path}: not the folder of a training run ({self.environment.name} is missing or "
            "damaged)",
            "start one with npfill train RECIPE",
        )

    def note(self, found: Json) -> None:
        """Add to the environment what became known in the course of the run."""
        before = self.read_environment()
        if before != before | found:
            text = json_text(before | found, indent=2, sort_keys=True) + "\n"
            write_bytes(self.environment, text.encode())

    def save_state(self, tensors: dict[str, Tensor], progress: Json) -> None:
        """Replace the state atomically; `progress` is JSON."""
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        checkpoint.save_tensors(self.state, plain, {"npfill": checkpoint.canonical(progress)})

    def load_state(self, steps: int) -> tuple[dict[str, Tensor], Json]:
        """Read what `save_state` wrote last.

        Args:
            steps: The steps of the whole run.

        Raises:
            ModelError: It is damaged, or of another run.
        """
        tensors, metadata = checkpoint.load_tensors(self.state)
        with suppress(KeyError, ValueError, RecursionError, TypeError, OverflowError):
            progress = json.loads(metadata["npfill"])
            step, seconds, best = (progress[key] for key in ("step", "seconds", "best"))
            whole = type(step) is int and 0 <= step <= steps and math.isfinite(seconds)
            if whole and (best is None or math.isfinite(best)):
                return tensors, dict(progress)
        raise ModelError(f"{self.state}: not the state of this run", "start the run again")

    def log(self, line: Json) -> None:
        """Append one line to the metrics."""
        try:
            with self.metrics.open("a", encoding="utf-8") as file:
                file.write(json_text(line, sort_keys=True) + "\n")
        except OSError as error:
            raise InputError(
                f"{self.metrics}: cannot be written ({error.strerror})", "free space; then resume"
            ) from None

    def read_metrics(self) -> list[Json]:
        """Read all whole lines of the metrics."""
        if not self.metrics.is_file():
            return []
        lines = []
        for line in self.metrics.read_text("utf-8", errors="replace").splitlines():
            with suppress(ValueError, RecursionError):  # torn
                found = json.loads(line)
                if isinstance(found, dict) and type(found.get("step")) is int:
                    lines.append(found)
        return lines

    def forget_after(self, step: int) -> None:
        """Drop the lines of steps that a resumed run will do again."""
        kept = [line for line in self.read_metrics() if line["step"] <= step]
        text = "".join(json_text(line, sort_keys=True) + "\n" for line in kept)
        write_bytes(self.metrics, text.encode())


def describe(recipe: Recipe, device: torch.device) -> Json:
    """Describe versions and precision, as JSON values."""
    return {
        "npfill": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "precision": str(precision(device, recipe.run.precision)).removeprefix("torch."),
    }


def provenance(
    recipe: Recipe, weights: checkpoint.Weights | None, device: torch.device, processes: int
) -> Json:
    """Describe the origin of weights, beside the recipe's text, steps and scores.

    Behind the recipe's terms stand others: of the first weights, and of a flow's companions.
    """
    origins = [] if weights is None else [weights.provenance]
    steps = [each.get(key) for each in origins for key in ("steps", "steps_before")]
    for name in dict.fromkeys(getattr(recipe.model, "companions", ())):
        origins.append(checkpoint.load(zoo.find(name).path).provenance)
    terms = {recipe.data.terms: ""}
    for each in origins:
        of = f"with weights of {each.get('dataset')}: "
        terms.setdefault(str(each.get("terms", recipe.data.terms)), of)
    return {
        "dataset": recipe.data.name,
        "terms": "; ".join(of + each for each, of in terms.items()),
        "steps_before": sum(step for step in steps if type(step) is int),
        "seed": recipe.run.seed,
        "commit": commit(),
        "hardware": hardware(device, processes),
    }


def hardware(device: torch.device, processes: int = 1) -> str:
    """Name the device that computes, and how many processes have one each."""
    if device.type == "cuda":
        each = torch.cuda.get_device_name(device)
    else:
        count = torch.get_num_threads()
        each = f"{device.type}, {_processor()}, {count} thread{'s' if count > 1 else ''}"
    return each if processes == 1 else f"{processes} x {each}"


def commit() -> str:
    """Commit of the source tree that runs; "" outside one."""
    own = os.environ | {"GIT_DIR": str(Path(__file__).parents[2] / ".git")}  # and none around it
    command = ["git", "rev-parse", "HEAD"]
    try:
        head = subprocess.run(command, env=own, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip()


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
