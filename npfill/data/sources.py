"""A path becomes one uint8 tensor of pictures."""

import gzip
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps
from torch import Tensor

from npfill.data.arrays import pictures_of
from npfill.data.sets import PartlyKnown, Photographs
from npfill.errors import InputError
from npfill.pictures.formats import picture_suffixes
from npfill.pictures.read import MAX_PIXELS, from_bytes

Split = Literal["train", "val", "test"]

_IDX_NAMES = {
    "train": "train-images-idx3-ubyte",
    "val": "val-images-idx3-ubyte",
    "test": "t10k-images-idx3-ubyte",
}
_IDX_UINT8_3D = b"\x00\x00\x08\x03"
# Alpha below this is a hole, as in `--mask alpha`.
_OPAQUE = 128


def read_images(
    path: Path, split: Split, size: int, channels: int
) -> UInt8[Tensor, "image channel size size"]:
    """All pictures at a path, as squares of the wanted size.

    Args:
        path: idx files (a file, or a folder with the MNIST names, gzipped or not), a zip or a
            folder of images (with a `train.zip` / `test.zip` or `train/` / `test/` in it, that
            part), or an array "image height width [channel]" of bytes, or of floats in [0, 1], in
            `.npy` or `.npz`.
        split: Which part of a set that has two.
        size: Side in pixels. Pictures of another size are cut to their centre square and resized.
        channels: 1 for grey, 3 for RGB.

    Raises:
        InputError: Nothing is there, it cannot be used, or a picture has a hole of its own.
    """
    images = read_images_with_holes(path, split, size, channels)
    if isinstance(images, PartlyKnown):
        number = int((~images.known).flatten(1).any(1).nonzero()[0]) + 1
        raise _with_hole(path, number, "only training takes such pictures")
    return images


def read_images_with_holes(
    path: Path, split: Split, size: int, channels: int
) -> UInt8[Tensor, "image channel size size"] | PartlyKnown:
    """The same, where pictures may have holes: what is transparent, or NaN in an array of floats.

    Where a picture is resized, values in its holes do not spread, and a pixel is known where at
    least half of what it is made of is.
    """
    pictures = _pictures(_part(_there(path), split))
    squares = [_square(image, size, channels) for image in pictures]
    if not squares:
        raise _empty(path)
    images = torch.from_numpy(np.stack([square for square, _ in squares]))
    images = images.permute(0, 3, 1, 2).contiguous()
    whole = np.ones((size, size), dtype=bool)
    known = torch.from_numpy(np.stack([whole if at is None else at for _, at in squares])[:, None])
    return images if known.all() else PartlyKnown(images, known)


def shape_of(path: Path, split: Split) -> tuple[int, int]:
    """Side of the centre square and channels (1 or 3) of the first picture at a path.

    Raises:
        InputError: Nothing is there, or it cannot be used.
    """
    first = next(iter(_pictures(_part(_there(path), split))), None)
    if first is None:
        raise _empty(path)
    image = Image.fromarray(first) if isinstance(first, np.ndarray) else first
    return min(image.size), 1 if image.mode in {"L", "LA"} else 3


def read_photographs(path: Path, split: Split, least: int) -> Photographs:
    """All pictures at a path in RGB, each of its own size; grey ones have equal channels.

    Args:
        path: As for `read_images`.
        split: Which part of a set that has several.
        least: The shortest side that a picture may have.

    Raises:
        InputError: Nothing is there, it cannot be used, or a picture is smaller than that or has
            a hole of its own.
    """
    pictures = []
    for number, image in enumerate(_pictures(_part(_there(path), split))):
        picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
        if min(picture.size) < least:
            width, height = picture.size
            raise InputError(
                f"{path}: picture {number + 1} is {width}x{height}",
                f"sides of {least} pixels or more are needed: leave it out",
            )
        if _has_hole(picture):
            raise _with_hole(path, number + 1, "a recipe with [holes] trains on such pictures")
        channels = torch.from_numpy(np.array(picture.convert("RGB")))
        pictures.append(channels.permute(2, 0, 1).contiguous())
    if not pictures:
        raise _empty(path)
    return Photographs(tuple(pictures))


def has_parts(path: Path, split: Split = "test") -> bool:
    """Whether a path holds a training part and another that differ."""
    return _part(path, "train") != _part(path, split)


def _there(path: Path) -> Path:
    if not path.exists():
        raise InputError(
            f"{path}: no such file or folder", "--data takes a folder, zip, idx, .npy or .npz"
        )
    return path


def _empty(path: Path) -> InputError:
    return InputError(f"{path}: no pictures in it", "--data takes images, idx, .npy or .npz")


def _with_hole(path: Path, number: int, who: str) -> InputError:
    return InputError(
        f"{path}: picture {number} has a hole of its own (transparent, or NaN)",
        f"{who}: fill it or leave it out",
    )


def _part(path: Path, split: Split) -> Path:
    """The file or folder within `path` that holds a split."""
    if path.is_dir():
        names = [_IDX_NAMES[split], f"{_IDX_NAMES[split]}.gz", f"{split}.zip", split]
        for name in names:
            if (path / name).exists():
                return path / name
    return path


def _pictures(path: Path) -> Iterator[np.ndarray | Image.Image]:
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if file.suffix.lower() in picture_suffixes():
                yield _opened(file.read_bytes(), str(file))
    elif path.suffix == ".zip":
        yield from _zipped(path)
    elif path.suffix in {".npy", ".npz"}:
        yield from pictures_of(path)
    else:
        yield from _idx(path)


def _zipped(path: Path) -> Iterator[Image.Image]:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if Path(name).suffix.lower() in picture_suffixes():
                    yield _opened(archive.read(name), f"{path}:{name}")
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: not a readable zip ({error})", "copy it again") from None


def _opened(content: bytes, name: str) -> Image.Image:
    return from_bytes(content, name, MAX_PIXELS).image


def unzipped(path: Path) -> bytes:
    """The content of an idx file, gzipped or not.

    Raises:
        InputError: The gzip is broken.
    """
    raw = path.read_bytes()
    try:
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: broken gzip ({error})", "copy the file again") from None


def _idx(path: Path) -> np.ndarray:
    content = unzipped(path)
    if content[:4] != _IDX_UINT8_3D:
        raise InputError(
            f"{path}: not an idx file of images", "--data takes images, idx, .npy or .npz"
        )
    count, height, width = np.frombuffer(content, ">u4", 3, offset=4)
    values = np.frombuffer(content, np.uint8, offset=16)
    if values.size != int(count) * int(height) * int(width):
        raise InputError(
            f"{path}: truncated, {values.size} of its bytes are there", "copy it again"
        )
    return values.reshape(count, height, width)


def _has_hole(picture: Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    return picture.convert("RGBA").getchannel("A").getextrema()[0] < _OPAQUE  # type: ignore[operator]


def _square(
    image: np.ndarray | Image.Image, size: int, channels: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """A picture as "size size channel", and where it is known, "size size"; None: everywhere."""
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    colours, hole = "L" if channels == 1 else "RGB", _has_hole(picture)
    if hole:
        whole = picture.convert("RGBA")
        opaque = whole.getchannel("A").point(lambda alpha: 255 * (alpha >= _OPAQUE))
        picture = whole.convert(colours)
        # Pillow weights by alpha what it resizes.
        picture.putalpha(opaque)
    else:
        picture = picture.convert(colours)
    if picture.size != (size, size):
        picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
    square = np.asarray(picture).reshape(size, size, -1)
    return (square[..., :-1], square[..., -1] >= _OPAQUE) if hole else (square, None)
