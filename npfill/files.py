"""Files: atomic writes, refusals to overwrite, JSON, hashes, and the folders that ship."""

import hashlib
import json
import math
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from npfill.errors import InputError, ModelError, OverwriteError, UsageError

STDIO = Path("-")  # stdin or stdout, in place of a file
FOLDER = ".zarr"  # the suffix of results that are folders
LARGEST = 256 * 2**20
_ELSEWHERE = "`output` names another file or folder"
_PICKLED = {".pt", ".pth", ".ckpt", ".bin", ".pkl"}
_PACKAGE = Path(__file__).parent
_CREATING = 0.2  # seconds in which a file that was made is locked
_seen: set[Path] = set()  # the folders without anything left by runs that were killed

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def refuse_results(paths: Sequence[Path], overwrite: bool) -> None:
    """Check, before any work is done, that every result can be written and replaces nothing.

    Raises:
        OverwriteError: A path exists, be it a link to nowhere, and `overwrite` is not set.
        InputError: A folder stands where a file should, or the other way round, or is read-only;
            or a pipe or device does; or its name is too long.
    """
    paths = [path for path in paths if path != STDIO]
    existing = [path for path in paths if os.path.lexists(path)]
    if existing and not overwrite:
        others = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise OverwriteError(f"{existing[0]}{others}: exists", "`overwrite=True` replaces it")
    for path in paths:
        parent = next(parent for parent in path.parents if os.path.lexists(parent))
        if not parent.is_dir():
            is_device = str(parent).startswith("/dev/")  # a link to any file, perhaps
            hint = "`output=-` writes to stdout" if is_device else "`output=DIR/`"
            raise InputError(f"{parent}: not a folder, nothing can be written in it", hint)
        if not os.access(parent, os.W_OK | os.X_OK):
            raise InputError(f"{parent}: no permission to write there", _ELSEWHERE)
        try:
            new = map(os.fsencode, path.parts[len(parent.parts) :])
            (parent / os.fsdecode(max(new, key=len))).lstat()  # where its name may be too long
        except FileNotFoundError:
            continue
        except OSError as error:
            problem = f"{path}: cannot be written ({error.strerror})"
            raise InputError(problem, "rename the picture, or name another `output`") from None
        if path.exists() and not (path.is_dir() if path.suffix == FOLDER else path.is_file()):
            kind = "folder" if path.is_dir() else "file" if path.is_file() else "pipe or device"
            raise InputError(f"{path}: a {kind} has this name", _ELSEWHERE)


def refuse_inputs(paths: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Check that no result would be written over an input, whatever may be replaced.

    Raises:
        UsageError: A result would be.
    """
    # The numbers of the file and of its device: all links to it have the same.
    given = {path.stat()[1:3] for path in inputs if path.exists()}
    for path in paths:
        if os.path.lexists(path) and path != STDIO and path.exists() and path.stat()[1:3] in given:
            raise UsageError(f"{path}: is an input and would be lost", _ELSEWHERE)


def write_bytes(
    path: Path, content: bytes, *, overwrite: bool = True, like: Path | None = None
) -> None:
    """Write a file that is at no time half there, or to stdout where the path is `-`.

    A missing folder is made. Whatever interrupts the writing, nothing is left behind; what a run
    that was killed has left goes with the next file that is written into the folder. A file that is
    replaced keeps its permissions.

    Args:
        path: The file.
        content: Its bytes.
        overwrite: Replace a file that exists at the moment of writing.
        like: A new file gives nobody more permissions than this one does.

    Raises:
        OverwriteError: It exists, and may not be replaced.
        InputError: The system does not let it be written.
    """
    if path == STDIO:
        _write_to_stdout(content)
        return
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(f"{path}: a pipe or device", _ELSEWHERE)
        mode = 0o666
        if path.exists():
            mode = stat.S_IMODE(path.stat().st_mode)
        elif like is not None and like.exists():  # a store is a folder
            mode &= like.stat().st_mode | 0o600
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(path.parent)
        # The suffix of the target is not kept: no viewer must pick a half-written file up.
        temporary = path.with_name(f".npfill-{secrets.token_hex(6)}.part")
        try:
            with open(temporary, "xb", opener=partial(os.open, mode=mode)) as file:
                lock(file.fileno())
                if path.exists():
                    os.chmod(temporary, mode)  # noqa: PTH101 - whatever the umask
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if overwrite:
                temporary.replace(path)
            else:
                put(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error})",
            "free space, or name another file or folder",
        ) from None


def put(temporary: Path, path: Path) -> None:
    """Give a file its name, if no other has it.

    Raises:
        OverwriteError: One has.
    """
    try:
        try:
            path.hardlink_to(temporary)
        except (FileExistsError, FileNotFoundError):
            raise
        except OSError:  # this file system has no links
            path.open("xb").close()
            temporary.replace(path)
    except FileExistsError:
        raise OverwriteError(f"{path}: exists", "`overwrite=True` replaces it") from None


def _write_to_stdout(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the reader has had enough, which is no error of ours
        raise
    except OSError as error:
        raise InputError(
            f"stdout: cannot be written ({error.strerror})", "`output` names a file or folder"
        ) from None


def lock(file: int, *, wait: bool = True) -> bool | None:
    """Lock an open file; False if another process has it, None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        return False if isinstance(error, BlockingIOError) else None
    return True


def _remove_left(folder: Path) -> None:
    """Remove what runs that were killed have left in a folder, once in a process."""
    if (place := folder.absolute()) in _seen:
        return
    _seen.add(place)
    for part in folder.glob(".npfill-*.part"):
        with suppress(OSError), part.open("r+b") as file:
            if time.time() - part.stat().st_mtime > _CREATING and lock(file.fileno(), wait=False):
                part.unlink()


def json_text(value: object, **layout: Any) -> str:
    """JSON, with null for the floats that it has not: NaN and infinities.

    Args:
        value: Plain values, and numbers of NumPy.
        layout: As of `json.dumps`.
    """
    return json.dumps(_finite(value), allow_nan=False, default=lambda one: one.item(), **layout)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def refuse_weights(path: Path) -> None:
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
    """Describe how a file differs from that of a size in bytes and a hash in hex; "" if not."""
    actual = path.stat().st_size
    if actual != size:
        return f"{actual} bytes, not {size}"
    digest = sha256_of(path)
    return "" if digest == sha256 else f"sha256 is {digest}, not {sha256}"


def folder(name: str) -> Path:
    """`pretrained` or `train`: inside an installed wheel, else at the top of the source tree."""
    installed = _PACKAGE / "shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
