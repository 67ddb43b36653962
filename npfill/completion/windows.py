"""Completion in windows, of rasters that may be larger than memory; what is done is kept.

Each window is completed from what is observed in it and within `HALO` pixels around it, on the
scale of the whole raster. Its hole is kept in a file of its own beside the results, so that a run
that was killed goes on, and several share the work; the one that completes the last window writes
the results.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from npfill.completion.completed import complete_prepared
from npfill.completion.hole import MaskOptions, prepare
from npfill.completion.parameters import SamplingOptions
from npfill.errors import InputError, UsageError
from npfill.files import json_text, refuse_results, write_bytes
from npfill.pictures.asked import as_asked
from npfill.pictures.formats import npz_bytes
from npfill.pictures.formats.geotiff import of_deviation
from npfill.pictures.picture import Asked, Picture
from npfill.pictures.reach import reached
from npfill.pictures.wild import seen_of_data
from npfill.pictures.windows import Ends, Raster, open_raster

if TYPE_CHECKING:
    from npfill.predictor import Predictor

HALO = 256
_BAND = 256  # rows that are written at once
_LEAST = 64


def halo() -> int:
    """The pixels around a window from which it is completed; from farther ones hardly any comes.

    It is the `depth` of `dask.array.map_overlap`.
    """
    return HALO


@dataclass(frozen=True)
class Windows:
    """The completion of one raster in windows.

    Attributes:
        path: The file of the raster.
        side: The side of a window.
        folder: The folder of results.
        asked: What the user says of values.
        masking: `max_distance` alone says what of the holes is filled.
        sampling: The seed, and if the std is checked.
        predictor: What completes it.
        overwrite: Replace results that exist.
        part: The number of this part, and of parts.
    """

    path: Path
    side: int
    folder: Path
    asked: Asked
    masking: MaskOptions
    sampling: SamplingOptions
    predictor: "Predictor"
    overwrite: bool = False
    part: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        if self.side < _LEAST:
            raise UsageError(f"`window={self.side}`", f"{_LEAST} pixels or more")
        refuse_results([*self.results.values()], self.overwrite)

    @property
    def results(self) -> dict[str, Path]:
        """The files of results."""
        named = {name: f"{self.path.stem}_{name}{self.path.suffix}" for name in ("mean", "std")}
        return {name: self.folder / file for name, file in named.items()}

    @cached_property
    def places(self) -> list[tuple[Ends, Ends]]:
        """The rows and columns of each window."""
        height, width = self._raster.size
        return [
            ((top, min(top + self.side, height)), (left, min(left + self.side, width)))
            for top in range(0, height, self.side)
            for left in range(0, width, self.side)
        ]

    @cached_property
    def _raster(self) -> Raster:
        return open_raster(self.path)

    @cached_property
    def _kept(self) -> Path:
        """The folder of what is done, of this raster and these options alone."""
        state, how = self.path.stat(), self.sampling
        said = [state.st_size, state.st_mtime_ns, self.side, vars(self.asked), how.seed]
        said += [how.no_check, self.masking.max_distance, self.predictor.sha256]
        key = hashlib.sha256(json_text(said).encode()).hexdigest()[:12]
        return self.folder / f".{self.path.stem}.npfill-{key}"

    def _file(self, number: int) -> Path:
        return self._kept / f"{number:06}.npz"

    def mine(self) -> list[int]:
        """The windows of this part that are still to be done."""
        numbers = range(self.part[0], len(self.places), self.part[1])
        return [number for number in numbers if not self._file(number).is_file()]

    def _read(self, rows: Ends, columns: Ends) -> Picture:
        return as_asked(self._raster.read(rows, columns), self.asked)

    @cached_property
    def span(self) -> tuple[np.ndarray, np.ndarray]:
        """The least value of each band of the whole raster that is not wild, and the range."""
        file = self._kept / "range.json"
        if not file.is_file():
            least, most = np.array(np.inf), np.array(-np.inf)
            for place in self.places:
                picture = self._read(*place)
                assert picture.missing is not None
                hole = picture.missing[..., : picture.colours]
                hidden = seen_of_data(picture, hole, np.zeros(picture.size, dtype=bool))[0]
                values = picture.values[..., : picture.colours].astype(np.float64)
                least = np.minimum(least, np.where(hidden, np.inf, values).min(axis=(0, 1)))
                most = np.maximum(most, np.where(hidden, -np.inf, values).max(axis=(0, 1)))
            if not np.isfinite([least, most]).all():
                raise InputError(f"{self.path}: nothing is observed", "of some band")
            if self.asked.log:
                least, most = np.log(least), np.log(most)
            write_bytes(file, json_text([least.tolist(), most.tolist()]).encode())
        low, high = (np.array(each) for each in json.loads(file.read_text("utf-8")))
        return low, np.where(high > low, high - low, 1.0)

    def complete(self, number: int) -> int:
        """Complete a window, and keep its hole; the pixels of it that stay missing."""
        (top, bottom), (left, right) = self.places[number]
        height, width = self._raster.size
        above, before = max(0, top - HALO), max(0, left - HALO)
        around = (above, min(height, bottom + HALO)), (before, min(width, right + HALO))
        picture = self._read(*around)
        inside = slice(top - above, bottom - above), slice(left - before, right - before)
        assert picture.missing is not None
        missing = picture.missing[..., : picture.colours]
        arrays: dict[str, np.ndarray] = {"hole": np.zeros(0, np.uint8)}
        lacks = int(missing[inside].any(axis=-1).sum())
        if lacks and self._reaches(np.logical_or.reduce(missing, axis=-1)) and not missing.all():
            prepared = prepare(picture, self.masking, span=self.span)
            done = complete_prepared("-", prepared, self.predictor, self.sampling, 0)
            masked = prepared.masked
            hole = np.broadcast_to(masked.by_channel, missing.shape)[inside]
            mean = done.filled(done.mean).values[..., : picture.colours][inside]
            arrays = {"hole": np.packbits(hole), "mean": mean[hole]}
            if done.std is not None:
                arrays["std"] = masked.deviation(done.std, done.mean)[inside][hole]
            lacks -= int(hole.any(axis=-1).sum())
        write_bytes(self._file(number), npz_bytes(arrays))
        return lacks

    def _reaches(self, missing: np.ndarray) -> bool:
        """Something of a hole is near enough to what is observed."""
        far = self.masking.max_distance
        return bool(reached(missing, ~missing, inner=False, farthest=far).any())

    def finish(self, advance: Callable[[], None]) -> bool:
        """Write the results if all windows are done, by whomever; True if they are there."""
        if not all(self._file(number).is_file() for number in range(len(self.places))):
            return False
        try:
            for name, path in self.results.items():
                self._write(name, path, advance)
        except FileNotFoundError:  # another part has written them in the meantime
            return all(path.is_file() for path in self.results.values())
        shutil.rmtree(self._kept, ignore_errors=True)
        return True

    def _write(self, name: str, path: Path, advance: Callable[[], None]) -> None:
        like = self._read((0, 1), (0, 1))
        if name == "std":
            colours = like.values[..., : like.colours]
            kind = (
                np.promote_types(colours.dtype, np.float32) if colours.dtype.kind == "f" else "f4"
            )
            like = replace(
                like,
                values=colours.astype(kind),
                validity=False,
                missing=None,
                info=of_deviation(like.info),
            )
        temporary = path.with_name(f".npfill-{secrets.token_hex(6)}.part")
        try:
            self._raster.write(temporary, like, self._bands(name, like, advance))
            os.replace(temporary, path)  # noqa: PTH105
        finally:
            temporary.unlink(missing_ok=True)

    def _bands(self, name: str, like: Picture, advance: Callable[[], None]) -> Iterator[np.ndarray]:
        """The rows of a result, `_BAND` at once, from what is kept of the windows."""
        height, width = self._raster.size
        colours = self._read((0, 1), (0, 1)).colours
        held: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for top in range(0, height, _BAND):
            bottom = min(top + _BAND, height)
            if name == "mean":
                values = self._raster.read((top, bottom), (0, width)).values.copy()
            else:
                values = np.zeros((bottom - top, width, colours), like.values.dtype)
            for number, (rows, columns) in enumerate(self.places):
                if rows[1] <= top or rows[0] >= bottom:
                    held.pop(number, None)
                    continue
                if number not in held:
                    held[number] = self._held(name, number, colours, values.dtype)
                hole, filled = held[number]
                t, b = max(top, rows[0]), min(bottom, rows[1])
                part = slice(t - rows[0], b - rows[0])
                target = values[t - top : b - top, slice(*columns), :colours]
                target[hole[part]] = filled[part][hole[part]]
            yield values
            advance()

    def _held(
        self, name: str, number: int, colours: int, kind: np.dtype
    ) -> tuple[np.ndarray, np.ndarray]:
        """The hole of a window, and what fills it."""
        rows, columns = self.places[number]
        shape = (rows[1] - rows[0], columns[1] - columns[0], colours)
        hole, filled = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=kind)
        with np.load(self._file(number)) as kept:
            if kept["hole"].size:
                hole = np.unpackbits(kept["hole"], count=hole.size).reshape(shape).astype(bool)
                if name in kept:
                    filled[hole] = kept[name]
        return hole, filled
