"""Pictures from files: opened, limited, recognised by content, and refused in one line."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image, UnidentifiedImageError

from npfill.errors import InputError
from npfill.memory import is_out_of_memory
from npfill.pictures.classes import with_classes
from npfill.pictures.damage import is_torn, mended
from npfill.pictures.formats import FORMATS, Format, grids, raster, readable
from npfill.pictures.formats.arrays import UnknownFormatError
from npfill.pictures.picture import File, Picture
from npfill.pictures.sidecars import with_beside
from npfill.pictures.stores import is_store

MAX_PIXELS = 89_478_485  # as Pillow's own limit: 256 MB of RGB
STDIN = Path("-")
_LOCK = Lock()
_SILENCED: list["warnings.catch_warnings[None]"] = []  # those of the first, for each that reads
# Logs of libraries about a broken file go to the application, not to stderr by default.
for _library in ("PIL", "tifffile"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


def read_picture(
    path: Path, max_pixels: int = MAX_PIXELS, *, damaged: bool = False, variable: str = ""
) -> Picture:
    """Read a picture, or data, from a file; the content decides the format, not the name.

    Args:
        path: The file, or `-` for stdin.
        max_pixels: A picture of more pixels is refused before it is decoded.
        damaged: Take what could not be decoded of a torn PNG or JPEG as missing.
        variable: The variable of a netCDF file or zarr store; "" if it has one alone.

    Raises:
        InputError: It is missing, broken, too large, or of a format or mode that is not read.
    """
    with opened(path) as file:
        if damaged:
            return _torn(file.read(), str(path), max_pixels)
        try:
            of_grids = grids.read_store if variable and is_store(path) else grids.read
            chosen = partial(of_grids, variable=variable) if variable else None
            picture = (chosen or _format(file, str(path)).read)(file, str(path), max_pixels)
        except Exception as error:
            file.seek(0)
            if not is_torn(file.read(), max_pixels):
                raise
            reason = " ".join(str(error).split())
            hint = "it is torn: to complete it, `mask=damaged` takes what is lost as the hole"
            raise InputError(f"{path}: cannot be read ({reason})", hint) from None
    if picture.values.dtype == np.bool_:
        raise InputError(f"{path}: true and false are a mask, not a picture", "`mask` takes it")
    return with_beside(picture, path, read_mask, max_pixels)


def read_mask(path: Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a mask; of a palette in colours, its numbers too, which may be those of classes.

    Args:
        path: The file, or `-` for stdin.
        max_pixels: A mask of more pixels is refused before it is decoded.

    Raises:
        InputError: It cannot be read.
    """
    with opened(path) as file:
        kind = _format(file, str(path))
        mask = kind.read(file, str(path), max_pixels)
        deep = mask.is_data or mask.white > 255
        return mask if deep else with_classes(mask, raster.opened(file, kind.name))


def from_bytes(content: bytes, name: str, max_pixels: int = sys.maxsize) -> Picture:
    """Read a picture from the content of a file; by default, of any size.

    Raises:
        InputError: It cannot be read.
    """
    with refusals(name):
        file = BytesIO(content)
        return _format(file, name).read(file, name, max_pixels)


def _torn(content: bytes, name: str, max_pixels: int) -> Picture:
    """A torn picture, of which what could not be decoded is missing."""
    whole, lost = mended(content, name, max_pixels)
    if not lost.any():
        raise InputError(f"{name}: nothing of it is damaged", "leave `mask=damaged` out")
    picture = from_bytes(whole, name, max_pixels)
    turn = raster.orientation(raster.opened(BytesIO(whole), picture.format))
    lost = raster.TURNS[turn](lost) if turn in raster.TURNS else lost
    return replace(picture, missing=lost[..., None].repeat(picture.values.shape[-1], axis=-1))


def as_read_again(content: bytes, picture: Picture) -> Picture:
    """Read a picture back from a file of it, whose format may have lost something.

    Args:
        content: The file, as `picture_bytes` wrote it.
        picture: The picture that was written.

    Returns:
        A picture of the same type and shape. Formats drop an alpha channel that is opaque
        everywhere, or any; they give grey as three colours, of which that counts which is farthest
        from it, or three as grey; and 16 bits as 8.
    """
    again = from_bytes(content, picture.name)
    before, values = picture.values, again.values
    colours, alpha = values[..., : again.colours], values[..., again.colours :]
    if again.white != picture.white:
        kind = before.dtype.type
        colours, alpha = (
            np.rint(each * (picture.white / again.white)).astype(kind) for each in (colours, alpha)
        )
    if again.colours > picture.colours:
        apart = np.abs(colours.astype(np.int32) - before[..., :1])
        colours = np.take_along_axis(colours, apart.argmax(axis=-1, keepdims=True), axis=-1)
    elif again.colours < picture.colours:
        colours = colours.repeat(picture.colours, axis=-1)
    if not again.has_alpha:
        alpha = np.full_like(colours[..., :1], picture.white)
    parts = [colours, alpha] if picture.has_alpha else [colours]
    return replace(again, values=np.concatenate(parts, axis=-1))


def png_text(path: Path) -> dict[str, str]:
    """The text in a PNG file before its pixels, which are not decoded.

    Raises:
        InputError: It is no PNG file, or a broken one.
    """
    with opened(path) as file:
        try:
            info = raster.opened(file, "PNG").info
        except Exception as error:  # broken files make decoders raise nearly anything
            reason = " ".join(str(error).split()) or "it is none"
            raise InputError(
                f"{path}: cannot be read as a PNG ({reason})", "results of npfill are PNG files"
            ) from None
    return {key: str(value) for key, value in info.items() if isinstance(key, str)}


def glance(path: Path) -> tuple[str, bool]:
    """Look at a file without decoding pixels, which are for its reader to refuse.

    Returns:
        The suffix of data in the format of the file, by its content, or "" if it is anything else;
        and True for a result of npfill.
    """
    with suppress(InputError), opened(path) as file:
        kind = _format(file, str(path))
        is_data = kind.is_data or kind.holds_data(file)
        text = raster.opened(file, kind.name).info if kind.name == "PNG" else {}
        return kind.suffixes[0] if is_data else "", "npfill_version" in text
    return "", False


def suffix_of(path: Path) -> str:
    """The suffix of a file's format, by its content; "" if it is of none that is known."""
    with suppress(InputError), opened(path) as file:
        return _format(file, str(path)).suffixes[0]
    return ""


@contextmanager
def opened(path: Path) -> Iterator[File]:
    """Open a file, in which one can seek, for reading a picture; `-` is stdin, a store empty.

    Raises:
        InputError: It is missing, or its decoder fails within.
    """
    with refusals(str(path)):
        stdin, store = path == STDIN, path.is_dir()
        if store and not is_store(path):
            raise InputError(f"{path}: a folder, not a picture", "name one file in it")
        if path.exists() and not (stdin or store or path.is_file()):  # a pipe would wait for ever
            hint = "- reads stdin; else copy it to a file first"
            raise InputError(f"{path}: a pipe or device, not a picture", hint)
        content = sys.stdin.buffer.read() if stdin else b""
        with BytesIO(content) if stdin or store else path.open("rb") as file:
            yield file


@contextmanager
def refusals(name: str, hint: str = "open it in a viewer and save it again") -> Iterator[None]:
    """Turn any exception of a decoder into an `InputError` that names the file."""
    try:
        with _quiet():
            yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{name}: no such file", "check the name and the folder") from None
    except UnidentifiedImageError:
        raise InputError(f"{name}: not a picture of a known format", readable()) from None
    except UnknownFormatError as error:
        raise InputError(f"{name}: {error}", readable()) from None
    except Image.DecompressionBombError:  # by Pillow's own limit
        problem = f"{name}: a frame or tile of more pixels than Pillow decodes"
        raise InputError(problem, "crop it or scale it down") from None
    except Exception as error:  # broken files make decoders raise nearly anything
        if is_out_of_memory(error):
            problem = f"{name}: needs more memory than there is"
            raise InputError(problem, "scale it down, or cut it") from None
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(
            f"{name}: cannot be read ({reason or type(error).__name__})", hint
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the warnings of decoders while any thread reads.

    `warnings.catch_warnings` alone is for one thread: of two that overlap, the one that leaves last
    restores the filters of the other, which ignore everything.
    """
    with _LOCK:
        first = _SILENCED[0] if _SILENCED else warnings.catch_warnings()
        if not _SILENCED:
            first.__enter__()
            warnings.simplefilter("ignore")
        _SILENCED.append(first)
    try:
        yield
    finally:
        with _LOCK:
            first = _SILENCED.pop()
            if not _SILENCED:
                first.__exit__(None, None, None)


def _format(file: File, name: str) -> Format:
    """The format of a file by its content, or of a store; the file is left at its start."""
    header = file.read(raster.HEADER)
    file.seek(0)
    if not header and is_store(Path(name)):
        return FORMATS["ZARR"]
    if not header:
        raise InputError(f"{name}: an empty file", "copy it again")
    for each in FORMATS.values():
        if each.sniff(header):
            return each
    raise UnidentifiedImageError
