"""The objective of a flow, its score in the course of a run, and the companions of both."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from npfill import checkpoint, zoo
from npfill.config import Json
from npfill.data import Pictures
from npfill.models import Config, NeuralProcess
from npfill.models.flownp import FlowNP, FlowNPConfig
from npfill.training.batch import Batch, draw
from npfill.training.objectives import Loss
from npfill.training.recipe import Recipe

# A validation draws so many batches of held-out pictures, always the same.
_VALIDATED = 16


def companions_of(config: Config, device: torch.device) -> tuple[NeuralProcess, ...]:
    """The companions of a flow, on a device; none of another variant.

    Raises:
        ModelError: One is unknown, or is for other pictures.
    """
    if not isinstance(config, FlowNPConfig):
        return ()
    found = {
        name: checkpoint.load(zoo.find(name).path).model.to(device)
        for name in dict.fromkeys(config.companions)
    }
    return tuple(found[name] for name in config.companions)


def accompanied(model: NeuralProcess) -> NeuralProcess:
    """The same model; a flow has its companion then."""
    if isinstance(model, FlowNP):
        model.companions = companions_of(model.config, next(model.parameters()).device)[:1]
    return model


def flow_matching(
    model: FlowNP, companion: NeuralProcess, batch: Batch, times: Sequence[float] = (0.0, 1.0)
) -> Loss:
    """Mean squared error of the velocity over the hole (Lipman et al. 2023, equation 23).

    Paths are straight, r_t = (1 - t) ε + t r, with the velocity r - ε, and times are logit-normal
    (Esser et al. 2024, section 3.1). Each picture is drawn with several times and noises, as a
    companion's mean and std take longer than a velocity.

    Args:
        model: The flow.
        companion: The model whose mean and std it starts from.
        batch: What it learns from.
        times: Mean and std of the logit of the times.
    """
    assert batch.noise is not None
    with torch.no_grad():
        given = companion.condition(batch.context)
    start = model.start(given)
    residuals = (batch.whole.pixels - start.mean) / start.std
    residuals = torch.where(batch.whole.observed, residuals, 0.0)
    scored = (batch.whole.observed & start.hole).to(residuals)
    draws, shape = len(batch.noise), residuals.shape
    middle, spread = times
    time = (middle + spread * batch.noise[..., 0].flatten()).sigmoid()
    noise = batch.noise[..., 1:].reshape(-1, *shape[1:])
    wanted = residuals.repeat(draws, 1, 1, 1)
    t = time[:, None, None, None]
    noisy = (1.0 - t) * noise + t * wanted
    error = model.velocity(noisy, time, start.repeated(draws)) - (wanted - noise)
    of_pixel = error.square().mean(1, keepdim=True).unflatten(0, (draws, -1)).mean(0)
    of_picture = (of_pixel * scored).sum((1, 2, 3)) / scored.sum((1, 2, 3)).clamp(min=1)
    total = of_picture.mean()
    return Loss(total, torch.zeros_like(total))


@torch.no_grad()
def velocity_error(model: NeuralProcess, pictures: Pictures, recipe: Recipe) -> Json:
    """The mean of `flow_matching` with its own companion over batches of held-out pictures."""
    assert isinstance(model, FlowNP)
    schedule = replace(recipe.schedule, batch=min(recipe.schedule.batch, len(pictures)))
    fixed = replace(recipe, schedule=schedule)
    times, companion = recipe.objective.times, model.companion
    losses = [
        flow_matching(model, companion, draw(pictures, fixed, step), times).total.item()
        for step in range(_VALIDATED)
    ]
    return {"velocity_error": sum(losses) / len(losses)}
