"""How the objective, the rate, the KL's weight and the average's decay depend on the step."""

import math
from dataclasses import replace

from npfill.training.recipe import Recipe
from npfill.training.tables import Objective


def objective(recipe: Recipe, step: int) -> Objective:
    """The recipe's objective, or what takes its place in the late steps."""
    first, steps = recipe.objective, recipe.schedule.steps
    if step < steps * (1.0 - first.late):
        return first
    return replace(first, beta=first.late_beta, from_context=first.late_from_context)


def learning_rate(recipe: Recipe, step: int) -> float:
    """A linear rise over the warm-up, then a cosine to a hundredth of the peak at the last step."""
    schedule, peak = recipe.schedule, recipe.optimiser.learning_rate
    if step < schedule.warmup:
        return peak * (step + 1) / schedule.warmup
    share = (step - schedule.warmup) / max(1, schedule.steps - schedule.warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


def kl_weight(recipe: Recipe, step: int) -> float:
    """A linear rise to the objective's weight over its warm-up."""
    warmed = min(1.0, (step + 1) / max(1, recipe.objective.kl_warmup))
    return recipe.objective.kl_weight * warmed


def decay(recipe: Recipe, step: int) -> float:
    """The average starts as a plain mean and lengthens to the recipe's decay."""
    return min(recipe.optimiser.ema, (1 + step) / (10 + step))
