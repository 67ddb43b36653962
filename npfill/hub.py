"""Weights on the Hugging Face Hub: their addresses, and the cache of this user."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npfill.errors import ModelError
from npfill.files import refuse_pickled, write_bytes

PREFIX, ALIAS = "hf://", "hf:"  # how addresses begin
_ADDRESS = re.compile(
    r"(\w[\w.-]*/\w[\w.-]*)"  # owner/repo
    r"(?:@(\w[\w.-]*))?"  # @revision
    r"/((?:[\w-][\w.-]*/)*[\w-][\w.-]*\.safetensors)",  # /folder/file
    re.ASCII,
)
_LONGEST = 500
COMMIT = re.compile(r"[0-9a-f]{40}")
_SECRET = re.compile(r"//[^/\s]*@")


@dataclass(frozen=True)
class Address:
    """A file in a repository on the Hub.

    Attributes:
        repo: `owner/repo`.
        revision: A commit, a tag or a branch.
        file: The file's path in the repository.
    """

    repo: str
    revision: str
    file: str

    def __str__(self) -> str:
        return f"{PREFIX}{self.repo}@{self.revision}/{self.file}"

    @property
    def pinned(self) -> bool:
        """True for a whole commit, which can never be another."""
        return bool(COMMIT.fullmatch(self.revision))


def parse(text: str) -> Address:
    """Read `hf://owner/repo@revision/file.safetensors`; without a revision, that of `main`.

    Raises:
        ModelError: It is no such address, or that of a pickle.
    """
    refuse_pickled(text)
    match = _ADDRESS.fullmatch(text.removeprefix(ALIAS).removeprefix("//"))
    if match is None or len(text) > _LONGEST:
        raise ModelError(
            f"{text[:_LONGEST]}: not an address on the Hub",
            f"{PREFIX}owner/repo@revision/file.safetensors is one",
        )
    repo, revision, file = match.groups()
    return Address(repo, revision or "main", file)


def root() -> Path:
    """The Hugging Face cache of this user."""
    # `Path.expanduser` raises where the user has neither a home nor a name, as in many containers.
    return Path(os.path.expanduser(library().constants.HF_HUB_CACHE)).absolute()  # noqa: PTH111


def cached(address: Address) -> Path | None:
    """A file in the cache; None if it is not there. The network is never asked."""
    found = library().try_to_load_from_cache(
        address.repo, address.file, cache_dir=root(), revision=address.revision
    )
    return Path(found) if isinstance(found, str) else None


def place(address: Address) -> Path | None:
    """The place of a file in the cache, be it there or not; None if its commit is not known."""
    return _place(address, address.revision) if address.pinned else cached(address)


def remove(address: Address) -> int | None:
    """Take a file out of the cache, and nothing else.

    Returns:
        The number of bytes that this frees, 0 where another name leads to them, too; None where
        the file is not there.

    Raises:
        ModelError: The system does not let it be removed.
    """
    path = cached(address)
    if path is None:
        return None
    size, storage = path.stat().st_size, _storage(address)
    # Where another program has downloaded it, its name in a snapshot is a link to the content, to
    # which names of other commits may lead, too.
    content = Path(os.path.normpath(path.parent / path.readlink())) if path.is_symlink() else path
    try:
        path.unlink()
        others = (each for each in (storage / "snapshots").rglob("*") if each.is_symlink())
        is_shared = content.name in {other.readlink().name for other in others}
        if content.parent == storage / "blobs" and not is_shared:
            content.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot be removed ({error.strerror})", "remove it") from None
    return 0 if content.exists() else size


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


def library() -> Any:
    """The library huggingface_hub, with no word to anyone about who uses it.

    Raises:
        ModelError: A setting of its own in the environment is not one.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import huggingface_hub.errors  # noqa: PLC0415 - bundled weights need none of it

        huggingface_hub.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    except ValueError as error:
        text, values = shown(str(error)), os.environ.items()
        names = [name for name, value in values if name.startswith("HF_") and repr(value) in text]
        which = " or ".join(names) or "a variable HF_..."
        raise ModelError(f"{which} is wrong ({text})", "correct or unset it") from None
    return huggingface_hub


def offline() -> bool:
    """True where the user wants no connections."""
    return bool(library().constants.HF_HUB_OFFLINE)


def shown(text: str) -> str:
    """A text without the names and passwords in its addresses."""
    return _SECRET.sub("//", text)
