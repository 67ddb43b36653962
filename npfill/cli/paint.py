"""`npfill paint`: a page in the browser, on which holes are painted and filled."""

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

import npfill
from npfill.cli.console import Reporter, as_npfill_error, error_record, print_data, shell
from npfill.cli.options import Device, MaskFileOrFolder, MaxPixels, Model, model_names, of_output


def paint_command(
    images: Annotated[
        list[str], typer.Argument(metavar="IMG...", help="Pictures: files, folders, patterns.")
    ],
    mask: MaskFileOrFolder = None,
    model: Model = "auto",
    device: Device = "auto",
    output: Annotated[str | None, of_output("--output", "-o", help="A folder to save in.")] = None,
    max_pixels: MaxPixels = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Open nothing: print the address.")
    ] = False,
) -> None:
    """Paint on pictures what is to be filled, in the browser; nothing leaves this computer."""
    from npfill.paint import Server, Session

    session = Session(images, mask or [], output, device, max_pixels)
    for note in session.notes:
        Reporter().say(note)
    names = model_names("")
    if model not in names:
        npfill.load(model, device)  # a wrong one is refused before a page is there
    models = [model, *(name for name in names if name != model)]
    with Server(session, models, _words, _said) as server:
        print_data(server.address)
        sys.stdout.flush()
        # Where there is no screen, a browser would take the terminal.
        if not no_browser and (os.name == "nt" or sys.platform == "darwin" or _has_screen()):
            webbrowser.open(server.address)
        Reporter().say("open it on this computer; Ctrl-C, or closing the page, ends it")
        try:
            server.serve_forever(poll_interval=0.1)
        finally:
            session.end()


def _has_screen() -> bool:
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _said(error: Exception) -> dict[str, str]:
    return error_record(as_npfill_error(error))


def _words(image: Path, options: dict[str, object]) -> str:
    """The command that completes a picture with options, by their names in Python."""
    words: list[str | Path] = ["npfill", "complete", image]
    for name, value in options.items():
        for each in value if isinstance(value, list) else [value]:
            words += [f"--{name.replace('_', '-')}", str(each)]
    return shell(words)
