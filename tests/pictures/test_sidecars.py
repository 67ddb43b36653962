"""Files beside a picture: its mask, its place and its metadata."""

import errno
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import npfill
from npfill.errors import InputError
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.read import read_picture
from npfill.pictures.sidecars import copy_beside

HOLE = np.zeros((5, 7), dtype=bool)
HOLE[1:3, 2:5] = True
METADATA = (
    '<PAMDataset><SRS>EPSG:4326</SRS><PAMRasterBand band="1"><NoDataValue>{}</NoDataValue>'
    "<Histograms><HistItem>\n<Min>1</Min></HistItem></Histograms><Metadata>"
    '<MDI key="STATISTICS_MEAN">3</MDI><MDI key="name">b</MDI></Metadata>'
    "</PAMRasterBand></PAMDataset>"
)


def levels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 120, shape).astype(np.uint8)


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.jpg", "a.npy"])
def test_a_mask_beside_says_what_is_missing(tmp_path: Path, name: str) -> None:
    if name == "a.npy":
        np.save(tmp_path / name, levels(5, 7))
    else:
        Image.fromarray(levels(5, 7, 3)).save(tmp_path / name)
    assert not read_picture(tmp_path / name).lacking.any()
    mask = np.where(HOLE, 0, 255).astype(np.uint8)
    tifffile.imwrite(tmp_path / f"{name}.msk", mask, photometric="minisblack")
    assert np.array_equal(read_picture(tmp_path / name).lacking, HOLE)


def test_a_mask_beside_may_be_of_each_band(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", levels(5, 7, 2))
    mask = np.stack([~HOLE, HOLE], axis=-1).astype(np.uint8)  # all but 0 is valid
    tifffile.imwrite(tmp_path / "a.npy.msk", mask, photometric="minisblack", planarconfig="contig")
    missing = read_picture(tmp_path / "a.npy").missing
    assert missing is not None
    assert np.array_equal(missing, mask == 0)


def test_a_mask_beside_of_another_size_is_refused(tmp_path: Path) -> None:
    Image.fromarray(levels(5, 7)).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.png.msk", np.ones((7, 5), np.uint8), photometric="minisblack")
    with pytest.raises(InputError, match=r"a\.png\.msk: 5x7 of 7x5"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_mask_beside_a_picture_that_was_turned_is_refused(
    tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(levels(5, 7)).save(tmp_path / "a.jpg", exif=exif)
    mask = np.where(HOLE, 0, 255).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.jpg.msk", mask, photometric="minisblack")
    with pytest.raises(InputError, match=r"a\.jpg\.msk: of the picture before it was turned"):
        read_picture(tmp_path / "a.jpg")


def test_metadata_beside_name_what_is_no_data(tmp_path: Path) -> None:
    values = levels(5, 7).astype(np.float32)
    values[HOLE] = -9999
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    (tmp_path / "a.tif.aux.xml").write_text(METADATA.format("-9.99900000000000E+03"))
    assert np.array_equal(read_picture(tmp_path / "a.tif").lacking, HOLE)


def test_of_a_picture_what_metadata_call_no_data_is_told_and_not_filled_in(tmp_path: Path) -> None:
    Image.fromarray(levels(5, 7)).save(tmp_path / "a.png")
    (tmp_path / "a.png.aux.xml").write_text(METADATA.format("0"))
    picture = read_picture(tmp_path / "a.png")
    assert picture.notes == (
        "a.png.aux.xml names 0 as no data, which is not used: `mask` selects it",
    )
    filled = MaskedPicture.of(picture, HOLE).filled(np.zeros((5, 7, 1)))
    assert (filled.values[HOLE] == 1).all()


@pytest.mark.parametrize(
    ("source", "beside", "result", "copied"),
    [
        ("a.tif", "a.tfw", "b.tif", "b.tfw"),
        ("a.tif", "a.TFW", "b.tif", "b.tfw"),
        ("a.tiff", "a.tfw", "b.tiff", "b.tfw"),
        ("a.tif", "a.tifw", "b.tif", "b.tfw"),
        ("a.jpg", "a.jgw", "b.png", "b.pgw"),
        ("a.jpg", "a.wld", "b.png", "b.wld"),
        ("a.png", "a.prj", "b.png", "b.prj"),
        ("a.png", "a.png.aux.xml", "b.png", "b.png.aux.xml"),
        ("a.png", "a.pgw", "b.npz", None),
        ("a.png", "other.pgw", "b.png", None),
    ],
)
def test_what_says_where_a_picture_is_is_copied(
    tmp_path: Path, source: str, beside: str, result: str, copied: str | None
) -> None:
    Image.fromarray(levels(5, 7)).save(tmp_path / source)
    (tmp_path / beside).write_text("10\n0\n")
    picture, folder = read_picture(tmp_path / source), tmp_path / "out"
    results = {folder / result: True}
    assert copy_beside(picture, tmp_path / source, results, overwrite=False) == []
    found = [path.name for path in folder.iterdir()] if folder.exists() else []
    assert found == ([copied] if copied else [])
    if copied:
        assert (folder / copied).read_text() == "10\n0\n"


def test_statistics_are_not_copied_nor_what_is_no_data_to_a_deviation(tmp_path: Path) -> None:
    Image.fromarray(levels(5, 7)).save(tmp_path / "a.png")
    (tmp_path / "a.png.aux.xml").write_text(METADATA.format("0"))
    results = {tmp_path / "mean.png": True, tmp_path / "std.png": False}
    copy_beside(read_picture(tmp_path / "a.png"), tmp_path / "a.png", results, overwrite=False)
    for name in ("mean", "std"):
        said = (tmp_path / f"{name}.png.aux.xml").read_text()
        assert "STATISTICS" not in said
        assert "HistItem" not in said
        assert "EPSG:4326" in said
        assert '<MDI key="name">' in said
        assert ("NoDataValue" in said) == (name == "mean")


def test_what_exists_beside_a_result_is_left_and_told(tmp_path: Path) -> None:
    Image.fromarray(levels(5, 7)).save(tmp_path / "a.png")
    (tmp_path / "a.pgw").write_text("10")
    picture, results = read_picture(tmp_path / "a.png"), {tmp_path / "b.png": True}
    for text, notes in (("10", []), ("20", [f"{tmp_path / 'b.pgw'} exists, and is left as it is"])):
        (tmp_path / "b.pgw").write_text(text)
        assert copy_beside(picture, tmp_path / "a.png", results, overwrite=False) == notes
        assert (tmp_path / "b.pgw").read_text() == text
    assert copy_beside(picture, tmp_path / "a.png", results, overwrite=True) == []
    assert (tmp_path / "b.pgw").read_text() == "10"


def test_what_cannot_be_read_beside_a_picture_is_told_once_it_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(levels(5, 7)).save(tmp_path / "a.png")
    for name in ("a.pgw", "a.prj"):
        (tmp_path / name).write_text("10")
    picture, real = read_picture(tmp_path / "a.png"), Path.read_text

    def read_text(path: Path, *how: str) -> str:
        if path.suffix == ".pgw":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *how)

    monkeypatch.setattr(Path, "read_text", read_text)
    results = {tmp_path / "b.png": True}
    assert copy_beside(picture, tmp_path / "a.png", results, overwrite=False) == [
        "a.pgw is not copied: it cannot be read (Permission denied)"
    ]
    assert (tmp_path / "b.prj").read_text() == "10"


def test_the_place_of_a_picture_that_was_turned_is_not_copied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(levels(5, 7)).save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "a.jgw").write_text("10")
    picture = read_picture(tmp_path / "a.jpg")
    (note,) = copy_beside(picture, tmp_path / "a.jpg", {tmp_path / "b.png": True}, overwrite=False)
    assert note.startswith("a.jgw is not copied")


def test_from_python_too_a_sheet_gets_no_place(tmp_path: Path) -> None:
    Image.fromarray(levels(5, 7)).save(tmp_path / "a.png")
    (tmp_path / "a.pgw").write_text("10")
    done = npfill.complete(tmp_path / "a.png", HOLE, "nearest", 0)
    done.save(emit="mean,sheet")
    assert {path.name for path in tmp_path.glob("*.pgw")} == {"a.pgw", "a_mean.pgw"}
