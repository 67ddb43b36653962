"""Files come into being whole or not at all, and never in the place of another unasked."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from npfill.errors import InputError, OverwriteError


def refuse_existing(paths: Sequence[Path], overwrite: bool) -> None:
    """Check, before any work is done, that nothing is in the way of what will be written.

    Raises:
        OverwriteError: A path exists, be it a link to nowhere, and `overwrite` is not set.
    """
    existing = [path for path in paths if os.path.lexists(path)]
    if existing and not overwrite:
        others = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise OverwriteError(f"{existing[0]}{others}: exists", "--overwrite replaces it")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that is at no time half there; an existing one is replaced.

    A missing folder is made. Whatever interrupts the writing, nothing is left behind.

    Raises:
        InputError: The system does not let it be written.
    """
    # The suffix of the target is not kept: a picture viewer must not pick a half-written file up.
    temporary = path.with_name(f".npfill-{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error})",
            "--output names another file or folder",
        ) from None
