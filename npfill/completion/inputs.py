"""The pictures that are named by file, folder or pattern."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from npfill.completion.mask_names import folded, pictures_named
from npfill.errors import InputError, NpfillError, UsageError
from npfill.pictures.folders import in_folder, in_words, is_of_system, of_pattern
from npfill.pictures.formats import FORMATS, suffix_of_data, suffixes_read
from npfill.pictures.picture import Picture
from npfill.pictures.read import STDIN, glance, read_picture
from npfill.pictures.stores import is_store


@dataclass(eq=False)
class InputFile:
    """A picture's file.

    Attributes:
        path: The file, or `-` for stdin.
        relative: Its path below the folder that was named; the file's name where none was. Results
            and masks have the same path below theirs.
        data: The suffix of data in their format, or "", once somebody has looked.
        damaged: What could not be decoded of it is taken as missing.
        variable: The variable of a netCDF file or zarr store.
    """

    path: Path
    relative: Path
    data: str | None = None
    damaged: bool = False
    variable: str = ""
    _ahead: Picture | NpfillError | None = field(default=None, repr=False)

    @property
    def key(self) -> Path:
        """The same for all names of a file, but for links to it."""
        return Path(os.path.realpath(self.path.parent), self.path.name)

    @property
    def source(self) -> Path:
        """The file that results are named after; of stdin, one with the suffix of its format."""
        suffix = FORMATS[self._ahead.format].suffixes[0] if isinstance(self._ahead, Picture) else ""
        return Path(f"stdin{suffix}") if self.path == STDIN else self.path

    def suffix_of_data(self, max_pixels: int, *, ahead: bool) -> str:
        """The suffix of data in their format; "" for a picture, and for what cannot be read.

        Args:
            max_pixels: The most pixels that are read.
            ahead: Read the picture before its turn where nobody has looked yet, and keep it: so one
                picture is opened once. Stdin always is.
        """
        if self.data is None and not ahead and self.path != STDIN:
            self.data, _ = glance(self.path)
        elif self.data is None:
            try:
                self._ahead = self.read(max_pixels)
                self.data = suffix_of_data(self._ahead)
            except NpfillError as error:  # said when it is read
                self._ahead = error
        return self.data or ""

    def read(self, max_pixels: int) -> Picture:
        """The picture.

        Raises:
            InputError: It cannot be read.
        """
        ahead, self._ahead = self._ahead, None
        if isinstance(ahead, NpfillError):
            raise ahead
        damaged, variable = self.damaged, self.variable
        return ahead or read_picture(self.path, max_pixels, damaged=damaged, variable=variable)


def find_pictures(
    words: Sequence[str],
    *,
    recursive: bool = False,
    masks: Sequence[Path] = (),
    results: str | Path | None = None,
) -> tuple[list[InputFile], bool, list[str]]:
    """The pictures of files, folders and patterns, in their order, none twice.

    Of several, results of npfill and what lies in `masks` are not completed.

    Args:
        words: Names of files, folders and patterns. A file goes before a pattern of its name.
        recursive: Look into folders below a folder, too.
        masks: Files and folders of masks.
        results: The folder of results; what lies in it is left out of a folder that holds it.

    Returns:
        The pictures; True if the words name a batch: several, a folder or a pattern; and sentences
        for the user on what is left out.

    Raises:
        InputError: A folder holds no picture, or nothing matches a pattern.
        UsageError: Picture and mask both come through stdin.
    """
    if str(STDIN) in words and STDIN in masks:
        raise UsageError("-: both picture and mask come through stdin", "name a file for one")
    several = len(words) > 1 or any(map(_names_several, words))
    found: dict[Path, InputFile] = {}
    named: list[InputFile] = []
    notes, others = [], Counter[str]()
    for word in words:
        path = Path(word)
        if len(words) > 1 and is_of_system(path.name):
            others[path.name] += 1
        elif not _names_several(word):
            named.append(InputFile(path, Path("stdin" if path == STDIN else path.name)))
            found.setdefault(named[-1].key, named[-1])
        else:
            files, beside = _listed(word, recursive, results)
            pictures = _to_complete(files, masks, beside)
            left_out = f"left out: {in_words(beside)}" if beside else ""
            if not pictures:
                below = "`recursive=True` looks into the folders below a folder, too"
                raise InputError(
                    f"{word}: no picture to complete{left_out and f'; {left_out}'}",
                    f"name them alone, as in {files[0].path}" if files else below,
                )
            notes += [f"{word}: {left_out}"] if left_out else []
            for file in pictures:
                found.setdefault(file.key, file)
    if several:  # a shell names masks and results where it expands a pattern
        unwanted = {*named} - {*_to_complete(named, masks, others)}
        if len(unwanted) < len(found):
            for file in unwanted:
                found.pop(file.key, None)
            notes += [f"left out: {in_words(others)}"] if others else []
    if not found:
        raise InputError(f"no picture to complete; left out: {in_words(others)}", "name them alone")
    return [*found.values()], several, notes


def _names_several(word: str) -> bool:
    """True for a folder, and for a pattern that is no file's name."""
    if Path(word).is_dir():
        return not is_store(Path(word))
    return glob.has_magic(word) and not os.path.lexists(word)


def _listed(
    word: str, recursive: bool, results: str | Path | None
) -> tuple[list[InputFile], Counter[str]]:
    """The pictures in a folder or of a pattern, and the numbers of other files."""
    folder = Path(word)
    if folder.is_dir():
        listing = in_folder(folder, suffixes_read(), recursive=recursive)
        files = [InputFile(file, file.relative_to(folder)) for file in listing.pictures]
        made = Path(os.path.realpath(folder if results is None else results))
        if not Path(os.path.realpath(folder)).is_relative_to(made):
            others = [file for file in files if not file.key.is_relative_to(made)]
            listing.others["in the folder of results"] += len(files) - len(others)
            files = others
    else:
        listing = of_pattern(word, suffixes_read())
        files = [InputFile(file, Path(file.name)) for file in listing.pictures]
    return files, +listing.others


def _to_complete(
    files: Iterable[InputFile], masks: Sequence[Path], others: Counter[str]
) -> list[InputFile]:
    """The pictures among files that are neither masks nor results, which are counted."""
    pictures, files, stems = [], [*files], set[tuple[Path, str]]()
    for file in files:
        stems |= {(file.path.parent, folded(name)) for name in (file.path.stem, file.path.name)}
    for file in files:
        if file.path == STDIN:  # it is read once
            pictures.append(file)
        elif _is_mask(file, masks, stems):
            others["masks"] += 1
        else:
            file.data, is_result = glance(file.path)
            if is_result:
                others["results of npfill"] += 1
            else:
                pictures.append(file)
    return pictures


def _is_mask(file: InputFile, masks: Sequence[Path], stems: set[tuple[Path, str]]) -> bool:
    """True if a file is a mask, in a folder of them, or by its name that of a picture beside it."""
    told = pictures_named(file.path.stem)
    if not stems.isdisjoint((file.path.parent, folded(name)) for name in told):
        return True
    path = file.path.absolute()
    root = path.parents[len(file.relative.parts) - 1]
    within = [mask for mask in map(Path.absolute, masks) if path.is_relative_to(mask)]
    return any(not root.is_relative_to(mask) for mask in within)
