"""Recipes explain themselves, and a new one fits the pictures that it is made for."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from npfill import checkpoint
from npfill.cli import main
from npfill.config import Range, keys_of, read
from npfill.errors import InputError, UsageError
from npfill.models import VARIANTS
from npfill.training import explain, find, render, survey
from npfill.training.learner import Learner
from npfill.training.recipe import parse
from npfill.training.tables import Optimiser
from tests.conftest import TINY, wrong_types
from tests.test_package import ROOT
from tests.training.test_run import train

TABLES = ("data", "holes", "damage", "objective", "optimiser", "schedule", "run")


def pictures_in(folder: Path, count: int, size: int, mode: str = "L") -> Path:
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(count):
        shape = (size, size, 3) if mode == "RGB" else (size, size)
        values = random.integers(0, 256, shape).astype(np.uint8)
        Image.fromarray(values).save(folder / f"{number:03d}.png")
    return folder


def test_every_key_says_what_it_means_and_which_values_it_takes() -> None:
    records = {
        name: type(getattr(find(of), name))
        for of, names in (("cnp-mnist", TABLES[:2] + TABLES[3:]), ("convcnp-photo", ("damage",)))
        for name in names
    }
    keys = [key for record in records.values() for key in keys_of(record)]
    configurations = [model.configuration for model in VARIANTS.values()]
    while configurations:
        configuration = configurations.pop()
        own = [key for key in keys_of(configuration) if key.name != "kind"]
        configurations += [table for key in own for table in key.tables]
        keys += own
    text = explain()
    for key in keys:
        assert key.doc.endswith("."), key
        assert f"- `{key.name}` (" in text
        assert key.doc in text
    numbers = [
        key
        for record in records.values()
        for key in keys_of(record)
        if key.kind in {"int", "float", "list of int"}
    ]
    assert all(isinstance(key.range, Range) for key in numbers)


def test_the_page_on_recipes_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train("--explain-recipe") == 0
    page = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    assert capsys.readouterr().out == page, "npfill train --explain-recipe > docs/recipes.md"


@pytest.mark.parametrize("name", ["cnp-mnist", "anp-celeba", "convcnp-photo"])
def test_a_recipe_is_printed_with_its_meaning_and_read_back(name: str) -> None:
    recipe = find(name)
    text = render(recipe, comments=True)
    assert parse(text, name) == recipe
    lines = text.splitlines()
    keys = [number for number, line in enumerate(lines) if "=" in line and line[0] != "#"]
    assert len(keys) > 30
    assert all(lines[number - 1].startswith("# ") for number in keys)
    assert render(recipe) == "\n".join(line for line in lines if not line.startswith("# ")) + "\n"


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan"), float("inf")])
def test_a_value_out_of_its_range_is_refused_with_the_range(value: float) -> None:
    given = {"learning_rate": 1.0, "weight_decay": 0.0, "clip": 1.0, "ema": value}
    with pytest.raises(UsageError, match=r"x: ema = .* is out of range") as refusal:
        read(Optimiser, given, "x", UsageError)
    assert "0 .. 0.999999999" in refusal.value.hint


def test_a_recipe_of_windows_s_editor_is_read(tmp_path: Path) -> None:
    text = TINY.read_text("utf-8").replace("\n", "\r\n")
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert find(tmp_path / "mine.toml") == find(TINY)


def test_a_part_that_has_nothing_to_train_is_not_offered() -> None:
    recipe = find("cnp-mnist", ["optimiser.only=encoder"])
    with pytest.raises(UsageError, match="encoder") as refusal:
        Learner(recipe, torch.device("cpu"), shared=False)
    assert refusal.value.hint == "it has decoder"


@wrong_types
def test_changes_are_words_or_values() -> None:
    words, values = ["schedule.steps=7", "data.name=mine"], {"schedule.steps": 7}
    changed = find(TINY, words)
    assert (changed.schedule.steps, changed.data.name) == (7, "mine")
    assert find(TINY, values | {"data.name": "mine"}) == changed
    assert find(find(TINY), words) == changed
    assert find(TINY, "schedule.steps=7").schedule.steps == 7
    wrong: list[Any] = [3]
    with pytest.raises(UsageError, match="3 is not a change"):
        find(TINY, wrong)


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("cnp-celeba", {"model.channels": 4}, "1 or 3"),
        ("convcnp-photo", {"model.channels": 1}, "3"),
        ("convcnp-field", {"model.channels": 3}, "1"),
        ("convcnp-photo", {"damage.planes": 0.8, "damage.structures": 0.8}, "photographs"),
    ],
)
def test_values_that_do_not_go_with_the_data_are_refused(
    name: str, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(UsageError) as refusal:
        find(name, changes)
    assert refusal.value.hint.endswith(says)


def test_a_thumbnail_among_the_pictures_does_not_shrink_the_others(tmp_path: Path) -> None:
    folder = pictures_in(tmp_path / "mine", 10, 12)
    Image.new("L", (1, 1)).save(folder / "thumbnail.png")
    assert survey(folder).recipe().model.size == 12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "mode", "variant", "channels", "grid"),
    [
        (28, "L", "cnp", 1, 28),
        (5, "L", "cnp", 1, 5),
        (64, "RGB", "cnp", 3, 64),
        (100, "RGB", "cnp", 3, 64),
        (230, "RGB", "convcnp", 3, 192),
    ],
)
def test_a_new_recipe_fits_the_pictures(
    size: int, mode: str, variant: str, channels: int, grid: int, tmp_path: Path
) -> None:
    found = survey(pictures_in(tmp_path / "mine", 10, size, mode))
    recipe = found.recipe()
    assert (recipe.variant, recipe.model.channels, recipe.model.size) == (variant, channels, grid)
    assert (recipe.data.name, recipe.data.validation) == ("mine", 1)
    assert found.are_photographs == (recipe.damage is not None) == (variant == "convcnp")
    assert parse(render(recipe, comments=True), "new") == recipe
    if recipe.holes is not None:
        assert recipe.holes.most < grid * grid


def test_grey_pictures_stored_in_colour_are_grey(tmp_path: Path) -> None:
    folder = tmp_path / "grey"
    folder.mkdir()
    Image.new("RGB", (9, 9), (7, 7, 7)).save(folder / "one.png")
    with pytest.raises(InputError, match="grey: one picture, and one is held out") as refusal:
        survey(folder).recipe()
    assert "`adapt=300`" in refusal.value.hint
    Image.new("RGB", (9, 9), (7, 7, 7)).save(folder / "two.png")
    assert survey(folder).recipe().model.channels == 1


def test_pictures_with_holes_of_their_own_get_a_recipe_that_takes_them(tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    for name in ("one", "two"):
        Image.new("RGBA", (300, 300), (7, 70, 7, 0)).save(folder / f"{name}.png")
    found = survey(folder)
    assert found.holes
    assert found.recipe().holes is not None


@pytest.mark.slow
def test_a_new_recipe_trains_and_its_last_line_completes_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pictures_in(tmp_path / "my tiles", 20, 8)
    assert train("--new", "my.toml", "--data", "my tiles") == 0
    command = capsys.readouterr().err.splitlines()[-1]
    assert command == "npfill train my.toml --data 'my tiles'"
    assert train("my.toml", "schedule.steps=10", "--data", "my tiles") == 0
    words = capsys.readouterr().err.splitlines()[-1]
    assert words.startswith("npfill complete 'my tiles/000.png' --box 2,2,4,4 -m runs/my")
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(words)[1:])
    assert stop.value.code == 0
    assert (tmp_path / "runs" / "my" / "000_mean.png").is_file()
    assert "model my" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_ends_with_weights_that_are_calibrated_and_are_tried_on_an_example(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert train(str(TINY), "--data", str(pictures), "--run-dir", str(run)) == 0
    command = capsys.readouterr().err.splitlines()[-1]
    with pytest.raises(SystemExit, match="0"):
        main(shlex.split(command)[1:])
    assert (run / "digit_mean.png").is_file()
    for name in ("best", "last"):
        weights = checkpoint.load(run / f"{name}.safetensors")
        found = weights.provenance["calibration"]
        assert weights.model.calibration.tolist() == pytest.approx(
            [found["offset"], found["slope"]]
        )
        assert weights.model.calibration.any()
        assert found["pictures"] == 8
        assert f"calibration_of_{name}" in (run / "environment.json").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--new", "my.toml"], 2, "--data PATH"),
        (["--new", "my.txt", "--data", "x"], 2, "ends in .toml"),
        (["--new", "there.toml", "--data", "x"], 4, "--new names another file"),
        (["--new", "my.toml", "--data", "nowhere"], 3, "nowhere"),
        (["cnp-mnist", "--new", "my.toml", "--data", "x"], 2, "leave cnp-mnist out"),
        (["--init", "cnp-mnist", "--new", "my.toml", "--data", "x"], 2, "leave cnp-mnist out"),
        (["--run-dir", "runs/x", "--new", "my.toml", "--data", "x"], 2, "leave runs/x out"),
    ],
)
def test_what_no_recipe_can_be_made_of_is_said(
    arguments: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.toml").write_text("mine")
    assert train(*arguments) == code
    assert says in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["there.toml"]
    assert (tmp_path / "there.toml").read_text() == "mine"


def test_a_set_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pictures"):
        survey(tmp_path)
