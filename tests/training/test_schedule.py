"""What a step is trained with depends on the step."""

import pytest
import torch

from npfill.training.batch import draw
from npfill.training.recipe import Recipe, parse
from tests.conftest import TINY


def recipe(*changes: str) -> Recipe:
    """The tiny recipe of 60 steps, with changes."""
    return parse(TINY.read_text("utf-8"), "a test", changes)


def test_the_late_steps_have_the_late_objective_and_the_others_the_first() -> None:
    late = ("objective.late=0.25", "objective.late_beta=1.0", "objective.late_from_context=0.2")
    changed = recipe(*late)
    values = [(now.beta, now.from_context) for now in (changed.objective_at(n) for n in range(60))]
    assert values == [(2.0, 0.0)] * 45 + [(1.0, 0.2)] * 15


@pytest.mark.slow
def test_without_late_steps_the_objective_stays() -> None:
    assert {recipe().objective_at(step) for step in range(60)} == {recipe().objective}


@pytest.mark.parametrize(("step", "draws"), [(44, 1), (45, 2)])
def test_a_step_draws_as_many_latents_as_its_objective_takes(step: int, draws: int) -> None:
    images = torch.zeros(5, 1, 8, 8, dtype=torch.uint8)
    late = recipe("objective.late=0.25", "objective.late_from_context=0.2")
    noise = draw(images, late, step).noise
    assert noise is not None
    assert len(noise) == draws
