"""Files of measurements: completed by one command, and opened again by their own libraries."""

import json
import math
import pickle
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


def test_a_store_that_is_there_is_replaced_or_kept_and_never_written_into(
    npfill: Command, tmp_path: Path
) -> None:
    pytest.importorskip("zarr")
    path, out = tmp_path / "sst.zarr", tmp_path / "out.zarr"
    sea(pytest.importorskip("xarray"))[:1].to_dataset().to_zarr(path, consolidated=False)
    codes = [
        npfill(*WORDS, path, "-o", *option).code
        for option in ((out,), (out,), (out, "--overwrite"), (path, "--overwrite"))
    ]
    assert codes == [0, 4, 0, 2]
    assert "1 skipped" in npfill(*WORDS, path, "-o", out, "--skip-existing").err
    assert {each.name for each in out.iterdir()} == {each.name for each in path.iterdir()}


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


@pytest.mark.parametrize("ensemble", [True, False])
def test_samples_of_an_ensemble_have_a_dimension_of_their_own(ensemble: bool) -> None:
    values = np.arange(60.0).reshape(2, 5, 6)
    values[:, 2, 2] = np.nan
    array = pytest.importorskip("xarray").DataArray(values, dims=("realization", "lat", "lon"))
    array = array.assign_coords(realization=[3, 4])
    done: Any = complete(array if ensemble else array[0], samples=2, model="gp")
    assert done["sample"].dims == ("npfill_sample", *done["mean"].dims)
    assert done["realization"].equals(done["mean"]["realization"])


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


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_a_small_file_that_claims_a_huge_variable_is_refused_before_it_is_opened(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    xarray = pytest.importorskip("xarray")
    path = stored(tmp_path / "a.nc", np.where(HOLE, np.nan, FIELD))
    if suffix == ".nc":
        with pytest.importorskip("netCDF4").Dataset(path, "a") as data:
            data.createDimension("far", 10**7)
            data.createVariable("far", "f8", ("far",), zlib=True, chunksizes=(10**6,))
    else:
        path = tmp_path / "a.zarr"
        zarr = pytest.importorskip("zarr")
        sea(xarray).to_dataset().to_zarr(path, consolidated=False)
        group = zarr.open_group(path)
        group.create_array("far", shape=(10**7,), dtype="f8", dimension_names=["far"])
    monkeypatch.setattr(xarray, "open_dataset", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(InputError, match=r"its variables have 10,0.* values, and the file") as bomb:
        read_picture(path, 10**5)
    assert "`max_pixels=2500" in bomb.value.hint


def test_a_pickled_variable_of_a_zarr_store_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    xarray, pickles = pytest.importorskip("xarray"), pytest.importorskip("numcodecs.pickles")
    pytest.importorskip("zarr")
    path, ran = tmp_path / "a.zarr", tmp_path / "ran"
    sea(xarray).to_dataset().to_zarr(path, zarr_format=2)
    (path / "o").mkdir()
    about = {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "fill_value": None}
    about |= {"filters": [{"id": "vlen-utf8"}, {"id": "pickle", "protocol": 5}]}
    (path / "o/.zarray").write_text(json.dumps(about | {"order": "C", "compressor": None}))
    (path / "o/.zattrs").write_text(json.dumps({"_ARRAY_DIMENSIONS": ["o"]}))
    (path / "o/0").write_bytes(pickle.dumps(Runs(ran)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pickles, "ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
        with pytest.raises(InputError, match="its variable o is pickled") as refusal:
            read_picture(path)
    assert "without that variable" in refusal.value.hint
    assert not ran.exists()


class Runs:
    """A thing whose pickle makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("suffix", [".nc", ".fits"])
def test_what_strip_leaves_in_measurements_is_said(
    npfill: Command, suffix: str, tmp_path: Path
) -> None:
    path = packed_grid(tmp_path / f"a{suffix}")
    note = "--strip leaves all that a netCDF, zarr or FITS file says in the results"
    assert note not in npfill(*WORDS, path, "-o", tmp_path / "one").err
    ended = npfill(*WORDS, path, "--strip", "-o", tmp_path / "two")
    assert (ended.code, note in " ".join(ended.err.split())) == (0, True)


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
    left = np.where(done.open, np.nan, done.mean)[..., None]
    assert np.array_equal(np.load(files["npz"])["mean"], left, equal_nan=True)


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


def test_what_stays_missing_of_packed_numbers_is_nan_in_their_unit(tmp_path: Path) -> None:
    how: dict[str, Any] = {"_FillValue": np.int16(-32768), "scale_factor": 0.01}
    path = stored(tmp_path / "a.nc", (100 * FIELD).astype(np.int16), **how)
    done: Any = complete(path, HOLE, model="gp", samples=0, max_distance=1.0)
    stays = numbers_of(done.save(tmp_path / "out", emit="mean")["mean"]) == -32768
    assert stays.any()
    assert np.array_equal(np.isnan(done.mean), stays)


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


@pytest.mark.parametrize("planes", [1, 20])
def test_masks_of_numpy_lie_as_the_array_of_xarray_does(planes: int) -> None:
    xarray = pytest.importorskip("xarray")
    stack = np.stack([FIELD[:, :20] + plane for plane in range(planes)])
    hole = np.zeros(stack.shape, dtype=bool)
    hole[0, 3:9, 11:17] = True
    for order in (("time", "lat", "lon"), ("time", "lon", "lat")):
        array = xarray.DataArray(stack, dims=order)
        masked = [np.ma.masked_array(np.zeros(hole.shape, kind), hole) for kind in (bool, "i1")]
        for mask in (hole, *masked)[: 2 + (planes == 1)]:
            done: Any = complete(array, mask, model="gp", samples=0)
            assert np.array_equal(done["std"].values > 0, hole)


@pytest.fixture(params=["array array", "array file", "file array", "file file"])
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Two arrays of xarray as a picture and its mask, each in memory or as the path of a file."""
    pytest.importorskip("xarray")
    pytest.importorskip("netCDF4")

    def each(picture: Any, mask: Any, how: Any = None) -> list[Any]:
        words = request.param.split()
        things: list[Any] = [picture, mask]
        for at, name in enumerate(("sst.nc", "mask.nc")):
            if words[at] == "file":
                encoding = how if at else None
                things[at].to_dataset(name="z").to_netcdf(tmp_path / name, encoding=encoding)
                things[at] = tmp_path / name
        return things

    return each


@pytest.mark.parametrize(
    ("option", "change", "how"),
    [
        ("mask", lambda mask: mask[::-1], {}),
        ("keep_out", lambda mask: mask[::-1, ::-1], {}),
        ("mask", lambda mask: mask[::-1].assign_coords(lat=mask.lat[::-1].astype("f4") + 0.01), {}),
        ("mask", lambda mask: mask[::-1].T.assign_coords(lon=mask.lon - 360), {}),
        ("mask", lambda mask: mask[::-1], {"lat": {"dtype": "i2", "scale_factor": -0.5}}),
        ("keep_out", lambda mask: mask.drop_vars("lat"), {}),
        ("mask", lambda mask: mask[::-1].rename(lat="latitude", lon="longitude"), {}),
    ],
)
def test_a_mask_whose_rows_run_the_other_way_is_turned_round(
    option: str, change: Any, how: Any, given: Any
) -> None:
    square = sea(pytest.importorskip("xarray"))[0]
    square = square.where((square.lat < 12) | (square.lat > 15))
    mask = square.copy(data=((ROW < 5) & (COLUMN < 7)).astype("i4"))
    expected: Any = complete(square, model="nearest", samples=0, **{option: mask.values})
    picture, changed = given(square, change(mask), how)
    done: Any = complete(picture, model="nearest", samples=0, **{option: changed})
    mean = done.mean if isinstance(picture, Path) else done["mean"].values
    np.testing.assert_array_equal(mean, expected["mean"].values)


def test_a_coarser_mask_whose_rows_run_the_other_way_is_turned_round(given: Any) -> None:
    square = sea(pytest.importorskip("xarray"))[2]
    mask = square.copy(data=((ROW < 6) & (COLUMN < 8)).astype("i4"))
    coarse = mask.coarsen(lat=2, lon=2).max()[::-1]
    picture, changed = given(square, coarse)
    done: Any = complete(picture, changed, model="gp", samples=0, fit_mask=True)
    std = done.std if isinstance(picture, Path) else done["std"].values
    assert np.array_equal(std > 0, (mask.values > 0) | LAND)


def at_the_date_line(xarray: Any) -> Any:
    coordinates = {"lat": np.arange(60.0, 40, -1), "lon": np.arange(170.0, 194)}
    return sea(xarray)[0].assign_coords(coordinates)


@pytest.mark.parametrize(
    "change",
    [
        lambda mask: mask.assign_coords(lat=range(20), lon=range(1, 25)),
        lambda mask: mask.assign_coords(lon=(mask.lon + 180) % 360 - 180),
        lambda mask: mask.assign_coords(lat=np.linspace(60, 40, 20)),
    ],
    ids=["numbers of rows and columns", "longitudes to 180", "an end that counts twice"],
)
def test_a_mask_with_other_numbers_for_the_same_places_is_taken(change: Any, given: Any) -> None:
    square = at_the_date_line(pytest.importorskip("xarray"))
    mask = square.copy(data=((ROW < 5) & (COLUMN < 7)).astype("i4"))
    expected: Any = complete(square, mask.values, model="nearest", samples=0)
    picture, changed = given(square, change(mask))
    done: Any = complete(picture, changed, model="nearest", samples=0)
    mean = done.mean if isinstance(picture, Path) else done["mean"].values
    np.testing.assert_array_equal(mean, expected["mean"].values)


@pytest.mark.parametrize(
    ("option", "change", "said"),
    [
        ("mask", lambda mask: mask.assign_coords(lon=mask.lon - 12), "columns lie from 158 to 181"),
        ("keep_out", lambda mask: mask.assign_coords(lat=mask.lat - 1), "rows lie from 59 to 40"),
    ],
)
def test_a_mask_that_lies_elsewhere_is_refused(
    option: str, change: Any, said: str, given: Any
) -> None:
    square = at_the_date_line(pytest.importorskip("xarray"))
    mask = square.copy(data=((ROW < 5) & (COLUMN < 7)).astype("i4"))
    picture, changed = given(square, change(mask))
    with pytest.raises(InputError, match=f"its {said}, those") as refusal:
        complete(picture, model="none", samples=0, **{option: changed})
    assert "without coordinates" in refusal.value.hint


@pytest.mark.parametrize("kind", [bool, complex, object, "M8[ns]", "m8[ns]"])
def test_an_array_of_xarray_without_numbers_is_refused(kind: Any) -> None:
    xarray = pytest.importorskip("xarray")
    values = np.arange(480).reshape(20, 24).astype(kind)
    with pytest.raises(InputError, match="the array: "):
        complete(xarray.DataArray(values, dims=("y", "x")), HOLE)
    with pytest.raises(InputError, match="the array: an array of shape"):
        complete(xarray.DataArray(FIELD[0], dims="x"), HOLE)


def test_attributes_of_an_array_of_xarray_say_what_is_missing() -> None:
    xarray = pytest.importorskip("xarray")
    values = np.where(HOLE, -9999, 100 * FIELD).astype(np.int16)
    array = xarray.DataArray(values, dims=("y", "x"), attrs={"_FillValue": -9999})
    done: Any = complete(array, samples=0, model="nearest", max_distance=2.0)
    assert 0 < (done["mean"].values == -9999).sum() < HOLE.sum()
    assert np.array_equal(done["mean"].values[~HOLE], values[~HOLE])
    with pytest.raises(InputError, match="int16 has no NaN"):  # before the work
        complete(array.drop_attrs(), HOLE, samples=0, model="none", tolerance=0.0)


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


def test_an_attribute_that_would_round_values_rounds_none(tmp_path: Path) -> None:
    values = np.where(HOLE, np.nan, FIELD + 0.0123).astype(np.float32)
    path = stored(tmp_path / "a.nc", values, least_significant_digit=np.int32(1))
    with pytest.importorskip("netCDF4").Dataset(path, "a") as data:
        data.createVariable("other", "f4", ("y", "x"))[:] = FIELD + 0.0123
        data["other"].least_significant_digit = np.int32(1)
    done: Any = complete(path, model="nearest", samples=0, variable="z")
    with pytest.importorskip("netCDF4").Dataset(done.save(tmp_path / "out")["mean"]) as data:
        assert np.array_equal(data["z"][:][~HOLE], values[~HOLE])
        assert np.array_equal(data["other"][:], (FIELD + 0.0123).astype(np.float32))
        assert data["z"].least_significant_digit == data["other"].least_significant_digit == 1


@pytest.mark.parametrize("name", ["bounds", "coordinates"])
def test_a_grid_that_another_names_is_not_the_one_to_complete(name: str, tmp_path: Path) -> None:
    path = stored(tmp_path / "a.nc", np.where(HOLE, np.nan, FIELD), **{name: "edge corner"})
    with pytest.importorskip("netCDF4").Dataset(path, "a") as data:
        for each in ("edge", "corner"):
            data.createVariable(each, "f8", ("y", "x"))[:] = 2 * FIELD
    assert np.array_equal(read_picture(path).lacking, HOLE)
    assert read_picture(path, variable="edge").values.max() > 30
    alone = stored(tmp_path / "b.nc", np.where(HOLE, np.nan, FIELD), **{name: "z"})
    assert np.array_equal(read_picture(alone).lacking, HOLE)


@pytest.mark.parametrize("kind", ["ragged", "compound"])
def test_a_variable_that_cannot_be_written_is_named_before_the_work(
    kind: str, tmp_path: Path
) -> None:
    path = stored(tmp_path / "a.nc", np.where(HOLE, np.nan, FIELD))
    with pytest.importorskip("netCDF4").Dataset(path, "a") as data:
        pair = np.dtype([("low", "f4"), ("high", "f4")])
        own = data.createVLType(np.int32, "own") if kind == "ragged" else None
        data.createVariable("cells", own or data.createCompoundType(pair, "own"), ("y",))
        data.createVariable("names", str, ("y",))[:] = np.array(["a"] * 20, dtype=object)
    with pytest.raises(InputError, match="its variable cells is ragged or compound") as refusal:
        read_picture(path)
    assert "ncks -x -v cells" in refusal.value.hint


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_true_and_false_of_a_grid_are_a_mask_and_no_picture(suffix: str, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr" if suffix == ".zarr" else "netCDF4")
    mask, path = tmp_path / f"mask{suffix}", tmp_path / f"a{suffix}"
    truth = xarray.DataArray(HOLE.T, dims=("lon", "lat"), name="truth").to_dataset()
    both = sea(xarray)[2].to_dataset().assign(truth=truth.truth)
    for data, file in ((truth, mask), (both, path)):
        data.to_netcdf(file) if suffix == ".nc" else data.to_zarr(file, consolidated=False)
    done: Any = complete(path, mask, model="nearest", samples=0, keep_out=land_mask(tmp_path))
    assert np.array_equal(done.hole, HOLE & ~LAND)
    with pytest.raises(InputError, match="true and false are a mask"):
        complete(mask, HOLE)


def test_stores_are_pictures_of_folders_and_patterns(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    (tmp_path / "in/below").mkdir(parents=True)
    (tmp_path / "masks/below").mkdir(parents=True)

    def store(values: np.ndarray) -> Any:
        return xarray.Dataset({"z": (("y", "x"), values)})

    for name in ("a", "below/b"):
        store(FIELD).to_zarr(tmp_path / f"in/{name}.zarr", consolidated=False)
        store(HOLE).to_zarr(tmp_path / f"masks/{name}.zarr", consolidated=False)
    np.save(tmp_path / "in/c.npy", FIELD)
    np.save(tmp_path / "masks/c.npy", HOLE)
    how: dict[str, Any] = {"masks": tmp_path / "masks", "model": "nearest", "samples": 0}
    for word, recursive, names in (
        ("in", False, "a c"),
        ("in", True, "a below/b c"),
        ("in/*.zarr", False, "a"),
    ):
        each = list(complete_many(tmp_path / word, recursive=recursive, **how))
        assert [done.below.as_posix() for done in each] == names.split()
        assert all(np.array_equal(done.hole, HOLE) for done in each)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_zarr_array_by_itself_is_refused_with_a_way_out(
    npfill: Command, tmp_path: Path, zarr_format: int
) -> None:
    pytest.importorskip("xarray")
    zarr = pytest.importorskip("zarr")
    zarr.save_array(tmp_path / "a.zarr", FIELD, zarr_format=zarr_format)
    with pytest.raises(InputError, match=r"a\.zarr: one array, not a group"):
        read_picture(tmp_path / "a.zarr")
    ended = npfill("complete", tmp_path / "a.zarr", "--window", 80)
    assert "not read in windows" in ended.err
    assert "leave --window out" in ended.err


def test_the_std_of_an_array_without_a_name_has_one() -> None:
    array = pytest.importorskip("xarray").DataArray(np.where(HOLE, np.nan, FIELD))
    done: Any = complete(array, model="gp", samples=0)
    assert done["std"].attrs["long_name"] == "standard deviation of the values"


def test_a_blank_of_integers_says_nothing_of_floats(tmp_path: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    image = fits.PrimaryHDU(np.where(HOLE, np.nan, FIELD).astype(np.float32))
    image.header["BLANK"] = -32768
    image.writeto(tmp_path / "a.fits", output_verify="ignore")
    done: Any = complete(tmp_path / "a.fits", model="gp", samples=0, tolerance=0.0)
    with (
        pytest.warns(Warning, match="BLANK"),
        fits.open(done.save(tmp_path / "out")["mean"]) as units,
    ):
        after = units[0].data.copy()
    assert np.array_equal(np.isnan(after), HOLE)


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_what_stays_open_is_what_the_file_calls_missing_whatever_else_is_none(
    scale: float, tmp_path: Path
) -> None:
    numbers = np.where(HOLE, -32768, 100 * FIELD).astype(np.int16)
    numbers[15:18, 3:6], numbers[0, 0] = 0, -1
    how: dict[str, Any] = {"_FillValue": np.int16(-32768), "missing_value": np.int16(-1)}
    path = stored(tmp_path / "a.nc", numbers, scale_factor=scale, **how)
    done: Any = complete(path, model="gp", samples=0, tolerance=0.0, nodata=0)
    missing = np.isin(numbers, [-32768, 0, -1])
    assert np.array_equal(done.hole, missing)
    after = numbers_of(done.save(tmp_path / "out")["mean"])
    assert np.array_equal(after == -32768, missing)
