"""Rasters with a place on Earth: what is missing in them, and all that a copy keeps."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import npfill
from npfill.errors import InputError
from npfill.pictures.formats import picture_bytes
from npfill.pictures.masked import MaskedPicture
from npfill.pictures.nodata import is_no_data, no_data, without_no_data
from npfill.pictures.picture import Picture
from npfill.pictures.read import glance, read_picture

PLACE = (33550, 12, 3, (30.0, 30.0, 0.0), True)
RPC = (50844, 12, 92, tuple(map(float, range(92))), True)
HOLE = np.zeros((5, 7), dtype=bool)
HOLE[1:3, 2:5] = True


def text(code: int, value: str) -> tuple[int, int, int, str, bool]:
    return code, 2, 0, value, True


def levels(channels: int = 1, dtype: Any = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 120, (5, 7, channels)).astype(dtype).squeeze()


def raster(path: Path, values: np.ndarray, *tags: Any, **options: Any) -> Path:
    """Write a TIFF file with a place on Earth; of three channels and more, the first are RGB."""
    colours = {"photometric": "minisblack"}
    if values.ndim == 3:
        colours = {"photometric": "rgb" if values.shape[-1] > 2 else "minisblack"}
        options.setdefault("planarconfig", "contig")
    options = {**colours, "metadata": None, **options}
    tifffile.imwrite(path, values, extratags=[PLACE, *tags], **options)
    return path


def masked_raster(path: Path, values: np.ndarray, mask: np.ndarray, *others: np.ndarray) -> Path:
    """Write a TIFF file whose second page masks the first; others are overviews of it."""
    with tifffile.TiffWriter(path) as writer:
        colours = "rgb" if values.ndim == 3 else "minisblack"
        writer.write(values, photometric=colours, metadata=None, extratags=[PLACE])
        writer.write(mask, subfiletype=4, metadata=None, compression="zlib")
        for other in others:
            writer.write(other, subfiletype=5 if other.dtype == bool else 1, metadata=None)
    return path


def completed(picture: Picture, level: float = 0.5) -> Picture:
    masked = MaskedPicture.of(picture, np.zeros(picture.size, dtype=bool))
    return masked.filled(np.full((*picture.size, picture.colours), level))


def again(picture: Picture, folder: Path) -> Picture:
    (folder / "again.tif").write_bytes(picture_bytes(picture, {}, keep=False))
    return read_picture(folder / "again.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_levels_with_a_place_are_data_and_keep_it(
    tmp_path: Path, dtype: Any, channels: int
) -> None:
    picture = read_picture(raster(tmp_path / "a.tif", levels(channels, dtype), RPC))
    assert (picture.is_data, picture.why) == (True, "it has a place on Earth")
    assert glance(tmp_path / "a.tif") == (".tif", False)
    (tmp_path / "b.tif").write_bytes(picture_bytes(picture, {}, keep=False))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        page = tiff.pages.first
        assert np.array_equal(page.asarray(), levels(channels, dtype))
        assert page.photometric == (2 if channels == 3 else 1)
        assert page.tags[33550].value == PLACE[3]
        assert page.tags[50844].value == RPC[3]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_the_no_data_value_is_missing_and_no_filled_value_equals_it(
    tmp_path: Path, dtype: Any
) -> None:
    values = levels(1, dtype)
    values[HOLE] = 60
    values[~HOLE & (values == 60)] = 61
    picture = read_picture(raster(tmp_path / "a.tif", values, text(42113, "60")))
    assert picture.missing is not None
    assert np.array_equal(picture.missing[..., 0], HOLE)
    masked = MaskedPicture.of(picture, np.zeros(picture.size, dtype=bool))
    level = (60 - float(masked.low[0])) / float(masked.width[0])
    after = again(completed(picture, level), tmp_path)
    assert after.missing is not None
    assert not after.missing.any()
    assert np.array_equal(after.values[~HOLE], picture.values[~HOLE])
    assert np.abs(after.values[HOLE, 0].astype(float) - 60).max() <= 1


@pytest.mark.parametrize(
    ("value", "left"), [(0, [1, 5, 255]), (5, [0, 6, 255]), (255, [0, 5, 254])]
)
def test_a_no_data_value_is_left_upwards_and_at_the_end_of_a_type_inwards(
    value: int, left: list[int]
) -> None:
    values = np.array([0, 5, 255], dtype=np.uint8)
    assert without_no_data(values, value).tolist() == left


@pytest.mark.parametrize("named", [(254, 255, 6, 5), (255, 254, 5, 6), (5, 6, 254, 255, 7.5, None)])
def test_a_value_leaves_every_value_that_is_none_for_the_nearest_that_is_not(named: Any) -> None:
    values = np.array([0, 5, 6, 254, 255], dtype=np.uint8)
    assert without_no_data(values, *named).tolist() == [0, 4, 7, 253, 253]


@pytest.mark.parametrize(
    ("said", "value", "notes"),
    [
        ("-9999", -9999, 0),
        (" 0.5 ", 0.5, 0),
        ("-9999,0", -9999, 1),
        ("-9999 -9999", -9999, 1),
        ("-3.40282346638529e+38", -3.40282346638529e38, 0),
        ("-1.#IND", np.nan, 0),
        ("1.#INF", np.inf, 0),
        ("nan", np.nan, 0),
        ("-nan(ind)", np.nan, 1),
        ("-inf", -np.inf, 0),
        ("9223372036854775807", 2**63 - 1, 0),
        ("", None, 1),
        ("none", None, 1),
    ],
)
def test_a_no_data_text_is_the_number_that_it_begins_with(
    tmp_path: Path, said: str, value: float | None, notes: int
) -> None:
    found, told = no_data(said)
    assert found == value or str(found) == str(value) == "nan"
    assert len(told) == notes
    picture = read_picture(raster(tmp_path / "a.tif", levels(1, np.float32), text(42113, said)))
    assert len(picture.notes) == notes


@pytest.mark.parametrize("value", [-3.40282346638529e38, np.inf, -np.inf, 1e300])
def test_floats_meet_a_no_data_value_of_more_digits_or_a_larger_type(value: float) -> None:
    with np.errstate(over="ignore"):
        values = np.array([np.float32(value), 1, np.nan], dtype=np.float32)
    assert is_no_data(values, value).tolist() == [True, False, False]


@pytest.mark.parametrize("value", [-9999, 0.5, 300, np.nan])
def test_a_no_data_value_that_a_type_has_not_is_nowhere(value: float) -> None:
    values = np.array([0, 241, 255], dtype=np.uint8)
    assert not is_no_data(values, value).any()
    assert without_no_data(values, value) is values


def test_a_colour_is_no_data_where_all_its_channels_are(tmp_path: Path) -> None:
    values = levels(3)
    values[HOLE] = 0
    values[4, 4, 0] = 0
    picture = read_picture(raster(tmp_path / "a.tif", values, text(42113, "0")))
    assert np.array_equal(picture.lacking, HOLE)
    assert picture.notes[-1] == "a pixel is no data where all its 3 bands are"


@pytest.mark.parametrize("place", [2, 3])
@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_alpha_beside_data_says_what_is_missing_and_is_written_again(
    tmp_path: Path, place: int, kind: int, planar: str
) -> None:
    values = levels(5)
    alpha = 3 if place == 2 else 4
    values[..., alpha] = np.where(HOLE, 0, 255)
    values[4, 6, alpha] = 77  # valid, as all is that is not zero
    extra = [kind, 0] if place == 2 else [0, kind]
    stored = values if planar == "contig" else np.moveaxis(values, -1, 0)
    path = raster(tmp_path / "a.tif", stored, extrasamples=extra, planarconfig=planar,
                  photometric="rgb")  # fmt: skip
    picture = read_picture(path)
    assert (picture.colours, picture.has_alpha, picture.why) == (4, True, "it has a place on Earth")
    assert np.array_equal(picture.lacking, HOLE)
    (tmp_path / "b.tif").write_bytes(picture_bytes(completed(picture), {}, keep=False))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        page = tiff.pages.first
        assert [int(each) for each in page.extrasamples] == extra
        after = page.asarray() if planar == "contig" else np.moveaxis(page.asarray(), 0, -1)
    assert np.array_equal(after[~HOLE], values[~HOLE])
    assert (after[HOLE, alpha] == 255).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_mask_within_says_what_is_missing_and_overviews_are_no_pages(
    tmp_path: Path, channels: int
) -> None:
    values, valid = levels(channels), ~HOLE
    small = levels(channels)[::2, ::2]
    path = masked_raster(tmp_path / "a.tif", values, valid, small, valid[::2, ::2])
    picture = read_picture(path)
    assert picture.notes == ()
    assert np.array_equal(picture.lacking, HOLE)
    (tmp_path / "b.tif").write_bytes(picture_bytes(completed(picture), {}, keep=False))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert [page.subfiletype for page in tiff.pages] == [0, 4]  # type: ignore[union-attr]
        assert tiff.pages[1].asarray().all()
        assert np.array_equal(tiff.pages[0].asarray()[~HOLE], values[~HOLE])


@pytest.mark.parametrize("kind", ["mask", "alpha"])
@pytest.mark.parametrize("how", [{"tolerance": 0.0}, {"max_distance": 1.0}], ids=str)
def test_what_stays_open_is_left_out_by_the_mask_or_alpha_of_its_file(
    tmp_path: Path, kind: str, how: dict[str, Any]
) -> None:
    values, path, select = levels(1, np.float32), tmp_path / "a.tif", np.zeros_like(HOLE)
    select[2:, :4] = True
    if kind == "mask":
        masked_raster(path, values, ~HOLE)
    else:
        bands = np.stack([values, 255 - 255 * HOLE.astype(np.float32)], axis=-1)
        raster(path, bands, extrasamples=["unassalpha"])
    done = npfill.complete(path, select, "gp", samples=0, **how)
    after = read_picture(done.save(tmp_path / "out", emit="mean")["mean"])
    assert after.missing is not None
    assert 0 < done.open.sum() < (HOLE | select).sum() + ("tolerance" in how)
    assert np.array_equal(after.missing[..., 0], done.open)
    with tifffile.TiffFile(tmp_path / "out/a_mean.tif") as tiff:
        said = tiff.pages[1].asarray() if kind == "mask" else tiff.pages[0].asarray()[..., 1]
    assert np.array_equal(said == 0, done.open)


@pytest.mark.parametrize("text_of_none", ["-9999", "nan", "1e20", "0.5"])
@pytest.mark.parametrize("how", [{"tolerance": 0.0}, {"max_distance": 1.0}], ids=str)
def test_a_no_data_value_that_a_type_has_not_is_none_for_what_stays_open(
    tmp_path: Path, text_of_none: str, how: dict[str, Any]
) -> None:
    path = raster(tmp_path / "a.tif", levels(), text(42113, text_of_none))
    given: Any = {"mask": np.indices((5, 7))[1] < 4, "model": "gp", "samples": 0, **how}
    with pytest.raises(InputError, match="uint8 has no NaN for what stays open"):
        npfill.complete(path, **given).save(tmp_path / "out", emit="mean")
    done = npfill.complete(path, nodata=255, **given)
    after = tifffile.imread(done.save(tmp_path / "out", emit="mean")["mean"])
    assert np.array_equal(after == 255, done.open)


def test_what_a_mask_for_each_band_condemns_is_none_where_it_stays_missing(tmp_path: Path) -> None:
    values, select = levels(3, np.float32), np.zeros((*HOLE.shape, 3), dtype=bool)
    select[2:, :4], select[0, 6, 1] = True, True
    path = raster(tmp_path / "a.tif", values)
    done = npfill.complete(path, select, "nearest", samples=0, max_distance=1.0)
    assert 0 < done.open.sum() < select.any(axis=-1).sum()
    assert np.array_equal(np.isnan(done.mean), select & ~done.hole)


def test_a_mask_of_a_picture_without_a_place_is_missing_too(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(levels(3), photometric="rgb", metadata=None)
        writer.write(~HOLE, subfiletype=4, metadata=None)
    picture = read_picture(tmp_path / "a.tif")
    assert not picture.is_data
    assert picture.values.dtype == np.uint8
    assert np.array_equal(picture.lacking, HOLE)


def test_further_pages_are_told(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(levels(), metadata=None, photometric="minisblack", extratags=[PLACE])
        writer.write(levels(), metadata=None, photometric="minisblack")
    assert read_picture(tmp_path / "a.tif").notes == ("several pages: only the first is used",)


def test_a_preview_as_the_first_page_is_told(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", levels(), photometric="minisblack", subfiletype=1)
    (note,) = read_picture(tmp_path / "a.tif").notes
    assert note.startswith("its first page is a preview of another")


METADATA = (
    '<GDALMetadata>\n  <Item name="STATISTICS_MEAN" sample="0">3.5</Item>\n'
    '  <Item name="STATISTICS_MAXIMUM" sample="0">9</Item>\n'
    '  <Item name="OFFSET" sample="0" role="offset">500</Item>\n'
    '  <Item name="SCALE" sample="0" role="scale">0.1</Item>\n</GDALMetadata>'
)


def test_statistics_are_dropped_and_a_deviation_has_no_offset_and_no_no_data_value(
    tmp_path: Path,
) -> None:
    tags = (text(42112, METADATA), text(42113, "0"))
    values = np.where(HOLE, 0, levels())
    picture = read_picture(raster(tmp_path / "a.tif", values, *tags))
    masked = MaskedPicture.of(picture, np.zeros(picture.size, dtype=bool))
    deviation = masked.as_data(
        masked.deviation(np.ones((*picture.size, 1), np.float32), masked.intensities)
    )
    for name, written in (("mean", completed(picture)), ("std", deviation)):
        (tmp_path / "b.tif").write_bytes(picture_bytes(written, {}, keep=False))
        with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
            kept = tiff.pages.first.tags
            said = kept[42112].value
            assert "STATISTICS" not in said
            assert "SCALE" in said
            assert ("OFFSET" in said, 42113 in kept) == (name == "mean", name == "mean")
            assert kept[33550].value == PLACE[3]


def test_what_is_stripped_keeps_what_is_no_data_but_no_place(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.tif", np.where(HOLE, 0, levels()), text(42113, "0"))
    (tmp_path / "b.tif").write_bytes(picture_bytes(read_picture(path).stripped(), {}, keep=False))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert 33550 not in tiff.pages.first.tags
        assert tiff.pages.first.tags[42113].value == "0"


def test_every_other_tag_goes_along(tmp_path: Path) -> None:
    tags = [
        text(270, "heights"),
        text(315, "Anna"),
        (65000, 3, 2, (7, 9), True),
        (700, 7, 2, b"<>", True),
    ]
    path = raster(tmp_path / "a.tif", levels(), *tags, resolution=(300, 300), resolutionunit="inch",
                  iccprofile=b"a profile")  # fmt: skip
    (tmp_path / "b.tif").write_bytes(picture_bytes(read_picture(path), {}, keep=False))
    with tifffile.TiffFile(tmp_path / "a.tif") as one, tifffile.TiffFile(tmp_path / "b.tif") as two:
        before, after = one.pages.first.tags, two.pages.first.tags
        for code in (270, 315, 65000, 700, 34675, 296):
            assert after[code].value == before[code].value
        assert after[282].value[0] / after[282].value[1] == pytest.approx(300)


def test_no_tag_shows_the_picture_as_it_was(tmp_path: Path) -> None:
    resource = b"8BIM\x04\x0c\0\0\0\0\0\6UNSEEN"
    xmp = b"<x><xmpGImg:image>UNSEEN</xmpGImg:image> by Anna</x>"
    tags = [
        (code, 7, len(each), each, True)
        for code, each in ((34377, resource), (37724, resource), (700, xmp))
    ]
    path = raster(tmp_path / "a.tif", levels(), *tags)
    after = picture_bytes(read_picture(path), {}, keep=False)
    assert b"UNSEEN" in path.read_bytes()
    assert b"UNSEEN" not in after
    assert b"by Anna" in after


@pytest.mark.parametrize("orientation", [3, 6])
def test_data_without_a_place_are_turned_and_those_with_one_keep_their_orientation(
    tmp_path: Path, orientation: int
) -> None:
    values, tag = levels(1, np.float32), (274, 3, 1, orientation, True)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", extratags=[tag])
    turned = read_picture(tmp_path / "a.tif")
    expected = np.rot90(values, 2 if orientation == 3 else -1)
    assert np.array_equal(turned.values[..., 0], expected)
    assert np.array_equal(again(turned, tmp_path).values, turned.values)
    placed = read_picture(raster(tmp_path / "b.tif", values, tag))
    assert np.array_equal(placed.values[..., 0], values)
    (tmp_path / "c.tif").write_bytes(picture_bytes(placed, {}, keep=False))
    with tifffile.TiffFile(tmp_path / "c.tif") as tiff:
        assert tiff.pages.first.tags[274].value == orientation


def test_a_palette_with_a_place_stays_numbers_with_colours(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 65536, (3, 256)).astype(np.uint16)
    path = raster(tmp_path / "a.tif", levels(), photometric="palette", colormap=colours)
    picture = read_picture(path)
    assert np.array_equal(picture.values[..., 0], levels())
    (tmp_path / "b.tif").write_bytes(picture_bytes(picture, {}, keep=False))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.pages.first.photometric == 3
        assert np.array_equal(np.asarray(tiff.pages.first.colormap), colours)


@pytest.mark.parametrize(
    ("channels", "photometric", "extra"), [(4, "rgb", [0]), (2, "minisblack", [0])]
)
def test_a_further_channel_that_is_not_said_to_be_alpha_is_a_band(
    tmp_path: Path, channels: int, photometric: Any, extra: list[int]
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", levels(channels), photometric=photometric,
                     extrasamples=extra, planarconfig="contig", metadata=None)  # fmt: skip
    picture = read_picture(tmp_path / "a.tif")
    assert (picture.is_data, picture.has_alpha, picture.colours) == (True, False, channels)
    assert picture.why == f"it has {channels} bands besides alpha"
    assert np.array_equal(again(picture, tmp_path).values, picture.values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 4])
def test_colours_that_are_multiplied_by_alpha_are_divided_and_multiplied_again(
    tmp_path: Path, dtype: Any, channels: int
) -> None:
    white = np.iinfo(dtype).max
    random = np.random.default_rng(0)
    alpha = random.integers(0, white + 1, (5, 7, 1))
    alpha[0, 0], alpha[0, 1] = 0, white
    colours = np.floor(random.random((5, 7, channels - 1)) * (alpha + 1))
    values = np.concatenate([np.minimum(colours, alpha), alpha], axis=-1).astype(dtype)
    options: dict[str, Any] = {"photometric": "rgb" if channels == 4 else "minisblack"}
    tifffile.imwrite(tmp_path / "a.tif", values, extrasamples=[1], planarconfig="contig",
                     metadata=None, **options)  # fmt: skip
    picture = read_picture(tmp_path / "a.tif")
    share = picture.values[..., :-1] * (values[..., -1:] / white)
    assert np.abs(share - values[..., :-1]).max() <= 0.5 + (dtype == np.uint8)
    (tmp_path / "b.png").write_bytes(picture_bytes(picture, {}, keep=False))
    assert np.array_equal(read_picture(tmp_path / "b.png").values, picture.values)
    if dtype == np.uint16:
        (tmp_path / "b.tif").write_bytes(picture_bytes(picture, {}, keep=True))
        with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
            assert [int(each) for each in tiff.pages.first.extrasamples] == [1]
            assert np.array_equal(tiff.pages.first.asarray(), values)


def test_a_raster_of_inks_is_refused_rather_than_taken_for_bands(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.tif", levels(4), photometric="separated")
    with pytest.raises(InputError, match="SEPARATED of type uint8 is not read"):
        read_picture(path)


@pytest.mark.parametrize("bits", [2, 4, 12])
def test_levels_of_other_bits_are_numbers_as_they_stand(tmp_path: Path, bits: int) -> None:
    values = (np.arange(35).reshape(5, 7) % 2**bits).astype(np.uint16 if bits > 8 else np.uint8)
    if bits == 12:  # two values in three bytes, and each row begins with a byte
        rows = [np.append(row, 0).reshape(-1, 2).astype(int) for row in values]
        packed = [
            np.stack([a >> 4, (a & 15) << 4 | b >> 8, b & 255], -1)
            for a, b in (row.T for row in rows)
        ]
        content = b"".join(bytes(each.astype(np.uint8).ravel()[:11]) for each in packed)
    else:
        padded = np.pad(values, ((0, 0), (0, -7 % (8 // bits)))).reshape(5, -1, 8 // bits)
        shifts = np.arange(8 - bits, -1, -bits)
        content = bytes((padded << shifts).sum(-1).astype(np.uint8).ravel())
    path = _stored(tmp_path / "a.tif", content, bits)
    picture = read_picture(path)
    assert picture.is_data
    assert np.array_equal(picture.values[..., 0], values)


def _stored(path: Path, content: bytes, bits: int) -> Path:
    """A TIFF file of 7x5 grey values as they are packed, with a place on Earth."""
    entries = [(256, 3, 1, 7), (257, 3, 1, 5), (258, 3, 1, bits), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, 1, 160), (277, 3, 1, 1), (278, 3, 1, 5), (279, 4, 1, len(content)),
               (33550, 12, 3, 134)]  # fmt: skip
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    head += b"".join(struct.pack("<HHII", *each) for each in entries) + bytes(4)
    path.write_bytes(head + struct.pack("<3d", 30, 30, 0).ljust(160 - 134, b"\0") + content)
    return path


def test_alpha_beside_colours_goes_before_a_no_data_value(tmp_path: Path) -> None:
    values = np.concatenate([levels(3), np.where(HOLE, 0, 255)[..., None]], axis=-1)
    values[4, 4:6, :3] = 0  # black, and valid
    values = values.astype(np.uint8)
    picture = read_picture(raster(tmp_path / "a.tif", values, text(42113, "0"), extrasamples=[2]))
    assert np.array_equal(picture.lacking, HOLE)
    assert picture.notes == ("its alpha says what is missing, and not its no-data value",)
    assert (completed(picture, 0.0).values[HOLE, :3] > 0).all()


def test_no_data_values_of_all_bands_together_are_read(tmp_path: Path) -> None:
    values = levels(3)
    values[HOLE] = 0, 255, 7
    values[0, 0] = 0, 9, 9
    item = '<GDALMetadata><Item name="NODATA_VALUES">0 255 7</Item></GDALMetadata>'
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric="rgb", metadata=None, extratags=[text(42112, item)])
    picture = read_picture(path)
    assert picture.why == "it names a value that is no data"
    assert np.array_equal(picture.lacking, HOLE)
    done = npfill.complete(path, model="gp", samples=0, tolerance=0.0)
    with pytest.raises(InputError, match="uint8 has no NaN for what stays open"):
        done.save(tmp_path / "out")


def test_a_second_value_that_is_none_leaves_the_one_that_the_file_names(tmp_path: Path) -> None:
    values = np.random.default_rng(0).choice([253, 254], (12, 14)).astype(np.uint8)
    values[3:9, 3:9], values[0, :2] = 0, 255
    path, missing = raster(tmp_path / "a.tif", values, text(42113, "255")), values % 255 == 0
    done = npfill.complete(path, model="gp", samples=3, nodata=0)
    assert np.array_equal(done.hole, missing)
    for each in (done.mean, *done.samples):
        assert (each % 255 != 0).all()
    still = npfill.complete(path, model="gp", samples=0, nodata=0, tolerance=0.5)
    assert still.open.any()
    after = tifffile.imread(still.save(tmp_path / "out")["mean"])
    assert np.array_equal(after == 255, still.open)
    assert (after > 0).all()


@pytest.mark.parametrize(("extra", "says"), [(2, "SEPARATED"), (0, "SEPARATED")])
def test_inks_with_a_further_channel_are_refused_by_name(
    tmp_path: Path, extra: int, says: str
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", levels(5), photometric="separated", extrasamples=[extra],
                     planarconfig="contig", metadata=None)  # fmt: skip
    with pytest.raises(InputError, match=f"{says} of type uint8 is not read"):
        read_picture(tmp_path / "a.tif")


def test_a_description_that_counts_pages_is_not_kept_with_one_of_them(tmp_path: Path) -> None:
    stack = np.zeros((3, 5, 7), np.float32)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True)
    (tmp_path / "b.tif").write_bytes(
        picture_bytes(read_picture(tmp_path / "a.tif"), {}, keep=False)
    )
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert 270 not in tiff.pages.first.tags


@pytest.mark.parametrize("compression", ["zstd", "lerc", "deflate", "lzw"])
def test_compressed_tiles_are_read_as_they_are(tmp_path: Path, compression: str) -> None:
    values = np.where(HOLE, -9999, levels(1, np.float32)).astype(np.float32)
    path = raster(tmp_path / "a.tif", values, text(42113, "-9999"), compression=compression,
                  tile=(16, 16))  # fmt: skip
    picture = read_picture(path)
    assert np.array_equal(picture.values[..., 0], values)
    assert np.array_equal(picture.lacking, HOLE)


@pytest.mark.parametrize("kind", ["planar8", "planar16", "grey and alpha", "white is zero", "big"])
def test_profile_and_resolution_of_every_layout_are_kept(tmp_path: Path, kind: str) -> None:
    deep = levels(3, np.uint16) * 257
    options: dict[str, Any] = {"photometric": "rgb"}
    values = deep
    if kind.startswith("planar"):
        options["planarconfig"] = "separate"
        values = np.moveaxis(levels(3) if kind == "planar8" else deep, -1, 0)
    elif kind == "grey and alpha":
        options |= {"photometric": "minisblack", "extrasamples": [2], "planarconfig": "contig"}
        values = deep[..., :2]
    elif kind == "white is zero":
        options["photometric"], values = "miniswhite", deep[..., 0]
    else:
        options["bigtiff"] = True
    options |= {"resolution": (118.11, 118.11), "resolutionunit": "CENTIMETER"}
    options |= {"iccprofile": b"a profile", "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    picture = read_picture(tmp_path / "a.tif")
    assert not picture.is_data
    for keep in (False, True):
        (tmp_path / "b").write_bytes(picture_bytes(picture, {}, keep=keep))
        after = read_picture(tmp_path / "b").info
        assert after["icc_profile"] == b"a profile"
        assert after["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("value", [-9999.0, -9999.5, np.inf, 1e300])
def test_a_no_data_value_of_whole_numbers_may_be_a_float(value: float) -> None:
    values = np.array([3, -9999, 5], np.int64)
    assert is_no_data(values, value).tolist() == [False, value == -9999, False]
