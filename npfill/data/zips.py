"""Zips of pictures, nothing in which is trusted; and what a set of pictures consists of."""

import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, TypeVar
from zipfile import ZipFile, ZipInfo

from PIL import Image

from npfill.errors import InputError
from npfill.pictures.folders import kind_of
from npfill.pictures.formats import picture_suffixes
from npfill.pictures.read import MAX_PIXELS, from_bytes, refusals

Item = TypeVar("Item")

# Pictures do not shrink so many times when they are packed; what does is made to fill a memory.
# Little is always unpacked, and no picture's file is larger than its pixels at 64 bits.
_MOST_TIMES, _LITTLE, _LARGEST = 200, 64 * 2**20, 8 * MAX_PIXELS
AGAIN = "copy it again"


@dataclass(frozen=True)
class Entry:
    """One picture of a set: its name in messages, and what reads it."""

    name: str
    read: Callable[[], Image.Image]


def is_picture(name: PurePath) -> bool:
    """Tell by a file's name whether it is a picture; what is hidden or a system's is none."""
    return not kind_of(name, picture_suffixes())


def interleaved(items: Iterable[Item], name: Callable[[Item], PurePath]) -> list[Item]:
    """Sort by name, those of several folders evenly mixed: the last of a set are held out of it."""
    ordered = sorted(items, key=name)
    sizes = Counter(name(item).parent for item in ordered)
    seen: Counter[PurePath] = Counter()
    places = []
    for item in ordered:
        folder = name(item).parent
        places.append((seen[folder] + 0.5) / sizes[folder])
        seen[folder] += 1
    order = sorted(range(len(ordered)), key=places.__getitem__)
    return [ordered[at] for at in order]


def in_zip(path: Path) -> Sequence[Entry]:
    """Pictures of a zip, in whatever folders of it.

    Raises:
        InputError: It is not readable, or made to fill a memory.
    """
    archive = archive_of(path)
    found = [info for info in archive.infolist() if not info.is_dir() and is_picture(name_of(info))]
    return [
        Entry(f"{path}:{info.filename}", partial(_picture_of, archive, info, path))
        for info in interleaved(found, name_of)
    ]


def beside_in_zip(path: Path) -> Counter[str]:
    """The number of files in a zip that are no pictures, by what they are."""
    with archive_of(path) as archive:
        names = [name_of(info) for info in archive.infolist() if not info.is_dir()]
    return Counter(filter(None, (kind_of(name, picture_suffixes()) for name in names)))


def name_of(info: ZipInfo) -> PurePosixPath:
    """The name of a file in a zip with its folders, whose signs some of Windows's programs turn."""
    return PurePosixPath(info.filename.replace("\\", "/"))


def archive_of(path: Path) -> ZipFile:
    """A zip, its entries' sizes being those of parts of the file."""
    with refusals(str(path), AGAIN):
        archive = ZipFile(path)
    if sum(info.compress_size for info in archive.infolist()) > path.stat().st_size:
        raise InputError(f"{path}: a zip whose entries overlap", "zip the pictures again")
    return archive


@contextmanager
def member(archive: ZipFile, info: ZipInfo, name: str) -> Iterator[IO[bytes]]:
    """Open a file in a zip, once it is known to unpack to no more than it should."""
    if info.flag_bits & 1:
        raise InputError(f"{name}: encrypted", "unpack it, and zip it without a password")
    # Of other methods, one read unpacks all that a few bytes stand for.
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise InputError(f"{name}: packed by a method that is not read", "zip it by the usual one")
    refuse_bomb(name, info.compress_size, info.file_size)
    with refusals(name, AGAIN), archive.open(info) as file:
        yield file


def _picture_of(archive: ZipFile, info: ZipInfo, path: Path) -> Image.Image:
    name = f"{path}:{info.filename}"
    if info.file_size > _LARGEST:
        raise InputError(f"{name}: {info.file_size:,} bytes are no picture", "leave it out")
    with member(archive, info, name) as file:
        content = file.read(info.file_size)
    if len(content) != info.file_size:
        raise InputError(f"{name}: truncated", AGAIN)
    return from_bytes(content, name, MAX_PIXELS).image


def refuse_bomb(name: str, packed: int, unpacked: int) -> None:
    """Refuse what is small only as long as it is packed."""
    if unpacked > max(_LITTLE, _MOST_TIMES * packed):
        raise InputError(
            f"{name}: {packed:,} bytes that unpack to {unpacked:,} are no pictures", "leave it out"
        )
