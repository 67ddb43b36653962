"""The masks of pictures in a folder of masks, by the names that programs and people give them."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from npfill.completion.hole import Mask, MaskOptions, is_file
from npfill.completion.inputs import InputFile
from npfill.completion.mask_names import folded, pictures_named
from npfill.errors import InputError
from npfill.pictures.folders import in_folder
from npfill.pictures.formats import suffixes_read
from npfill.pictures.stores import is_store


def masks_of(masking: MaskOptions, pictures: Sequence[InputFile]) -> list[MaskOptions | InputError]:
    """The options of each picture, with its own mask in place of a folder of masks.

    Where a folder has none, or more than one, an error says so.
    """
    every: list[list[Mask | InputError]] = [[] for _ in pictures]
    for mask in masking.masks:
        own: Sequence[Mask | InputError] = [mask] * len(pictures)
        if is_file(mask) and Path(mask).is_dir() and not is_store(Path(mask)):
            own = find_masks(Path(mask), pictures)
        for found, one in zip(every, own, strict=True):
            found.append(one)
    return [_with_masks(masking, found) for found in every]


def find_masks(folder: Path, pictures: Iterable[InputFile]) -> list[Path | InputError]:
    """The mask of each picture, by its path below its folder, whatever either's suffix.

    A mask has its picture's name, or one with `mask` before or behind it. Names are the same text
    in both Unicode forms and, where nothing else fits, in upper and lower case.

    Returns:
        For each picture its mask; or, where there is none or more than one and none of the
        picture's full name, an error that says so.
    """
    exact, alike = _Names(partial(unicodedata.normalize, "NFC")), _Names(folded)
    for file in in_folder(folder, suffixes_read(), recursive=True).pictures:
        for names in (exact, alike):
            names.add(file, file.relative_to(folder))
    return [_mask_of(picture, exact, alike, folder) for picture in pictures]


class _Names:
    """Files of masks by the paths of their pictures, without suffix."""

    def __init__(self, form: Callable[[str], str]) -> None:
        self._form = form
        self._files: dict[str, list[Path]] = defaultdict(list)

    def add(self, file: Path, relative: Path) -> None:
        """Enter a mask under its own name, and under that of the picture that its name tells."""
        for stem in (relative.stem, *pictures_named(relative.stem)):
            self._files[self._key(relative.parent / stem)].append(file)

    def of(self, picture: InputFile) -> list[Path]:
        """The masks of a picture, or those of its full name if there are any; never itself."""
        relative, own = picture.relative, picture.path.absolute()
        keys = map(self._key, (relative.with_suffix(""), relative))
        named = [mask for key in keys for mask in self._files.get(key, ())]
        found = [mask for mask in named if mask.absolute() != own]
        return [mask for mask in found if self._key(mask.name) == self._key(relative.name)] or found

    def _key(self, path: Path | str) -> str:
        return self._form(str(path))


def _mask_of(picture: InputFile, exact: _Names, alike: _Names, folder: Path) -> Path | InputError:
    masks = list(dict.fromkeys(exact.of(picture) or alike.of(picture)))
    if len(masks) == 1:
        return masks[0]
    if masks:
        names = ", ".join(mask.name for mask in masks)
        return InputError(f"{picture.path}: more than one mask in {folder}: {names}", "leave one")
    stem = picture.relative.with_suffix("")
    return InputError(
        f"{picture.path}: no mask in {folder}",
        f"a picture of the name {stem} or {stem}_mask with any suffix is its mask",
    )


def _with_masks(
    masking: MaskOptions, masks: Sequence[Mask | InputError]
) -> MaskOptions | InputError:
    """The options with masks for one picture; the error of one, if there is any."""
    found: list[Mask] = []
    for mask in masks:
        if isinstance(mask, InputError):
            return mask
        found.append(mask)
    return replace(masking, mask=found or None)
