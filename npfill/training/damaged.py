"""One step's batch of photographs: crops with the holes that people bring."""

import numpy as np
import torch

from npfill.context import Context, Targets
from npfill.data.damage import FAMILIES, Hole
from npfill.data.sets import Photographs, crops
from npfill.seeds import array_generator
from npfill.training.recipe import Recipe

# Shares of a hole's pixels that are observed where it is partly revealed.
_REVEALED = (0.0005, 0.9)


def draw_crops(photographs: Photographs, recipe: Recipe, step: int) -> tuple[Context, Targets]:
    """Contexts and targets of a step; they depend on the recipe's seed and the step alone.

    A step has scattered pixels, or holes of other families, one for each crop. Scattered pixels
    need no wide view: there, crops have half the side, and are four times as many. In some of the
    other steps holes are twice as wide, and crops have one and a half times the side, from the
    pictures that are large enough.
    """
    damage, random = recipe.damage, array_generator(recipe.run.seed, step, "crops")
    assert damage is not None
    names = [name for name in FAMILIES if name != "scattered"]
    shares = np.array([getattr(damage, name) for name in names])
    count, side, enlarged = recipe.schedule.batch, recipe.model.size, 1
    if random.random() * (damage.scattered + shares.sum()) < damage.scattered:
        count, side, chosen = 4 * count, side // 2, ["scattered"] * 4 * count
    else:
        chosen = list(random.choice(names, count, p=shares / shares.sum()))
        if random.random() < damage.wide and 3 * side // 2 <= _largest(photographs):
            side, enlarged = 3 * side // 2, 2
    pixels = crops(
        photographs, count, side, damage.scales, damage.grey, damage.planes, damage.grain, random
    )
    holes = [_hole(name, side, enlarged, damage.revealed, random) for name in chosen]
    observed = ~torch.from_numpy(np.stack(holes)[:, None])
    context = Context(pixels, observed.to(pixels.device))
    return context, Targets.every((side, side), pixels.device)


def _largest(photographs: Photographs) -> int:
    """The side of the largest square that a picture has."""
    return max(min(picture.shape[-2:]) for picture in photographs.pictures)


def _hole(
    name: str, side: int, enlarged: int, revealed: float, random: np.random.Generator
) -> Hole:
    """A hole of a family, so many times as large as it draws it; partly revealed at times."""
    small = FAMILIES[name]((-(-side // enlarged),) * 2, random)
    hole = small.repeat(enlarged, 0).repeat(enlarged, 1)[:side, :side]
    if name == "scattered" or random.random() >= revealed:
        return hole
    share = np.exp(random.uniform(*np.log(_REVEALED)))
    return hole & (random.random(hole.shape) >= share)
