"""The parts of a set of pictures: what to train on, validate with and test on, by their names."""

import os
from pathlib import Path
from typing import Literal

Split = Literal["train", "val", "test"]

_IMAGES = {
    "train": "train-images-idx3-ubyte",
    "val": "val-images-idx3-ubyte",
    "test": "t10k-images-idx3-ubyte",
}
# Names of the folders of parts, in lower case. A class may be called valid: all but the first count
# only beside a folder to train on.
_FOLDERS: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


def part_of(path: Path, split: Split) -> Path:
    """The file or folder within `path` that holds a part; `path` itself without one."""
    if not path.is_dir():
        return path
    for name in (_IMAGES[split], f"{_IMAGES[split]}.gz", f"{split}.zip", split):
        if os.path.lexists(path / name):
            return path / name
    folders = {each.name.casefold(): each for each in path.iterdir() if is_part(each)}
    return next((folders[name] for name in _FOLDERS[split] if name in folders), path)


def is_part(folder: Path) -> bool:
    """Tell whether a folder is a part of the one that it lies in."""
    name = folder.name.casefold()
    if not any(name in names for names in _FOLDERS.values()) or not folder.is_dir():
        return False
    beside = {each.name.casefold() for each in folder.parent.iterdir() if each.is_dir()}
    return folder.name in _FOLDERS or not beside.isdisjoint(_FOLDERS["train"])
