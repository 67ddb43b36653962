"""Where a run took place, for its folder and for the provenance of its weights."""

import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

from npfill import __version__
from npfill.training.precision import precision
from npfill.training.recipe import Recipe


def describe(device: torch.device, processes: int) -> dict[str, Any]:
    """Versions, hardware and precision, as JSON values."""
    return {
        "npfill": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "hardware": hardware(device, processes),
        "precision": str(precision(device)).removeprefix("torch."),
        "commit": commit(),
    }


def provenance(recipe: Recipe, device: torch.device, processes: int) -> dict[str, Any]:
    """What weights say of their origin, beside the recipe's text, steps and scores."""
    return {
        "dataset": recipe.data.name,
        "terms": recipe.data.terms,
        "seed": recipe.run.seed,
        "commit": commit(),
        "hardware": hardware(device, processes),
    }


def hardware(device: torch.device, processes: int = 1) -> str:
    """The name of the device that computes, and how many processes have one each."""
    each = torch.cuda.get_device_name(device) if device.type == "cuda" else _host(device)
    return each if processes == 1 else f"{processes} x {each}"


def _host(device: torch.device) -> str:
    count = torch.get_num_threads()
    threads = f"{count} thread{'s' if count > 1 else ''}"
    return f"{device.type}, {_processor()}, {threads}"


def commit() -> str:
    """The commit of the source tree that runs, or nothing outside one."""
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
