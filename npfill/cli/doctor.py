"""`npfill doctor`: what is here and a self-test; `npfill demo`: every bundled model for digits."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from npfill.cli.console import Reporter, stdout
from npfill.errors import CheckFailedError
from npfill.files import folder, refuse_results, write_bytes
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


def demo_command(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder for npfill-demo.png.")
    ] = Path(),
    samples: Annotated[int, typer.Option(min=0, max=100, help="Samples to draw.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the samples.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing file.")
    ] = False,
) -> None:
    """Complete the bundled digit with every bundled digit model: one sheet, no network."""
    path = output / "npfill-demo.png"
    refuse_results([path], overwrite)
    from npfill import completion, zoo

    picture, mask = (folder("examples") / name for name in ("digit.png", "digit_mask.png"))
    names = [name for name, entry in zoo.shipped().items() if entry.channels == 1]
    done = {name: completion.complete(picture, mask, name, samples, seed) for name in names}
    write_bytes(path, completion.comparison_png(done), overwrite=overwrite)
    Reporter().say(f"wrote {path}: {', '.join(names)}")
