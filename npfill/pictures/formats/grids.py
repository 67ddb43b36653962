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
from npfill.pictures.nodata import VALID, is_no_data, none_by, unsigned, valid_range
from npfill.pictures.picture import File, Picture, refuse_bomb
from npfill.pictures.scales import packed, unpacked

Array = typing.Any  # of xarray, which may not be there
Data = Array
CLASSIC, HDF5 = b"CDF", b"\x89HDF\r\n\x1a\n"
_KINDS = "iuf"
_ROWS = {"lat", "latitude", "rlat", "nav_lat", "y", "yc", "nj", "j", "row", "northing"}
_COLUMNS = {"lon", "longitude", "rlon", "nav_lon", "x", "xc", "ni", "i", "column", "easting"}
_LAYOUT = {"chunksizes", "chunks", "zlib", "complevel", "compression", "compression_opts"}
_OF_VALUES = ("_FillValue", "missing_value", "add_offset", "_Unsigned", "standard_name", *VALID)


def read(file: File, name: str, max_pixels: int, variable: str = "") -> Picture:
    """Read a variable of a netCDF file.

    Raises:
        InputError: It has no such variable, or several; it is cut off or no netCDF file; or a
            package is not installed; or all variables are far larger than the file and the limit.
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
            kinds = library.VLType, library.CompoundType  # which xarray cannot write
            claimed = sum(math.prod(each.shape) for each in opened.variables.values())
            for key, each in opened.variables.items():
                if isinstance(each.datatype, kinds) and each.dtype is not str:
                    problem = f"{name}: its variable {key} is ragged or compound, and would be lost"
                    raise InputError(problem, f"`ncks -x -v {key}` copies all else")
        if start.startswith(CLASSIC):
            _refuse_cut_off(path, name, library)
        default = {k: x for k, x in library.default_fillvals.items() if not isinstance(x, str)}
        with _opened(path, name, claimed, max_pixels, engine="netcdf4") as data:
            return _picture(data, name, max_pixels, variable, "NETCDF", how, default)


def read_store(_file: File, name: str, max_pixels: int, variable: str = "") -> Picture:
    """Read a variable of a zarr store.

    Raises:
        InputError: As of `read`, or a variable is pickled, which is said before it is decoded.
    """
    library = imported("zarr", f"{name}: zarr", "xarray", InputError)
    group = library.open(name, mode="r", use_consolidated=False)  # which might say another thing
    if isinstance(group, library.Array):
        raise InputError(f"{name}: one array, not a group", "save it by xarray, or as .npy")
    how = {"zarr_format": 3 if Path(name, "zarr.json").is_file() else 2}
    for key, each in group.arrays():
        if "pickle" in {getattr(x, "codec_id", "") for x in (*each.filters, *each.compressors)}:
            problem = f"{name}: its variable {key} is pickled, and a pickle can run any code"
            raise InputError(problem, "save it again without that variable")
    claimed = sum(math.prod(each.shape) for _, each in group.arrays())
    with _opened(Path(name), name, claimed, max_pixels, engine="zarr", consolidated=False) as data:
        return _picture(data, name, max_pixels, variable, "ZARR", how, {})


def write(picture: Picture, _text: Mapping[str, str]) -> bytes:
    """Encode a netCDF file in which the variable has other values."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.nc"
        _dataset(picture).to_netcdf(path, engine="netcdf4", format=picture.info["format"])
        return path.read_bytes()


def write_store(picture: Picture, _text: Mapping[str, str]) -> bytes:
    """A zip archive of a zarr store in which the variable has other values."""
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


def axes(turned: Array) -> list[np.ndarray]:
    """The coordinates of rows and of columns of a transposed array; empty where they are none."""
    found = []
    for dim in turned.dims[-2:]:
        at, values = turned[dim], np.empty(0)
        if dim in turned.coords and at.dtype.kind in _KINDS and " since " not in str(at.attrs):
            stored, said = unsigned(at.values, at.attrs)
            scale, offset = (float(said.get(k, [0])[0]) for k in ("scale_factor", "add_offset"))
            values = stored * (scale or 1.0) + offset
        found.append(values)
    return found


def as_before(values: np.ndarray, turned: Array) -> np.ndarray:
    """Values "height width plane" in the shape of the transposed array that `planes` gave."""
    return np.moveaxis(values, -1, 0).reshape(turned.shape)


def of_deviation(array: Array) -> dict[str, object]:
    """The attributes of the standard deviation of an array."""
    name = f"standard deviation of {array.attrs.get('long_name', array.name or 'the values')}"
    said = {key: each for key, each in array.attrs.items() if key not in _OF_VALUES}
    return said | {"long_name": name}


def _opened(path: Path, name: str, claimed: int, max_pixels: int, **how: object) -> Data:
    """A data set of so many values, which is no bomb; opening it loads its coordinates."""
    size = sum(each.stat().st_size for each in (path, *path.rglob("*")) if each.is_file())
    if claimed > max(4 * max_pixels, 100 * size):  # as the pixels of four channels; see `_picture`
        problem = f"{name}: its variables have {claimed:,} values, and the file {size:,} bytes"
        raise InputError(problem, f"`max_pixels={-(-claimed // 4)}` if it is what it claims to be")
    library = imported("xarray", f"{name}: netCDF or zarr", "xarray", InputError)
    return library.open_dataset(path, decode_cf=False, **how)


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
    defaults: Mapping[str, float | int],
) -> Picture:
    """The data of one variable, which are loaded once their size is known to be allowed."""
    numbers = {str(key): x for key, x in data.data_vars.items() if x.dtype.kind in _KINDS + "b"}
    grids = [key for key, each in numbers.items() if each.ndim > 1 and each.size > 0]
    said = [x.attrs.get(key) for x in data.variables.values() for key in ("bounds", "coordinates")]
    alone = [key for key in grids if key not in " ".join(map(str, said)).split()]
    alone = [key for key in alone if numbers[key].dtype.kind != "b"] or alone or grids
    if not variable and len(alone) != 1:
        found = f"variables {', '.join(grids)}" if grids else "no variable of two dimensions"
        raise InputError(
            f"{name}: has {found}",
            "`variable=NAME` of complete, check and next; or save one alone in a file of its own",
        )
    variable = variable or alone[0]
    if variable not in grids:
        raise InputError(
            f"{name}: has no variable {variable} of numbers on a grid",
            f"any of {', '.join(grids)}" if grids else "a file with a grid",
        )
    shape = _turned(data[variable]).shape
    refuse_bomb(name, (*shape[-2:], math.prod(shape[:-2])), max_pixels)
    array = data.load()[variable]
    values, turned = planes(array)
    if values.dtype.kind == "b":
        return Picture(values, form, name, info={"axes": axes(turned)}, is_data=True)
    values = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))
    default = None if "_FillValue" in array.attrs else defaults.get(values.dtype.str[1:])
    missing = is_no_data(values, default if values.itemsize > 1 else None)
    values, attributes = unsigned(values, array.attrs)
    scale, offset = (float(attributes.get(key, [0])[0]) for key in ("scale_factor", "add_offset"))
    low, high = valid_range(attributes, values.dtype, scale := scale or 1.0, offset)
    none, named = none_by(values, attributes)
    missing |= none
    outside = ~missing & ~((values >= low) & (values <= high))
    note = f"values outside of the valid range, {low:g} to {high:g} as stored, count as missing"
    info = {"dataset": data, "variable": variable, "axes": axes(turned), **how}
    info |= {"valid": (low, high)} if any(key in attributes for key in VALID) else {}
    info |= named
    told = (values, form, name, (f"{note}: {outside.sum():,}",) if outside.any() else (), info)
    why, missing = "files of xarray always are", missing | outside
    picture = Picture(*told, is_data=True, why=why, missing=missing, stack=True)
    return unpacked(picture, scale, offset)


def _dataset(picture: Picture) -> Data:
    """The data set as it came, in which the variable has the values of a picture."""
    info = picture.info
    data, name = info["dataset"].copy(), info["variable"]
    array = data[name]
    before, turned = planes(array)
    values = packed(picture, unsigned(before, array.attrs)[0])
    if values.dtype.kind == "u" and array.dtype.kind == "i":  # see `unsigned`
        values = values.view(f"i{values.itemsize}")
    array = turned.copy(data=as_before(values, turned)).transpose(*array.dims)
    if info.get("deviation"):  # which is not packed
        array.attrs = {k: x for k, x in of_deviation(array).items() if k != "scale_factor"}
        array.encoding = {key: each for key, each in array.encoding.items() if key in _LAYOUT}
    data[name] = array
    unlimited = data.encoding.get("unlimited_dims", ())
    for key, each in data.variables.items():
        if (digits := each.encoding.pop("least_significant_digit", None)) is not None:
            each.attrs["least_significant_digit"] = digits  # else values would be rounded to them
        if "_FillValue" not in each.attrs:  # else xarray would add one
            each.encoding["_FillValue"] = None
        last = each.dims[-1] if "format" in info and each.dtype == "S1" and each.size > 1 else key
        if last not in {key, *unlimited}:  # as texts, or xarray would add a dimension
            texts = np.ascontiguousarray(each.values).view(f"S{each.shape[-1]}")[..., 0]
            how = {**each.encoding, "char_dim_name": last}
            data[key] = type(each)(each.dims[:-1], texts, each.attrs, how)
    return data
