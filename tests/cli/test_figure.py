"""`npfill figure`: what is written, what is refused, and what is said."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from npfill import baselines
from npfill.errors import ModelError
from tests.cli.conftest import Command
from tests.forked import posix

USAGE, INPUT, EXISTS, MODEL = 2, 3, 4, 5
BLUE = (64, 96, 224)
# A picture of 6 pixels is shown so many times larger, one of 28 so many.
TINY_FACTOR, DIGIT_FACTOR = 27, 6


def text_of(path: Path) -> dict[Any, Any]:
    with Image.open(path) as image:
        return dict(image.info)


def blue_pixels(image: Image.Image) -> int:
    return int((np.asarray(image.convert("RGB")) == BLUE).all(-1).sum())


def frames_of(path: Path) -> list[Image.Image]:
    with Image.open(path) as animation:
        frames = []
        for number in range(getattr(animation, "n_frames")):  # noqa: B009 - only animations have it
            animation.seek(number)
            frames.append(animation.convert("RGB"))
        return frames


@pytest.mark.slow
def test_samples_of_the_bundled_digit_go_to_the_current_folder(
    npfill: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = npfill("figure", "samples", "--samples", 1)
    assert (ended.code, ended.out) == (0, b"")
    assert "npfill-samples.png" in ended.err
    text = text_of(tmp_path / "npfill-samples.png")
    assert (text["npfill_model"], text["npfill_seed"]) == ("lcnp-mnist", "0")
    with Image.open(tmp_path / "npfill-samples.png") as figure:
        hidden = sum(784 - count for count in (10, 100, 300, 784))
        assert blue_pixels(figure) == hidden * DIGIT_FACTOR**2


@pytest.mark.slow
def test_samples_of_a_picture_and_of_a_test_picture_are_drawn(
    npfill: Command, tmp_path: Path, weights: Path, photo: Path, pictures: Path
) -> None:
    words = ("figure", "samples", "-m", weights, "--contexts", "1,36", "--samples", 2)
    sources: list[list[object]] = [[photo], ["--data", pictures, "--index", 39]]
    for number, source in enumerate(sources):
        file = tmp_path / f"{number}.png"
        assert npfill(*words, *source, "-o", file).code == 0
        with Image.open(file) as figure:
            assert blue_pixels(figure) == 35 * TINY_FACTOR**2


def test_contexts_that_are_not_named_fit_a_small_model(
    npfill: Command, tmp_path: Path, weights: Path, photo: Path
) -> None:
    words = ("figure", "samples", photo, "-m", weights, "--samples", 1, "-o")
    for name, more in (("default.png", ()), ("named.png", ("--contexts", "10,36"))):
        assert npfill(*words, tmp_path / name, *more).code == 0
    assert (tmp_path / "default.png").read_bytes() == (tmp_path / "named.png").read_bytes()


@pytest.mark.slow
def test_samplers_stand_side_by_side(
    npfill: Command, tmp_path: Path, weights: Path, photo: Path
) -> None:
    words = ("figure", "samples", photo, "-m", weights, "--contexts", 6, "--samples", 1)
    samplers = "latent,autoregressive,independent"
    assert npfill(*words, "--sampler", samplers, "-o", tmp_path / "three.png").code == 0
    with Image.open(tmp_path / "three.png") as figure:
        assert blue_pixels(figure) == 3 * 30 * TINY_FACTOR**2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "suffix"),
    [
        (("samples", "--contexts", "1,9"), ".png"),
        (("compare", "--models", "{weights},nearest", "--context", 9), ".png"),
        (("reveal", "--frames", 3, "-m", "{weights}"), ".webp"),
    ],
)
def test_equal_command_lines_write_equal_bytes_and_other_seeds_others(
    npfill: Command,
    tmp_path: Path,
    weights: Path,
    photo: Path,
    command: tuple[object, ...],
    suffix: str,
) -> None:
    words = [str(word).format(weights=weights) for word in command]
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        ended = npfill("figure", *words, photo, "--seed", seed, "-o", tmp_path / f"{name}{suffix}")
        assert ended.code == 0
    one, same, other = (
        (tmp_path / f"{name}{suffix}").read_bytes() for name in ("one", "same", "other")
    )
    assert one == same != other


@pytest.mark.slow
def test_compare_has_a_row_for_every_digit_model_and_baseline(
    npfill: Command, tmp_path: Path
) -> None:
    assert npfill("figure", "compare", "--samples", 1, "-o", tmp_path).code == 0
    digits = [f"{variant}-mnist" for variant in ("anp", "cnp", "flownp", "lcnp", "np")]
    names = [*digits, "nearest", "linear", "gp"]
    assert text_of(tmp_path / "npfill-compare.png")["npfill_model"] == ", ".join(names)
    with Image.open(tmp_path / "npfill-compare.png") as sheet:
        assert blue_pixels(sheet) == len(names) * 734 * DIGIT_FACTOR**2


@pytest.mark.slow
def test_a_folder_may_have_a_dot_in_its_name(npfill: Command, tmp_path: Path, photo: Path) -> None:
    words = ("figure", "compare", photo, "--context", 5, "--models", "nearest")
    assert npfill(*words, "-o", tmp_path / "results_v1.0").code == 0
    assert (tmp_path / "results_v1.0/npfill-compare.png").is_file()


@pytest.mark.slow
def test_compare_takes_a_mask(npfill: Command, tmp_path: Path, photo: Path, mask: Path) -> None:
    ended = npfill(
        "figure", "compare", photo, "--mask", mask, "--models", "nearest", "-o", tmp_path
    )
    assert ended.code == 0
    with Image.open(tmp_path / "npfill-compare.png") as sheet:
        assert blue_pixels(sheet) == 6 * TINY_FACTOR**2


@pytest.mark.slow
def test_compare_leaves_out_a_baseline_that_lacks_a_package_and_says_so(
    npfill: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(self: object, *_: object) -> None:
        raise ModelError("a package is missing", "install it")

    monkeypatch.setattr(type(baselines.build("gp")), "fill", lacking)
    words = ("figure", "compare", "--samples", 0, "-o", tmp_path, "--models")
    ended = npfill(*words, "cnp-mnist,gp")
    assert ended.code == 0
    assert "gp is left out: a package is missing" in ended.err
    assert text_of(tmp_path / "npfill-compare.png")["npfill_model"] == "cnp-mnist"
    assert npfill(*words, "gp", "--overwrite").code == MODEL


@pytest.mark.slow
def test_reveal_writes_an_animation_from_few_pixels_to_all(
    npfill: Command, tmp_path: Path, weights: Path, photo: Path
) -> None:
    ended = npfill("figure", "reveal", photo, "-m", weights, "--frames", 7, "-o", tmp_path)
    assert ended.code == 0
    frames = frames_of(tmp_path / "npfill-reveal.webp")
    hidden = [blue_pixels(frame) // TINY_FACTOR**2 for frame in frames]
    assert len(hidden) == 7
    assert (hidden[0], hidden[-1]) == (29, 0)
    assert hidden == sorted(hidden, reverse=True)
    assert "revealing" not in ended.err  # there is no progress where stderr is no terminal


@posix
def test_a_figure_of_a_private_picture_is_private(
    npfill: Command, tmp_path: Path, weights: Path, photo: Path
) -> None:
    photo.chmod(0o600)
    words = (photo, "-m", weights, "--frames", 2, "-o", tmp_path / "a.webp")
    assert npfill("figure", "reveal", *words).code == 0
    assert (tmp_path / "a.webp").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_reveal_says_that_a_large_picture_is_scaled_down(
    npfill: Command, tmp_path: Path, weights: Path
) -> None:
    Image.new("L", (300, 200), 90).save(tmp_path / "large.png")
    words = ("figure", "reveal", tmp_path / "large.png", "-m", weights, "--frames", 2)
    ended = npfill(*words, "-o", tmp_path)
    assert ended.code == 0
    assert "256x171" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("command", ["samples", "compare", "reveal"])
def test_nothing_is_overwritten_unless_that_is_said(
    npfill: Command, tmp_path: Path, weights: Path, photo: Path, command: str
) -> None:
    models = ("--models", "nearest") if command == "compare" else ("-m", weights)
    options = {"samples": ("--contexts", 5), "compare": ("--context", 5), "reveal": ("--frames", 2)}
    words = ("figure", command, photo, *models, *options[command], "-o", tmp_path)
    file = tmp_path / f"npfill-{command}.{'webp' if command == 'reveal' else 'png'}"
    file.write_bytes(b"precious")
    ended = npfill(*words)
    assert ended.code == EXISTS
    assert f"{file}: exists" in ended.err
    assert file.read_bytes() == b"precious"
    assert npfill(*words, "--overwrite").code == 0
    assert file.read_bytes() != b"precious"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (USAGE, "samples --contexts ten"),
        (USAGE, "samples --sampler gibbs"),
        (USAGE, "samples -m cnp-mnist --sampler independent,latent"),
        (USAGE, "samples --contexts 0,5"),
        (USAGE, "samples --contexts 10,785"),
        (USAGE, "samples --index 3"),
        (USAGE, "samples photo.png --data pictures.npy"),
        (USAGE, "samples --data pictures.npy --index 40"),
        (USAGE, "samples -o figure.webp"),
        (USAGE, "compare -o -"),
        (USAGE, "samples -o photo.png photo.png --overwrite"),
        (USAGE, "compare --mask mask.png --context 5"),
        (USAGE, "compare --context 784"),
        (USAGE, "compare --models ,"),
        (USAGE, "reveal photo.png --frames 31"),
        (USAGE, "reveal photo.png -o figure.png"),
        (INPUT, "samples gone.png"),
        (INPUT, "samples --data gone"),
        (INPUT, "compare --mask mask.png"),
        (INPUT, "compare --models gone.safetensors"),
        (INPUT, "reveal gone.png"),
        (INPUT, "reveal mask.png -o photo.png/figure.webp"),
        (MODEL, "samples -m lcnp-mnits"),
        (MODEL, "compare --models nearest,anp-mnits"),
        (MODEL, "reveal photo.png -m anp-mnits"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_a_way_out(
    npfill: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    photo: Path,
    mask: Path,
    pictures: Path,
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    assert {photo.name, mask.name, pictures.name} <= before
    ended = npfill("figure", *words.split())
    assert ended.code == code
    lines = ended.err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("words", [("compare", "--models", "nearest"), ("reveal",)])
def test_what_is_hidden_beneath_transparency_is_no_truth(
    npfill: Command, tmp_path: Path, words: tuple[str, ...]
) -> None:
    picture = Image.new("RGBA", (12, 12), (255, 0, 255, 0))
    picture.paste((10, 20, 30, 255), (6, 0, 12, 12))
    picture.save(tmp_path / "clear.png")
    ended = npfill("figure", *words, tmp_path / "clear.png")
    assert (ended.code, "has a hole of its own" in ended.err) == (INPUT, True)


def test_a_comparison_that_cannot_be_made_says_why_and_a_way_out(
    npfill: Command, tmp_path: Path, photo: Path, mask: Path
) -> None:
    Image.new("L", (7, 7), 255).save(tmp_path / "other.png")
    words, place = ("figure", "compare", photo, "--models"), ("-o", tmp_path / "figure.png")
    ended = npfill(*words, "linear", "--mask", mask, *place)
    assert (ended.code, "linear completes pictures of 28x28" in ended.err) == (MODEL, True)
    ended = npfill(*words, "nearest", "--mask", tmp_path / "other.png", *place)
    assert (ended.code, "--fit-mask" in ended.err) == (INPUT, False)
    assert "other.png: not of the size of" in ended.err


@pytest.mark.slow
def test_a_picture_is_revealed_by_a_rule(
    npfill: Command, tmp_path: Path, weights: Path, photo: Path
) -> None:
    words = ("figure", "reveal", photo, "-m", weights, "--frames", 3)
    for rule in ("next", "raster"):
        ended = npfill(*words, "--by", rule, "-o", tmp_path / f"{rule}.webp")
        assert ended.code == 0
        assert f"by {rule}" in ended.err
        assert len(frames_of(tmp_path / f"{rule}.webp")) == 3
    assert npfill(*words, "--by", "guess", "-o", tmp_path / "none.webp").code == USAGE
