"""Sets of pictures on disk: a path becomes pictures, by the table `SOURCES`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

import numpy as np
import torch
from PIL import Image

from npfill.data import Images, MaskedImages, Photographs, has_hole, squares
from npfill.data.arrays import in_array, in_idx, is_idx
from npfill.data.parts import Split, is_part, part_of
from npfill.data.zips import Entry, beside_in_zip, in_zip, interleaved, is_picture
from npfill.errors import InputError
from npfill.pictures.folders import Listing, in_folder, in_words
from npfill.pictures.formats import picture_suffixes
from npfill.pictures.read import read_picture, refusals


def read_images(path: Path, split: Split, size: int, channels: int) -> Images:
    """Read all pictures at a path, as squares of the wanted size.

    Args:
        path: A path that a source of `SOURCES` takes; or a folder with a part for each split in
            it: MNIST's files by their names, gzipped or not, `train.zip` and `test.zip`, or
            `train/`, `val/` and `test/`, by the longer names, too, in upper or lower case.
        split: Which part of a set that has several.
        size: Side in pixels. Pictures of another size are cut to their centre square and resized.
        channels: 1 for grey, 3 for RGB.

    Raises:
        InputError: Nothing is there, it cannot be used, or a picture has a hole of its own.
    """
    images = read_images_with_holes(path, split, size, channels)
    if isinstance(images, MaskedImages):
        number = int((~images.known).flatten(1).any(1).nonzero()[0])
        raise _with_hole(entries(path, split)[number], "only training takes such pictures")
    return images


def read_images_with_holes(
    path: Path, split: Split, size: int, channels: int, damaged: list[InputError] | None = None
) -> Images | MaskedImages:
    """Read pictures that may have holes: what is transparent, or NaN in an array of floats.

    Where a picture is resized, values in its holes do not spread, and a pixel is known where at
    least half of what it is made of is. Otherwise as `read_images`; `damaged` is as for `readable`.
    """
    pictures = (picture for _, picture in readable(entries(path, split), damaged))
    images = squares(pictures, size, channels)
    if isinstance(images, MaskedImages) and (empty := ~images.known.flatten(1).any(1)).any():
        number = int(empty.nonzero()[0]) + 1
        raise InputError(f"{path}: picture {number} is nothing but a hole", "leave it out")
    return images


def read_photographs(
    path: Path, split: Split, least: int, damaged: list[InputError] | None = None
) -> Photographs:
    """Read all pictures at a path in RGB, each of its own size; grey ones have equal channels.

    Args:
        path: As for `read_images`.
        split: Which part of a set that has several.
        least: The shortest side that a picture may have.
        damaged: As for `readable`.

    Raises:
        InputError: Nothing is there, it cannot be used, or a picture is smaller than that or has
            a hole of its own.
    """
    pictures = []
    for entry, picture in readable(entries(path, split), damaged):
        if min(picture.size) < least:
            width, height = picture.size
            raise InputError(
                f"{entry.name}: {width}x{height}",
                f"sides of {least} pixels or more are needed: leave it out",
            )
        if has_hole(picture):
            raise _with_hole(entry, "only a recipe with [holes] takes such pictures")
        channels = torch.from_numpy(np.array(picture.convert("RGB")))
        pictures.append(channels.permute(2, 0, 1).contiguous())
    return Photographs(tuple(pictures))


def readable(
    found: Iterable[Entry], damaged: list[InputError] | None
) -> Iterator[tuple[Entry, Image.Image]]:
    """Read pictures one after another.

    Args:
        found: The pictures of a set.
        damaged: Takes what is wrong with those that cannot be read and are left out; or None.

    Raises:
        InputError: A picture cannot be read, or none can.
    """
    count = 0
    for entry in found:
        try:
            picture = entry.read()
        except InputError as error:
            if damaged is None:
                hint = f"{error.hint}; `skip_damaged=True` leaves it out of training"
                raise InputError(str(error), hint) from None
            damaged.append(error)
        else:
            count += 1
            yield entry, picture
    if damaged and not count:
        raise damaged[0]


def shape_of(path: Path) -> tuple[int, int]:
    """Side of the centre square and channels (1 or 3) of the first picture to test on.

    Raises:
        InputError: Nothing is there, or it cannot be used.
    """
    other: Split = "val" if has_parts(path, "val") else "train"
    image = entries(path, "test" if has_parts(path) else other)[0].read()
    return min(image.size), channels_of(image)


def channels_of(image: Image.Image) -> int:
    """Channels of a picture, without alpha: 1 for grey, 3 for anything else."""
    return 1 if image.mode in {"L", "LA", "1", "I", "I;16", "F"} else 3


def has_parts(path: Path, split: Split = "test") -> bool:
    """Tell whether a path holds a part of its own beside what there is to train on."""
    with refusals(str(path), "check its permissions"):
        return part_of(path, split) not in {path, part_of(path, "train")}


def entries(path: Path, split: Split) -> Sequence[Entry]:
    """The pictures at a path, not read yet; at least one.

    Raises:
        InputError: Nothing is there, or it cannot be used.
    """
    with refusals(str(path), "check its permissions"):
        part, source = _opening(path, split)
        found = source.open(part)
    if not found:
        beside = in_words(left_out(path, split))
        problem = f"{path}: no pictures in it{beside and f'; left out: {beside}'}"
        raise InputError(problem, f"give {ACCEPTED}")
    return found


def has_pictures(path: Path, split: Split) -> bool:
    """Tell whether a part has any; raises as `entries`, but for having none."""
    with refusals(str(path), "check its permissions"):
        part, source = _opening(path, split)
        return bool(source.open(part))


def left_out(path: Path, split: Split) -> Counter[str]:
    """The number of files that lie beside the pictures, by what they are; raises as `entries`."""
    with refusals(str(path), "check its permissions"):
        part, source = _opening(path, split)
        return source.beside(part)


def _opening(path: Path, split: Split) -> tuple[Path, "Source"]:
    """The file or folder of a split, and its kind."""
    if not path.exists():
        raise InputError(f"{path}: no such file or folder", f"give {ACCEPTED}")
    part = part_of(path, split)
    if not (part.is_dir() or part.is_file()):  # to open a pipe would wait for ever
        raise InputError(f"{part}: a pipe or device, no set of pictures", "copy it to a file first")
    source = next((source for source in SOURCES if source.takes(part)), None)
    if source is None:
        problem = (
            "one picture, not a set of them"
            if is_picture(PurePath(part.name))
            else "no set of pictures"
        )
        raise InputError(f"{part}: {problem}", f"give {ACCEPTED}")
    return part, source


def first_file(path: Path) -> Path | None:
    """The first training picture that is a file of its own and can be read; None without one."""
    part = part_of(path, "train")
    found = _in_folder(part) if part.is_dir() else []
    return next((Path(entry.name) for entry, _ in readable(found, [])), None)


def _with_hole(entry: Entry, who: str) -> InputError:
    return InputError(
        f"{entry.name}: has a hole of its own (transparent, or NaN)",
        f"{who}: fill it or leave it out",
    )


def _listing(folder: Path) -> Listing:
    """The pictures in a folder; without any, those in the folders below, but for its parts."""
    below = in_folder(folder, picture_suffixes(), recursive=True)
    names = {file: file.relative_to(folder).parts for file in below.pictures}
    direct = [file for file, parts in names.items() if len(parts) == 1]
    folders = {parts[0] for parts in names.values() if len(parts) > 1}
    of_parts = {name for name in folders if is_part(folder / name)}
    found = direct or [file for file, parts in names.items() if parts[0] not in of_parts]
    below.others["pictures in folders below"] += len(names) - len(found)
    return Listing(interleaved(found, lambda file: file), +below.others)


def _in_folder(folder: Path) -> Sequence[Entry]:
    return [Entry(str(file), partial(_of_file, file)) for file in _listing(folder).pictures]


def _of_file(file: Path) -> Image.Image:
    return read_picture(file).image


@dataclass(frozen=True)
class Source:
    """A kind of file or folder that pictures come from.

    Attributes:
        words: What it is called in refusals and help.
        takes: Whether a path is of this kind.
        open: The pictures in one.
        beside: The number of other files in one, by what they are.
    """

    words: str
    takes: Callable[[Path], bool]
    open: Callable[[Path], Sequence[Entry]]
    beside: Callable[[Path], Counter[str]] = lambda _: Counter()


_ARRAYS = {".npy", ".npz"}
# The first that takes a path opens it.
SOURCES = (
    Source("a folder of pictures", Path.is_dir, _in_folder, lambda folder: _listing(folder).others),
    Source("a zip of them", lambda path: path.suffix.lower() == ".zip", in_zip, beside_in_zip),
    Source("an array (.npy, .npz)", lambda path: path.suffix.lower() in _ARRAYS, in_array),
    Source("idx files", is_idx, in_idx),
)
ACCEPTED = f"{', '.join(each.words for each in SOURCES[:-1])} or {SOURCES[-1].words}"
