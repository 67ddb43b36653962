"""Files beside a picture: where it is, and what of it is valid; read, and copied with results."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from npfill.errors import InputError, OverwriteError
from npfill.files import write_bytes
from npfill.pictures.formats import picture_suffixes
from npfill.pictures.formats.raster import TURNED
from npfill.pictures.nodata import is_no_data, no_data, with_missing
from npfill.pictures.picture import Picture

_WORLD = ".{}{}w"  # the suffix of a world file: .tfw of .tif, .jgw of .jpg
_CODING = ("utf-8", "surrogateescape")
_LARGEST = 2**20  # bytes of such a file
_NO_DATA = re.compile(r"<NoDataValue[^>]*>([^<]*)</NoDataValue>")
_STATISTICS = re.compile(
    r'\s*<MDI key="STATISTICS_[^>]*>[^<]*</MDI>|\s*<Histograms>.*?</Histograms>', re.DOTALL
)


def with_beside(
    picture: Picture, path: Path, read: Callable[[Path, int], Picture], max_pixels: int
) -> Picture:
    """A picture of which is missing, too, what GDAL's files beside it leave out.

    Args:
        picture: The picture.
        path: Its file. The mask of NAME is NAME.msk, and other metadata are in NAME.aux.xml.
        read: Reads a mask of so many pixels at most.
        max_pixels: That number.

    Raises:
        InputError: The mask cannot be read, has another size, or is of a picture that was turned.
    """
    beside = _there(path.with_name(path.name + ".msk")) if path.name else None
    if beside is not None:
        picture = _masked_by(picture, read(beside, max_pixels))
    return _with_no_data(picture, path) if path.name else picture


def _masked_by(picture: Picture, mask: Picture) -> Picture:
    if TURNED in picture.notes:
        raise InputError(
            f"{mask.name}: of the picture before it was turned by its EXIF orientation",
            "save the picture upright; or move the mask elsewhere to leave it out",
        )
    if mask.size != picture.size:
        raise InputError(
            f"{mask.name}: {mask.size[1]}x{mask.size[0]} of {picture.size[1]}x{picture.size[0]}",
            "the mask beside a raster has its size: move it elsewhere to leave it out",
        )
    valid = mask.values[..., : mask.colours] > 0
    if valid.shape[-1] != picture.values.shape[-1]:
        valid = valid[..., :1]
    masked = with_missing(picture, np.broadcast_to(~valid, picture.values.shape))
    return replace(masked, info={**picture.info, "mask": True})


def _with_no_data(picture: Picture, path: Path) -> Picture:
    """A picture with the no-data value that GDAL's metadata beside it name, where it has none."""
    beside = _there(path.with_name(path.name + ".aux.xml"))
    named = _NO_DATA.search(beside.read_text(*_CODING)) if beside else None
    value = no_data(named[1])[0] if named else None
    if beside is None or value is None or "no_data" in picture.info:
        return picture
    packing = picture.info.get("packing")  # it names a stored number
    value = value if packing is None else float(packing.values(value))
    info = {**picture.info, "no_data": value}
    if not picture.is_data:
        note = f"{beside.name} names {value:g} as no data, which is not used: `mask` selects it"
        return replace(picture, notes=(*picture.notes, note), info=info)
    return replace(with_missing(picture, is_no_data(picture.values, value)), info=info)


def copy_beside(
    picture: Picture, source: Path, results: Mapping[Path, bool], *, overwrite: bool
) -> list[str]:
    """Copy what says where a picture is beside its results; statistics are left out.

    Args:
        picture: The picture.
        source: Its file.
        results: The files of results on the picture's grid, and True of those that have its own
            values.
        overwrite: Replace what exists.

    Returns:
        Sentences for the user on what is not copied.
    """
    notes = []
    for suffix, beside in _about_place(source):
        if TURNED in picture.notes:
            notes.append(f"{beside.name} is not copied: it is of the picture before it was turned")
            continue
        try:
            text = _STATISTICS.sub("", beside.read_text(*_CODING))
        except OSError as error:
            notes.append(f"{beside.name} is not copied: it cannot be read ({error.strerror})")
            continue
        for result, is_picture in results.items():
            content = (text if is_picture else _NO_DATA.sub("", text)).encode(*_CODING)
            if result.suffix.lower() not in picture_suffixes():
                continue
            target = result.with_name(result.name + suffix)
            if not suffix.startswith(".aux"):
                target = result.with_suffix(suffix.format(result.suffix[1], result.suffix[-1]))
            try:
                write_bytes(target, content, overwrite=overwrite, like=source)
            except OverwriteError:
                if target.read_bytes() != content:
                    notes.append(f"{target} exists, and is left as it is")
    return notes


def _about_place(source: Path) -> list[tuple[str, Path]]:
    """The files beside a picture that say where it is, each with what it ends in."""
    if len(source.suffix) < 3:  # as stdin, which has none
        return []
    stated = [
        (_WORLD, source.with_suffix(_WORLD.format(source.suffix[1], source.suffix[-1]))),
        (_WORLD, source.with_suffix(source.suffix + "w")),
        (".wld", source.with_suffix(".wld")),
        (".prj", source.with_suffix(".prj")),
        (".aux.xml", source.with_name(source.name + ".aux.xml")),
    ]
    found = ((suffix, _there(path)) for suffix, path in reversed(stated))  # the first counts
    return [*{suffix: path for suffix, path in found if path is not None}.items()][::-1]


def _there(path: Path) -> Path | None:
    """A file that exists, in this case or in capitals, and is not too large."""
    most = _LARGEST if path.suffix != ".msk" else 2**40
    for each in (path, path.with_suffix(path.suffix.upper())):
        with suppress(OSError):  # as of a name that is too long for a file
            if each.is_file() and each.stat().st_size <= most:
                return each
    return None
