"""The pictures of a folder or pattern: one set of rules, whatever the pictures are for."""

import glob
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath

from npfill.errors import InputError
from npfill.pictures.stores import is_store

# What systems and programs put beside pictures, in lower case; names that begin with a dot, too.
_OF_SYSTEMS = {
    "__macosx", "icon\r",
    "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information",
    "@eadir", "#recycle", "#snapshot", "@recycle", "lost+found",
    "thumbs", "thumbnails",
}  # fmt: skip
_AGAIN = "links to folders that are looked into already"
_SHOWN = 6


@dataclass(frozen=True)
class Listing:
    """Files, told apart by their names.

    Attributes:
        pictures: The pictures, by name.
        others: The number of other files by what they are, as `kind_of` says.
    """

    pictures: list[Path]
    others: Counter[str]

    @classmethod
    def of(cls, files: Iterable[Path], base: Path, suffixes: Collection[str]) -> "Listing":
        """Tell files below a folder apart."""
        listing = cls([], Counter())
        for file in sorted(files):
            kind = kind_of(file.relative_to(base), suffixes)
            if kind:
                listing.others[kind] += 1
            else:
                listing.pictures.append(file)
        return listing


def kind_of(path: PurePath, suffixes: Collection[str]) -> str:
    """The kind of a file by its path below a folder: "" for a picture.

    For others, "hidden", the name that a system or program gives its own files, or the suffix.
    """
    for part in path.parts:
        if _is_left_alone(part):
            return "hidden" if part.startswith((".", "~$")) else part
    suffix = path.suffix.lower()
    return "" if suffix in suffixes else suffix or "without a suffix"


def is_of_system(name: str) -> bool:
    """Tell whether a system or a program puts files or folders of a name beside pictures.

    On disks that are not its own, macOS puts a `._photo.jpg` beside each `photo.jpg`.
    """
    return name.startswith("._") or name.casefold() in _OF_SYSTEMS


def _is_left_alone(name: str) -> bool:
    return name.startswith((".", "~$")) or is_of_system(name)


def in_words(counts: Counter[str]) -> str:
    """Numbers of files by what they are in words, such as ".txt (2), hidden (1)"; "" for none."""
    ordered = sorted(counts, key=lambda kind: (-counts[kind], kind.casefold()))
    shown = [f"{kind} ({counts[kind]:,})" for kind in ordered[:_SHOWN]]
    return ", ".join(shown + ["and others"] * (len(counts) > _SHOWN))


def in_folder(folder: Path, suffixes: Collection[str], *, recursive: bool) -> Listing:
    """List the pictures of a folder, whose own name is no matter.

    Args:
        folder: The folder.
        suffixes: The suffixes of pictures, in lower case with their dot.
        recursive: Look into the folders below it, too, and into those that links lead to; into
            each once.

    Raises:
        InputError: A folder cannot be looked into.
    """
    beside: Counter[str] = Counter()
    listing = Listing.of(_walk(folder, beside, recursive=recursive), folder, suffixes)
    listing.others.update(beside)
    return listing


def of_pattern(pattern: str, suffixes: Collection[str]) -> Listing:
    """List the pictures that a pattern names, by the rules of a folder; `**` is any folders.

    A part of it that is the name of a folder is that folder, whatever `[1]` and `*` would match.

    Raises:
        InputError: A folder cannot be looked into.
    """
    parts = Path(pattern).parts
    plain = 0
    while plain < len(parts) - 1 and Path(*parts[: plain + 1]).is_dir():
        plain += 1
    base, wanted = Path(*parts[:plain]), parts[plain:]
    found: Iterable[Path]
    if "**" in wanted and base.is_dir():
        walked = _walk(base, Counter(), recursive=True)
        found = (file for file in walked if _matches(file.relative_to(base).parts, wanted))
    else:
        matches = glob.glob(str(Path(*wanted)), root_dir=base)  # noqa: PTH207 - of strings
        paths = map(base.joinpath, matches)
        found = (path for path in paths if not path.is_dir() or is_store(path))
    return Listing.of(found, base, suffixes)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Tell whether the parts of a path match those of a pattern."""
    if not (parts and pattern):
        return not parts and all(each == "**" for each in pattern)
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or _matches(parts[1:], pattern)
    return fnmatch(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _walk(top: Path, beside: Counter[str], *, recursive: bool) -> Iterator[Path]:
    """The files and zarr stores below a folder; other folders not looked into are counted."""
    seen = {str(parent) for parent in Path(os.path.realpath(top)).parents}
    waiting = [top]
    for start in waiting:  # links, once all folders that are none have been seen
        for place, folders, names in os.walk(start, onerror=_refuse):
            real = os.path.realpath(place)
            stores = {name for name in folders if is_store(Path(place, name))}
            below = [] if real in seen or not recursive else sorted({*folders} - stores)
            folders[:] = [name for name in below if not _is_left_alone(name)]
            if real in seen:
                beside[_AGAIN] += 1
                continue
            seen.add(real)
            beside.update(kind_of(PurePath(name), ()) for name in below if name not in folders)
            links = [Path(place, name) for name in folders]
            waiting += [link for link in links if link.is_symlink()]
            yield from (Path(place, name) for name in (*names, *stores))


def _refuse(error: OSError) -> None:
    problem = f"{error.filename}: cannot be looked into ({error.strerror})"
    raise InputError(problem, "check its permissions") from None
