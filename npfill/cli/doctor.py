"""`npfill doctor`: what runs here, what does not and why."""

import platform
import time
from importlib.metadata import version

from npfill import __version__
from npfill.cli.console import stdout
from npfill.errors import CheckFailedError, NpfillError

_PACKAGES = ("torch", "numpy", "pillow", "safetensors", "huggingface-hub", "typer", "rich")


def doctor_command() -> None:
    """Versions, devices and why one is not used, the models, and a self-test of a second."""
    _line("npfill", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    _line("packages", ", ".join(f"{name} {version(name)}" for name in _PACKAGES))
    for name in ("cuda", "mps", "cpu"):
        _line(name, _device(name))
    _line("cache", _cache())
    problems = _models()
    problems += _self_test()
    if problems:
        raise CheckFailedError("; ".join(problems), "install npfill again, or report this")


def _line(name: str, text: str) -> None:
    stdout.print(f"{name:<10} {text}", markup=False)


def _device(name: str) -> str:
    """Whether a device is there, and which, or why not."""
    import torch

    from npfill import devices

    try:
        where = devices.resolve(name)
    except NpfillError as error:
        return str(error)
    if where.type == "cuda":
        return f"available, {torch.cuda.get_device_name(where)}"
    return f"available, {torch.get_num_threads()} threads" if name == "cpu" else "available"


def _cache() -> str:
    from npfill import hub

    return f"{hub.root()}{', offline' if hub.offline() else ''}; bundled models need none"


def _models() -> list[str]:
    """Verify the weights that are bundled; answers what is wrong."""
    from npfill import zoo

    problems = []
    for name in zoo.shipped():
        try:
            zoo.find(name)
        except NpfillError as error:
            problems.append(str(error))
    _line("models", f"{len(zoo.shipped())} bundled, {len(problems) or 'none'} damaged")
    return problems


def _self_test() -> list[str]:
    """Complete a small picture on the CPU; answers what is wrong."""
    import numpy as np

    from npfill.completion import complete

    picture = np.tile(np.linspace(0, 1, 28, dtype=np.float32), (28, 1))
    hole = np.zeros((28, 28), dtype=bool)
    hole[8:20, 8:20] = True
    started = time.perf_counter()
    completion = complete(picture, hole, samples=1)
    seconds = time.perf_counter() - started
    kept = (completion.mean[~hole] == picture[~hole]).all()
    std = completion.std
    finite = np.isfinite(completion.mean).all() and std is not None and (std[hole] > 0).all()
    _line("self-test", f"{'passed' if kept and finite else 'failed'}, {seconds:.2f} s")
    return [] if kept and finite else ["the self-test failed"]
