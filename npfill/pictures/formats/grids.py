"""Grids in netCDF and zarr, through xarray: one variable is completed, all else stays."""

import io
import math
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
Number = int | float
CLASSIC, HDF5 = b"CDF", b"\x89HDF\r\n\x1a\n"
_STORES, _KINDS = ("zarr.json", ".zgroup"), "iuf"
_ROWS = {"lat", "latitude", "rlat", "nav_lat", "y", "yc", "nj", "j", "row", "northing"}
_COLUMNS = {"lon", "longitude", "rlon", "nav_lon", "x", "xc", "ni", "i", "column", "easting"}
_VALID = ("valid_range", "valid_min", "valid_max")
_OF_VALUES = ("_FillValue", "missing_value", "add_offset", "_Unsigned", *_VALID)


def is_store(path: Path) -> bool:
    """True of the folder of a zarr store."""
    return path.is_dir() and any((path / name).is_file() for name in _STORES)


def read(file: File, name: str, max_pixels: int, variable: str = "") -> Picture:
    """Read a variable of a netCDF file.

    Raises:
        InputError: It has no such variable, or several; it is cut off or no netCDF file; or a
            package is not installed.
    """
    start = file.read(len(HDF5))
    file.seek(0)
    if not start.startswith((CLASSIC, HDF5)):
        raise InputError(
            f"{name}: no netCDF file or zarr store, which have variables", "leave `variable` out"
        )
    library = imported("netCDF4", f"{name}: netCDF", "xarray", InputError)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.nc"
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        with library.Dataset(path) as opened:
            how = {"format": opened.data_model}
        if start.startswith(CLASSIC):
            _refuse_cut_off(path, name, library)
        default = {k: x for k, x in library.default_fillvals.items() if not isinstance(x, str)}
        with _xarray(name).open_dataset(path, engine="netcdf4", decode_cf=False) as data:
            return _picture(data, name, max_pixels, variable, "NETCDF", how, default)


def read_store(path: Path, max_pixels: int, variable: str = "") -> Picture:
    """Read a variable of a zarr store.

    Raises:
        InputError: As of `read`.
    """
    imported("zarr", f"{path}: zarr", "xarray", InputError)
    how = {"zarr_format": 3 if (path / "zarr.json").is_file() else 2}
    with _xarray(str(path)).open_dataset(path, engine="zarr", decode_cf=False, chunks=None) as data:
        return _picture(data, str(path), max_pixels, variable, "ZARR", how, {})


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
    turned = _turned(array)
    values = np.asarray(turned.values)
    return np.moveaxis(values.reshape(-1, *values.shape[-2:]), 0, -1), turned


def _turned(array: Array) -> Array:
    """An array whose rows and columns are its last dimensions; it need not be loaded."""
    dims = [str(dim) for dim in array.dims]
    rows = [dim for dim in dims if dim.lower() in _ROWS]
    columns = [dim for dim in dims if dim.lower() in _COLUMNS]
    last = [rows[-1], columns[-1]] if rows and columns else dims[-2:]
    return array.transpose(*(dim for dim in dims if dim not in last), *last)


def as_before(values: np.ndarray, turned: Array) -> np.ndarray:
    """Values "height width plane" in the shape of the transposed array that `planes` gave."""
    return np.moveaxis(values, -1, 0).reshape(turned.shape)


def _xarray(name: str) -> ModuleType:
    return imported("xarray", f"{name}: netCDF or zarr", "xarray", InputError)


def _refuse_cut_off(path: Path, name: str, library: ModuleType) -> None:
    """Refuse a classic file that ends before its last values, which would be read as zeros."""

    def last() -> tuple[list[bytes], int]:
        with library.Dataset(path) as opened:
            opened.set_auto_maskandscale(False)
            each = [one for one in opened.variables.values() if one.size]
            ends = [np.asarray(one[(-1,) * one.ndim]).tobytes() for one in each]
            return ends, sum(one.size * one.dtype.itemsize for one in each)

    before, least = last()
    is_short = path.stat().st_size < least
    with path.open("ab") as copy:  # where no more is lacking than the header and gaps take
        copy.write(b"\xff" * 2**20)
    if is_short or last()[0] != before:
        raise InputError(f"{name}: ends before its last values", "copy or download it again")


def _picture(
    data: Data,
    name: str,
    max_pixels: int,
    variable: str,
    form: str,
    how: Mapping[str, object],
    defaults: Mapping[str, Number],
) -> Picture:
    """The data of one variable, which are loaded once their size is known to be allowed."""
    grids = [str(key) for key, each in data.data_vars.items() if _is_grid(each)]
    if not variable and len(grids) != 1:
        found = f"variables {', '.join(grids)}" if grids else "no variable of two dimensions"
        raise InputError(
            f"{name}: has {found}",
            "npfill complete takes `variable=NAME`; or save one alone in a file of its own",
        )
    variable = variable or grids[0]
    if variable not in grids:
        raise InputError(
            f"{name}: has no variable {variable} of numbers on a grid",
            f"any of {', '.join(grids)}" if grids else "a file with a grid",
        )
    shape = _turned(data[variable]).shape
    refuse_bomb(name, (*shape[-2:], math.prod(shape[:-2])), max_pixels)
    array = data.load()[variable]
    values, turned = planes(array)
    values = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))
    default = None if "_FillValue" in array.attrs else defaults.get(values.dtype.str[1:])
    missing = is_no_data(values, default if values.itemsize > 1 else None)
    values, attributes = _unsigned(values, array.attrs)
    keys, (low, high) = ("_FillValue", "missing_value"), _valid(attributes, values.dtype)
    named = [float(x) for key in keys for x in attributes.get(key, ()) if not np.isnan(x)]
    missing |= np.isnan(values) if values.dtype.kind == "f" else False
    for each in named:
        missing |= is_no_data(values, each)
    outside = ~missing & ~((values >= low) & (values <= high))
    note = f"values outside of the valid range, {low:g} to {high:g} as stored, count as missing"
    info = {"dataset": data, "variable": variable, "turned": turned.dims, **how}
    info |= {"valid": (low, high)} if any(key in attributes for key in _VALID) else {}
    info |= {"no_data": named[0]} if named else {}
    told = (values, form, name, (f"{note}: {outside.sum():,}",) if outside.any() else (), info)
    why, missing = "files of xarray always are", missing | outside
    return Picture(*told, is_data=True, why=why, missing=missing, stack=True)


def _is_grid(array: Array) -> bool:
    return array.ndim > 1 and array.dtype.kind in _KINDS and array.size > 0


def _unsigned(
    values: np.ndarray, attributes: Mapping[str, object]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Values and the numbers among attributes, unsigned if an attribute says so of signed ones."""
    stored, every = values.dtype, {key: np.ravel(np.asarray(x)) for key, x in attributes.items()}
    found = {key: each for key, each in every.items() if each.dtype.kind in _KINDS and each.size}
    if stored.kind != "i" or str(attributes.get("_Unsigned", "")).lower() != "true":
        return values, found
    kind = np.dtype(f"u{stored.itemsize}")
    of_values = {key: each.view(kind) for key, each in found.items() if each.dtype == stored}
    return values.view(kind), found | of_values


def _valid(attributes: Mapping[str, np.ndarray], dtype: np.dtype) -> tuple[Number, Number]:
    """The least and the greatest valid value as it is packed, within the numbers of its type.

    Where they have the type of what is unpacked, and this is wider, so is their unit.
    """
    given = [attributes[key] for key in _VALID if key in attributes]
    factors = [attributes[key] for key in ("scale_factor", "add_offset") if key in attributes]
    low, high = attributes.get("valid_range", np.array([-np.inf, np.inf]))[[0, -1]]
    low, high = attributes.get("valid_min", [low])[0], attributes.get("valid_max", [high])[0]
    if given and factors:
        unpacked = np.result_type(*factors)
        if np.result_type(*given) == unpacked and unpacked.itemsize > dtype.itemsize:
            offset = float(attributes.get("add_offset", [0])[0])
            scale = float(attributes.get("scale_factor", [1])[0]) or 1.0
            low, high = sorted((end - offset) / scale for end in (low, high))
    if dtype.kind == "f":  # of a limit that is NaN, there is none
        with np.errstate(over="ignore"):
            return float(dtype.type(max(-np.inf, low))), float(dtype.type(min(np.inf, high)))
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    return math.ceil(round(max(least, low), 6)), math.floor(round(min(most, high), 6))


def _dataset(picture: Picture) -> Data:
    """The data set as it came, in which the variable has the values of a picture."""
    info = picture.info
    data, name = info["dataset"].copy(), info["variable"]
    array = data[name]
    turned = array.transpose(*info["turned"])
    values = as_before(picture.values, turned)
    if values.dtype.kind == "u" and array.dtype.kind == "i":  # see `_unsigned`
        values = values.view(f"i{values.itemsize}")
    array = turned.copy(data=values).transpose(*array.dims)
    if info.get("deviation"):
        array.attrs = {key: each for key, each in array.attrs.items() if key not in _OF_VALUES}
        array.attrs["long_name"] = f"standard deviation of {array.attrs.get('long_name', name)}"
        kept = {"chunksizes", "chunks", "zlib", "complevel", "compression", "compression_opts"}
        array.encoding = {key: each for key, each in array.encoding.items() if key in kept}
    data[name] = array
    unlimited = data.encoding.get("unlimited_dims", ())
    for key, each in data.variables.items():
        if "_FillValue" not in each.attrs:  # else xarray would add one
            each.encoding["_FillValue"] = None
        last = each.dims[-1] if "format" in info and each.dtype == "S1" and each.size > 1 else key
        if last not in {key, *unlimited}:  # as texts, or xarray would add a dimension
            texts = np.ascontiguousarray(each.values).view(f"S{each.shape[-1]}")[..., 0]
            how = {**each.encoding, "char_dim_name": last}
            data[key] = type(each)(each.dims[:-1], texts, each.attrs, how)
    return data
