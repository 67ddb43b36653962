"""The pictures that are named by file, folder or pattern."""

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from npfill.errors import InputError, NpfillError
from npfill.pictures.formats import FORMATS, suffixes_read
from npfill.pictures.picture import Picture
from npfill.pictures.read import STDIN, data_suffix, png_text, read_picture


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

    def data_suffix(self, max_pixels: int, *, ahead: bool) -> str:
        """The suffix of data in their format; "" for a picture, and for what cannot be read.

        Args:
            max_pixels: The most pixels that are read.
            ahead: Read the picture before its turn and keep it, so that it is opened once; else
                its format alone is looked at.
        """
        if not ahead:
            return "" if self.path == STDIN else data_suffix(self.path)
        try:
            picture = self._ahead = read_picture(self.path, max_pixels)
        except NpfillError as error:  # said when it is read
            self._ahead = error
            return ""
        return FORMATS[picture.format].suffixes[0] if picture.is_data else ""

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
    words: Sequence[str], *, recursive: bool = False, masks: Sequence[Path] = ()
) -> tuple[list[InputFile], bool, list[str]]:
    """The pictures of files, folders and patterns, in their order, none twice.

    Of a folder or pattern, results of npfill and what lies in `masks` are no pictures to complete.

    Args:
        words: Names of files, folders and patterns. A file goes before a pattern of its name.
        recursive: Look into folders below a folder, too.
        masks: Files and folders of masks.

    Returns:
        The pictures; True if the words name a batch: several, a folder or a pattern; and sentences
        for the user on results that are left out.

    Raises:
        InputError: A folder holds no picture, or nothing matches a pattern.
    """
    found: list[InputFile] = []
    several, notes = len(words) > 1, []
    for word in words:
        path = Path(word)
        if path.is_dir():
            pattern = "**/*" if recursive else "*"
            files = [InputFile(file, file.relative_to(path)) for file in sorted(path.glob(pattern))]
        elif not os.path.lexists(word) and glob.has_magic(word):
            matches = map(Path, sorted(glob.glob(word, recursive=True)))  # noqa: PTH207
            files = [InputFile(each, Path(each.name)) for each in matches]
        else:
            found.append(InputFile(path, Path("stdin" if path == STDIN else path.name)))
            continue
        several = True
        pictures, results = _to_complete(files, masks)
        if results:
            notes.append(f"{word}: results of npfill are left out ({results})")
        if not pictures:
            raise InputError(
                f"{word}: no picture to complete",
                "`recursive=True` looks into the folders below a folder, too",
            )
        found += pictures
    once: dict[Path, InputFile] = {}
    for each in found:
        once.setdefault(each.path.absolute(), each)
    return [*once.values()], several, notes


def _to_complete(files: Iterable[InputFile], masks: Sequence[Path]) -> tuple[list[InputFile], int]:
    """The pictures among files that are neither masks nor results, and the number of results."""
    pictures, results = [], 0
    for file in files:
        is_mask = any(file.path.absolute().is_relative_to(mask.absolute()) for mask in masks)
        if is_mask or not is_picture(file.path):
            continue
        if _is_result(file.path):
            results += 1
        else:
            pictures.append(file)
    return pictures, results


def is_picture(path: Path) -> bool:
    """True if a file has the suffix of a format that is read."""
    return path.suffix.lower() in suffixes_read() and path.is_file()


def _is_result(path: Path) -> bool:
    """True if npfill wrote a file, by what stands in it."""
    try:
        return "npfill_version" in png_text(path)
    except InputError:  # what is wrong with it is said when it is read
        return False
