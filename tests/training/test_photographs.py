"""A run on photographs: what a step draws, what is refused, and what becomes of the run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npfill import checkpoint
from npfill.data import Photographs
from npfill.data.holes import FAMILIES
from npfill.data.sources import read_photographs
from npfill.errors import UsageError
from npfill.seeds import array_generator
from npfill.training import train
from npfill.training.batch import draw
from npfill.training.recipe import parse, render

RECIPE = Path(__file__).parents[1] / "recipe_photographs.toml"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Smooth pictures of several sizes in a folder with parts for training and validation."""
    for part, count in (("train", 4), ("val", 2)):
        (tmp_path / "data" / part).mkdir(parents=True)
        for number in range(count):
            random = array_generator(part, number)
            coarse = random.integers(0, 256, (4, 5, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((224 + 10 * number, 230))
            picture.save(tmp_path / "data" / part / f"{number}.png")
    return tmp_path / "data"


def test_a_step_depends_on_its_number_alone(data: Path) -> None:
    recipe = parse(RECIPE.read_text("utf-8"), "a test")
    photographs = read_photographs(data, "train", 32)
    batches = [draw(photographs, recipe, step) for step in (3, 3, 4)]
    (one, again, other) = (batch.context for batch in batches)
    assert torch.equal(one.pixels, again.pixels)
    assert torch.equal(one.observed, again.observed)
    assert not torch.equal(one.pixels.mean(), other.pixels.mean())


def test_scattered_pixels_are_drawn_in_four_times_as_many_crops_of_half_the_side(
    data: Path,
) -> None:
    recipe = parse(RECIPE.read_text("utf-8"), "a test")
    photographs = read_photographs(data, "train", 32)
    shapes = {tuple(draw(photographs, recipe, n).context.pixels.shape) for n in range(20)}
    assert shapes == {(1, 3, 32, 32), (4, 3, 16, 16)}


@pytest.mark.slow
def test_wide_holes_come_in_larger_crops_of_the_pictures_that_are_large_enough(data: Path) -> None:
    plain = parse(RECIPE.read_text("utf-8"), "a test", ["model.size=152"])
    assert plain.damage is not None
    recipe = replace(plain, damage=replace(plain.damage, scattered=0.0, wide=0.5, planes=0.0))
    photographs = read_photographs(data, "train", 32)
    contexts = [draw(photographs, recipe, step).context for step in range(20)]
    assert {context.pixels.shape[-1] for context in contexts} == {152, 228}
    for context in contexts:
        if context.pixels.shape[-1] == 228:
            halves = context.observed[0, 0].unfold(0, 2, 2).unfold(1, 2, 2).flatten(2)
            assert (halves.all(-1) == halves.any(-1)).all()
    too_large = replace(
        parse(RECIPE.read_text("utf-8"), "a test", ["model.size=192"]), damage=recipe.damage
    )
    sides = {draw(photographs, too_large, step).context.pixels.shape[-1] for step in range(20)}
    assert sides == {192}


def test_grain_is_noise_in_eight_bits(data: Path) -> None:
    plain = parse(RECIPE.read_text("utf-8"), "a test")
    assert plain.damage is not None
    photographs, roughness = read_photographs(data, "train", 32), {}
    for grain in (0.0, 1.0):
        recipe = replace(
            plain, damage=replace(plain.damage, scales=(1.0,), planes=0.0, grain=grain)
        )
        crops = [draw(photographs, recipe, step).context.pixels for step in range(10)]
        if grain:
            levels = torch.cat([crop.flatten() for crop in crops]) * 255
            torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-3)
        steps = [(crop.diff(dim=-1).diff(dim=-1)).std().item() for crop in crops]
        roughness[grain] = sorted(steps)[5]
    # Noise of 0.002 to 0.03, of which a second difference has the square root of six times.
    assert roughness[0.0] + 0.003 < roughness[1.0] < 0.1


def test_structures_are_drawn_in_eight_bits_and_no_photograph_is_in_them(data: Path) -> None:
    plain = parse(RECIPE.read_text("utf-8"), "a test", ["model.size=64"])
    assert plain.damage is not None
    recipe = replace(plain, damage=replace(plain.damage, planes=0.0, structures=1.0, scattered=0.0))
    photographs = read_photographs(data, "train", 32)
    inverted = Photographs(tuple(255 - each for each in photographs.pictures))
    crops = [draw(photographs, recipe, step).context.pixels for step in range(60)]
    others = [draw(inverted, recipe, step).context.pixels for step in range(60)]
    assert all(map(torch.equal, crops, others))
    drawn = torch.cat(crops)
    assert len({each.sum().item() for each in drawn}) == len(drawn)
    assert 0 <= drawn.min() < drawn.max() <= 1
    torch.testing.assert_close(255 * drawn, (255 * drawn).round(), rtol=0, atol=1e-3)
    # Edges, which planes of colour have not, in most of them.
    steepest = drawn.diff(dim=-1).abs().flatten(1).amax(1)
    assert (steepest > 0.05).float().mean() > 0.6


def test_crops_are_reduced_by_factors_that_need_not_be_whole(data: Path) -> None:
    plain = parse(RECIPE.read_text("utf-8"), "a test", ["damage.scales=[1.5]"])
    assert plain.damage is not None
    damage = replace(plain.damage, planes=0.0, grain=0.0, grey=0.0, scattered=0.0)
    row, column = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    slope = (row + column).expand(3, -1, -1).to(torch.uint8)
    crop = draw(Photographs((slope,)), replace(plain, damage=damage), 0).context.pixels[0]
    assert crop.shape == (3, 32, 32)
    for axis in (1, 2):
        steps = crop.diff(dim=axis).abs()
        assert steps.mean() * 255 == pytest.approx(1.5, abs=0.05)


def test_bands_are_whole_rows_or_columns_four_pixels_wide_or_more() -> None:
    random, axes = np.random.default_rng(0), set()
    for _ in range(40):
        hole = FAMILIES["bands"]((70, 90), random)
        axis = int(not (hole == hole[:, :1]).all())
        line = hole[0] if axis else hole[:, 0]
        assert (hole == (line if axis else line[:, None])).all()
        edges = np.flatnonzero(np.diff(np.r_[0, line.astype(int), 0])).reshape(-1, 2)
        widths = [after - first for first, after in edges if after < len(line)]
        assert all(width >= 4 for width in widths)
        assert 0 < line.mean() < 1
        axes.add(axis)
    assert axes == {0, 1}


def test_a_hole_may_be_partly_revealed_and_nothing_is_added_to_it(data: Path) -> None:
    plain = parse(RECIPE.read_text("utf-8"), "a test")
    assert plain.damage is not None
    always = replace(plain, damage=replace(plain.damage, scattered=0.0, revealed=1.0))
    never = replace(plain, damage=replace(plain.damage, scattered=0.0))
    photographs = read_photographs(data, "train", 32)
    shares = []
    for step in range(20):
        hole, revealed = (
            ~draw(photographs, recipe, step).context.observed for recipe in (never, always)
        )
        assert not (revealed & ~hole).any()
        shares.append((revealed.sum() / hole.sum()).item())
    assert min(shares) < 0.5 < max(shares)


def test_a_recipe_has_holes_or_damage_and_is_rendered_as_it_was_read() -> None:
    text = RECIPE.read_text("utf-8")
    recipe = parse(text, "a test")
    assert recipe.holes is None
    assert parse(render(recipe), "a test") == recipe
    with pytest.raises(UsageError, match=r"\[holes\]"):
        parse(text[: text.index("[damage]")] + text[text.index("[objective]") :], "a test")
    with pytest.raises(UsageError, match="channels = 1"):
        parse(text, "a test", ["model.channels=1"])


@pytest.mark.slow
def test_a_refiner_is_trained_on_weights_that_stay_as_they_are(tmp_path: Path, data: Path) -> None:
    plain, after = tmp_path / "plain", tmp_path / "refined"
    train(RECIPE, data, plain, changes={"schedule.steps": 2}, device="cpu")
    changes = {"model.refined": 1, "optimiser.only": "refiner", "objective.decibels": True}
    train(RECIPE, data, after, changes=changes, init=plain / "last.safetensors", device="cpu")
    before = checkpoint.load(plain / "last.safetensors").model.state_dict()
    refined = checkpoint.load(after / "last.safetensors").model.state_dict()
    assert all(torch.equal(refined[name], before[name]) for name in before if name != "calibration")
    assert refined["refiner.mean.weight"].any()
    with pytest.raises(UsageError, match="no such part"):
        train(RECIPE, data, tmp_path / "none", changes={"optimiser.only": "refiner"}, device="cpu")
