"""Files of measurements: completed by one command, and opened again by their own libraries."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill import complete
from npfill.errors import InputError
from npfill.pictures.read import read_picture
from tests.cli.conftest import Command

ROW, COLUMN = np.indices((20, 24))
FIELD = 15 + 3 * np.sin(0.3 * ROW) + 2 * np.cos(0.2 * COLUMN)
HOLE = np.zeros(FIELD.shape, dtype=bool)
HOLE[5:11, 9:17] = True
LAND = ROW + COLUMN > 34
WORDS = ("complete", "--model", "nearest", "--emit", "mean")


def sea(xarray: Any) -> Any:
    values = np.stack([FIELD, FIELD[::-1], FIELD + 1])
    values[:2, HOLE] = np.nan
    values[:, LAND] = np.nan
    return xarray.DataArray(
        values,
        dims=("time", "lat", "lon"),
        coords={"time": [1, 2, 3], "lat": np.arange(20.0), "lon": np.arange(24.0)},
        name="sst",
        attrs={"units": "celsius"},
    )


def land_mask(folder: Path) -> Path:
    Image.fromarray(LAND.astype(np.uint8) * 255).save(folder / "land.png")
    return folder / "land.png"


def two_variables(xarray: Any) -> Any:
    return (
        sea(xarray).to_dataset().assign(depth=("lat", np.arange(20)), mask=(("lat", "lon"), LAND))
    )


@pytest.mark.slow
def test_netcdf_with_scale_offset_and_land(npfill: Command, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("netCDF4")
    packed = {"dtype": "int16", "scale_factor": 0.01, "add_offset": 20.0, "_FillValue": -32768}
    path = tmp_path / "sst.nc"
    two_variables(xarray).to_netcdf(path, encoding={"sst": packed})
    words = (*WORDS, path, "--variable", "sst", "--keep-out", land_mask(tmp_path))
    assert npfill(*words, "-o", tmp_path / "out").code == 0
    before, after = (xarray.open_dataset(each) for each in (path, tmp_path / "out/sst_mean.nc"))
    assert before.drop_vars("sst").identical(after.drop_vars("sst"))
    assert before.sst.attrs == after.sst.attrs
    assert {key: after.sst.encoding[key] for key in packed} == packed
    seen = ~np.isnan(before.sst.values)
    assert np.array_equal(before.sst.values[seen], after.sst.values[seen])
    assert np.array_equal(np.isnan(after.sst.values), np.broadcast_to(LAND, seen.shape))


@pytest.mark.slow
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_zarr_store_becomes_a_zarr_store(
    npfill: Command, tmp_path: Path, zarr_format: int
) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    path = tmp_path / "sst.zarr"
    two_variables(xarray).to_zarr(path, zarr_format=zarr_format, consolidated=False)
    words = (*WORDS, path, "--variable", "sst", "--keep-out", land_mask(tmp_path))
    for _ in range(2):  # the second replaces what the first has written
        assert npfill(*words, "-o", tmp_path / "out", "--overwrite").code == 0
    before = xarray.open_zarr(path, consolidated=False)
    after = xarray.open_zarr(tmp_path / "out/sst_mean.zarr", consolidated=False)
    assert before.drop_vars("sst").identical(after.drop_vars("sst"))
    seen = ~np.isnan(before.sst.values)
    assert np.array_equal(before.sst.values[seen], after.sst.values[seen])
    assert np.array_equal(np.isnan(after.sst.values), np.broadcast_to(LAND, seen.shape))
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["sst_mean.zarr"]


@pytest.mark.slow
def test_the_variable_of_several_must_be_named(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("netCDF4")
    two = sea(xarray).to_dataset().assign(other=sea(xarray))
    two.to_netcdf(tmp_path / "two.nc")
    with pytest.raises(InputError, match="has variables sst, other"):
        read_picture(tmp_path / "two.nc")
    with pytest.raises(InputError, match="has no variable wind"):
        read_picture(tmp_path / "two.nc", variable="wind")
    turned = two.transpose("lat", "lon", "time")
    turned.to_netcdf(tmp_path / "turned.nc")
    found, other = (
        read_picture(tmp_path / name, variable="sst").values for name in ("two.nc", "turned.nc")
    )
    assert found.shape == (20, 24, 3)
    assert np.array_equal(found, other, equal_nan=True)


@pytest.mark.slow
def test_an_array_of_xarray_becomes_a_data_set() -> None:
    xarray = pytest.importorskip("xarray")
    array = sea(xarray)
    land = xarray.DataArray(LAND, dims=("lat", "lon"))
    done: Any = complete(array, keep_out=land, samples=2, model="gp")
    assert [*done] == ["mean", "std", "sample"]
    assert done["mean"].attrs == array.attrs
    assert done["mean"].coords.equals(array.coords)
    assert done["sample"].dims == ("realization", "time", "lat", "lon")
    known = ~np.isnan(array.values)
    assert np.array_equal(done["mean"].values[known], array.values[known])
    assert np.array_equal(np.isnan(done["mean"].values[0]), LAND)
    assert (done["std"].values > 0)[:2, HOLE].all()
    alone: Any = complete(array[0], keep_out=land, samples=2, model="gp")
    np.testing.assert_array_equal(alone["mean"], done["mean"][0])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["float32", "int16"])
def test_a_fits_image_with_bad_pixels(npfill: Command, tmp_path: Path, kind: str) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    values = np.where(HOLE, np.nan, 100 * FIELD).astype(np.float32)
    image = fits.PrimaryHDU(values)
    if kind == "int16":
        image = fits.PrimaryHDU(np.where(HOLE, -9999, 100 * FIELD).astype(np.int16))
        image.header["BLANK"], image.header["BSCALE"], image.header["BZERO"] = -9999, 0.5, 10.0
    image.header["OBJECT"] = "M13"
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1, 2])])
    fits.HDUList([image, table]).writeto(tmp_path / "a.fits")
    words = ("complete", "--model", "gp", "--emit", "mean,std", tmp_path / "a.fits")
    assert npfill(*words, "-o", tmp_path / "out").code == 0
    before, after = fits.open(tmp_path / "a.fits"), fits.open(tmp_path / "out/a_mean.fits")
    deviation = fits.open(tmp_path / "out/a_std.fits")
    assert after[0].header == before[0].header
    assert np.array_equal(after[1].data, before[1].data)
    assert deviation[0].header["OBJECT"] == "M13"
    assert np.array_equal(before[0].data[~HOLE], after[0].data[~HOLE])
    assert np.isfinite(after[0].data).all()
    assert (deviation[0].data[HOLE] > 0).all()
    assert (deviation[0].data[~HOLE] == 0).all()
    for each in (before, after, deviation):
        each.close()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "factor"), [("float32", 1), ("int16", 100)])
def test_rasters_with_no_data(npfill: Command, tmp_path: Path, kind: str, factor: int) -> None:
    rasterio = pytest.importorskip("rasterio")
    how = {"driver": "GTiff", "height": 20, "width": 24, "count": 1, "crs": "EPSG:32632"}
    how |= {"transform": rasterio.Affine(30, 0, 5e5, 0, -30, 5e6), "nodata": -9999, "dtype": kind}
    with rasterio.open(tmp_path / "a.tif", "w", **how) as raster:
        raster.write(np.where(HOLE, -9999, factor * FIELD).astype(kind), 1)
        raster.scales, raster.offsets = (0.1,), (5.0,)
    words = ("complete", "--model", "gp", "--emit", "mean,std,interval", tmp_path / "a.tif")
    assert npfill(*words, "-o", tmp_path / "out").code == 0
    before = rasterio.open(tmp_path / "a.tif")
    for name in ("mean", "std", "lower", "upper"):
        with rasterio.open(tmp_path / f"out/a_{name}.tif") as after:
            assert (after.crs, after.transform) == (before.crs, before.transform)
            assert after.scales == before.scales
            assert after.offsets == ((0.0,) if name == "std" else before.offsets)
            values = after.read(1)
            assert values[HOLE].min() > (0 if name == "std" else -9999)
            if name != "std":
                assert np.array_equal(values[~HOLE], before.read(1)[~HOLE])
    before.close()
