"""Folder of a run, and the environment that it took place in."""

import json
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from npfill import checkpoint
from npfill.config import Json
from npfill.devices import precision
from npfill.errors import InputError, ModelError
from npfill.files import write_bytes
from npfill.package import __version__
from npfill.training.recipe import Recipe


@dataclass(frozen=True)
class RunFolder:
    """Folder with the files of one training run."""

    path: Path

    @property
    def recipe(self) -> Path:
        """Resolved recipe, as TOML."""
        return self.path / "recipe.toml"

    @property
    def environment(self) -> Path:
        """Versions, hardware and the data's place, as JSON."""
        return self.path / "environment.json"

    @property
    def metrics(self) -> Path:
        """One JSON line for each validation."""
        return self.path / "metrics.jsonl"

    @property
    def best(self) -> Path:
        """Averaged weights with the best validation so far."""
        return self.path / "best.safetensors"

    @property
    def last(self) -> Path:
        """Averaged weights of the last save."""
        return self.path / "last.safetensors"

    @property
    def state(self) -> Path:
        """Everything that an exact resume needs."""
        return self.path / "state.safetensors"

    def create(self, recipe: str, environment: Json) -> None:
        """Make the folder with its recipe and environment."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_bytes(self.recipe, recipe.encode())
        text = json.dumps(environment, indent=2, sort_keys=True) + "\n"
        write_bytes(self.environment, text.encode())

    def read_environment(self) -> Json:
        """Read the environment that `create` wrote.

        Raises:
            InputError: The folder holds no run.
        """
        try:
            return dict(json.loads(self.environment.read_text("utf-8")))
        except (OSError, json.JSONDecodeError):
            raise InputError(
                f"{self.path}: not the folder of a training run",
                "start one with npfill train RECIPE",
            ) from None

    def note(self, found: Json) -> None:
        """Add to the environment what became known in the course of the run."""
        before = self.read_environment()
        if before != before | found:
            text = json.dumps(before | found, indent=2, sort_keys=True) + "\n"
            write_bytes(self.environment, text.encode())

    def save_state(self, tensors: dict[str, Tensor], progress: Json) -> None:
        """Replace the state atomically; `progress` is JSON."""
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        checkpoint.save_tensors(self.state, plain, {"npfill": checkpoint.canonical(progress)})

    def load_state(self) -> tuple[dict[str, Tensor], Json]:
        """Read what `save_state` wrote last."""
        tensors, metadata = checkpoint.load_tensors(self.state)
        try:
            return tensors, dict(json.loads(metadata["npfill"]))
        except (KeyError, json.JSONDecodeError):
            raise ModelError(
                f"{self.state}: not the state of a run", "start the run again"
            ) from None

    def log(self, line: Json) -> None:
        """Append one line to the metrics."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, sort_keys=True) + "\n")

    def read_metrics(self) -> list[Json]:
        """Read all whole lines of the metrics."""
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def forget_after(self, step: int) -> None:
        """Drop the lines of steps that a resumed run will do again."""
        kept = [line for line in self.read_metrics() if line["step"] <= step]
        text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in kept)
        write_bytes(self.metrics, text.encode())


def describe(device: torch.device, processes: int) -> Json:
    """Describe versions, hardware and precision, as JSON values."""
    return {
        "npfill": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "hardware": hardware(device, processes),
        "precision": str(precision(device)).removeprefix("torch."),
        "commit": commit(),
    }


def provenance(recipe: Recipe, device: torch.device, processes: int) -> Json:
    """Describe the origin of weights, beside the recipe's text, steps and scores."""
    return {
        "dataset": recipe.data.name,
        "terms": recipe.data.terms,
        "seed": recipe.run.seed,
        "commit": commit(),
        "hardware": hardware(device, processes),
    }


def hardware(device: torch.device, processes: int = 1) -> str:
    """Name the device that computes, and how many processes have one each."""
    each = torch.cuda.get_device_name(device) if device.type == "cuda" else _host(device)
    return each if processes == 1 else f"{processes} x {each}"


def _host(device: torch.device) -> str:
    count = torch.get_num_threads()
    threads = f"{count} thread{'s' if count > 1 else ''}"
    return f"{device.type}, {_processor()}, {threads}"


def commit() -> str:
    """Commit of the source tree that runs; "" outside one."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
