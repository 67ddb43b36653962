"""Training on pictures with holes of their own: what lies in these counts nowhere."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from npfill import checkpoint
from npfill.data import MaskedImages
from npfill.evaluate.held_out import at_random_counts, calibrate
from npfill.models import NeuralProcess
from npfill.training.batch import draw
from npfill.training.loop import merit_of
from npfill.training.objectives import loss
from npfill.training.recipe import Recipe, parse
from tests.conftest import MODELS, TINY, of
from tests.training.test_run import train

SIZE = 6


def pictures_with(hidden: int) -> MaskedImages:
    """Random pictures, a third of each of which is a hole that holds a value."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (12, 1, SIZE, SIZE), generator=generator, dtype=torch.uint8)
    known = torch.rand(12, 1, SIZE, SIZE, generator=generator) < 0.7
    return MaskedImages(torch.where(known, images, hidden), known)


def recipe_of(model: NeuralProcess, targets: int = 0) -> Recipe:
    recipe = parse(TINY.read_text("utf-8"), "a test")
    assert recipe.holes is not None
    objective = replace(recipe.objective, targets=targets, from_context=0.5, draws=2)
    return replace(
        recipe,
        variant=model.variant,
        model=model.config,
        data=replace(recipe.data, flip=True),
        holes=replace(recipe.holes, most=20),
        objective=objective,
    )


@pytest.mark.slow
@pytest.mark.parametrize("targets", [0, 10])
@pytest.mark.parametrize("name", MODELS)
def test_values_in_holes_never_change_the_loss_or_the_gradient(name: str, targets: int) -> None:
    model = of(name, 1).train()
    recipe = recipe_of(model, targets)
    for step in range(4):
        results = []
        for hidden in (0, 255):
            batch = draw(pictures_with(hidden), recipe, step)
            total = loss(model, batch, recipe.objective, 1.0).total
            model.zero_grad()
            total.backward()
            assert total.isfinite()
            results.append([total.detach(), *(p.grad for p in model.parameters())])
        for one, other in zip(*results, strict=True):
            assert one is other is None or torch.equal(one, other)


def test_context_and_targets_are_where_there_is_data() -> None:
    pictures, model = pictures_with(7), of("np", 1)
    recipe = recipe_of(model)
    everywhere = MaskedImages(pictures.images, torch.ones_like(pictures.known))
    for step in range(20):
        batch, free = (draw(each, recipe, step) for each in (pictures, everywhere))
        known = batch.whole.observed
        assert not (batch.context.observed & ~known).any()
        assert torch.equal(batch.target_mask, (known & ~batch.context.observed).flatten(1))
        values = (batch.whole.pixels * 255).round()
        assert torch.equal(values[known], (free.whole.pixels * 255).round()[known])
        assert batch.context.observed.any()


def test_values_that_are_known_do_change_the_loss() -> None:
    pictures, model = pictures_with(0), of("cnp", 1)
    changed = MaskedImages(255 - pictures.images, pictures.known)
    losses = [
        loss(model, draw(each, recipe_of(model), 0), recipe_of(model).objective, 1.0).total
        for each in (pictures, changed)
    ]
    assert losses[0] != losses[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnp", "np"])
def test_no_score_and_no_calibration_reads_a_hole(name: str) -> None:
    model = of(name, 1)
    told = []
    for hidden in (0, 255):
        model.calibration.zero_()
        told.append(
            (
                at_random_counts(model, pictures_with(hidden), 3),
                calibrate(model, pictures_with(hidden)),
            )
        )
    assert told[0] == told[1]
    assert all(np.isfinite(told[0][0]["log_likelihood"]))


@pytest.mark.parametrize("name", ["cnp", "np"])
@pytest.mark.parametrize("part", ["lower half", "border", "pixel"])
def test_a_context_that_leaves_nothing_to_predict_counts_nowhere(part: str, name: str) -> None:
    pictures, model = pictures_with(0), of(name, 1)
    known = torch.zeros_like(pictures.known)
    if part == "lower half":
        known[..., SIZE // 2 :, :] = True
    else:
        known[..., 0, :1] = True
    if part == "border":
        known[:] = True
        known[..., 1:-1, 1:-1] = False
    pictures = MaskedImages(pictures.images, known)
    assert np.isfinite(merit_of(at_random_counts(model, pictures[:1], 3)))
    assert np.isfinite(calibrate(model, pictures)).all()


def test_pictures_of_which_all_is_known_are_drawn_and_scored_as_ever() -> None:
    pictures, model = pictures_with(0), of("np", 1)
    whole = MaskedImages(pictures.images, torch.ones_like(pictures.known))
    assert at_random_counts(model, whole, 3) == at_random_counts(model, whole.images, 3)
    recipe = recipe_of(model)
    losses = [
        loss(model, draw(each, recipe, 0), recipe.objective, 1.0).total
        for each in (whole, whole.images)
    ]
    torch.testing.assert_close(*losses)


@pytest.mark.slow
def test_a_run_on_pictures_with_holes_is_scored_and_kept(tmp_path: Path, pictures: Path) -> None:
    ramps = np.load(pictures) / 255.0
    hole = np.random.default_rng(0).random(ramps.shape) < 0.4
    data, run = tmp_path / "holes.npy", tmp_path / "run"
    np.save(data, np.where(hole, np.nan, ramps))
    assert train(str(TINY), "--data", str(data), "--run-dir", str(run), "--device", "cpu") == 0
    lines = (run / "metrics.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 3
    assert all(np.isfinite(json.loads(line)["validation"]["mse"]).all() for line in lines)
    assert checkpoint.load(run / "best.safetensors").model.config.size == 8
