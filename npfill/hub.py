"""Weights on the Hugging Face Hub: an address, the local cache and the network."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npfill.errors import ModelError
from npfill.files import LARGEST, refuse_pickled

PREFIX = "hf:"
_ADDRESS = re.compile(
    r"hf:(\w[\w.-]*/\w[\w.-]*)"  # owner/repo
    r"(?:@(\w[\w.-]*))?"  # @revision
    r"/((?:[\w-][\w.-]*/)*[\w-][\w.-]*)",  # /folder/file
    re.ASCII,
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
HUB = "https://huggingface.co"


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
        """Whether the revision is a whole commit, which can never be another."""
        return bool(_COMMIT.fullmatch(self.revision))


def parse(text: str) -> Address:
    """The address that `hf:owner/repo[@revision]/file.safetensors` says; by default of `main`.

    Raises:
        ModelError: It is no such address, or that of a pickle.
    """
    refuse_pickled(text)
    match = _ADDRESS.fullmatch(text)
    if match is None or not text.endswith(".safetensors"):
        raise ModelError(
            f"{text}: not an address on the Hub", "hf:owner/repo[@revision]/file.safetensors is one"
        )
    repo, revision, file = match.groups()
    return Address(repo, revision or "main", file)


def cache() -> Path:
    """The Hugging Face cache of this user."""
    return Path(_client().constants.HF_HUB_CACHE).expanduser().absolute()


def offline() -> bool:
    """Whether the user wants no connections."""
    return bool(_client().constants.HF_HUB_OFFLINE)


def place(address: Address) -> Path | None:
    """Where a file is in the cache, or would be; None where its commit is not known yet."""
    storage = _storage(address)
    commit, reference = address.revision, storage / "refs" / address.revision
    if not address.pinned:
        if not reference.is_file():
            return None
        commit = reference.read_text("utf-8")
    return storage / "snapshots" / commit / address.file


def cached(address: Address) -> Path | None:
    """A file in the cache; None if it is not there. The network is never asked."""
    path = place(address)
    return path if path is not None and path.is_file() else None


def remove(address: Address) -> int:
    """Take a file out of the cache, and nothing else; answers how many bytes that frees.

    Raises:
        ModelError: The system does not let it be removed.
    """
    path = place(address)
    if path is None or not path.is_file():
        return 0
    freed, blobs = path.stat().st_size, _storage(address) / "blobs"
    # A name in a snapshot is a link to the content, where the system has links.
    content = Path(os.path.normpath(path.parent / path.readlink())) if path.is_symlink() else None
    try:
        path.unlink()
        if content is not None and content.parent == blobs:
            content.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot be removed ({error.strerror})", "remove it") from None
    return freed


def fetch(address: Address, *, again: bool = False) -> Path:
    """Download a file into the cache.

    Args:
        address: What.
        again: Even if it is in the cache.

    Raises:
        ModelError: It cannot be had, or is larger than any model.
    """
    client = _client()
    endpoint = (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    if offline():
        raise _unavailable(address, "not in the cache, and HF_HUB_OFFLINE is set", "unset it")
    # The user's token, if there is one, is for the Hub; a mirror is not sent it.
    said = {"token": None if endpoint == HUB else False, "library_name": "npfill"}
    try:
        # Asked first, once: the download itself would try for minutes before it says why not.
        url = client.hf_hub_url(
            address.repo, address.file, revision=address.revision, endpoint=endpoint
        )
        timeout = client.constants.HF_HUB_ETAG_TIMEOUT
        size = client.get_hf_file_metadata(url, timeout=timeout, **said).size
        if size is not None and size > LARGEST:
            raise ModelError(f"{address}: larger than any npfill model", "name another file")
        path = client.hf_hub_download(
            address.repo,
            address.file,
            revision=address.revision,
            endpoint=endpoint,
            force_download=again,
            **said,
        )
    # The errors of every HTTP library that huggingface_hub has been built on.
    except (OSError, ValueError, *client.errors.HfHubHTTPError.__bases__) as error:
        if getattr(error, "response", None) is not None:
            why, advice = _refusal(address, endpoint, error, client.errors)
        else:
            why, advice = _failure(endpoint, error)
        raise _unavailable(address, why, advice) from error
    return Path(path)


def _client() -> Any:
    """The library huggingface_hub, with no word to anyone about who uses it.

    Raises:
        ModelError: A setting of its own in the environment is not one.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Plain HTTP passes proxies and mirrors; a few megabytes need nothing faster.
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    try:
        import huggingface_hub as client  # noqa: PLC0415 - bundled weights need none

        client.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise ModelError(f"a variable HF_... is wrong ({error})", "correct or unset it") from None
    return client


def _storage(address: Address) -> Path:
    """The folder of a repository in the cache."""
    return cache() / f"models--{address.repo.replace('/', '--')}"


def _unavailable(address: Address, why: str, advice: str) -> ModelError:
    copied = f"copy it to where npfill models path {address} says, or " if address.pinned else ""
    return ModelError(f"{address}: {why}", f"{advice}; or, by hand, {copied}use it as -m FILE")


def _refusal(address: Address, endpoint: str, error: Any, errors: Any) -> tuple[str, str]:
    """Why a server does not give a file, and what to do about it."""
    status = error.response.status_code
    if isinstance(error, errors.GatedRepoError):
        return (
            "its owner wants terms accepted first",
            f"accept them at {HUB}/{address.repo} and set HF_TOKEN, which is sent to no mirror",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return "no such repository, or a private one", "look at its name; HF_TOKEN opens your own"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"the repository has no revision {address.revision}", "name another"
    if status == 404:
        return "the repository has no such file", "look at its name and revision"
    if status == 429:
        return f"{endpoint} is asked too often (429)", "wait a few minutes"
    return f"{endpoint} answers {status}", "try later"


def _failure(endpoint: str, error: Exception) -> tuple[str, str]:
    """Why a file did not come, and what to do about it."""
    if "Timeout" in type(error).__name__:
        return f"{endpoint} does not answer in time", "try later, or raise HF_HUB_DOWNLOAD_TIMEOUT"
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    if "Consistency check" in text:
        return "the file came short", "try again"
    return (
        f"cannot be had from {endpoint} ({text})",
        "look at the network, HTTPS_PROXY and HF_ENDPOINT",
    )
