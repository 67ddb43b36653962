"""Names of results: folders with dots, templates, and formats by the suffix."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from npfill import complete
from npfill.completion.names import by_template
from npfill.errors import InputError, UsageError
from npfill.pictures.formats import raster
from npfill.pictures.picture import Picture
from npfill.pictures.read import read_picture
from npfill.pictures.stores import file_of
from tests.cli.conftest import Command
from tests.cli.test_batches import BOX, files, picture
from tests.forked import Ended

Of = Callable[..., Ended]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def done(npfill: Command, weights: Path) -> Of:
    def run(*words: object) -> Ended:
        return npfill("complete", *words, *BOX, "-m", weights)

    return run


@pytest.mark.parametrize("output", ["results_v1.0/", "results_v1.0", "2024.05.01", "x.png/", "out"])
def test_what_ends_in_a_slash_or_has_no_suffix_of_a_file_is_a_folder(output: str) -> None:
    assert file_of(output) is None


@pytest.mark.parametrize("output", ["x.png", "a/b.jpg", "-", "x.txt"])
def test_what_has_a_suffix_is_a_file(output: str) -> None:
    assert file_of(output) == Path(output)


def test_a_folder_that_exists_is_one_whatever_its_name() -> None:
    Path("x.png").mkdir()
    assert file_of(Path("x.png")) is None
    Path("x.zarr").mkdir()
    assert file_of("x.zarr") is None
    Path("x.zarr/zarr.json").touch()  # a store, which is written anew
    assert file_of("x.zarr") == Path("x.zarr")
    assert file_of("x.zarr/") is None


def test_an_output_with_a_dot_takes_all_results(done: Of) -> None:
    picture(Path("a.png"))
    assert done("a.png", "-o", "results_v1.0/", "--samples", 0).code == 0
    assert files(Path("results_v1.0")) == {"a_mean.png", "a_std.png", "a_std-heat.png"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".jpg", "JPEG"), (".jpeg", "JPEG"), (".webp", "WEBP"), (".tif", "TIFF"), (".bmp", "BMP")],
)
def test_a_file_has_the_format_of_its_suffix(done: Of, suffix: str, kind: str) -> None:
    before = read_picture(picture(Path("a.png")))
    ended = done("a.png", "-o", f"restored{suffix}", "--json")
    assert ended.code == 0, ended.err
    after = read_picture(Path(f"restored{suffix}"))
    assert after.format == kind
    outside = np.ones((5, 6), dtype=bool)
    outside[1:4, 1:3] = False
    changed = (after.values != before.values).any(axis=-1) & outside
    assert json.loads(ended.out)["data"]["outside_changed_px"] == changed.sum()


@pytest.mark.parametrize(
    ("mode", "width", "suffix", "lacks"),
    [
        ("RGBA", 6, "jpg", "JPEG files have no alpha"),
        ("I;16", 6, "jpg", "JPEG files have no 16 bits"),
        ("LA", 6, "bmp", "BMP files have no grey with alpha"),
        ("L", 65_501, "jpg", "JPEG files have no side of more than 65,500 pixels"),
        ("L", 16_384, "webp", "WebP files have no side of more than 16,383 pixels"),
        ("L", 65_536, "gif", "GIF files have no side of more than 65,535 pixels"),
        ("L", 32_769, "avif", "AVIF files have no side of more than 32,768 pixels"),
    ],
)
def test_what_a_format_does_not_hold_is_refused_before_the_work(
    done: Of, mode: str, width: int, suffix: str, lacks: str
) -> None:
    Image.new(mode, (width, 5)).save("a.png")
    ended = done("a.png", "-o", f"restored.{suffix}")
    assert ended.code == 3
    assert f"restored.{suffix}: {lacks}, as a.png has" in ended.err
    assert not Path(f"restored.{suffix}").exists()


def test_heic_is_written_though_no_heic_was_read(done: Of, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pillow_heif")
    monkeypatch.delitem(Image.SAVE, "HEIF", raising=False)
    Image.new("RGB", (64, 48)).save("a.png")
    ended = done("a.png", "-o", "restored.heic")
    assert ended.code == 0, ended.err
    assert read_picture(Path("restored.heic")).format == "HEIF"


def test_heic_without_its_package_is_refused_before_the_work(
    done: Of, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    picture(Path("a.png"))
    ended = done("a.png", "-o", "restored.heic", "--dry-run")
    assert ended.code == 3
    assert "restored.heic: HEIC needs pillow-heif" in ended.err


@pytest.mark.parametrize(("part", "name"), [("exif", "EXIF"), ("xmp", "XMP")])
def test_what_a_jpeg_has_no_room_for_is_left_out_and_said(done: Of, part: str, name: str) -> None:
    exif, long = Image.Exif(), "x" * 70_000
    exif[Base.ImageDescription] = long
    entries = PngInfo()
    entries.add_itxt("XML:com.adobe.xmp", long)
    Image.new("RGB", (6, 5)).save(
        "a.png", **({"exif": exif} if part == "exif" else {"pnginfo": entries})
    )
    ended = done("a.png", "-o", "restored.jpg")
    assert ended.code == 0, ended.err
    assert f"warning: JPEG results do not keep its {name}\n" in ended.err
    assert part not in read_picture(Path("restored.jpg")).info


def test_what_an_encoder_refuses_is_said_in_a_line() -> None:
    values = np.zeros((5, 6, 2), dtype=np.uint8)
    with pytest.raises(InputError, match=r"a\.png: cannot be written as BMP"):
        raster.encode(Picture(values, "BMP", "a.png"), {}, kind="BMP", keeps=(), options={})


def test_a_picture_without_a_suffix_keeps_its_format_too(done: Of) -> None:
    picture(Path("a.jpg"))
    Path("a.jpg").rename("a")
    ended = done("a", "--format", "keep", "--emit", "mean", "-o", "out")
    assert (ended.code, files(Path("out"))) == (0, {"a_mean.jpg"}), ended.err
    assert read_picture(Path("out/a_mean.jpg")).format == "JPEG"


@pytest.mark.slow
def test_a_suffix_that_a_result_cannot_have_is_refused_with_both_ways_out(done: Of) -> None:
    picture(Path("a.png"))
    for words in (["-o", "a.txt"], ["-o", "std.jpg", "--emit", "std"]):
        ended = done("a.png", *words)
        assert ended.code == 2
        assert f"-o NAME.png, or -o {words[1]}/ for a folder" in ended.err


@pytest.mark.slow
def test_results_can_have_the_names_and_formats_of_the_pictures(done: Of) -> None:
    picture(Path("in/a.jpg"))
    picture(Path("in/a.png"))
    picture(Path("in/sub/b.webp"))
    own = ["--name", "{stem}{suffix}", "--format", "keep"]
    assert done("in", "-r", *own, "-o", "out").code == 0
    assert files(Path("out")) == files(Path("in"))
    assert read_picture(Path("out/sub/b.webp")).format == "WEBP"
    before = {name: Path("in", name).read_bytes() for name in files(Path("in"))}
    for more in ([], ["--overwrite"], ["-o", "in", "--overwrite"]):
        ended = done("in", "-r", *own, *more)
        assert ended.code == 2
        assert "is an input and would be lost" in ended.err
    assert before == {name: Path("in", name).read_bytes() for name in files(Path("in"))}


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{stem}", ("a.png", "a.png")),
        ("{stem}{suffix}", ("a.png", "a.png")),
        ("{stem}.jpg", ("a.jpg", "a.png")),
        ("{stem}.npz", ("a.npz.png", "a.png")),
        ("{result} of {stem}", ("mean of a.png", "mean of a.png")),
        ("v1.0_{stem}_{result}", ("v1.0_a_mean.png", "v1.0_a_mean.png")),
    ],
)
def test_a_template_names_results(template: str, names: tuple[str, str]) -> None:
    for is_picture, name in zip((True, False), names, strict=True):
        assert by_template(template, "a", "mean", ".png", is_picture=is_picture) == name


@pytest.mark.parametrize("template", ["", "{model}", "{}", "../{stem}", "{stem}/{result}", "x/"])
def test_a_template_that_names_no_file_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="name="):
        by_template(template, "a", "mean", ".png", is_picture=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["complete"], "npfill mask {0} proposes a mask, npfill paint {0} lets you paint one"),
        (["mask", "--stripes"], "paint the mask: npfill paint {0}"),
    ],
    ids=["complete", "mask"],
)
@pytest.mark.parametrize(
    ("name", "word"), [("my photo.png", "'my photo.png'"), ("-p.png", "./-p.png")]
)
def test_a_name_in_a_command_of_a_hint_is_one_word_of_it(
    npfill: Command, words: list[str], said: str, name: str, word: str
) -> None:
    Image.new("RGB", (16, 16)).save(name)
    assert f"hint: {said.format(word)}" in npfill(*words, f"./{name}").err


@pytest.mark.slow
def test_results_of_one_name_are_refused(done: Of) -> None:
    picture(Path("a.png"))
    ended = done("a.png", "--name", "{stem}", "--emit", "mean,std", "-o", "out")
    assert ended.code == 2
    assert "{result} tells them apart" in ended.err
    assert done("a.png", "--name", "{stem}", "-o", "out.png").code == 2


def test_a_completion_is_saved_under_a_name(weights: Path) -> None:
    completion = complete(picture(Path("in/a.jpg")), box=(1, 1, 2, 3), model=weights, samples=1)
    saved = completion.save("v1.0/", name="{stem}{suffix}", format="keep")
    assert saved == {"mean": Path("v1.0/a.jpg")}
    assert completion.save("restored.webp")["mean"].read_bytes()[8:12] == b"WEBP"
    names = completion.save("out", name="{result}").values()
    assert {path.name for path in names} == {"mean.png", "std.png", "std-heat.png", "sample-1.png"}


def test_what_comes_through_stdin_keeps_its_format(
    done: Of, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = picture(Path("a.jpg")).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert done("-", "--format", "keep", "--emit", "mean", "-o", "out").code == 0
    assert read_picture(Path("out/stdin_mean.jpg")).format == "JPEG"
