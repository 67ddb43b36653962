"""Downloads from the Hugging Face Hub.

A server is trusted with the content of a file alone: nothing that it says becomes a path, and no
more is downloaded than it stated. (`hf_hub_download` writes to where an ETag says.)
"""

import hashlib
import os
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from npfill.errors import ModelError
from npfill.files import LARGEST
from npfill.hub import COMMIT, Address, library, offline, shown, store

_ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HOST = re.compile(r"[\w.:-]+", re.ASCII)
_ATTEMPTS = 5
# Bytes a second; a connection that gives fewer, after a while, stands still.
_SLOWEST = 2000
HUB = "https://huggingface.co"
# Why a server refuses, by the name of the error or the status, and a way out.
_REFUSALS = (
    (
        "GatedRepoError",
        "its owner wants terms accepted first",
        f"accept them at {HUB}/{{address.repo}} and set HF_TOKEN, which is sent to no mirror",
    ),
    (
        "RepositoryNotFoundError",
        "no such repository, or a private one",
        "look at its name; HF_TOKEN opens your own",
    ),
    ("RevisionNotFoundError", "the repository has no revision {address.revision}", "name another"),
    ("404", "the repository has no such file", "look at its name and revision"),
    ("429", "{endpoint} is asked too often (429)", "wait a few minutes"),
)


def fetch(address: Address, *, size: int | None = None) -> Path:
    """Download a file, of `size` bytes if they are known, into the cache in place of one there.

    Raises:
        ModelError: It cannot be had, or is larger than the server stated, or than any model.
    """
    client, endpoint = library(), _endpoint()
    if offline():
        names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
        name = next(filter(os.environ.get, names), names[0])
        raise _unavailable(address, f"not in the cache, and {name} is set", "unset it")
    try:
        commit, content = _asked(client, address, endpoint, size)
    except ModelError:
        raise
    except Exception as error:  # whatever HTTP libraries raise at what servers say
        why, advice = _reason(address, endpoint, error)
        raise _unavailable(address, shown(why), advice) from error
    return store(address, commit, content)


def _asked(client: Any, address: Address, endpoint: str, size: int | None) -> tuple[str, bytes]:
    """The commit and the content that a server has for an address."""
    # The user's token, if there is one, is for the Hub; a mirror is not sent it.
    said = {"token": None if endpoint == HUB else False, "library_name": "npfill"}
    url = client.hf_hub_url(
        address.repo, address.file, revision=address.revision, endpoint=endpoint
    )
    timeout = client.constants.HF_HUB_ETAG_TIMEOUT
    stated = client.get_hf_file_metadata(url, timeout=timeout, **said)
    for word, pattern in ((stated.commit_hash, COMMIT), (stated.etag, _ETAG)):
        if word and not pattern.fullmatch(word):
            raise ValueError(f"it names {word[:80]!r} as a commit or content")
    commit = address.revision if address.pinned else stated.commit_hash
    if not commit:
        raise ValueError("it names no commit")
    if (stated.size or 0) > LARGEST:
        raise ModelError(f"{address}: larger than any npfill model", "name another file")
    headers = client.utils.build_hf_headers(**said) | {"Accept-Encoding": "identity"}
    content = _download(client, url, headers, stated, size)
    if content[8:9] != b"{":
        raise ValueError("it sends something else than a .safetensors file")
    return commit, content


def _download(
    client: Any, url: str, headers: dict[str, str], stated: Any, size: int | None
) -> bytes:
    """The content at an address; a connection that breaks is made anew, a few times."""
    limit = stated.size or size or LARGEST
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _content(client, url, headers, stated, limit)
        # The errors of the HTTP library that huggingface_hub is built on.
        except client.errors.HfHubHTTPError.__bases__ as error:
            if attempt == _ATTEMPTS or getattr(error, "response", None) is not None:
                raise
        time.sleep(attempt / 2)
    raise AssertionError("the last attempt returns or raises")


def _content(client: Any, url: str, headers: dict[str, str], stated: Any, limit: int) -> bytes:
    """One attempt, which fails where the server sends too much, too little, or too slowly."""
    timeout, content = client.constants.HF_HUB_DOWNLOAD_TIMEOUT, bytearray()
    session, began = client.utils.get_session(), time.monotonic()
    with session.stream("GET", url, headers=headers, timeout=timeout) as response:
        client.utils.hf_raise_for_status(response)
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > limit:
                raise ValueError(f"it sends more than the {limit} bytes that it stated")
            if (time.monotonic() - began - timeout) * _SLOWEST > len(content):
                raise TimeoutError
    if len(content) < (stated.size or 0):
        raise ConnectionError("the file came short")
    digest = hashlib.sha256(content).hexdigest()
    if len(stated.etag or "") == len(digest) and digest != stated.etag:
        raise ConnectionError(f"its sha256 is {digest}, not {stated.etag} as it stated")
    return bytes(content)


def _endpoint() -> str:
    """The Hub or the mirror that the user names.

    Raises:
        ModelError: It is no address.
    """
    endpoint = (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname if parts.scheme in {"http", "https"} and parts.port != 0 else None
    except ValueError:
        host = None
    if not _HOST.fullmatch(host or ""):
        raise ModelError(f"HF_ENDPOINT is no address: {shown(endpoint)}", f"{HUB} is one")
    return endpoint


def _unavailable(address: Address, why: str, advice: str) -> ModelError:
    copied = f"copy it to where npfill models path {address} says, or " if address.pinned else ""
    hint = f"{advice}; or download it by hand, and {copied}use it as `model=FILE`"
    return ModelError(f"{address}: {why}", hint)


def _reason(address: Address, endpoint: str, error: Exception) -> tuple[str, str]:
    """The reason why a file does not come, and a way out."""
    response, kind = getattr(error, "response", None), type(error).__name__
    if response is not None:
        status = response.status_code
        for word, why, advice in _REFUSALS:
            if word in {kind, str(status)}:
                known = {"address": address, "endpoint": endpoint}
                return why.format(**known), advice.format(**known)
        return f"{endpoint} answers {status}", "try later"
    if "Timeout" in kind:
        return f"{endpoint} does not answer in time", "try later, or raise HF_HUB_DOWNLOAD_TIMEOUT"
    text = (str(error).strip() or kind).splitlines()[0]
    return (
        f"cannot be had from {endpoint} ({text})",
        "look at the network, HTTPS_PROXY and HF_ENDPOINT",
    )
