"""What `npfill complete` makes of pictures of 16 bits, of data, and of every format."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.ExifTags import Base

from npfill import complete
from npfill.pictures.formats import png_bytes
from npfill.pictures.picture import Picture
from npfill.pictures.read import png_text, read_picture
from tests.cli.conftest import Command
from tests.data_files import load, save

SELECTED = np.zeros((5, 6), dtype=bool)
SELECTED[1:4, 1:3] = True
BOX = ("--box", "1,1,2,3")


def deep(path: Path, channels: int) -> np.ndarray:
    """Writes a random picture of 16 bits, and answers its levels."""
    random = np.random.default_rng(0)
    values = random.integers(0, 65536, (5, 6, channels), dtype=np.uint16)
    if path.suffix == ".png":
        path.write_bytes(png_bytes(Picture(values, "PNG", path.name), {}))
    else:
        options: dict[str, Any] = {"photometric": "rgb" if channels >= 3 else "minisblack"}
        if channels == 4:
            options["extrasamples"] = ["unassalpha"]
        tifffile.imwrite(path, values.squeeze(), **options)
    return values


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "channels"), [("a.png", 1), ("a.png", 3), ("a.png", 4), ("a.tif", 1), ("a.tif", 3)]
)
def test_16_bits_are_completed_at_16_bits(
    npfill: Command, tmp_path: Path, weights: Path, name: str, channels: int
) -> None:
    levels = deep(tmp_path / name, channels)
    ended = npfill("complete", tmp_path / name, *BOX, "-m", weights, "--samples", 1)
    assert ended.code == 0
    assert "8 bit" not in ended.err
    assert "outside changed: 0 px" in ended.err
    for result in ("mean", "sample-1"):
        after = read_picture(tmp_path / f"a_{result}.png").values
        assert (after.dtype.name, after.shape) == ("uint16", levels.shape)
        assert np.array_equal(after[~SELECTED], levels[~SELECTED])
        assert (after[SELECTED] % 257).any()
    with Image.open(tmp_path / "a_mean.png") as image:
        image.load()
        assert image.info["npfill_output"] == "mean"


@pytest.mark.usefixtures("without_depth")
def test_grey_of_16_bits_is_completed_without_the_extra(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    levels = deep(tmp_path / "a.png", 1)
    assert npfill("complete", tmp_path / "a.png", *BOX, "-m", weights).code == 0
    for result in ("mean", "sample-1"):
        after = read_picture(tmp_path / f"a_{result}.png").values
        assert np.array_equal(after[~SELECTED], levels[~SELECTED])
        assert (after[SELECTED] % 257).any()


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("role", ["picture", "mask"])
def test_what_needs_the_extra_is_refused_without_it(
    npfill: Command,
    tmp_path: Path,
    photo: Path,
    request: pytest.FixtureRequest,
    name: str,
    role: str,
) -> None:
    deep(tmp_path / name, 3)
    request.getfixturevalue("without_depth")
    before = sorted(tmp_path.iterdir())
    words = (tmp_path / name, *BOX) if role == "picture" else (photo, "--mask", tmp_path / name)
    ended = npfill("complete", *words)
    assert ended.code == 3
    assert f"{name}: a {'PNG' if name == 'a.png' else 'TIFF'} " in ended.err
    assert "needs imagecodecs, which is not installed\n" in ended.err
    assert "hint: pip install 'npfill[depth]'\n" in ended.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
@pytest.mark.parametrize(("slope", "side"), [(0.1, 32), (0.5, 32)])
def test_a_smooth_gradient_of_16_bits_comes_back_within_a_level_of_8(
    npfill: Command, tmp_path: Path, slope: float, side: int
) -> None:
    rows, columns = np.mgrid[:96, :112]
    plane = np.rint((40 + slope * rows + 0.5 * slope * columns) * 257)
    levels = np.stack([plane, 65535 - plane, plane], axis=-1).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(png_bytes(Picture(levels, "PNG", "a"), {}))
    box = ("--box", f"40,30,{side},{side}")
    assert npfill("complete", tmp_path / "a.png", *box, "-o", tmp_path / "b.png").code == 0
    after = read_picture(tmp_path / "b.png").values
    assert np.abs(after.astype(int) - levels).max() < 257


@pytest.mark.slow
def test_explain_and_check_see_every_level_of_16_bits(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    levels = deep(tmp_path / "a.png", 3)
    npfill("complete", tmp_path / "a.png", *BOX, "-m", weights, "--emit", "mean")
    mean = tmp_path / "a_mean.png"
    assert npfill("explain", mean, "--rerun").code == 0
    assert npfill("check", tmp_path / "a.png", mean, *BOX).code == 0
    levels[0, 0, 0] ^= 1
    mean.write_bytes(png_bytes(Picture(levels, "PNG", "a"), {}))
    ended = npfill("check", tmp_path / "a.png", mean, *BOX)
    assert ended.code == 7
    assert "1 of 24 px, by at most 1 of 65535" in ended.err


def measured(*shape: int) -> np.ndarray:
    """Measurements of which some are NaN."""
    values = np.random.default_rng(0).normal(-40, 9, shape).astype(np.float32)
    values[1:4, 1:3] = np.nan
    return values


@pytest.mark.slow
@pytest.mark.parametrize("kind", [".npy", ".npz", ".tif"])
def test_data_are_completed_where_they_are_nan(
    npfill: Command, tmp_path: Path, weights: Path, kind: str
) -> None:
    values = measured(5, 6)
    words = ("complete", save(tmp_path / f"a{kind}", values), "-m", weights, "--json", "--clip")
    ended = npfill(*words)
    assert ended.code == 0
    names = {"a", "a_mean", "a_std", "a_sample-1", "a_sample-2", "a_sample-3"}
    written = {f"{name}{kind}" for name in names} | {"a_std-heat.png"}
    assert {path.name for path in tmp_path.iterdir()} == written
    for name in ("mean", "sample-2"):
        after = load(tmp_path / f"a_{name}{kind}")
        assert (after.dtype.name, after.shape) == ("float32", (5, 6))
        assert np.array_equal(after[~SELECTED], values[~SELECTED])
        assert (after >= np.nanmin(values)).all()
        assert (after <= np.nanmax(values)).all()
    std = load(tmp_path / f"a_std{kind}")
    assert (std[SELECTED] > 0).all()
    assert not std[~SELECTED].any()
    data = json.loads(ended.out)["data"]
    assert data["mean_std"] == pytest.approx(std[SELECTED].mean(), rel=1e-5)


@pytest.mark.slow
def test_a_unit_changes_nothing_but_the_unit(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    for name, factor in (("metres", 1), ("millimetres", 1000)):
        values = measured(5, 6).astype(np.float64) * factor
        npfill("complete", save(tmp_path / f"{name}.npy", values), "-m", weights)
    for result in ("mean", "std", "sample-1"):
        metres = np.load(tmp_path / f"metres_{result}.npy")
        millimetres = np.load(tmp_path / f"millimetres_{result}.npy")
        np.testing.assert_allclose(metres * 1000, millimetres, rtol=1e-4, atol=0.1)


def test_a_mask_adds_to_what_is_nan(npfill: Command, tmp_path: Path, weights: Path) -> None:
    path = save(tmp_path / "a.npy", measured(5, 6))
    mask = np.zeros((5, 6), dtype=bool)
    mask[4, 5] = True
    np.save(tmp_path / "mask.npy", mask)
    words = ("complete", path, "-m", weights, "--emit", "npz", "--samples", 0)
    assert npfill(*words, "--mask", tmp_path / "mask.npy").code == 0
    with np.load(tmp_path / "a.npz") as arrays:
        assert np.array_equal(arrays["hole"], SELECTED | mask)
        observed = ~arrays["hole"]
        assert np.array_equal(arrays["mean"][observed, 0], measured(5, 6)[observed])
        assert np.isfinite(arrays["mean"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64])
def test_integers_come_back_as_integers(
    npfill: Command, tmp_path: Path, weights: Path, dtype: type
) -> None:
    values: np.ndarray = np.random.default_rng(0).integers(20, 120, (5, 6, 2)).astype(dtype)
    path = save(tmp_path / "a.npy", values)
    ended = npfill("complete", path, *BOX, "-m", weights, "--samples", 0)
    assert "note: 2 channels: each by itself" in ended.err
    mean = np.load(tmp_path / "a_mean.npy")
    assert (mean.dtype, mean.shape) == (values.dtype, values.shape)
    assert np.array_equal(mean[~SELECTED], values[~SELECTED])
    assert np.load(tmp_path / "a_std.npy").dtype == np.float32


@pytest.mark.slow
def test_of_a_channel_only_what_it_lacks_is_filled(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    values = np.random.default_rng(0).normal(size=(5, 6, 3))
    values[0, 0, 1] = values[4, 4, 2] = np.nan
    path = save(tmp_path / "a.npy", values)
    words = ("complete", path, "-m", weights, "--samples", 0, "--emit", "mean,std,sheet")
    assert npfill(*words).code == 0
    mean, std = (np.load(tmp_path / f"a_{name}.npy") for name in ("mean", "std"))
    assert np.array_equal(mean[~np.isnan(values)], values[~np.isnan(values)])
    assert np.array_equal(std > 0, np.isnan(values))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["whole.npy"], 2, "nothing says what is missing, and no value is NaN"),
        (["holes.npy", "--invert-mask"], 2, "there is no mask to invert"),
        (["holes.npy", "--mask", "color:#ff00ff"], 3, "data have no colours"),
        (["holes.npy", "-o", "x.png"], 2, "mean is written as .npy"),
        (["infinite.npy", *BOX], 3, "its values are infinite"),
        (["a.png", "--mask", "color:pinkish"], 2, "not a colour"),
        (["a.png", "--mask", "color:#010203"], 3, "selects 0 px"),
        (["a.png", *BOX, "--format", "tiff"], 2, "--format tiff: unknown"),
        (["a.png", *BOX, "--max-pixels", "29"], 3, "30 pixels, more than the 29"),
        (["a.png", "--mask", "large.png", "--max-pixels", "30"], 3, "large.png: 120 pixels"),
    ],
)
def test_what_cannot_be_is_refused(
    npfill: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("whole.npy", np.ones((5, 6)))
    np.save("holes.npy", measured(5, 6))
    np.save("infinite.npy", np.where(SELECTED, 0, np.inf))
    Image.new("RGB", (6, 5)).save("a.png")
    Image.new("L", (12, 10), 255).save("large.png")
    before = sorted(path.name for path in tmp_path.iterdir())
    ended = npfill("complete", *words)
    assert (ended.code, expected in ended.err) == (code, True), ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.slow
def test_a_colour_marks_the_hole(npfill: Command, tmp_path: Path, weights: Path) -> None:
    values = np.random.default_rng(0).integers(0, 200, (5, 6, 3), dtype=np.uint8)
    values[SELECTED] = 255, 0, 250
    Image.fromarray(values).save(tmp_path / "a.png")
    words = ("complete", tmp_path / "a.png", "-m", weights, "--samples", 0)
    assert npfill(*words, "--mask", "color:#ff00ff").code == 3
    assert npfill(*words, "--mask", "color:#ff00ff~5").code == 0
    after = read_picture(tmp_path / "a_mean.png").values
    assert np.array_equal(after[~SELECTED], values[~SELECTED])
    assert (after[SELECTED] != values[SELECTED]).any()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "lossy"), [("jpg", True), ("bmp", False), ("tif", False)])
def test_keep_writes_the_format_of_the_picture_and_says_what_it_changes(
    npfill: Command, tmp_path: Path, weights: Path, kind: str, lossy: bool
) -> None:
    path = tmp_path / f"a.{kind}"
    values = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(values).save(path)
    ended = npfill("complete", path, *BOX, "-m", weights, "--format", "keep", "--json")
    assert ended.code == 0
    results = {f"a_{name}.{kind}" for name in ("mean", "sample-1", "sample-2", "sample-3")}
    results |= {path.name, "a_std.png", "a_std-heat.png"}
    assert {each.name for each in tmp_path.iterdir()} == results
    before, after = (read_picture(tmp_path / name) for name in (path.name, f"a_mean.{kind}"))
    assert after.format == before.format
    differ = (before.values != after.values).any(-1) & ~SELECTED
    changed = json.loads(ended.out)["data"]["outside_changed_px"]
    assert differ.sum() <= changed <= 24
    assert bool(changed) == lossy
    assert f"outside changed: {changed} px" in ended.err
    assert ("by the format" in ended.err) == lossy


@pytest.mark.slow
def test_a_file_for_the_mean_has_the_suffix_that_is_kept(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    Image.new("RGB", (6, 5)).save(tmp_path / "a.JPG")
    words = ("complete", tmp_path / "a.JPG", *BOX, "-m", weights, "--format", "keep", "-o")
    assert npfill(*words, tmp_path / "b.png").code == 2
    assert npfill(*words, tmp_path / "b.jpg").code == 0
    assert read_picture(tmp_path / "b.jpg").format == "JPEG"


@pytest.mark.slow
def test_strip_leaves_out_what_the_file_says_but_how_its_colours_look(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    exif = Image.Exif()
    exif[Base.Make] = "a camera"
    picture = Image.new("RGB", (6, 5))
    picture.save(tmp_path / "a.png", exif=exif, dpi=(300, 300), icc_profile=b"a profile")
    for options, kept in (
        ([], {"exif", "dpi", "icc_profile"}), (["--strip"], {"icc_profile"})
    ):  # fmt: skip
        words = ("complete", tmp_path / "a.png", *BOX, "-m", weights, "--overwrite", *options)
        assert npfill(*words).code == 0
        for name in ("mean", "sample-1"):
            assert set(read_picture(tmp_path / f"a_{name}.png").info) == kept


@pytest.mark.slow
def test_what_was_stripped_names_no_folder(
    npfill: Command, tmp_path: Path, weights: Path, mask: Path
) -> None:
    Image.new("RGB", (6, 5)).save(tmp_path / "a.png")
    words = ("complete", tmp_path / "a.png", "--mask", mask, "-m", weights, "--strip")
    assert npfill(*words, "--emit", "mean,std,samples,sheet").code == 0
    results = sorted(tmp_path.glob("a_*"))
    assert len(results) == 6
    for path in results:
        assert str(tmp_path).encode() not in path.read_bytes()
        said = json.loads(png_text(path)["npfill_options"])
        assert (said["image"], said["--mask"], said["--model"]) == (
            "a.png", "mask.png", "tiny.safetensors",
        )  # fmt: skip


def test_what_was_stripped_names_an_address_of_the_hub_in_full(weights: Path) -> None:
    picture, word = np.zeros((5, 6, 3), dtype=np.uint8), "hf://a/b@main/x.safetensors"
    done = complete(picture, box=(0, 0, 2, 2), model=weights, samples=0).completed
    stripped = replace(done, strip=True, word=word)
    assert json.loads(stripped.text["npfill_options"])["--model"] == word


def test_a_file_beside_a_result_is_replaced_if_that_is_asked_for_alone(
    npfill: Command, photo: Path, weights: Path
) -> None:
    photo.with_suffix(".pgw").write_text("new")
    beside = photo.with_name("photo_mean.pgw")
    beside.write_text("old")
    words = ("complete", photo, *BOX, "-m", weights, "--emit", "mean")
    ended = npfill(*words)
    assert (ended.code, beside.read_text()) == (0, "old")
    assert "photo_mean.pgw exists, and is left as it is" in ended.err
    assert npfill(*words, "--overwrite").code == 0
    assert beside.read_text() == "new"


@pytest.mark.slow
def test_what_a_format_does_not_keep_is_said(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    resource = b"8BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x50\0\x03Ann"
    block = b"Photoshop 3.0\0" + resource
    extra = b"\xff\xed" + bytes([0, len(block) + 2]) + block
    Image.new("RGB", (6, 5)).save(tmp_path / "a.jpg", extra=extra)
    words = ("complete", tmp_path / "a.jpg", *BOX, "-m", weights, "--samples", 0)
    line = "warning: PNG results do not keep its IPTC\n"
    assert line in npfill(*words).err
    assert "do not keep" not in npfill(*words, "--strip", "--overwrite").err
    assert "do not keep" not in npfill(*words, "--format", "keep").err


@pytest.mark.slow
def test_a_limit_of_pixels_can_be_raised(
    npfill: Command, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("npfill.completion.MAX_PIXELS", 29)
    Image.new("RGB", (6, 5)).save(tmp_path / "a.png")
    words = ("complete", tmp_path / "a.png", *BOX, "-m", weights, "--samples", 0)
    refused = npfill(*words)
    assert refused.code == 3
    assert "--max-pixels 30" in refused.err
    assert npfill(*words, "--max-pixels", 30).code == 0


@pytest.mark.slow
def test_kinds_of_values_are_said_and_done_again(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    values = np.arange(30, dtype=np.uint8).reshape(5, 6) % 3 * 90
    Image.fromarray(values).save(tmp_path / "a.png")
    words = ("complete", tmp_path / "a.png", *BOX, "-m", weights, "--samples", 1)
    ended = npfill(*words, "--kind", "classes", "--wrap", "columns")
    assert ended.code == 0
    assert "mean chance of being wrong in the hole 0." in ended.err
    for name in ("mean", "std", "sample-1"):
        said = json.loads(png_text(tmp_path / f"a_{name}.png")["npfill_options"])
        assert (said["--kind"], said["--wrap"]) == ("classes", "columns")
        assert npfill("explain", tmp_path / f"a_{name}.png", "--rerun").code == 0
    after = np.asarray(Image.open(tmp_path / "a_mean.png"))
    assert set(np.unique(after)) <= {0, 90, 180}
    refused = npfill(*words, "--kind", "angle", "--overwrite")
    assert refused.code == 0
    assert npfill(*words, "--kind", "angle:90", "--overwrite").code == 3
    assert npfill(*words, "--kind", "numbers", "--overwrite").code == 2
