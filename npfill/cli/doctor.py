"""`npfill doctor`: what is here and a self-test; `npfill demo`: a photograph mended."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

import npfill
from npfill.cli.console import Reporter, print_data, shell, stdout
from npfill.cli.options import OverwriteFile
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
    problems = zoo.damaged()
    _line("models", f"{len(zoo.shipped())} bundled, {len(problems) or 'none'} damaged")
    seconds, problem = completion.self_test()
    _line("self-test", f"{'failed' if problem else 'passed'}, {seconds:.2f} s")
    offline = ", offline" if hub.offline() else ""  # the last: a wrong variable is an error here
    _line("cache", f"{hub.root()}{offline}; bundled models need none")
    if problem:
        problems.append(problem)
    if problems:
        raise CheckFailedError("; ".join(problems), "install npfill again, or report this")


def _line(name: str, text: str) -> None:
    stdout.print(f"{name:<10} {text}", markup=False)


def demo_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for results.")] = Path(
        "npfill-demo"
    ),
    digits: Annotated[
        bool, typer.Option("--digits", help="Draw a digit by every digit model instead.")
    ] = False,
    samples: Annotated[int, typer.Option(min=0, max=100, help="Samples of digits.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="The seed of the samples.")] = 0,
    overwrite: OverwriteFile = False,
) -> None:
    """Mend a scratched photograph that comes along: what it was, is, and how sure it is."""
    from npfill import completion, zoo

    examples = folder("examples")
    if digits:
        path = output / "npfill-digits.png"
        refuse_results([path], overwrite)
        names = [name for name, entry in zoo.shipped().items() if entry.is_of_digits]
        picture, mask = examples / "digit.png", examples / "digit_mask.png"
        done = {name: completion.complete(picture, mask, name, samples, seed) for name in names}
        write_bytes(path, completion.comparison_png(done), overwrite=overwrite)
        Reporter().say(f"wrote {path}: {', '.join(names)}")
        return
    photograph, sheet = output / "scratched.jpg", output / "npfill-demo.png"
    refuse_results([photograph, sheet], overwrite)
    proposal = npfill.mask.propose(examples / photograph.name, {"scratches": True})
    mended = npfill.complete(examples / photograph.name, proposal.selected, samples=0)
    content = (examples / photograph.name).read_bytes()
    write_bytes(photograph, content, overwrite=overwrite)
    write_bytes(sheet, completion.comparison_png({"": mended}), overwrite=overwrite)
    for line in mended.completed.doubt(verbose=False):
        Reporter().say(line)
    Reporter().say(f"wrote {sheet}, and {photograph}; the same by hand, and with your own:")
    mask = output / "scratched_mask.png"
    print_data(shell(["npfill", "mask", photograph, "--scratches"]))
    print_data(shell(["npfill", "complete", photograph, "--mask", mask]))
