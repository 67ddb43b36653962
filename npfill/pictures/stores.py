"""Results that are folders: stores of zarr."""

import secrets
import shutil
import zipfile
from io import BytesIO
from pathlib import Path

from npfill.errors import InputError, OverwriteError
from npfill.files import FOLDER, write_bytes


def write(path: Path, content: bytes, *, overwrite: bool = True, like: Path | None = None) -> None:
    """Write a file as `write_bytes` does; or where its suffix is .zarr, a folder.

    The content of a folder is a zip archive of it. It is at no time half there; one that is
    replaced is gone for a moment.
    """
    if path.suffix != FOLDER:
        write_bytes(path, content, overwrite=overwrite, like=like)
        return
    temporary = path.with_name(f".npfill-{secrets.token_hex(6)}.parts")
    try:
        try:
            with zipfile.ZipFile(BytesIO(content)) as archive:
                archive.extractall(temporary)
            if path.exists():
                if not overwrite:
                    raise OverwriteError(f"{path}: exists", "`overwrite=True` replaces it")
                shutil.rmtree(path)
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error})",
            "`output` names another file or folder",
        ) from None
