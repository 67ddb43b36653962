"""`npfill doctor`: versions, devices and models, and a self-test."""

import platform
from importlib.metadata import version

from npfill.cli.console import stdout
from npfill.errors import CheckFailedError
from npfill.package import __version__

_PACKAGES = ("torch", "numpy", "pillow", "safetensors", "huggingface-hub", "typer", "rich")


def doctor_command() -> None:
    """Print versions, devices and why one is not used, and models; run a self-test."""
    _line("npfill", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    _line("packages", ", ".join(f"{name} {version(name)}" for name in _PACKAGES))

    from npfill import completion, devices, hub, zoo

    for name in ("cuda", "mps", "cpu"):
        _line(name, devices.describe(name))
    offline = ", offline" if hub.offline() else ""
    _line("cache", f"{hub.root()}{offline}; bundled models need none")
    problems = zoo.damaged()
    _line("models", f"{len(zoo.shipped())} bundled, {len(problems) or 'none'} damaged")
    seconds, problem = completion.self_test()
    _line("self-test", f"{'failed' if problem else 'passed'}, {seconds:.2f} s")
    if problem:
        problems.append(problem)
    if problems:
        raise CheckFailedError("; ".join(problems), "install npfill again, or report this")


def _line(name: str, text: str) -> None:
    stdout.print(f"{name:<10} {text}", markup=False)
