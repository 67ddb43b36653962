"""Results that are folders: stores of zarr; and names that mean a folder."""

import os
import re
import secrets
import shutil
import time
import zipfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from npfill.errors import InputError, OverwriteError
from npfill.files import FOLDER, STDIO, write_bytes

_WRITING = 86_400.0  # seconds in which a folder is written, which cannot be locked
_STORES = ("zarr.json", ".zgroup", ".zarray")  # files of which a store has one


def is_store(path: Path) -> bool:
    """True of the folder of a zarr store."""
    return any(os.path.isfile(path / name) for name in _STORES)  # noqa: PTH113 - raises nothing


def write(path: Path, content: bytes, *, overwrite: bool = True, like: Path | None = None) -> None:
    """Write a file as `write_bytes` does; or where its suffix is .zarr, a folder.

    The content of a folder is a zip archive of it. It is at no time half there; one that is
    replaced is gone for a moment. What a run that was killed has left goes after a day.
    """
    if path.suffix != FOLDER:
        write_bytes(path, content, overwrite=overwrite, like=like)
        return
    for left in path.parent.glob(".npfill-*.parts"):  # by a run that was killed
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _WRITING:
                shutil.rmtree(left)
    temporary = path.with_name(f".npfill-{secrets.token_hex(6)}.parts")
    new, old = temporary / "new", temporary / "old"
    try:
        hidden = ~like.stat().st_mode & 0o044 if like is not None and like.exists() else 0
        new.mkdir(0o777 & ~(hidden | hidden >> 1 | hidden >> 2), parents=True)
        with zipfile.ZipFile(BytesIO(content)) as archive:
            archive.extractall(new)
        if os.path.lexists(path):
            if not overwrite:
                raise OverwriteError(f"{path}: exists", "`overwrite=True` replaces it")
            path.rename(old)
        new.rename(path)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error})",
            "`output` names another file or folder",
        ) from None
    finally:
        with suppress(OSError):  # as where the new one has its place
            old.rename(path)
        shutil.rmtree(temporary, ignore_errors=True)


def file_of(output: str | Path | None) -> Path | None:
    """The one file that `output` names, or `-`; None where it names a folder, or is None.

    A folder is what ends in a slash, is one and no store, or has no suffix, as `results_v1.0`.
    """
    if output is None:
        return None
    path = Path(output)
    is_file = re.fullmatch(r"\.[^\W\d]\w*", path.suffix) and not str(output).endswith(("/", os.sep))
    return path if path == STDIO or (is_file and (not path.is_dir() or is_store(path))) else None
