"""Wrong command lines and unusable inputs: an exit code, one line, a way out, and no file."""

import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.ExifTags import Base

from npfill import checkpoint
from npfill.models import build, config_of
from tests.cli.conftest import Command
from tests.conftest import MODELS, tiny
from tests.forked import Ended

USAGE, INPUT, EXISTS, MODEL = 2, 3, 4, 5
BOX = ("--box", "1,1,2,3")
FILL = (*BOX, "-m", "tiny.safetensors")
no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


def noise(*shape: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def huge_png(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that claims a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def make_pictures(folder: Path) -> None:
    noise(5, 6, 3).save(folder / "photo.png")
    noise(5, 6, 3).save(folder / "taken.png")
    noise(5, 6, 3).save(folder / "taken_std.png")
    noise(5, 6, 3).save(folder / "blocked.png")
    (folder / "blocked_std.png").mkdir()
    Image.new("RGBA", (6, 5), "white").save(folder / "opaque.png")
    Image.new("CMYK", (6, 5)).save(folder / "cmyk.jpg")
    noise(64, 64, 3).save(folder / "whole.png")
    (folder / "truncated.png").write_bytes((folder / "whole.png").read_bytes()[:3000])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("not a picture")
    (folder / "bomb.png").write_bytes(huge_png(60_000, 60_000))
    (folder / "folder.png").mkdir()
    (folder / "a-file").write_text("in the way")
    (folder / "nowhere").symlink_to("gone")
    (folder / "nowhere.png").symlink_to("gone.png")


def make_masks(folder: Path) -> None:
    mask = np.zeros((5, 6), dtype=np.uint8)
    Image.fromarray(mask).save(folder / "black.png")
    mask[1:4, 1:3] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    Image.fromarray(mask // 255).save(folder / "zero-one.png")
    Image.fromarray(mask // 5).save(folder / "dark.png")
    Image.fromarray(mask.T).save(folder / "swapped.png")
    Image.fromarray(mask[:3, :3]).save(folder / "small.png")
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    Image.fromarray(mask).save(folder / "turned.png", exif=exif)


def make_weights(folder: Path) -> None:
    variant, fields = MODELS["cnp"]
    fields = fields | {"channels": 3}
    config = config_of(variant, fields, "a test")
    tensors = {name: tensor.float() for name, tensor in build(variant, config).state_dict().items()}
    header = {"format": 1, "variant": variant, "config": fields, "provenance": {}}
    first = min(tensors)

    def save(name: str, changed: dict[str, Any], with_tensors: dict[str, Any] = tensors) -> None:
        metadata = {"npfill": checkpoint.canonical(header | changed)}
        checkpoint.save_tensors(folder / f"{name}.safetensors", with_tensors, metadata)

    checkpoint.save(folder / "tiny.safetensors", tiny("cnp", channels=3).float(), {})
    whole = (folder / "tiny.safetensors").read_bytes()
    (folder / "garbage.safetensors").write_bytes(b"\x08garbage" * 50)
    (folder / "empty.safetensors").write_bytes(b"")
    (folder / "half.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder / "weights.pt").write_bytes(b"\x80\x04N.")
    (folder / "weights.ckpt").write_bytes(b"\x80\x04N.")
    (folder / "folder.safetensors").mkdir()
    checkpoint.save_tensors(folder / "foreign.safetensors", tensors, {"format": "pt"})
    checkpoint.save_tensors(folder / "no-json.safetensors", tensors, {"npfill": "{"})
    digits = checkpoint.canonical(header)[:-1] + ',"x":' + "9" * 5000 + "}"
    checkpoint.save_tensors(folder / "digits.safetensors", tensors, {"npfill": digits})
    checkpoint.save_tensors(folder / "nested.safetensors", tensors, {"npfill": "[" * 10**5})
    huge = {name: torch.full_like(tensor, 3e38) for name, tensor in tensors.items()}
    save("huge", {}, huge)
    save("later", {"format": 99})
    save("unknown", {"variant": "transformer"})
    save("key", {"config": fields | {"dropout": 0.1}})
    save("mistyped", {"config": fields | {"encoder": fields["encoder"] | {"width": "wide"}}})
    save("absurd", {"config": fields | {"encoder": fields["encoder"] | {"width": 10**9}}})
    save("missing", {}, {name: tensors[name] for name in tensors if name != first})
    save("extra", {}, tensors | {"backdoor": torch.zeros(1)})
    save("shape", {}, tensors | {first: torch.zeros(2, 2, 2)})
    save("dtype", {}, tensors | {first: tensors[first].to(torch.int32)})
    save("nan", {}, tensors | {first: tensors[first] * float("nan")})


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of good and bad pictures, masks and weights."""
    folder = tmp_path_factory.mktemp("inputs")
    for make in (make_pictures, make_masks, make_weights):
        make(folder)
    return folder


@pytest.fixture
def state(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, Any]]:
    """Goes to that folder, and tells what is in it: contents and times of change."""
    monkeypatch.chdir(inputs)

    def look() -> dict[str, Any]:
        return {
            str(path): (path.lstat().st_mtime_ns, path.is_file() and path.read_bytes())
            for path in inputs.rglob("*")
        }

    return look


def masked(name: str, *options: str) -> tuple[str, ...]:
    return ("complete", "photo.png", "--mask", name, *options, "-m", "tiny.safetensors")


def boxed(*options: str) -> tuple[str, ...]:
    return ("complete", "photo.png", *options, "-m", "tiny.safetensors")


def of_model(name: str) -> tuple[str, ...]:
    return ("complete", "photo.png", *BOX, "-m", name)


# Words, exit code, and part of the line that our own errors are.
WRONG: list[tuple[tuple[str, ...], int, str]] = [
    # Pictures.
    (("complete", "none.png", *FILL), INPUT, "none.png: no such file"),
    (("complete", "no/such/folder.png", *FILL), INPUT, "no/such/folder.png: no such file"),
    (("complete", "empty.png", *FILL), INPUT, "empty.png: an empty file"),
    (("complete", "truncated.png", *FILL), INPUT, "truncated.png: cannot be read"),
    (("complete", "text.png", *FILL), INPUT, "text.png: not a picture of a known format"),
    (("complete", "folder.png", *FILL), INPUT, "folder.png: no picture to complete"),
    (
        ("complete", "a-file/photo.png", *FILL),
        INPUT,
        "a-file: not a folder",
    ),
    (("complete", "nowhere.png", *FILL), INPUT, "nowhere.png: no such file"),
    (("complete", "cmyk.jpg", *FILL), INPUT, "cmyk.jpg: CMYK without a colour profile is not read"),
    (("complete", "bomb.png", *FILL), INPUT, "bomb.png: 3,600,000,000 pixels, more than "),
    (("complete", "tiny.safetensors", *FILL), INPUT, "not a picture of a known format"),
    # Masks.
    (masked("none.png"), INPUT, "none.png: no such file"),
    (masked("empty.png"), INPUT, "empty.png: an empty file"),
    (masked("truncated.png"), INPUT, "truncated.png: cannot be read"),
    (masked("text.png"), INPUT, "text.png: not a picture of a known format"),
    (masked("folder.png"), INPUT, "photo.png: no mask in folder.png"),
    (masked("cmyk.jpg"), INPUT, "cmyk.jpg: CMYK without a colour profile is not read"),
    (masked("bomb.png"), INPUT, "bomb.png: 3,600,000,000 pixels, more than "),
    (masked("small.png"), INPUT, "small.png is 3x3 but photo.png is 6x5"),
    (masked("swapped.png"), INPUT, "swapped.png is 5x6 but photo.png is 6x5"),
    (masked("turned.png"), INPUT, "turned.png is 5x6 but photo.png is 6x5"),
    (masked("zero-one.png"), INPUT, "zero-one.png: brightest value is 1 of 255"),
    (masked("dark.png"), INPUT, "dark.png: brightest value is 51 of 255"),
    (masked("black.png"), INPUT, "black.png: selects 0 px (white is filled)"),
    (masked("mask.png", "--mask-threshold", "256"), INPUT, "mask.png: selects 0 px"),
    (masked("mask.png", "--grow", "-100"), INPUT, "mask.png: --grow -100 leaves nothing"),
    (masked("alpha"), INPUT, "photo.png: has no alpha channel"),
    (("complete", "opaque.png", "--mask", "alpha"), INPUT, "alpha: selects 0 px"),
    (masked("alpha", "--mask-threshold", "3"), USAGE, "--mask-threshold: there is no mask file"),
    (boxed(*BOX, "--fit-mask"), USAGE, "--fit-mask: there is no mask file"),
    (boxed(), USAGE, "nothing says what is missing"),
    (boxed("--grow", "2"), USAGE, "nothing says what is missing"),
    (boxed("--box", "1,1,2"), USAGE, "--box 1,1,2: not four whole numbers"),
    (boxed("--box", "1,1,2,x"), USAGE, "--box 1,1,2,x: not four whole numbers"),
    (boxed("--box", "1,1,2,2.5"), USAGE, "--box 1,1,2,2.5: not four whole numbers"),
    (boxed("--box", "0,0,0,3"), USAGE, "--box 0,0,0,3: has no area"),
    (boxed("--box", "5,0,2,1"), USAGE, "--box 5,0,2,1: reaches out of the picture, which is 6x5"),
    (boxed("--box", "-1,0,2,1"), USAGE, "--box -1,0,2,1: reaches out of the picture"),
    (boxed(*BOX, "--box", "0,5,1,1"), USAGE, "--box 0,5,1,1: reaches out of the picture"),
    (boxed("--box", "0,0,6,5", "--invert-mask"), INPUT, "--box: selects 0 px"),
    (boxed(*BOX, "--grow", "-2"), INPUT, "--box: --grow -2 leaves nothing of the hole"),
    # Outputs.
    (("complete", "taken.png", *FILL), EXISTS, "taken_std.png: exists"),
    (boxed(*BOX, "-o", "a-file"), INPUT, "a-file: not a folder"),
    (boxed(*BOX, "-o", "a-file/new"), INPUT, "a-file: not a folder"),
    (boxed(*BOX, "-o", "nowhere"), INPUT, "nowhere: not a folder"),
    (boxed(*BOX, "-o", "mask.png"), EXISTS, "mask.png: exists"),
    (boxed(*BOX, "-o", "nowhere.png"), EXISTS, "nowhere.png: exists"),
    (boxed(*BOX, "-o", "photo.png"), USAGE, "photo.png: is an input and would be lost"),
    (masked("mask.png", "-o", "mask.png", "--overwrite"), USAGE, "mask.png: is an input"),
    (("complete", "blocked.png", *FILL, "--overwrite"), INPUT, "blocked_std.png: a folder"),
    (boxed(*BOX, "--emit", "median"), USAGE, "--emit median: unknown"),
    (boxed(*BOX, "--emit", "mean,,std"), USAGE, "--emit : unknown"),
    (boxed(*BOX, "--emit", "m"), USAGE, "--emit m: unknown"),
    (boxed(*BOX, "--emit", ""), USAGE, "an empty word in the command line"),
    (boxed(*BOX, "--emit", " "), USAGE, "--emit : unknown"),
    (boxed(*BOX, "--emit", "samples", "--samples", "0"), USAGE, "nothing would be written"),
    (boxed(*BOX, "-o", "x.png", "--emit", "mean,std"), USAGE, "x.png: 2 results for one file"),
    (boxed(*BOX, "-o", "-", "--emit", "samples"), USAGE, "-: 3 results for one file"),
    (boxed(*BOX, "-o", "x.npz"), USAGE, "x.npz: mean is written as .png"),
    (boxed(*BOX, "-o", "x.png", "--emit", "npz"), USAGE, "x.png: npz is written as .npz"),
    # Models.
    (of_model("nonesuch"), MODEL, "no model is called 'nonesuch'"),
    (of_model("nothing.safetensors"), INPUT, "nothing.safetensors: no such file"),
    (of_model("folder.safetensors"), INPUT, "folder.safetensors: a folder"),
    (of_model("./folder.png"), INPUT, "folder.png: a folder"),
    (of_model("weights.pt"), MODEL, "weights.pt: pickled weights can run any code"),
    (of_model("weights.ckpt"), MODEL, "weights.ckpt: pickled weights can run any code"),
    (of_model("photo.png"), MODEL, "photo.png: not a safetensors file"),
    (of_model("garbage.safetensors"), MODEL, "garbage.safetensors: not a safetensors file"),
    (of_model("empty.safetensors"), MODEL, "empty.safetensors: not a safetensors file"),
    (of_model("half.safetensors"), MODEL, "half.safetensors: not a safetensors file"),
    (of_model("foreign.safetensors"), MODEL, "foreign.safetensors: no npfill metadata in it"),
    (of_model("no-json.safetensors"), MODEL, "no-json.safetensors: no npfill metadata in it"),
    (of_model("later.safetensors"), MODEL, "later.safetensors: format 99, not 2"),
    (of_model("digits.safetensors"), MODEL, "digits.safetensors: no npfill metadata in it"),
    (of_model("nested.safetensors"), MODEL, "nested.safetensors: no npfill metadata in it"),
    (of_model("huge.safetensors"), MODEL, "predictions are not finite"),
    (of_model("unknown.safetensors"), MODEL, "unknown variant 'transformer'"),
    (of_model("key.safetensors"), MODEL, "key.safetensors: unknown key 'dropout'"),
    (of_model("mistyped.safetensors"), MODEL, "mistyped.safetensors: encoder: width is 'wide'"),
    (of_model("absurd.safetensors"), MODEL, "width = 1000000000 is out of range"),
    (of_model("missing.safetensors"), MODEL, "is missing or not expected"),
    (of_model("extra.safetensors"), MODEL, "tensor 'backdoor' is missing or not expected"),
    (of_model("shape.safetensors"), MODEL, "of shape (2, 2, 2)"),
    (of_model("dtype.safetensors"), MODEL, "is torch.int32 of shape"),
    (of_model("nan.safetensors"), MODEL, "holds values that are not finite"),
    # Samplers.
    (boxed(*BOX, "--sampler", "gibbs"), USAGE, "unknown sampler 'gibbs'"),
    (boxed(*BOX, "--rounds", "0"), USAGE, "0 rounds"),
    (boxed(*BOX, "--rounds", "785"), USAGE, "785 rounds: the hole has"),
    (
        ("complete", "photo.png", *BOX, "-m", "cnp-mnist", "--sampler", "latent"),
        USAGE,
        "a cnp has no latent z",
    ),
    (("complete", "photo.png", *BOX, "-m", "nearest", "--noise"), USAGE, "nearest is a baseline"),
    # Devices.
    (boxed(*BOX, "--device", "tpu"), USAGE, "unknown device 'tpu'"),
    (boxed(*BOX, "--device", "cuda:x"), USAGE, "unknown device 'cuda:x'"),
]

# Words, and part of what typer says of them.
NO_COMMAND_LINE: list[tuple[tuple[str, ...], str]] = [
    (("complete",), "Missing argument"),
    (("complte", "photo.png", *FILL), "No such command"),
    (("--verbose", "complete", "photo.png", *FILL), "No such option"),
    (boxed(*BOX, "--heal"), "No such option"),
    (boxed(*BOX, "--seed", "-1"), "Invalid value for '--seed'"),
    (boxed(*BOX, "--seed", "1.5"), "Invalid value for '--seed'"),
    (boxed(*BOX, "--samples", "-1"), "Invalid value for '--samples'"),
    (boxed(*BOX, "--samples", "100001"), "Invalid value for '--samples'"),
    (boxed(*BOX, "--samples", "many"), "Invalid value for '--samples'"),
    (boxed(*BOX, "--grow", "9" * 20), "Invalid value for '--grow'"),
    (masked("mask.png", "--mask-threshold", "-1"), "Invalid value for '--mask-threshold'"),
    (("complete", "photo.png", "--box"), "requires an argument"),
]


def assert_refused(
    ended: Ended, words: tuple[str, ...], code: int, line: str, changed: bool
) -> None:
    assert "Traceback" not in ended.err
    assert ended.code == code, ended.err
    lines = ended.err.splitlines()
    assert [told for told in lines if told.startswith("error: ")] == [lines[-2]]
    assert line in lines[-2]
    assert lines[-1].startswith("hint: ")
    assert ended.out == b"" or "--json" in words
    assert not changed


@pytest.mark.parametrize(("words", "code", "line"), WRONG, ids=[" ".join(w) for w, _, _ in WRONG])
def test_what_cannot_be_done_is_refused_in_one_line_and_leaves_no_file(
    npfill: Command, state: Callable[[], Any], words: tuple[str, ...], code: int, line: str
) -> None:
    before = state()
    ended = npfill(*words)
    assert_refused(ended, words, code, line, changed=state() != before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "told"), NO_COMMAND_LINE, ids=[" ".join(w) for w, _ in NO_COMMAND_LINE]
)
def test_what_is_no_command_line_is_refused_and_leaves_no_file(
    npfill: Command, state: Callable[[], Any], words: tuple[str, ...], told: str
) -> None:
    before = state()
    ended = npfill(*words)
    assert ended.code == USAGE
    assert told in " ".join(ended.err.replace("│", " ").split())
    assert "Traceback" not in ended.err
    assert ended.out == b""
    assert state() == before


@no_cuda
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_device_that_is_not_there_is_never_replaced_by_another(
    npfill: Command, state: Callable[[], Any], device: str
) -> None:
    words, before = boxed(*BOX, "--device", device), state()
    ended = npfill(*words)
    assert_refused(ended, words, USAGE, f"device {device} is not there", state() != before)
    assert "use --device cpu" in ended.err


def test_a_name_that_is_nearly_a_models_is_answered_with_the_models(
    npfill: Command, state: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("npfill.zoo.entries", lambda: {"anp-mnist": None, "cnp-celeba": None})
    words, before = of_model("anp-minst"), state()
    ended = npfill(*words)
    assert_refused(ended, words, MODEL, "no model is called 'anp-minst'", state() != before)
    assert "did you mean anp-mnist?" in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_in_is_refused_first(
    npfill: Command, state: Callable[[], Any], tmp_path: Path
) -> None:
    tmp_path.chmod(0o500)
    ended = npfill(*boxed(*BOX, "-o", str(tmp_path)))
    assert ended.code == INPUT
    assert f"error: {tmp_path}: no permission to write there" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("complete", "none.png", *FILL), INPUT),
        (masked("black.png"), INPUT),
        (boxed(), USAGE),
        (("complete", "taken.png", *FILL), EXISTS),
        (of_model("nonesuch"), MODEL),
        (of_model("nan.safetensors"), MODEL),
        (boxed(*BOX, "-o", "-"), USAGE),
    ],
)
@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_under_json_an_error_is_in_the_result_and_on_stderr(
    npfill: Command,
    state: Callable[[], Any],
    words: tuple[str, ...],
    code: int,
    quiet: list[str],
) -> None:
    before = state()
    ended = npfill(*words, "--json", *quiet)
    result = json.loads(ended.out)
    (error,) = result.pop("errors")
    assert result == {
        "npfill_result_version": "1", "status": "error", "exit_code": code,
        "data": {"input": words[1]},
    }  # fmt: skip
    assert f"error: {error['message']}\nhint: {error['hint']}\n" in ended.err
    assert_refused(ended, (*words, "--json"), code, error["message"], state() != before)
