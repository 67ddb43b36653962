"""Random fields: what a step draws, which gaps there are, and a run without data."""

from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import npfill.training
from npfill import checkpoint
from npfill.data.fields import RandomFields, _warped
from npfill.data.gaps import GAPS, draw_gap
from npfill.errors import UsageError
from npfill.seeds import array_generator
from npfill.training import loop
from npfill.training.batch import draw, training_pictures
from npfill.training.recipe import find, parse, render
from tests.training.test_run import train

TINY = [
    "model.size=16",
    "model.widths=[4,4,4]",
    "data.validation=2",
    "schedule.steps=4",
    "schedule.batch=4",
    "run.validate_every=2",
    "run.save_every=2",
]


def test_a_step_depends_on_its_number_alone() -> None:
    recipe = find("convcnp-field", TINY)
    fields, _ = training_pictures(Path(), recipe)
    one, again, other = (draw(fields, recipe, step).context for step in (3, 3, 4))
    assert torch.equal(one.pixels, again.pixels)
    assert torch.equal(one.observed, again.observed)
    assert not torch.equal(one.pixels.mean(), other.pixels.mean())


@pytest.mark.slow
def test_some_steps_draw_a_quarter_as_many_fields_of_twice_the_side() -> None:
    recipe = find("convcnp-field", TINY)
    fields, _ = training_pictures(Path(), recipe)
    shapes = {tuple(draw(fields, recipe, step).context.pixels.shape) for step in range(12)}
    assert shapes == {(4, 1, 16, 16), (1, 1, 32, 32)}


@pytest.mark.slow
def test_a_rate_counts_the_pictures_of_each_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, seconds, rates = find("convcnp-field", TINY), count(), list[float]()
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    npfill.training.train(
        recipe,
        None,
        tmp_path / "run",
        device="cpu",
        on_report=lambda report: rates.append(report.images_per_second),
    )
    fields, _ = training_pictures(Path(), recipe)
    drawn = [len(draw(fields, recipe, step).context.pixels) for step in range(4)]
    assert len({*drawn}) == 2
    assert rates == [sum(drawn[:2]), sum(drawn[2:])]


def test_fields_have_unit_variance_and_are_smooth_or_rough() -> None:
    pixels, _ = RandomFields(2, 32, torch.device("cpu")).draw(32, 32, 0)
    variance = pixels.square().mean((-2, -1))
    assert variance.median().item() == pytest.approx(1.0, abs=0.1)
    steps = pixels.diff(dim=-1).square().mean((-2, -1)).sqrt()
    assert steps.min() < 0.05
    assert steps.max() > 0.7


@pytest.mark.parametrize("name", list(GAPS))
def test_a_gap_of_each_kind_hides_some_and_leaves_some(name: str) -> None:
    random = array_generator(0, name)
    hidden = [float(draw_gap((64, 64), random, name).mean()) for _ in range(8)]
    assert all(share < 1 for share in hidden)
    assert np.median(hidden) > 0
    assert np.ptp(hidden) > 0


def test_a_few_pixels_are_always_seen() -> None:
    assert int((~draw_gap((64, 64), array_generator(0), 0.0)).sum()) == 4


def test_scattered_pixels_are_seen_at_the_share_that_is_asked_for() -> None:
    gap = draw_gap((128, 128), array_generator(0), 0.2)
    assert float(1 - gap.mean()) == pytest.approx(0.2, abs=0.02)


def test_where_what_is_observed_is_one_value_nothing_is_learned_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = find("convcnp-field", TINY)
    fields, _ = training_pictures(Path(), recipe)
    flat = torch.full((4, 1, 16, 16), 0.3)
    monkeypatch.setattr("npfill.data.fields.draw_fields", lambda *_: flat)
    assert not draw(fields, recipe, 0).context.observed.any()


@pytest.mark.slow
def test_a_run_needs_no_data_and_ends_calibrated_and_resumed_as_unbroken(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train("convcnp-field", *TINY, "--run-dir", str(whole), "--device", "cpu") == 0
    weights = checkpoint.load(whole / "best.safetensors")
    assert weights.model.calibration.abs().sum() > 0
    assert weights.provenance["dataset"] == "random fields"
    assert train("convcnp-field", *TINY, "--run-dir", str(broken), "--device", "cpu") == 0
    for name in ("best.safetensors", "last.safetensors"):
        one, other = (checkpoint.load(run / name).model.state_dict() for run in (whole, broken))
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_the_list_of_recipes_says_that_it_needs_no_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if " none: " in line] == ["convcnp-field"]


@pytest.mark.parametrize("table", ["[holes]\nrandom = 1.0", "[damage]\nscales = [1]"])
def test_a_recipe_of_random_fields_has_no_holes_of_its_own(table: str) -> None:
    text = render(find("convcnp-field"))
    with pytest.raises(UsageError, match="photographs") as refused:
        parse(f"{text}\n{table}", "a test")
    assert "random fields" in str(refused.value.hint)


def test_terraces_rise_with_the_field() -> None:
    field = torch.linspace(-3, 3, 601)[None, None]
    kind, amount = torch.full((2, 1, 1, 1), 0.6)  # the third of four
    steps = _warped(field, kind, amount).flatten()
    assert (steps.diff() >= 0).all()
    assert steps[0] < -2
    assert steps[-1] > 2


def test_processes_share_the_larger_fields_too(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": "4", "RANK": "0", "LOCAL_RANK": "0"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=r"4 processes do not divide .* 2"):
        npfill.training.train("convcnp-field", Path(), "none", changes=["schedule.batch=8"])
