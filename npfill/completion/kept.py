"""Files of a raster whose windows are completed, kept until all are done."""

import filecmp
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from npfill.errors import OverwriteError
from npfill.files import put, write_bytes
from npfill.pictures.formats.geotiff import of_deviation
from npfill.pictures.nodata import none_of
from npfill.pictures.picture import Picture
from npfill.pictures.windows import TILE, Ends, Raster


@dataclass(frozen=True)
class Kept:
    """A folder with the holes of the windows that are done, and what was found for all.

    Attributes:
        folder: The folder.
        places: The rows and columns of each window.
        raster: The raster.
        like: A pixel of it.
        source: The file of the raster: nobody may read more of it than before.
    """

    folder: Path
    places: list[tuple[Ends, Ends]]
    raster: Raster
    like: Picture
    source: Path

    @property
    def is_whole(self) -> bool:
        """All windows are done."""
        return all(self.file(number).is_file() for number in range(len(self.places)))

    def file(self, number: int) -> Path:
        """That of a window."""
        return self.folder / f"{number:06}.npz"

    def once(self, name: str, found: Callable[[], bytes]) -> bytes:
        """A finding for all windows, made once, by whomever comes first."""
        file = self.folder / name
        if not file.is_file():
            write_bytes(file, found(), like=self.source)
        return file.read_bytes()

    def gives(self, name: str) -> bool:
        """True if what completes the windows gives such a result; a baseline may have no std."""
        for number in range(len(self.places)):
            with np.load(self.file(number)) as kept:
                if kept["hole"].any():
                    return name in kept
        return True

    def write(self, name: str, path: Path, overwrite: bool, advance: Callable[[], None]) -> None:
        """Write a result, and call `advance` at times; raise OverwriteError if another is there."""
        like = self.like
        if name == "std":
            kind = like.values.dtype if like.values.dtype.kind == "f" else np.float32
            values = like.values.astype(np.promote_types(kind, np.float32))
            like = replace(like, values=values, missing=None, info=of_deviation(like.info))
        # In this folder, which goes once all is done, whatever was killed in it.
        temporary = self.folder / f"{name}-{secrets.token_hex(6)}.part"
        try:
            temporary.touch((self.source.stat().st_mode | 0o600) & 0o666)
            self.raster.write(temporary, like, self._bands(name, like, advance))
            if path.exists():
                shutil.copymode(path, temporary)
            (Path.replace if overwrite else put)(temporary, path)
        except OverwriteError:
            if not filecmp.cmp(temporary, path, shallow=False):  # as another part wrote it
                raise
        finally:
            temporary.unlink(missing_ok=True)

    def _bands(self, name: str, like: Picture, advance: Callable[[], None]) -> Iterator[np.ndarray]:
        """The rows of a result, `TILE` at once, from what is kept of the windows."""
        height, width = self.raster.size
        held: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for top in range(0, height, TILE):
            bottom = min(top + TILE, height)
            if name == "mean":
                values = self.raster.read((top, bottom), (0, width)).values
            else:
                values = np.zeros((bottom - top, width, like.colours), like.values.dtype)
            for number, (rows, columns) in enumerate(self.places):
                if rows[1] <= top or rows[0] >= bottom:
                    held.pop(number, None)
                    continue
                if number not in held:
                    held[number] = self._held(name, number, like)
                hole, filled = held[number]
                t, b = max(top, rows[0]), min(bottom, rows[1])
                part = slice(t - rows[0], b - rows[0])
                target = values[t - top : b - top, slice(*columns)]
                target[hole[part]] = filled[part][hole[part]]
            yield values
            advance()

    def _held(self, name: str, number: int, like: Picture) -> tuple[np.ndarray, np.ndarray]:
        """The part of a window that is written, and what is, which is none where it is missing."""
        rows, columns = self.places[number]
        shape = (rows[1] - rows[0], columns[1] - columns[0], like.colours)
        hole, filled = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=like.values.dtype)
        with np.load(self.file(number)) as kept:
            parts = {"hole": kept.get(name, 0), f"{name}_none": none_of(like) or 0}
            for part, values in parts.items():
                at = np.unpackbits(kept[part], count=hole.size).reshape(shape).astype(bool)
                filled[at] = values
                hole |= at
        return hole, filled
