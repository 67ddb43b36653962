"""The Hugging Face cache of this user: files are found, put and removed."""

import os
from pathlib import Path

from npfill.errors import ModelError
from npfill.files import write_bytes
from npfill.hub.address import Address
from npfill.hub.client import library


def root() -> Path:
    """The Hugging Face cache of this user."""
    return Path(library().constants.HF_HUB_CACHE).expanduser().absolute()


def cached(address: Address) -> Path | None:
    """A file in the cache; None if it is not there. The network is never asked."""
    found = library().try_to_load_from_cache(
        address.repo, address.file, cache_dir=root(), revision=address.revision
    )
    return Path(found) if isinstance(found, str) else None


def place(address: Address) -> Path | None:
    """The place of a file in the cache, be it there or not; None if its commit is not known."""
    return _place(address, address.revision) if address.pinned else cached(address)


def remove(address: Address) -> int:
    """Take a file out of the cache, and nothing else.

    Returns:
        The number of bytes that this frees.

    Raises:
        ModelError: The system does not let it be removed.
    """
    path = cached(address)
    if path is None:
        return 0
    freed, blobs = path.stat().st_size, _storage(address) / "blobs"
    # A name in a snapshot is a link to the content, where another program has downloaded it.
    content = Path(os.path.normpath(path.parent / path.readlink())) if path.is_symlink() else None
    try:
        path.unlink()
        if content is not None and content.parent == blobs:
            content.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot be removed ({error.strerror})", "remove it") from None
    return freed


def store(address: Address, commit: str, content: bytes) -> Path:
    """Put a file of a commit into the cache, in place of one that is there."""
    path = _place(address, commit)
    write_bytes(path, content)
    if not address.pinned:
        write_bytes(_storage(address) / "refs" / address.revision, commit.encode())
    return path


def _storage(address: Address) -> Path:
    """The folder of a repository in the cache."""
    return root() / f"models--{address.repo.replace('/', '--')}"


def _place(address: Address, commit: str) -> Path:
    return _storage(address) / "snapshots" / commit / address.file
