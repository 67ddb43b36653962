"""Command lines run in this process, or in one forked from it, over tiny weights."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill import __main__, checkpoint
from npfill.cli import main
from tests.conftest import tiny
from tests.forked import Ended, Forked, forked

Command = Callable[..., Ended]


def process(*words: object, before: Callable[[], object] | None = None, **streams: int) -> Forked:
    """The command in a process of its own that does something before it."""

    def run() -> None:
        sys.argv = ["npfill", *map(str, words)]
        if before:
            before()
        __main__.main()

    return forked(run, **streams)


def at_fsync(act: Callable[[], object]) -> Callable[[], None]:
    """What makes a process act whenever a file has been written and has no name yet."""

    def before() -> None:
        real = os.fsync

        def fsync(fd: Any) -> None:
            real(fd)
            act()

        os.fsync = fsync

    return before


@pytest.fixture
def npfill(capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Runs a command line, given as words."""

    def run(*words: object) -> Ended:
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        assert isinstance(stop.value.code, int)
        out, err = capsysbinary.readouterr()
        return Ended(stop.value.code, out, err.decode())

    return run


@pytest.fixture
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a tiny latent model of colour pictures, of 6 pixels on the longer side."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    checkpoint.save(path, tiny("np-basis", channels=3).float(), {})
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A colour picture of 6x5 pixels."""
    values = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A mask of the same size that selects 2x3 pixels from (1, 1) on."""
    selected = np.zeros((5, 6), dtype=bool)
    selected[1:4, 1:3] = True
    Image.fromarray(selected).save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a connection fails."""

    def blocked(*_: object) -> None:
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket, "socket", blocked)
    monkeypatch.setattr(socket, "getaddrinfo", blocked)
