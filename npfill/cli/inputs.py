"""The pictures that a command line names, by file, folder or pattern, and the masks beside them."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from npfill.cli.console import Talk
from npfill.errors import InputError
from npfill.pictures.formats import suffixes_read
from npfill.pictures.read import STDIN


@dataclass(frozen=True)
class Given:
    """A picture that was named.

    Attributes:
        path: Its file, or `-` for stdin.
        relative: Its path below the folder that was named; the file's name where none was. Results
            and masks have the same path below theirs.
    """

    path: Path
    relative: Path


def find_pictures(
    words: Sequence[str], *, recursive: bool, mask: Path | None, talk: Talk
) -> list[Given]:
    """The pictures of files, folders and patterns, in their order, none twice.

    Of a folder or pattern, what npfill wrote and what lies in `mask` is no picture to complete.

    Args:
        words: What was named. A file of that name goes before a pattern.
        recursive: Whether folders below a folder are looked into.
        mask: The mask's file or folder.
        talk: Hears of results of npfill that are left out.

    Raises:
        InputError: A folder holds no picture, or nothing matches a pattern.
    """
    found: list[Given] = []
    for word in words:
        path = Path(word)
        if path.is_dir():
            pattern = "**/*" if recursive else "*"
            files = (Given(file, file.relative_to(path)) for file in sorted(path.glob(pattern)))
            found += _to_complete(files, word, mask, talk)
        elif not os.path.lexists(path) and glob.has_magic(word):
            matches = map(Path, sorted(glob.glob(word, recursive=True)))  # noqa: PTH207
            found += _to_complete(
                (Given(each, Path(each.name)) for each in matches), word, mask, talk
            )
        else:
            found.append(Given(path, Path("stdin" if path == STDIN else path.name)))
    once: dict[Path, Given] = {}
    for each in found:
        once.setdefault(each.path.absolute(), each)
    return [*once.values()]


def are_several(words: Sequence[str]) -> bool:
    """Whether words name pictures as a batch: several, a folder or a pattern."""
    return (
        len(words) > 1
        or Path(words[0]).is_dir()
        or (not os.path.lexists(words[0]) and glob.has_magic(words[0]))
    )


class MaskFolder:
    """Masks found by a picture's path below its folder, whatever either's suffix."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._by_stem: dict[Path, list[Path]] = {}
        for file in sorted(_pictures(folder.rglob("*"))):
            self._by_stem.setdefault(file.relative_to(folder).with_suffix(""), []).append(file)

    def mask_of(self, picture: Given) -> Path:
        """The mask of a picture.

        Raises:
            InputError: There is none, or more than one and none of the picture's full name.
        """
        stem = picture.relative.with_suffix("")
        masks = self._by_stem.get(stem, [])
        same_name = [mask for mask in masks if mask.name == picture.relative.name]
        if len(same_name or masks) == 1:
            return (same_name or masks)[0]
        if not masks:
            raise InputError(
                f"{picture.path}: no mask in {self.folder}",
                f"a picture of the name {stem} with any suffix is its mask",
            )
        raise InputError(
            f"{picture.path}: more than one mask in {self.folder}: "
            + ", ".join(mask.name for mask in masks),
            "leave one",
        )


def _to_complete(files: Iterable[Given], word: str, mask: Path | None, talk: Talk) -> list[Given]:
    """The pictures among files that are neither masks nor results."""
    masks = None if mask is None else mask.absolute()
    pictures, results = [], 0
    for given in files:
        path = given.path
        if path.suffix.lower() not in suffixes_read() or not path.is_file():
            continue
        if masks is not None and path.absolute().is_relative_to(masks):
            continue
        if _is_result(path):
            results += 1
            continue
        pictures.append(given)
    if results:
        talk.say(f"{word}: results of npfill are left out ({results})")
    if not pictures:
        raise InputError(
            f"{word}: no picture to complete", "-r looks into the folders below a folder, too"
        )
    return pictures


def _pictures(files: Iterable[Path]) -> Iterator[Path]:
    return (file for file in files if file.suffix.lower() in suffixes_read() and file.is_file())


def _is_result(path: Path) -> bool:
    """Whether npfill wrote a file, by what stands in it."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            return "npfill_version" in image.info
    except Exception:  # what is wrong with it is said when it is read
        return False
