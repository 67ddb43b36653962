"""Schedules: objective, learning rate, weight of the KL and decay of the average, by step."""

import math
from dataclasses import replace

from npfill.training.recipe import Recipe
from npfill.training.tables import Objective


def objective(recipe: Recipe, step: int) -> Objective:
    """Return the recipe's objective, or the one that takes its place in the late steps."""
    first, steps = recipe.objective, recipe.schedule.steps
    if step < steps * (1.0 - first.late):
        return first
    return replace(first, beta=first.late_beta, from_context=first.late_from_context)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear rise over the warm-up, then a cosine to a hundredth of the peak at the last step."""
    schedule, peak = recipe.schedule, recipe.optimiser.learning_rate
    if step < schedule.warmup:
        return peak * (step + 1) / schedule.warmup
    fraction = (step - schedule.warmup) / max(1, schedule.steps - schedule.warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fraction)))


def kl_weight(recipe: Recipe, step: int) -> float:
    """Linear rise to the objective's weight over its warm-up."""
    warmed = min(1.0, (step + 1) / max(1, recipe.objective.kl_warmup))
    return recipe.objective.kl_weight * warmed


def decay(recipe: Recipe, step: int) -> float:
    """Decay of the average: it starts as a plain mean and rises to the recipe's."""
    return min(recipe.optimiser.ema, (1 + step) / (10 + step))
