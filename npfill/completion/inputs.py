"""The pictures that are named by file, folder or pattern, and the masks beside them."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from npfill.errors import InputError, NpfillError
from npfill.pictures.formats import suffixes_read
from npfill.pictures.picture import Picture
from npfill.pictures.read import STDIN, read_picture


@dataclass(eq=False)
class InputFile:
    """A picture's file.

    Attributes:
        path: The file, or `-` for stdin.
        relative: Its path below the folder that was named; the file's name where none was. Results
            and masks have the same path below theirs.
    """

    path: Path
    relative: Path
    _ahead: Picture | NpfillError | None = field(default=None, repr=False)

    def ahead(self, max_pixels: int) -> Picture | None:
        """The picture, read before its turn and kept for it; None if it cannot be read."""
        if self._ahead is None:
            try:
                self._ahead = read_picture(self.path, max_pixels)
            except NpfillError as error:  # said when it is read
                self._ahead = error
        return self._ahead if isinstance(self._ahead, Picture) else None

    def read(self, max_pixels: int) -> Picture:
        """The picture, opened once.

        Raises:
            InputError: It cannot be read.
        """
        ahead, self._ahead = self._ahead, None
        if isinstance(ahead, NpfillError):
            raise ahead
        return ahead or read_picture(self.path, max_pixels)


def find_pictures(
    words: Sequence[str], *, recursive: bool = False, mask: Path | None = None
) -> tuple[list[InputFile], list[str]]:
    """The pictures of files, folders and patterns, in their order, none twice.

    Of a folder or pattern, results of npfill and what lies in `mask` are no pictures to complete.

    Args:
        words: Names of files, folders and patterns. A file goes before a pattern of its name.
        recursive: Look into folders below a folder, too.
        mask: The mask's file or folder.

    Returns:
        The pictures, and sentences for the user on results that are left out.

    Raises:
        InputError: A folder holds no picture, or nothing matches a pattern.
    """
    found: list[InputFile] = []
    notes: list[str] = []
    for word in words:
        path = Path(word)
        if path.is_dir():
            pattern = "**/*" if recursive else "*"
            files = [InputFile(file, file.relative_to(path)) for file in sorted(path.glob(pattern))]
        elif _is_pattern(word):
            matches = map(Path, sorted(glob.glob(word, recursive=True)))  # noqa: PTH207
            files = [InputFile(each, Path(each.name)) for each in matches]
        else:
            found.append(InputFile(path, Path("stdin" if path == STDIN else path.name)))
            continue
        found += _to_complete(files, word, mask, notes)
    once: dict[Path, InputFile] = {}
    for each in found:
        once.setdefault(each.path.absolute(), each)
    return [*once.values()], notes


def are_several(words: Sequence[str]) -> bool:
    """Words name a batch: several, a folder or a pattern."""
    return len(words) > 1 or Path(words[0]).is_dir() or _is_pattern(words[0])


class MaskFolder:
    """Masks found by a picture's path below its folder, whatever either's suffix."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._by_stem: dict[Path, list[Path]] = {}
        for file in sorted(filter(_is_picture, folder.rglob("*"))):
            self._by_stem.setdefault(file.relative_to(folder).with_suffix(""), []).append(file)

    def mask_of(self, picture: InputFile) -> Path:
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


def _to_complete(
    files: Iterable[InputFile], word: str, mask: Path | None, notes: list[str]
) -> Iterator[InputFile]:
    """The pictures among files that are neither masks nor results."""
    masks = None if mask is None else mask.absolute()
    pictures, results = [], 0
    for file in files:
        if not _is_picture(file.path):
            continue
        if masks is not None and file.path.absolute().is_relative_to(masks):
            continue
        if _is_result(file.path):
            results += 1
            continue
        pictures.append(file)
    if results:
        notes.append(f"{word}: results of npfill are left out ({results})")
    if not pictures:
        raise InputError(
            f"{word}: no picture to complete",
            "`recursive=True` looks into the folders below a folder, too",
        )
    return iter(pictures)


def _is_pattern(word: str) -> bool:
    return not os.path.lexists(word) and glob.has_magic(word)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in suffixes_read() and path.is_file()


def _is_result(path: Path) -> bool:
    """True if npfill wrote a file, by what stands in it."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            return "npfill_version" in image.info
    except Exception:  # what is wrong with it is said when it is read
        return False
