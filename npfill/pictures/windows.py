"""Rasters that are read and written in windows: they may be larger than memory."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from npfill.errors import InputError
from npfill.pictures.formats import arrays, geotiff, tiff
from npfill.pictures.formats.raster import HEADER
from npfill.pictures.picture import Picture
from npfill.pictures.read import opened, refusals

_CACHED = 2**28  # bytes of decoded tiles or strips
TILE = 256  # of results, and rows of them that are written at once
Ends = tuple[int, int]


@runtime_checkable
class Raster(Protocol):
    """A raster of data in a file.

    Attributes:
        size: Height and width.
    """

    size: tuple[int, int]

    def read(self, rows: Ends, columns: Ends) -> Picture:
        """The data of a window, of which missing values are known; ends are exclusive."""
        ...

    def write(self, path: Path, like: Picture, bands: Iterator[np.ndarray]) -> None:
        """Write a file from bands of `TILE` rows, of the layout and type of `like`."""
        ...


def open_raster(path: Path) -> Raster:
    """Open a raster that is read in windows.

    Raises:
        InputError: It is no TIFF of data and no .npy file, is missing or broken, or has masks
            within.
    """
    with refusals(str(path)):
        with opened(path) as file:
            header = file.read(HEADER)
        if header.startswith(tiff.MAGICS):
            return _Tiff(path)
        if header.startswith(b"\x93NUMPY"):
            return _Npy(path)
    raise InputError(f"{path}: not read in windows", "TIFF and .npy are; or leave `window` out")


class _Npy:
    def __init__(self, path: Path) -> None:
        self._values = np.load(path, mmap_mode="r", allow_pickle=False)
        arrays.refuse_array(str(path), self._values.dtype, self._values.shape)
        self._name, self.size = str(path), (self._values.shape[0], self._values.shape[1])

    def read(self, rows: Ends, columns: Ends) -> Picture:
        part = np.array(self._values[slice(*rows), slice(*columns)])
        return arrays.data(part, self._name, "NPY", {})

    def write(self, path: Path, like: Picture, bands: Iterator[np.ndarray]) -> None:
        shape = (*self.size, *like.info["shape"][2:])
        descr = np.lib.format.dtype_to_descr(like.values.dtype)
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        with path.open("wb") as file:  # not mapped to memory, where a full disk kills the process
            np.lib.format.write_array_header_1_0(file, header)
            for band in bands:
                file.write(np.asarray(band, like.values.dtype).tobytes())


class _Tiff:
    def __init__(self, path: Path) -> None:
        self._name, self._path = str(path), path
        with path.open("rb") as file:
            pages = tiff.pages_of(file)
            self._tags = pages[0]
            file.seek(0)
            self._page = page = tiff.tifffile(f"{self._name}: a TIFF").TiffFile(file).pages.first
            self._decoder = page.decode
            self._at = [*zip(page.dataoffsets, page.databytecounts, strict=True)]
            for tag in page.tags.values():
                _ = tag.value  # read while the file is open
        self.size = (page.imagelength, page.imagewidth)
        masked = any(geotiff.is_mask(each, self._tags) for each in pages[1:])
        unread = masked or geotiff.alpha_of(self._tags) is not None
        if not geotiff.why(self._tags) or unread or page.axes not in {"YX", "YXS"}:
            raise InputError(
                f"{path}: photographs, masks within, alpha and bands apart are not read in windows",
                "`gdal_translate -co INTERLEAVE=PIXEL` writes it anew; or leave `window` out",
            )
        self._tile = (page.tilelength, page.tilewidth)
        if not page.is_tiled:
            self._tile = (min(page.rowsperstrip, self.size[0]), self.size[1])
        bytes_each = self._tile[0] * self._tile[1] * page.samplesperpixel * page.dtype.itemsize
        self._decoded = lru_cache(max(1, _CACHED // bytes_each))(self._decode)

    def _decode(self, number: int) -> np.ndarray | None:
        start, count = self._at[number]
        if not count:
            return None  # as GDAL leaves out what is no data
        with refusals(self._name), self._path.open("rb") as file:
            file.seek(start)
            values = self._decoder(file.read(count), number)[0]
        return None if values is None else values[0]

    def read(self, rows: Ends, columns: Ends) -> Picture:
        page, (high, wide) = self._page, self._tile
        shape = (rows[1] - rows[0], columns[1] - columns[0], page.samplesperpixel)
        values = np.full(shape, page.nodata, dtype=page.dtype)
        across = -(-self.size[1] // wide)
        for down in range(rows[0] // high, -(-rows[1] // high)):
            for right in range(columns[0] // wide, -(-columns[1] // wide)):
                part = self._decoded(down * across + right)
                if part is None:
                    continue
                top, left = down * high, right * wide
                t, b = max(rows[0], top), min(rows[1], top + len(part))
                le, r = max(columns[0], left), min(columns[1], left + part.shape[1])
                inside = part[t - top : b - top, le - left : r - left]
                values[t - rows[0] : b - rows[0], le - columns[0] : r - columns[0]] = inside
        return geotiff.data(page, self._tags, values, [], self._name, alone=True)

    def write(self, path: Path, like: Picture, bands: Iterator[np.ndarray]) -> None:
        samples = like.values.shape[-1]
        shape = self.size if samples == 1 else (*self.size, samples)
        how = tiff.layout(like) | ({"planarconfig": "contig"} if samples > 1 else {})
        with tiff.tifffile(f"{self._name}: a TIFF").TiffWriter(path, bigtiff=True) as writer:
            writer.write(
                _tiles(bands),
                shape=shape,
                dtype=like.values.dtype,
                tile=(TILE, TILE),
                compression="zlib",
                metadata=None,
                software="npfill",
                **how,
            )


def _tiles(bands: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    for band in bands:
        if band.shape[-1] == 1:
            band = band[..., 0]  # noqa: PLW2901
        for left in range(0, band.shape[1], TILE):
            part = band[:, left : left + TILE]
            edges = [(0, TILE - part.shape[0]), (0, TILE - part.shape[1])]
            yield np.pad(part, edges + [(0, 0)] * (part.ndim - 2))
