"""What `npfill complete` writes, where, and what it says."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from npfill import __version__, checkpoint
from npfill.cli import main
from npfill.pictures.read import read_picture
from tests.cli.conftest import Command
from tests.conftest import tiny

SELECTED = np.zeros((5, 6), dtype=bool)
SELECTED[1:4, 1:3] = True
BOX = "1,1,2,3"
PICTURES = {"photo_mean.png", *(f"photo_sample-{k}.png" for k in (1, 2, 3))}
DEFAULT = PICTURES | {"photo_std.png", "photo_std-heat.png"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def pixels(path: Path) -> np.ndarray:
    """All channels, "height width channel"."""
    with Image.open(path) as image:
        return np.asarray(image).reshape(image.height, image.width, -1)


def text_of(path: Path) -> dict[str, str]:
    with Image.open(path) as image:
        image.load()
        return dict(image.text)  # type: ignore[attr-defined]


def save(path: Path, *shape: int, seed: int = 0) -> Path:
    """A random picture of a shape, as a PNG."""
    values = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(values).save(path)
    return path


@pytest.mark.slow
def test_mean_std_and_three_samples_stand_beside_the_picture(
    npfill: Command, photo: Path, weights: Path
) -> None:
    ended = npfill("complete", photo, "--box", BOX, "-m", weights)
    assert ended.code == 0
    assert ended.out == b""
    assert names(photo.parent) == {"photo.png"} | DEFAULT


@pytest.mark.slow
def test_a_folder_is_made_and_takes_all(npfill: Command, photo: Path, weights: Path) -> None:
    folder = photo.parent / "new" / "results"
    assert npfill("complete", photo, "--box", BOX, "-m", weights, "-o", folder).code == 0
    assert names(folder) == DEFAULT
    assert names(photo.parent) == {"photo.png", "new"}


@pytest.mark.slow
def test_a_folder_that_exists_may_have_a_dot_in_its_name(
    npfill: Command, photo: Path, weights: Path
) -> None:
    folder = photo.parent / "run.1"
    folder.mkdir()
    assert npfill("complete", photo, "--box", BOX, "-m", weights, "-o", folder).code == 0
    assert names(folder) == DEFAULT


def test_a_file_takes_the_mean_alone(npfill: Command, photo: Path, weights: Path) -> None:
    path = photo.parent / "filled.png"
    assert npfill("complete", photo, "--box", BOX, "-m", weights, "-o", path).code == 0
    assert names(photo.parent) == {"photo.png", "filled.png"}
    assert text_of(path)["npfill_output"] == "mean"


@pytest.mark.slow
def test_a_dash_sends_the_mean_to_stdout_and_nothing_else(
    npfill: Command, photo: Path, weights: Path
) -> None:
    words = ("complete", photo, "--box", BOX, "-m", weights)
    ended = npfill(*words, "-o", "-")
    assert ended.code == 0
    assert names(photo.parent) == {"photo.png"}
    npfill(*words)
    assert ended.out == (photo.parent / "photo_mean.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("emit", "samples", "expected"),
    [
        ("mean", 3, {"mean.png"}),
        ("std", 3, {"std.png"}),
        ("samples", 2, {"sample-1.png", "sample-2.png"}),
        ("mean,sheet", 3, {"mean.png", "sheet.png"}),
        ("sheet", 0, {"sheet.png"}),
        ("npz", 3, {"npz"}),
        ("mean, std,npz ,mean", 0, {"mean.png", "std.png", "npz"}),
        (None, 0, {"mean.png", "std.png", "std-heat.png"}),
        (None, 1, {"mean.png", "std.png", "std-heat.png", "sample-1.png"}),
    ],
)
def test_what_is_asked_for_is_written_and_nothing_else(
    npfill: Command,
    photo: Path,
    weights: Path,
    emit: str | None,
    samples: int,
    expected: set[str],
) -> None:
    asked = [] if emit is None else ["--emit", emit]
    words = ("complete", photo, "--box", BOX, "-m", weights, "--samples", samples, *asked)
    assert npfill(*words).code == 0
    written = {"photo.npz" if name == "npz" else f"photo_{name}" for name in expected}
    assert names(photo.parent) == {"photo.png"} | written


@pytest.mark.slow
@pytest.mark.parametrize(
    ("emit", "name"), [("std", "x.png"), ("samples", "x.png"), ("sheet", "x.PNG"), ("npz", "x.npz")]
)
def test_one_result_of_any_kind_may_go_to_a_file(
    npfill: Command, photo: Path, weights: Path, emit: str, name: str
) -> None:
    words = ("complete", photo, "--box", BOX, "-m", weights, "--emit", emit, "--samples", 1)
    assert npfill(*words, "-o", photo.parent / name).code == 0
    assert names(photo.parent) == {"photo.png", name}


def test_outside_the_hole_every_byte_is_the_pictures(
    npfill: Command, photo: Path, mask: Path, weights: Path
) -> None:
    ended = npfill("complete", photo, "--mask", mask, "-m", weights)
    assert "outside changed: 0 px" in ended.err
    assert "mask 6 x 5, 20.0 % selected (6 px)" in ended.err
    for name in PICTURES:
        assert np.array_equal(pixels(photo.parent / name)[~SELECTED], pixels(photo)[~SELECTED])
    mean, sample = (pixels(photo.parent / f"photo_{n}.png") for n in ("mean", "sample-1"))
    assert not np.array_equal(mean[SELECTED], pixels(photo)[SELECTED])
    assert not np.array_equal(mean[SELECTED], sample[SELECTED])


def test_each_png_says_where_it_comes_from(npfill: Command, photo: Path, weights: Path) -> None:
    npfill("complete", photo, "--box", BOX, "-m", weights, "--seed", 7, "--emit", "mean,std,sheet")
    expected = {
        "npfill_model": "tiny",
        "npfill_model_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "npfill_seed": "7",
        "npfill_sampler": "auto",
        "npfill_mask_sha256": hashlib.sha256(np.packbits(SELECTED).tobytes()).hexdigest(),
        "npfill_version": __version__,
    }
    observed = pixels(photo) * ~SELECTED[..., None]
    expected["npfill_image_sha256"] = hashlib.sha256(
        b"uint8 (5, 6, 3) " + observed.tobytes()
    ).hexdigest()
    options = {"--box": [BOX], "--model": str(weights), "--seed": 7, "--sampler": "auto"}
    for name in ("mean", "std", "sheet"):
        text = text_of(photo.parent / f"photo_{name}.png")
        full_scale = text.pop("npfill_std_full_scale", None)
        assert text.pop("npfill_samples", "3") == "3"
        assert json.loads(text.pop("npfill_check"))["pixels"] == 0  # so small a picture
        said = json.loads(text.pop("npfill_options"))
        assert said == {"image": str(photo), "--device": "cpu"} | options
        assert text == expected | {"npfill_output": name}
        assert (full_scale is not None) == (name == "std")


def test_the_std_is_in_16_bits_with_its_full_scale(
    npfill: Command, photo: Path, weights: Path
) -> None:
    npfill("complete", photo, "--box", BOX, "-m", weights, "--emit", "std,npz")
    with Image.open(photo.parent / "photo_std.png") as image:
        assert image.mode == "I;16"
        levels = np.asarray(image)
    full_scale = float(text_of(photo.parent / "photo_std.png")["npfill_std_full_scale"])
    with np.load(photo.parent / "photo.npz") as arrays:
        deviation = np.sqrt(np.square(arrays["std"]).mean(-1))
    assert levels.max() == 65535
    assert not levels[~SELECTED].any()
    assert levels * (full_scale / 65535) == pytest.approx(deviation, abs=full_scale / 65535)


def test_an_npz_holds_what_the_pictures_were_made_from(
    npfill: Command, photo: Path, weights: Path
) -> None:
    npfill("complete", photo, "--box", BOX, "-m", weights, "--emit", "mean,samples,npz")
    with np.load(photo.parent / "photo.npz") as arrays:
        assert set(arrays) == {"mean", "std", "samples", "hole"}
        assert arrays["std"].shape == (5, 6, 3)
        assert np.array_equal(arrays["hole"], SELECTED)
        for values, name in zip(
            (arrays["mean"], *arrays["samples"]),
            ("mean", "sample-1", "sample-2", "sample-3"),
            strict=True,
        ):
            levels = np.rint(values * 255).astype(np.uint8)
            assert np.array_equal(levels, pixels(photo.parent / f"photo_{name}.png"))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(5, 6), (1, 1), (1, 40), (700, 2)])
def test_a_sheet_shows_the_hole_in_blue_and_all_results(
    npfill: Command, tmp_path: Path, weights: Path, size: tuple[int, int]
) -> None:
    photo = save(tmp_path / "photo.png", *size)
    words = ("complete", photo, "--box", "0,0,1,1", "-m", weights, "--emit", "sheet")
    widths = {}
    for samples in (0, 1, 3):
        assert npfill(*words, "--samples", samples, "--overwrite").code == 0
        sheet = pixels(tmp_path / "photo_sheet.png")
        assert sheet.shape[-1] == 3
        assert (size == (700, 2)) or (sheet == (64, 96, 224)).all(-1).any()
        widths[samples] = sheet.shape[1]
    assert widths[3] - widths[1] == 2 * (widths[1] - widths[0]) > 0


@pytest.mark.slow
def test_json_is_all_that_stdout_gets(npfill: Command, photo: Path, weights: Path) -> None:
    ended = npfill("complete", photo, "--box", BOX, "-m", weights, "--seed", 3, "--json")
    result = json.loads(ended.out)
    data = result.pop("data")
    assert result == {
        "npfill_result_version": "1", "status": "success", "exit_code": 0, "errors": [],
    }  # fmt: skip
    assert data["input"] == str(photo)
    assert data["mask_selected_px"] == 6
    assert data["mask_share"] == pytest.approx(0.2)
    assert data["model"] == "tiny"
    assert data["seed"] == 3
    assert data["outside_changed_px"] == 0
    assert data["warnings"] == []
    assert {Path(path).name for path in data["outputs"].values()} == DEFAULT
    assert all(Path(path).is_file() for path in data["outputs"].values())
    text = text_of(Path(data["outputs"]["mean"]))
    assert data["model_sha256"] == text["npfill_model_sha256"]
    assert data["mask_sha256"] == text["npfill_mask_sha256"]
    assert "outside changed: 0 px" in ended.err


@pytest.mark.slow
def test_warnings_are_said_and_stand_in_the_json(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    photo = save(tmp_path / "photo.png", 9, 8)
    ended = npfill("complete", photo, "--box", "0,0,8,9", "-m", weights, "--json")
    assert ended.code == 0
    warnings = json.loads(ended.out)["data"]["warnings"]
    for expected in ("everything is selected", "was made for 6x6", "completed as RGB"):
        assert sum(expected in warning for warning in warnings) == 1
    assert all(f"warning: {warning}" in ended.err for warning in warnings)


@pytest.mark.slow
@pytest.mark.parametrize("options", [["-q"], ["--quiet", "--verbose"]])
def test_quiet_says_nothing(
    npfill: Command, tmp_path: Path, weights: Path, options: list[str]
) -> None:
    photo = save(tmp_path / "photo.png", 9, 8)
    ended = npfill("complete", photo, "--box", "0,0,8,9", "-m", weights, *options)
    assert (ended.code, ended.out, ended.err) == (0, b"", "")
    assert names(tmp_path) > DEFAULT


@pytest.mark.slow
def test_quiet_json_is_json_alone(npfill: Command, photo: Path, weights: Path) -> None:
    ended = npfill("complete", photo, "--box", BOX, "-m", weights, "-q", "--json")
    assert json.loads(ended.out)["status"] == "success"
    assert ended.err == ""


@pytest.mark.slow
def test_verbose_tells_the_model_file_and_its_hash(
    npfill: Command, photo: Path, weights: Path
) -> None:
    plain, verbose = (
        npfill("complete", photo, "--box", BOX, "-m", weights, "--overwrite", *options).err
        for options in ([], ["-v"])
    )
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert f"{weights}: np, sha256 {digest}" in verbose
    assert digest not in plain


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["[/x].png", ":smile:.png", "[red]a[/red].png", "[bold", 'a b\'s "c".png']
)
def test_a_path_is_never_read_as_markup(
    npfill: Command, tmp_path: Path, weights: Path, name: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True, parents=True)
    with path.open("wb") as file:
        Image.new("RGB", (6, 5)).save(file, "PNG")
    ended = npfill("complete", path, "--box", BOX, "-m", weights)
    assert ended.code == 0
    assert str(path.with_name(f"{path.stem}_mean.png")) in ended.err
    again = npfill("complete", path, "--box", BOX, "-m", weights)
    assert again.code == 4
    assert f"error: {path.with_name(f'{path.stem}_mean.png')}" in again.err


@pytest.mark.slow
def test_a_path_that_is_no_text_is_completed_and_stands_in_the_json(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    try:
        path.write_bytes(save(tmp_path / "photo.png", 5, 6).read_bytes())
    except OSError:
        pytest.skip("this file system has no such names")
    ended = npfill("complete", path, "--box", BOX, "-m", weights, "-q", "--json")
    assert ended.code == 0
    assert Path(json.loads(ended.out)["data"]["outputs"]["mean"]).is_file()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.slow
def test_the_alpha_mask_makes_its_hole_opaque(
    npfill: Command, tmp_path: Path, weights: Path, mode: str
) -> None:
    photo = save(tmp_path / "photo.png", 5, 6, len(mode))
    hole = pixels(photo)[..., -1] < 128
    assert npfill("complete", photo, "--mask", "alpha", "-m", weights).code == 0
    for name in ("mean", "sample-1"):
        filled = pixels(tmp_path / f"photo_{name}.png")
        assert filled.shape == (5, 6, len(mode))
        assert (filled[hole, -1] == 255).all()
        assert np.array_equal(filled[~hole], pixels(photo)[~hole])


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.slow
def test_a_mask_file_leaves_alpha_alone(
    npfill: Command, tmp_path: Path, mask: Path, weights: Path, mode: str
) -> None:
    photo = save(tmp_path / "photo.png", 5, 6, len(mode))
    npfill("complete", photo, "--mask", mask, "-m", weights)
    assert np.array_equal(pixels(tmp_path / "photo_mean.png")[..., -1], pixels(photo)[..., -1])


def hole_of(npfill: Command, photo: Path, weights: Path, *masking: object) -> list[list[int]]:
    """The hole that options select, as rows of 0 and 1."""
    ended = npfill(
        "complete", photo, *masking, "-m", weights, "--emit", "npz", "--samples", 0, "--overwrite"
    )
    assert ended.code == 0
    with np.load(photo.with_suffix(".npz")) as arrays:
        rows: list[list[int]] = arrays["hole"].astype(int).tolist()
    return rows


@pytest.mark.slow
def test_options_of_the_mask_join_invert_and_grow_in_this_order(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    photo = save(tmp_path / "photo.png", 3, 5)
    mask = tmp_path / "mask.png"
    Image.fromarray(np.eye(3, 5, dtype=bool)).save(mask)
    file, box = ("--mask", mask), ("--box", "4,0,1,2")
    assert hole_of(npfill, photo, weights, *file) == [
        [1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0],
    ]  # fmt: skip
    assert hole_of(npfill, photo, weights, *file, *box) == [
        [1, 0, 0, 0, 1], [0, 1, 0, 0, 1], [0, 0, 1, 0, 0],
    ]  # fmt: skip
    assert hole_of(npfill, photo, weights, *box, "--box", "0,2,5,1") == [
        [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1],
    ]  # fmt: skip
    assert hole_of(npfill, photo, weights, *box, "--invert-mask") == [
        [1, 1, 1, 1, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1],
    ]  # fmt: skip
    assert hole_of(npfill, photo, weights, *box, "--grow", 1) == [
        [0, 0, 0, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1],
    ]  # fmt: skip
    assert hole_of(npfill, photo, weights, *box, "--invert-mask", "--grow", -1) == [
        [1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0],
    ]  # fmt: skip


def test_a_threshold_and_a_fit_reach_the_mask_file(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    photo, mask = save(tmp_path / "photo.png", 2, 4), tmp_path / "mask.png"
    Image.fromarray(np.array([[0, 1]], dtype=np.uint8)).save(mask)
    options = ("--mask", mask, "--mask-threshold", 1, "--fit-mask")
    assert hole_of(npfill, photo, weights, *options) == [[0, 0, 1, 1], [0, 0, 1, 1]]


@pytest.mark.slow
def test_the_same_command_twice_gives_the_same_bytes(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    photo = save(tmp_path / "photo.png", 30, 20, 3)
    for folder in ("one", "two"):
        words = ("complete", photo, "--box", "5,5,10,20", "-m", weights, "-o", tmp_path / folder)
        assert npfill(*words, "--emit", "mean,std,samples,sheet,npz").code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(contents(tmp_path / "one")) == 7


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["cnp", "lcnp-basis", "np", "anp"])
def test_eight_samples_contain_the_files_of_three(
    npfill: Command, tmp_path: Path, variant: str
) -> None:
    # Of a size that takes several chunks.
    photo = save(tmp_path / "photo.png", 50, 40, 3)
    checkpoint.save(tmp_path / "w.safetensors", tiny(variant, channels=3).float(), {})
    words = ("complete", photo, "--box", "2,3,30,45", "-m", tmp_path / "w.safetensors")
    for samples in (3, 8):
        assert npfill(*words, "--samples", samples, "-o", tmp_path / str(samples)).code == 0
    few, many = contents(tmp_path / "3"), contents(tmp_path / "8")
    assert set(few) == DEFAULT
    assert len(many) == 11
    assert {name: many[name] for name in few} == few


@pytest.mark.slow
def test_another_seed_gives_other_samples(npfill: Command, photo: Path, weights: Path) -> None:
    words = ("complete", photo, "--box", BOX, "-m", weights, "--samples", 1)
    for seed in (0, 1):
        npfill(*words, "--seed", seed, "-o", photo.parent / str(seed))
    one, other = (pixels(photo.parent / str(k) / "photo_sample-1.png") for k in (0, 1))
    assert not np.array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_that_differ_only_under_the_hole_give_the_same_files(
    npfill: Command, tmp_path: Path, mask: Path, weights: Path, channels: int
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (5, 6, channels), dtype=np.uint8)
    colours = 3 if channels > 2 else 1
    for folder, level in (("one", 0), ("two", 255)):
        values[SELECTED, :colours] = level
        Image.fromarray(values.squeeze()).save(tmp_path / "photo.png")
        words = ("complete", tmp_path / "photo.png", "--mask", mask, "-m", weights)
        emit = ("--emit", "mean,std,samples,sheet,npz", "-o", tmp_path / folder)
        assert npfill(*words, *emit).code == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.slow
def test_what_exists_is_replaced_only_when_told_to(
    npfill: Command, photo: Path, weights: Path
) -> None:
    taken = photo.parent / "photo_std.png"
    taken.write_bytes(b"precious")
    words = ("complete", photo, "--box", BOX, "-m", weights)
    assert npfill(*words).code == 4
    assert contents(photo.parent) == {"photo.png": photo.read_bytes(), taken.name: b"precious"}
    assert npfill(*words, "--overwrite").code == 0
    assert pixels(taken).shape == (5, 6, 1)


@pytest.mark.slow
@pytest.mark.parametrize("given", ["photo.png", "mask.png", "weights.png"])
@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
def test_an_input_is_never_written_over(
    npfill: Command,
    photo: Path,
    mask: Path,
    weights: Path,
    given: str,
    link: str | None,
) -> None:
    folder = photo.parent
    shutil.copy(weights, folder / "weights.png")
    output = folder / given
    if link:
        output = folder / "link.png"
        getattr(output, link)(folder / given)
    before = contents(folder)
    ended = npfill(
        "complete", photo, "--mask", mask, "-m", folder / "weights.png", "-o", output, "--overwrite"
    )
    assert ended.code == 2
    assert f"error: {output}: is an input and would be lost" in ended.err
    assert contents(folder) == before


@pytest.mark.slow
def test_no_partial_file_is_left(npfill: Command, photo: Path, weights: Path) -> None:
    words = ("complete", photo, "--box", BOX, "-m", weights)
    npfill(*words)
    npfill(*words)
    npfill(*words, "--overwrite")
    assert names(photo.parent) == {"photo.png"} | DEFAULT


@pytest.mark.parametrize(("value", "shown"), [("1", True), ("0", False), (None, False)])
def test_a_traceback_is_shown_to_those_who_debug(
    npfill: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    value: str | None,
    shown: bool,
) -> None:
    monkeypatch.delenv("NPFILL_DEBUG", raising=False)
    if value is not None:
        monkeypatch.setenv("NPFILL_DEBUG", value)
    ended = npfill("complete", tmp_path / "none.png", "--box", BOX)
    assert ended.code == 3
    assert ("Traceback (most recent call last)" in ended.err) == shown
    assert f"error: {tmp_path / 'none.png'}: no such file\n" in ended.err


@pytest.fixture
def restored_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.usefixtures("restored_threads")
def test_one_and_two_threads_agree_to_one_level(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    photo = save(tmp_path / "photo.png", 64, 64, 3)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        words = ("complete", photo, "--box", "8,8,48,48", "-m", weights, "--emit")
        assert npfill(*words, "mean,samples,npz", "-o", tmp_path / str(threads)).code == 0
    for name in PICTURES:
        one, two = (pixels(tmp_path / str(threads) / name).astype(int) for threads in (1, 2))
        assert np.abs(one - two).max() <= 1
    with np.load(tmp_path / "1/photo.npz") as one, np.load(tmp_path / "2/photo.npz") as two:
        np.testing.assert_allclose(one["std"], two["std"], atol=1e-4)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[str, Image.Image, np.ndarray]:
    """What a picture is completed as, the picture, and a hole in it."""
    mode, becomes = draw(
        st.sampled_from(
            [("L", "L"), ("LA", "LA"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("P", "RGB"), ("1", "L")]
        )
    )
    size = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    hole = draw(hnp.arrays(bool, size))
    hole[draw(st.integers(0, size[0] - 1)), draw(st.integers(0, size[1] - 1))] = True
    if mode == "1":
        return becomes, Image.fromarray(draw(hnp.arrays(bool, size))), hole
    channels = 1 if mode == "P" else len(mode)
    values = draw(hnp.arrays(np.uint8, (*size, channels)))
    image = Image.fromarray(values[..., 0] if channels == 1 else values)
    if mode == "P":
        image.putpalette(draw(st.binary(min_size=768, max_size=768)))
    return becomes, image, hole


@pytest.fixture(scope="module")
def grey_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "grey.safetensors"
    checkpoint.save(path, tiny("np", channels=1).float(), {})
    return path


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(picture=pictures())
def test_size_and_mode_are_kept_and_nothing_changes_outside(
    grey_weights: Path, picture: tuple[str, Image.Image, np.ndarray]
) -> None:
    mode, image, hole = picture
    # A mask that is the picture itself is refused.
    assume(not np.array_equal(np.asarray(image.convert("L")), 255 * hole))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image.save(folder / "photo.png")
        Image.fromarray(hole).save(folder / "mask.png")
        before = read_picture(folder / "photo.png").image
        words = [folder / "photo.png", "--mask", folder / "mask.png", "-m", grey_weights]
        with pytest.raises(SystemExit) as stop:
            main(["complete", *map(str, words), "--samples", "1", "-q"])
        assert stop.value.code == 0
        for result in ("mean", "sample-1"):
            with Image.open(folder / f"photo_{result}.png") as after:
                assert (after.mode, after.size) == (mode, image.size)
                unequal = np.asarray(after) != np.asarray(before)
            assert not unequal[~hole].any()
        std = pixels(folder / "photo_std.png")[..., 0]
        assert std.shape == hole.shape
        assert not std[~hole].any()
        assert (std[hole] > 0).all()


@pytest.mark.slow
def test_terms_that_forbid_commercial_use_are_said(
    npfill: Command, photo: Path, mask: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "faces.safetensors"
    checkpoint.save(weights, tiny("cnp", channels=3).float(), {"terms": "non-commercial only"})
    ended = npfill("complete", photo, "--mask", mask, "-m", weights)
    assert ended.code == 0
    assert "faces: non-commercial only" in ended.err


def test_a_mask_of_what_is_kept_out_is_fitted_without_any_other(
    npfill: Command, tmp_path: Path
) -> None:
    values = np.arange(30.0).reshape(5, 6)
    values[1:4, 1:5] = np.nan
    np.save(tmp_path / "sea.npy", values)
    land = np.zeros((10, 12), np.uint8)
    land[:, 6:] = 255
    Image.fromarray(land).save(tmp_path / "land.png")
    words = ("complete", tmp_path / "sea.npy", "--keep-out", tmp_path / "land.png", "-m", "nearest")
    ended = npfill(*words, "--fit-mask", "--emit", "mean")
    assert ended.code == 0, ended.err
    mean = np.load(tmp_path / "sea_mean.npy")
    assert np.isfinite(mean[:, :3]).all()
    assert np.isnan(mean[1:4, 3:5]).all()


def test_a_result_on_another_grid_gets_no_place(npfill: Command, photo: Path) -> None:
    photo.with_suffix(".pgw").write_text("10")
    words = ("complete", photo, "--box", BOX, "-m", "nearest", "--samples", 0)
    assert npfill(*words, "--emit", "mean,sheet").code == 0
    found = {path.name for path in photo.parent.glob("*.pgw")}
    assert found == {"photo.pgw", "photo_mean.pgw"}
