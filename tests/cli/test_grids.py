"""Files of measurements: completed by one command, and opened again by their own libraries."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill import complete, complete_many
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


@pytest.mark.parametrize("checksum", [False, True])
def test_floats_of_a_compressed_fits_image_stay_as_they_were(
    npfill: Command, tmp_path: Path, checksum: bool
) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    image = fits.CompImageHDU(np.where(HOLE, np.nan, FIELD).astype(np.float32), name="SCI")
    image.header["OBJECT"] = "M13"
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "a.fits", checksum=checksum)
    assert npfill(*WORDS, tmp_path / "a.fits", "-o", tmp_path / "out").code == 0
    with (
        fits.open(tmp_path / "a.fits") as before,
        fits.open(tmp_path / "out/a_mean.fits", checksum=True) as after,
    ):
        assert np.array_equal(after["SCI"].data[~HOLE], before["SCI"].data[~HOLE])
        assert np.isfinite(after["SCI"].data).all()
        assert after["SCI"].header["OBJECT"] == "M13"
        assert isinstance(after["SCI"], fits.CompImageHDU)


def test_a_variable_that_is_too_large_is_refused_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("netCDF4")
    sea(xarray).transpose("lat", "lon", "time").to_netcdf(tmp_path / "sst.nc")
    monkeypatch.setattr(xarray.Dataset, "load", lambda _: pytest.fail("it was loaded"))
    with pytest.raises(InputError, match="480 pixels, more than the 479 that are read"):
        read_picture(tmp_path / "sst.nc", 479)


def test_the_variable_of_several_is_recorded(npfill: Command, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("netCDF4")
    two = sea(xarray).isel(time=[0]).to_dataset()
    two.assign(other=two.sst + 1).to_netcdf(tmp_path / "two.nc")
    words = ("complete", tmp_path / "two.nc", "--variable", "sst", "-m", "kriging", "--no-check")
    assert npfill(*words, "--samples", 0, "--emit", "heat").code == 0
    ended = npfill("explain", tmp_path / "two_std-heat.png", "--rerun")
    assert (ended.code, b"--variable sst" in ended.out) == (0, True)


def stored(path: Path, values: np.ndarray, form: str = "NETCDF4", **attributes: object) -> Path:
    """A netCDF file of one variable, of values and attributes as they are stored."""
    library = pytest.importorskip("netCDF4")
    pytest.importorskip("xarray")
    with library.Dataset(path, "w", format=form) as data:
        for name, length in zip(("y", "x"), values.shape, strict=True):
            data.createDimension(name, length)
        fill = attributes.pop("_FillValue", None)
        variable = data.createVariable("z", values.dtype, ("y", "x"), fill_value=fill)
        variable.set_auto_maskandscale(False)
        variable.setncatts(attributes)
        variable[:] = values
    return path


def of_file(path: Path) -> np.ma.MaskedArray:
    """The values of such a file as netCDF4 reads them."""
    library = pytest.importorskip("netCDF4")
    with library.Dataset(path) as data:
        return np.ma.asarray(data["z"][:])


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])
def test_a_classic_file_that_is_cut_off_is_refused(form: str, tmp_path: Path) -> None:
    whole = stored(tmp_path / "a.nc", np.where(HOLE, np.nan, FIELD), form)
    assert read_picture(whole).missing is not None
    content = whole.read_bytes()
    for length in (len(content) // 2, len(content) - 1):
        (tmp_path / "cut.nc").write_bytes(content[:length])
        with pytest.raises(InputError, match="ends before its last values"):
            read_picture(tmp_path / "cut.nc")


def test_signed_integers_that_are_said_to_be_unsigned_are_so(tmp_path: Path) -> None:
    levels = np.where(HOLE, 255, 12 * FIELD).astype(np.uint8)
    how: dict[str, Any] = {"_Unsigned": "true", "valid_max": np.int8(-2)}
    path = stored(tmp_path / "a.nc", levels.view(np.int8), _FillValue=np.int8(-1), **how)
    done: Any = complete(path, model="nearest", samples=0)
    assert np.array_equal(done.hole, HOLE)
    assert np.array_equal(done.mean[~HOLE], levels[~HOLE])
    after = of_file(done.save(tmp_path / "out")["mean"])
    assert after.dtype == np.uint8
    assert np.array_equal(after.filled(0), done.mean)


@pytest.mark.parametrize("kind", ["f4", "f8", "i2", "i4"])
def test_the_fill_value_of_netcdf_itself_is_missing(kind: str, tmp_path: Path) -> None:
    default = pytest.importorskip("netCDF4").default_fillvals[kind]
    path = stored(tmp_path / "a.nc", np.where(HOLE, default, FIELD).astype(kind))
    done: Any = complete(path, model="nearest", samples=0)
    assert np.array_equal(done.hole, HOLE)
    assert done.mean.max() < 20


@pytest.mark.parametrize(
    ("kind", "attributes", "low", "high"),
    [
        ("f4", {"valid_min": np.float32(14)}, 14, np.inf),
        ("i2", {"valid_range": np.array([0, 15], np.int16)}, 0, 15),
        ("i2", {"valid_max": np.int16(16), "scale_factor": 0.5}, -np.inf, 16),
        ("i2", {"valid_max": 8.0, "scale_factor": 0.5}, -np.inf, 16),
    ],
)
def test_what_is_filled_lies_in_the_valid_range_and_the_rest_is_told(
    kind: str, attributes: dict[str, Any], low: float, high: float, tmp_path: Path
) -> None:
    values = FIELD.astype(kind)
    outside = (values < low) | (values > high)
    done: Any = complete(stored(tmp_path / "a.nc", values, **attributes), HOLE, "gp", samples=2)
    said = f"as stored, count as missing: {outside.sum():,}"
    assert any(note.endswith(said) for note in done.notes)
    assert np.array_equal(done.hole, HOLE | outside)
    scale = attributes.get("scale_factor", 1)
    for result in (done.mean, *done.samples):
        assert np.array_equal(result[~done.hole], scale * values[~done.hole])
        assert low * scale <= result.min() <= result.max() <= high * scale


def test_characters_keep_their_dimensions(tmp_path: Path) -> None:
    library = pytest.importorskip("netCDF4")
    path = stored(tmp_path / "a.nc", np.where(HOLE, np.nan, FIELD))
    with library.Dataset(path, "a") as data:
        data.createDimension("length", 5)
        data.createVariable("station", "S1", ("y", "length"))[:] = b"a"
    done: Any = complete(path, model="nearest", samples=0)
    with library.Dataset(done.save(tmp_path / "out")["mean"]) as data:
        assert data["station"].dimensions == ("y", "length")
        assert (data["station"][:] == b"a").all()


def test_what_stays_open_is_nan_in_a_data_set_which_keeps_notes() -> None:
    xarray = pytest.importorskip("xarray")
    array = sea(xarray)
    done: Any = complete(array, tolerance=0.0, samples=1, model="gp")
    assert done["mean"].identical(array.rename("mean"))
    assert np.isnan(done["sample"].values[0, 0][HOLE]).all()
    assert "each by itself" in done.attrs["npfill_notes"]


def test_a_data_set_is_refused_with_a_way_out() -> None:
    xarray = pytest.importorskip("xarray")
    with pytest.raises(InputError, match="not an array") as refusal:
        complete(two_variables(xarray))
    assert "ds['sst']" in refusal.value.hint


def test_a_variable_of_a_file_that_has_none_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FIELD)
    with pytest.raises(InputError, match="no netCDF file or zarr store") as refusal:
        complete(tmp_path / "a.npy", HOLE, variable="sst")
    assert "leave `variable` out" in refusal.value.hint


def packed_grid(path: Path, scale: float = 0.01, offset: float = 20.0) -> Path:
    """FIELD as a file of netCDF, or of FITS, packs it in int16, with a hole."""
    numbers = np.where(HOLE, -32768, np.rint((FIELD - offset) / scale)).astype(np.int16)
    if path.suffix == ".nc":
        how: dict[str, Any] = {"scale_factor": scale, "add_offset": offset}
        return stored(path, numbers, _FillValue=np.int16(-32768), **how)
    fits = pytest.importorskip("astropy.io.fits")
    image = fits.PrimaryHDU(numbers)
    image.header["BLANK"], image.header["BSCALE"], image.header["BZERO"] = -32768, scale, offset
    image.writeto(path)
    return path


def numbers_of(path: Path) -> np.ndarray:
    """The numbers of such a file as they are stored."""
    if path.suffix == ".nc":
        with pytest.importorskip("netCDF4").Dataset(path) as data:
            data.set_auto_maskandscale(False)
            return np.asarray(data["z"][:])
    with pytest.importorskip("astropy.io.fits").open(path, do_not_scale_image_data=True) as units:
        return np.array(units[0].data)


@pytest.mark.parametrize("scale", [0.01, -0.01])
@pytest.mark.parametrize("suffix", [".nc", ".fits"])
def test_packed_numbers_are_completed_in_their_unit_and_stay_packed(
    suffix: str, scale: float, tmp_path: Path
) -> None:
    path = packed_grid(tmp_path / f"a{suffix}", scale)
    plain, packed = np.where(HOLE, np.nan, np.round(FIELD, 2)), numbers_of(path)
    how: dict[str, Any] = {"model": "gp", "samples": 1, "log": True, "tolerance": 0.65}
    done: Any = complete(path, **how)
    alike: Any = complete(plain, **how)
    assert np.array_equal(done.open, alike.open)
    assert 0 < done.open.sum() < HOLE.sum()
    for one, other in ((done.mean, alike.mean), (done.samples, alike.samples)):
        np.testing.assert_allclose(one, other, atol=1e-4)
    np.testing.assert_allclose(done.std, alike.std, atol=1e-4)
    files = done.save(tmp_path / "out", emit="mean,std,npz")
    after = numbers_of(files["mean"])
    assert np.array_equal(after[~HOLE], packed[~HOLE])
    assert np.array_equal(after == -32768, done.open)
    filled = HOLE & ~done.open
    near = after[filled] * scale + 20 - done.mean[filled]
    assert np.abs(near).max() < 0.0051
    np.testing.assert_allclose(numbers_of(files["std"]), done.std, rtol=1e-6)
    assert np.array_equal(np.load(files["npz"])["mean"], done.mean[..., None])


@pytest.mark.parametrize("fill", [-(2**63), -(2**63) + 2, 2**63 - 1])
def test_a_fill_value_that_no_float_is_marks_what_is_missing(fill: int, tmp_path: Path) -> None:
    numbers = np.where(HOLE, fill, 100 * FIELD.astype(np.int64))
    path = stored(tmp_path / "a.nc", numbers, _FillValue=np.int64(fill))
    done: Any = complete(path, model="nearest", samples=0)
    assert np.array_equal(done.hole, HOLE)
    assert np.array_equal(numbers_of(done.save(tmp_path / "out")["mean"]), done.mean)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("said", "numbers"), [(0.0, [-2000]), (15.0, [-500]), (0.001, []), (math.nan, [])]
)
def test_no_data_of_packed_numbers_is_said_in_their_unit(
    said: float, numbers: list[int], tmp_path: Path
) -> None:
    values = np.rint(100 * FIELD - 2000).astype(np.int16)
    values[5:8, 9:12], values[0, 0] = -2000, -500
    path = stored(tmp_path / "a.nc", values, scale_factor=np.float32(0.01), add_offset=20.0)
    done: Any = complete(path, box=[(0, 19, 2, 1)], model="nearest", nodata=said, samples=0)
    box = (ROW == 19) & (COLUMN < 2)
    assert np.array_equal(done.hole, np.isin(values, numbers) | box)


def test_metadata_beside_packed_numbers_name_a_stored_one_as_no_data(tmp_path: Path) -> None:
    numbers = np.where(HOLE, -9999, np.rint(100 * FIELD)).astype(np.int16)
    path = stored(tmp_path / "a.nc", numbers, scale_factor=0.01)
    (tmp_path / "a.nc.aux.xml").write_text("<NoDataValue>-9999</NoDataValue>")
    done: Any = complete(path, model="nearest", samples=0)
    assert np.array_equal(done.hole, HOLE)


def test_packed_numbers_without_one_for_none_cannot_stay_open(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.nc", np.rint(FIELD).astype(np.int16), scale_factor=0.5)
    done: Any = complete(path, HOLE, "gp", samples=0, tolerance=0.0)
    assert done.open.sum() == HOLE.sum()
    with pytest.raises(InputError, match="int16 has no NaN for what stays open") as refused:
        done.save(tmp_path / "out", emit="mean")
    assert "nodata" in str(refused.value.hint)


@pytest.mark.parametrize("kind", ["u2", "i1"])
def test_the_other_sign_of_a_fits_image_is_read_and_written(kind: str, tmp_path: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    counts = np.where(HOLE, 0, 5 * FIELD).astype(kind)
    fits.PrimaryHDU(counts).writeto(tmp_path / "a.fits")
    done: Any = complete(tmp_path / "a.fits", nodata=0, log=True, model="gp", samples=0)
    assert done.mean.dtype == counts.dtype
    assert np.array_equal(done.hole, HOLE)
    assert np.array_equal(done.mean[~HOLE], counts[~HOLE])
    with fits.open(done.save(tmp_path / "out", emit="mean")["mean"]) as units:
        assert np.array_equal(units[0].data, done.mean)


def test_a_data_set_of_packed_values_is_written_as_it_is(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    how: dict[str, Any] = {"scale_factor": 0.01, "add_offset": 200.0, "standard_name": "height"}
    numbers = np.where(HOLE, -32768, np.rint(100 * FIELD - 20_000)).astype(np.int16)
    how |= {"valid_min": np.int16(-20_000), "units": "m"}
    path = stored(tmp_path / "a.nc", numbers, _FillValue=np.int16(-32768), **how)
    with xarray.open_dataset(path) as data:
        done: Any = complete(data.z, samples=2, model="gp")
    done.to_netcdf(tmp_path / "done.nc")
    with xarray.open_dataset(tmp_path / "done.nc") as after:
        assert after.equals(done)
        assert after["mean"].attrs == {"standard_name": "height", "units": "m"}
        assert after["std"].attrs == {"units": "m", "long_name": "standard deviation of z"}
    assert 0 < done["std"].values[HOLE].min() <= done["std"].values.max() < 1


def test_many_arrays_of_xarray_are_completed() -> None:
    xarray = pytest.importorskip("xarray")
    planes = sea(xarray)[:2]
    each: list[Any] = [*complete_many(planes, samples=0, model="nearest")]
    whole: Any = complete(planes, samples=0, model="nearest")
    assert xarray.concat([one["mean"] for one in each], "time").equals(whole["mean"])


def test_masks_of_xarray_lie_as_their_dimensions_say() -> None:
    xarray = pytest.importorskip("xarray")
    square = sea(xarray)[0, :, :20]
    land, clouds = (xarray.DataArray(x[:, :20], dims=square.dims) for x in (ROW > 15, COLUMN < 3))
    out: Any = {"keep_out": land, "mask": [clouds, land]}
    turned: Any = {key: [x.T for x in xs] if key == "mask" else xs.T for key, xs in out.items()}
    done: Any = complete(square, model="nearest", samples=0, **out)
    again: Any = complete(square.T, model="nearest", samples=0, **turned)
    assert (done["mean"].where(land) == square.where(land)).sum() == 70
    named: Any = complete(square, model="nearest", samples=0, **turned)
    for each in (named, again):
        assert each["mean"].transpose(*square.dims).equals(done["mean"])


@pytest.mark.parametrize("how", [{"max_distance": 2.0}, {"keep_out": HOLE & (COLUMN < 11)}])
def test_the_std_of_what_stays_missing_is_none(how: dict[str, Any], tmp_path: Path) -> None:
    values = np.where(HOLE, np.nan, FIELD)
    done: Any = complete(values, samples=0, model="gp", **how)
    lacks = np.isnan(done.mean)
    assert 0 < lacks.sum() < HOLE.sum()
    files = done.save(tmp_path, emit="std,npz")
    npz = np.load(files["npz"])["std"][..., 0]
    for std in (done.std, np.load(files["std"]), npz):
        assert np.array_equal(np.isnan(std), lacks)
        assert (std[~HOLE] == 0).all()


def test_a_variable_of_several_is_checked_and_measured_further(
    npfill: Command, tmp_path: Path
) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("netCDF4")
    two = sea(xarray).isel(time=[0]).to_dataset()
    path = tmp_path / "two.nc"
    two.assign(other=two.sst + 1).to_netcdf(path)
    assert npfill(*WORDS, path, "--variable", "sst").code == 0
    words = ("check", path, tmp_path / "two_mean.nc", "--variable")
    assert b"outside changed: 0" in npfill(*words, "sst").out
    assert npfill(*words, "wind").code == 3
    ended = npfill("next", path, "--variable", "sst", "--count", 2, "-m", "kriging")
    assert (ended.code, len(ended.out.split())) == (0, 4)
