"""Completion in windows, of rasters that may be larger than memory; what is done is kept.

Each window is completed from what is observed in it and within `HALO` pixels around it, on the
scale of the whole raster. Its hole is kept in a file of its own beside the results, so that a run
that was killed goes on, and several share the work; the one that completes the last window writes
the results.
"""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from npfill.completion.far import Far
from npfill.completion.hole import MaskOptions
from npfill.completion.in_window import Rescalings, Window, predicted
from npfill.completion.kept import Kept
from npfill.completion.overview import Overview
from npfill.completion.parameters import SamplingOptions
from npfill.completion.selected import Selected
from npfill.errors import InputError, UsageError
from npfill.files import json_text, refuse_inputs, refuse_results, write_bytes
from npfill.pictures.asked import as_asked
from npfill.pictures.formats import npz_bytes
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.nodata import none_of
from npfill.pictures.picture import Asked, Picture
from npfill.pictures.reach import reached, unsaid
from npfill.pictures.read import MAX_PIXELS
from npfill.pictures.windows import Ends, Raster, open_raster

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from npfill.predictor import Predictor

HALO = 256
_LEAST = 64
_GOLDEN = (5**0.5 - 1) / 2  # whose multiples lie evenly, with the whole numbers left out


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
        masking: The masks and boxes of what is filled beside what has no data, and of what is not.
        sampling: The seed, and if the std is checked.
        predictor: What completes it.
        overwrite: Replace results that exist.
        part: The number of this part, and of parts.
        max_pixels: The most pixels of a mask that is read.
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
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        if self.side < _LEAST:
            raise UsageError(f"`window={self.side}`", f"{_LEAST} pixels or more")
        refuse_inputs(self.results.values(), [self.path, *self.masking.files])
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
    def completer(self) -> "Predictor":
        """The predictor of data of this kind."""
        return self.predictor.on(self._read((0, 1), (0, 1)))

    @cached_property
    def selected(self) -> Selected:
        """The pixels that masks and boxes select."""
        found = Selected.by(self.masking, self._raster.size, str(self.path), self.max_pixels)
        like, far = self._read((0, 1), (0, 1)), self.masking.max_distance
        if found.hole is not None and far is not None and none_of(like) is None:
            problem = f"{self.path}: {like.values.dtype} has no NaN for what stays open"
            raise InputError(problem, "`nodata=V` says which value is none, or no `max_distance`")
        return found

    @cached_property
    def _kept(self) -> Kept:
        """The folder of what is done, of this raster and these options alone."""
        how, masking = self.sampling, vars(self.masking)
        said: list[object] = [self.side, vars(self.asked), how.seed, how.no_check]
        said += [self.completer.name, self.completer.sha256]
        said += [f"{name} {each}" for name, each in masking.items()]
        for file in (self.path, *self.masking.files):
            state = file.stat()
            said += [state.st_size, state.st_mtime_ns]
        key = hashlib.sha256(json_text(said).encode()).hexdigest()[:12]
        folder = self.folder / f".{self.path.stem}.npfill-{key}"
        return Kept(folder, self.places, self._raster, self._read((0, 1), (0, 1)), self.path)

    def mine(self) -> list[int]:
        """The windows of this part that are still to be done."""
        numbers = range(self.part[0], len(self.places), self.part[1])
        return [number for number in numbers if not self._kept.file(number).is_file()]

    def _read(self, rows: Ends, columns: Ends) -> Picture:
        return as_asked(self._raster.read(rows, columns), self.asked)

    def _given(self, rows: Ends, columns: Ends) -> tuple[Picture, np.ndarray]:
        """The data of a window, with masks; and where nothing is filled nor used."""
        return self.selected.within(self._read(rows, columns), rows, columns)

    @cached_property
    def overview(self) -> Overview:
        """The raster as a whole."""
        name = str(self.path)

        def found() -> bytes:
            return Overview.of(name, self._raster.size, self._given).as_bytes()

        return Overview.from_bytes(self._kept.once("overview.npz", found), name)

    @cached_property
    def agreed(self) -> tuple[Far, Rescalings]:
        """Predictions far from all that is observed, and the rescaling of the std."""
        how, overview = self.sampling, self.overview

        def far() -> bytes:
            with self._network_alone():
                return Far.by(overview, HALO, self.completer, how).as_bytes()

        def rescalings() -> bytes:
            order = sorted(range(len(self.places)), key=lambda number: number * _GOLDEN % 1)
            windows = (self._window(number) for number in order)
            with self._network_alone():
                found = Rescalings.by(windows, len(self.places), self.completer, how)
                return found.as_text().encode()

        checked = Rescalings.from_text(self._kept.once("check.json", rescalings).decode())
        return Far.from_bytes(self._kept.once("far.npz", far)), checked

    def _network_alone(self) -> "AbstractContextManager[None]":
        """As in the raster as a whole, a law is looked for if it is small."""
        from npfill.models.lawful import LARGEST, network_alone  # noqa: PLC0415 - loads torch

        height, width = self._raster.size
        return network_alone(height * width > LARGEST)

    def _window(self, number: int) -> Window:
        (top, bottom), (left, right) = self.places[number]
        height, width = self._raster.size
        above, before = max(0, top - HALO), max(0, left - HALO)
        around = (above, min(height, bottom + HALO)), (before, min(width, right + HALO))
        picture, never = self._given(*around)
        assert picture.missing is not None
        missing, out = picture.missing[..., : picture.colours], never[..., None]
        wanted, far = missing & ~out, self.masking.max_distance
        near = reached(wanted, ~(missing | out), inner=False, farthest=far)
        nothing, unseen = np.zeros(picture.size, dtype=bool), out | (missing & ~near)
        masked = MaskedPicture.of(picture, nothing, unseen, self.overview.whole)
        own = slice(top - above, bottom - above), slice(left - before, right - before)
        return Window(masked, own, (above, before), wanted, near)

    def complete(self, number: int) -> int:
        """Complete a window, and keep its hole; the pixels of it that stay missing."""
        window = self._window(number)
        masked, own, whole = window.masked, window.own, self.overview.whole
        hole = window.wanted & window.near & ~whole.dead
        given, stays = self._read(*self.places[number]), (window.wanted & ~window.near)[own]
        assert given.missing is not None
        places = {"hole": hole[own], "mean_none": unsaid(given, stays)}
        places["std_none"] = stays | (given.missing & ~hole[own])
        arrays = {name: np.packbits(place) for name, place in places.items()}
        if hole[own].any():
            far, rescalings = self.agreed
            with self._network_alone():
                found = predicted(masked, self.completer, self.sampling, rescalings)
            mean, std = far.blended(*found, window.corner)
            # Of a channel of which nothing is near, what is far fills the hole as well.
            every = {"hole": hole, "by_channel": hole, "anywhere": hole.any(axis=-1)}
            filling = replace(masked, **every, dead=whole.dead)
            values = filling.filled(mean).values[..., : masked.picture.colours]
            arrays["mean"] = values[own][hole[own]]
            if std is not None:
                arrays["std"] = filling.deviation(std, mean)[own][hole[own]]
        write_bytes(self._kept.file(number), npz_bytes(arrays), like=self.path)
        return int((stays & ~whole.dead).any(axis=-1).sum())

    def finish(self, advance: Callable[[], None]) -> dict[str, Path]:
        """Write the results if all windows are done, by whomever; the files that were written.

        Raises:
            OverwriteError: Another file has the name of a result by now, and may not be replaced.
            InputError: The raster is gone, or the system does not let a result be written.
        """
        given, kept = self.results, self._kept
        # It is there before any window, and goes with all of them once the results are written.
        gone = "overview" in vars(self) and not (kept.folder / "overview.npz").is_file()
        if not (kept.is_whole or gone):
            return {}
        try:
            given = {name: path for name, path in given.items() if kept.gives(name)}
            for name, path in given.items():
                kept.write(name, path, self.overwrite, advance)
        except OSError as error:
            if kept.is_whole:
                said = f"{error.filename or self.folder}: {(error.strerror or str(error)).lower()}"
                hint = "mend it, and run the command again: what is done is kept"
                raise InputError(said, hint) from None
            # Another process has written them in the meantime.
            given = {name: path for name, path in given.items() if path.is_file()}
        shutil.rmtree(kept.folder, ignore_errors=True)
        return given
