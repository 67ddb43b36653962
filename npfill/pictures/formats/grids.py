"""Grids in netCDF and zarr, through xarray: one variable is completed, all else stays."""

import io
import shutil
import tempfile
import typing
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np

from npfill.errors import InputError
from npfill.package import imported
from npfill.pictures.nodata import is_no_data
from npfill.pictures.picture import File, Picture, refuse_bomb

Array = typing.Any  # of xarray, which may not be there
Data = Array
CLASSIC, HDF5 = b"CDF", b"\x89HDF\r\n\x1a\n"
_STORES = ("zarr.json", ".zgroup")
_ROWS = {"lat", "latitude", "rlat", "nav_lat", "y", "yc", "nj", "j", "row", "northing"}
_COLUMNS = {"lon", "longitude", "rlon", "nav_lon", "x", "xc", "ni", "i", "column", "easting"}
_OF_VALUES = ("_FillValue", "missing_value", "add_offset", "valid_min", "valid_max", "valid_range")
_KINDS = "iuf"


def is_store(path: Path) -> bool:
    """True of the folder of a zarr store."""
    return path.is_dir() and any((path / name).is_file() for name in _STORES)


def read(file: File, name: str, max_pixels: int, variable: str = "") -> Picture:
    """Read a variable of a netCDF file.

    Raises:
        InputError: It has no such variable, or several; or a package is not installed.
    """
    library = imported("netCDF4", f"{name}: netCDF", "xarray", InputError)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.nc"
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        with library.Dataset(path) as opened:
            how = {"format": opened.data_model}
        with _xarray(name).open_dataset(path, engine="netcdf4", decode_cf=False) as data:
            return _picture(data.load(), name, max_pixels, variable, "NETCDF", how)


def read_store(path: Path, max_pixels: int, variable: str = "") -> Picture:
    """Read a variable of a zarr store.

    Raises:
        InputError: As of `read`.
    """
    imported("zarr", f"{path}: zarr", "xarray", InputError)
    how = {"zarr_format": 3 if (path / "zarr.json").is_file() else 2}
    with _xarray(str(path)).open_dataset(path, engine="zarr", decode_cf=False, chunks=None) as data:
        return _picture(data.load(), str(path), max_pixels, variable, "ZARR", how)


def write(picture: Picture, text: Mapping[str, str]) -> bytes:
    """Encode a netCDF file in which the variable has other values."""
    del text
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.nc"
        _dataset(picture).to_netcdf(path, engine="netcdf4", format=picture.info["format"])
        return path.read_bytes()


def write_store(picture: Picture, text: Mapping[str, str]) -> bytes:
    """A zip archive of a zarr store in which the variable has other values."""
    del text
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that other programs may not know of consolidation
        root = Path(folder) / "grid.zarr"
        _dataset(picture).to_zarr(root, zarr_format=picture.info["zarr_format"])
        with zipfile.ZipFile(content, "w") as archive:
            for path in sorted(path for path in root.rglob("*") if path.is_file()):
                name = zipfile.ZipInfo(path.relative_to(root).as_posix())
                archive.writestr(name, path.read_bytes())
    return content.getvalue()


def planes(array: Array) -> tuple[np.ndarray, Array]:
    """The values "height width plane" of an array of two or more dimensions, and it transposed.

    Rows and columns are the dimensions that have such names, or the last two; the others come first
    in the transposed array, and their planes last in the values.
    """
    dims = [str(dim) for dim in array.dims]
    rows = [dim for dim in dims if dim.lower() in _ROWS]
    columns = [dim for dim in dims if dim.lower() in _COLUMNS]
    last = [rows[-1], columns[-1]] if rows and columns else dims[-2:]
    turned = array.transpose(*(dim for dim in dims if dim not in last), *last)
    values = np.asarray(turned.values)
    return np.moveaxis(values.reshape(-1, *values.shape[-2:]), 0, -1), turned


def as_before(values: np.ndarray, turned: Array) -> np.ndarray:
    """Values "height width plane" in the shape of the transposed array that `planes` gave."""
    return np.moveaxis(values, -1, 0).reshape(turned.shape)


def _xarray(name: str) -> ModuleType:
    return imported("xarray", f"{name}: netCDF or zarr", "xarray", InputError)


def _picture(
    data: Data,
    name: str,
    max_pixels: int,
    variable: str,
    form: str,
    how: Mapping[str, object],
) -> Picture:
    """The data of one variable."""
    grids = [str(key) for key, each in data.data_vars.items() if _is_grid(each)]
    if not variable and len(grids) != 1:
        found = f"variables {', '.join(grids)}" if grids else "no variable of two dimensions"
        raise InputError(f"{name}: has {found}", "`variable=NAME` is the one to complete")
    variable = variable or grids[0]
    if variable not in grids:
        raise InputError(
            f"{name}: has no variable {variable} of numbers on a grid",
            f"any of {', '.join(grids)}" if grids else "a file with a grid",
        )
    array = data[variable]
    values, turned = planes(array)
    refuse_bomb(name, (*values.shape[:2], values.shape[2]), max_pixels)
    values = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))
    missing, none = _missing(values, array.attrs)
    info = {"dataset": data, "variable": variable, "turned": turned.dims, **how}
    info |= {} if none is None else {"no_data": none}
    why = "files of xarray always are"
    return Picture(values, form, name, (), info, is_data=True, why=why, missing=missing, stack=True)


def _is_grid(array: Array) -> bool:
    return array.ndim > 1 and array.dtype.kind in _KINDS and array.size > 0


def _missing(
    values: np.ndarray, attributes: Mapping[str, object]
) -> tuple[np.ndarray, float | None]:
    """True where values are missing by the conventions of netCDF; and one that says so."""
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    named = [
        float(each)
        for key in ("_FillValue", "missing_value")
        for each in np.ravel(np.asarray(attributes.get(key, ())))
        if np.isreal(each)
    ]
    for each in named:
        missing |= is_no_data(values, each)
    low, high = np.ravel(np.asarray(attributes.get("valid_range", (-np.inf, np.inf))))
    low = np.ravel(np.asarray(attributes.get("valid_min", low)))[0]
    high = np.ravel(np.asarray(attributes.get("valid_max", high)))[0]
    missing |= (values < low) | (values > high)
    return missing, next((each for each in named if each == each), None)  # noqa: PLR0124 - not NaN


def _dataset(picture: Picture) -> Data:
    """The data set as it came, in which the variable has the values of a picture."""
    info = picture.info
    data, name = info["dataset"].copy(), info["variable"]
    array = data[name]
    turned = array.transpose(*info["turned"])
    array = turned.copy(data=as_before(picture.values, turned)).transpose(*array.dims)
    if info.get("deviation"):
        array.attrs = {key: each for key, each in array.attrs.items() if key not in _OF_VALUES}
        array.attrs["long_name"] = f"standard deviation of {array.attrs.get('long_name', name)}"
        kept = {"chunksizes", "chunks", "zlib", "complevel", "compression", "compression_opts"}
        array.encoding = {key: each for key, each in array.encoding.items() if key in kept}
    data[name] = array
    for each in data.variables.values():
        if "_FillValue" not in each.attrs:  # else xarray would add one
            each.encoding["_FillValue"] = None
    return data
