"""A file of weights before anything parses it: its kind, its size and its hash."""

import hashlib
from pathlib import Path

from npfill.errors import InputError, ModelError

LARGEST = 256 * 2**20
_PICKLED = {".pt", ".pth", ".ckpt", ".bin", ".pkl"}


def refuse(path: Path) -> None:
    """Refuse a file for its kind, absence or size, before anything reads it.

    Raises:
        InputError: No file is there.
        ModelError: It is a pickle, or larger than any model can be.
    """
    refuse_pickled(str(path))
    if path.is_dir():
        raise InputError(f"{path}: a folder", "name a .safetensors file")
    if not path.is_file():
        raise InputError(f"{path}: no such file", "npfill models lists the names that are known")
    if path.stat().st_size > LARGEST:
        raise ModelError(
            f"{path}: larger than any npfill model", "npfill models lists what is known"
        )


def refuse_pickled(name: str) -> None:
    """Refuse a file whose name says that it is a pickle.

    Raises:
        ModelError: It does.
    """
    if Path(name).suffix.lower() in _PICKLED:
        raise ModelError(
            f"{name}: pickled weights can run any code and are not read",
            "convert them to .safetensors with the library that wrote them",
        )


def sha256_of(path: Path) -> str:
    """The hash of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def mismatch(path: Path, size: int, sha256: str) -> str:
    """How a file differs from the one that is meant; nothing where it is that one.

    Args:
        path: The file.
        size: The bytes it should have.
        sha256: The hash it should have, in hex.
    """
    actual = path.stat().st_size
    if actual != size:
        return f"{actual} bytes, not {size}"
    digest = sha256_of(path)
    return "" if digest == sha256 else f"sha256 is {digest}, not {sha256}"
