"""An address of a file on the Hugging Face Hub."""

import re
from dataclasses import dataclass

from npfill.errors import ModelError
from npfill.files import refuse_pickled

PREFIX, _ALIAS = "hf://", "hf:"
_ADDRESS = re.compile(
    r"(\w[\w.-]*/\w[\w.-]*)"  # owner/repo
    r"(?:@(\w[\w.-]*))?"  # @revision
    r"/((?:[\w-][\w.-]*/)*[\w-][\w.-]*\.safetensors)",  # /folder/file
    re.ASCII,
)
_LONGEST = 500
COMMIT = re.compile(r"[0-9a-f]{40}")


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


def is_address(name: str) -> bool:
    """True for what begins like an address on the Hub."""
    return name.startswith(_ALIAS)


def parse(text: str) -> Address:
    """Read `hf://owner/repo@revision/file.safetensors`; without a revision, that of `main`.

    Raises:
        ModelError: It is no such address, or that of a pickle.
    """
    refuse_pickled(text)
    match = _ADDRESS.fullmatch(text.removeprefix(_ALIAS).removeprefix("//"))
    if match is None or len(text) > _LONGEST:
        raise ModelError(
            f"{text[:_LONGEST]}: not an address on the Hub",
            f"{PREFIX}owner/repo@revision/file.safetensors is one",
        )
    repo, revision, file = match.groups()
    return Address(repo, revision or "main", file)
