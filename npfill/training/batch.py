"""The pictures of a run, and the batch of each step: contexts, targets and truth."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from npfill.context import Context, Targets
from npfill.data.damage import FAMILIES, Hole
from npfill.data.masks import STRUCTURED, random_pixels
from npfill.data.sets import PartlyKnown, Photographs, crops, parted
from npfill.data.sources import has_parts, read_images_with_holes, read_photographs
from npfill.errors import InputError
from npfill.seeds import array_generator, generator
from npfill.training.recipe import Recipe
from npfill.training.schedule import objective
from npfill.training.tables import Holes

# Photographs that are held out are scored on so many pixels at least.
SHORTEST = 224
# Shares of a hole's pixels that are observed where it is partly revealed.
_REVEALED = (0.0005, 0.9)

Pictures = UInt8[Tensor, "_ channel size size"] | PartlyKnown | Photographs


@dataclass(frozen=True)
class Batch:
    """Contexts with their targets.

    Attributes:
        context: What the model sees.
        targets: What it is asked for.
        truth: The intensities at the targets.
        asked: False where a target does not count: it lies in a hole of the picture's own, or is
            observed and the recipe scores only what is not.
        whole: The pictures with all pixels that are known: what the posterior of an ELBO sees.
        noise: Standard normal draws, one for each z that the objective takes; none for a
            conditional variant.
    """

    context: Context
    targets: Targets
    truth: Float[Tensor, "batch target channel"]
    asked: Bool[Tensor, "batch target"]
    whole: Context
    noise: Float[Tensor, "sample batch latent"] | None

    def share(self, number: int, count: int) -> "Batch":
        """One of as many equal parts, in order. Targets that all pictures share stay shared."""
        index, noise = self.targets.index, self.noise

        def part(tensor: Tensor, axis: int = 0) -> Tensor:
            return tensor.chunk(count, axis)[number]

        def of(context: Context) -> Context:
            return replace(context, pixels=part(context.pixels), observed=part(context.observed))

        return Batch(
            of(self.context),
            replace(self.targets, index=part(index) if index.ndim > 1 else index),
            part(self.truth),
            part(self.asked),
            of(self.whole),
            None if noise is None else part(noise, 1),
        )


def training_pictures(data: Path, recipe: Recipe) -> tuple[Pictures, Pictures]:
    """Training pictures and held-out ones, bytes.

    Of photographs, those held out are a `val` part where there is one; as they are large, the first
    `data.validation` of them serve the validations while a run goes on.

    Raises:
        InputError: Nothing is there, it cannot be used, or none would be left to train on.
    """
    held_out, model = recipe.data.validation, recipe.model
    if recipe.damage is None:
        images: Pictures = read_images_with_holes(data, "train", model.size, model.channels)
    else:
        images = read_photographs(data, "train", max(model.size, SHORTEST))
        if has_parts(data, "val"):
            return images, read_photographs(data, "val", SHORTEST)
    if not 0 < held_out < len(images):
        raise InputError(
            f"{data}: {len(images)} pictures, of which data.validation = {held_out} are held out",
            "change data.validation, or train on more",
        )
    return images[:-held_out], images[-held_out:]


def draw(images: Pictures, recipe: Recipe, step: int) -> Batch:
    """The batch of a step. It depends on the recipe's seed and the step alone."""
    if isinstance(images, Photographs):
        return _of_photographs(images, recipe, step)
    pixels, known = _chosen(images, recipe, step)
    seed, size = recipe.run.seed, pixels.shape[-1]
    context = _context(pixels, known, recipe, step)
    everywhere = torch.ones_like(context.observed) if known is None else known
    whole = Context(pixels, everywhere, at_most=size * size)
    pixel_count = size * size
    asked_for = torch.arange(pixel_count, device=images.device)
    if recipe.objective.targets:
        # The same pixels for all pictures of a step: their features are computed once.
        order = generator(seed, step, "targets", device=images.device)
        shuffled = torch.randperm(pixel_count, generator=order, device=images.device)
        asked_for = shuffled[: recipe.objective.targets]
    targets = Targets(asked_for, (size, size))
    scored = whole.mask() if recipe.objective.observed else whole.mask() & ~context.mask()
    asked = scored[:, asked_for]
    noise = _noise(recipe, step, images.device)
    return Batch(context, targets, targets.values(pixels), asked, whole, noise)


def _chosen(
    images: UInt8[Tensor, "image channel size size"] | PartlyKnown, recipe: Recipe, step: int
) -> tuple[
    Float[Tensor, "batch channel size size"],
    Bool[Tensor, "batch 1 size size"] | None,
]:
    """A step's pictures, zero in holes of their own, and where they have none."""
    whole, known = parted(images)
    chosen = generator(recipe.run.seed, step, "images", device=images.device)
    batch = recipe.schedule.batch
    index = torch.randint(len(images), (batch,), generator=chosen, device=images.device)
    pixels = whole[index].float() / 255.0
    seen = None if known is None else known[index]
    if recipe.data.flip:
        mirrored = torch.rand(batch, 1, 1, 1, generator=chosen, device=images.device) < 0.5
        pixels = torch.where(mirrored, pixels.flip(-1), pixels)
        seen = None if seen is None else torch.where(mirrored, seen.flip(-1), seen)
    return pixels if seen is None else torch.where(seen, pixels, 0.0), seen


def _of_photographs(photographs: Photographs, recipe: Recipe, step: int) -> Batch:
    """Crops with all their pixels as targets."""
    context, targets = _draw_crops(photographs, recipe, step)
    whole = Context(context.pixels, torch.ones_like(context.observed))
    asked, truth = ~context.mask(), targets.values(context.pixels)
    return Batch(context, targets, truth, asked, whole, None)


def _draw_crops(photographs: Photographs, recipe: Recipe, step: int) -> tuple[Context, Targets]:
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


def _noise(
    recipe: Recipe, step: int, device: torch.device
) -> Float[Tensor, "sample batch latent"] | None:
    """A draw for each z: one from the posterior and, if asked for, some from the context."""
    latent = getattr(recipe.model, "latent", 0)
    if not latent:
        return None
    now = objective(recipe, step)
    count = 1 + (now.draws if now.from_context else 0)
    source = generator(recipe.run.seed, step, "z", device=device)
    shape = (count, recipe.schedule.batch, latent)
    return torch.randn(shape, generator=source, device=device)


def _context(
    pixels: Float[Tensor, "batch channel size size"],
    known: Bool[Tensor, "batch 1 size size"] | None,
    recipe: Recipe,
    step: int,
) -> Context:
    """One family of holes for the whole step, and one number of pixels observed outside them."""
    holes, seed = recipe.holes, recipe.run.seed
    assert holes is not None
    family_draw, count_draw = torch.rand(2, generator=generator(seed, step, "family")).tolist()
    names = ["random", *STRUCTURED]
    shares = torch.tensor([getattr(holes, name) for name in names]).cumsum(0)
    family = names[min(int((shares <= family_draw * shares[-1]).sum()), len(names) - 1)]
    batch, size = pixels.shape[0], pixels.shape[-1]
    count = min(_count(holes, count_draw), size * size - 1)
    device = generator(seed, step, "holes", device=pixels.device)
    within = STRUCTURED[family](batch, size, device) if family != "random" else None
    if known is not None:
        within = known if within is None else within & known
    return Context(pixels, random_pixels(batch, size, count, device, within), at_most=count)


def _count(holes: Holes, draw: float) -> int:
    """A number of pixels for a draw in [0, 1)."""
    low, high = holes.fewest, holes.most + 1
    if holes.spread == "linear":
        return int(low + draw * (high - low))
    return int(low * (high / low) ** draw)
