"""Pictures of a run, and the batch of each step: contexts, targets and truth."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from npfill.context import Context, Targets
from npfill.data import Images, MaskedImages, Photographs, Pictures, crops, parted
from npfill.data.fields import RandomFields
from npfill.data.holes import FAMILIES, STRUCTURED, Hole, random_pixels
from npfill.data.sources import has_parts, read_images_with_holes, read_photographs
from npfill.errors import InputError
from npfill.models.flownp import FlowNPConfig, noise_width
from npfill.seeds import array_generator, generator
from npfill.training.recipe import Recipe
from npfill.training.tables import Holes

# Validation takes the centre of a photograph, so many pixels wide.
SHORTEST = 224
# Fraction of a hole's pixels that are observed where it is partly revealed: least and most.
_REVEALED = (0.0005, 0.9)
# Share of steps of random fields with larger ones.
_LARGE = 0.25

Squares = Float[Tensor, "batch channel size size"]
Known = Bool[Tensor, "batch 1 size size"]


@dataclass(frozen=True)
class Batch:
    """Contexts with their targets.

    Attributes:
        context: The observed pixels: input of the model.
        targets: The pixels to predict.
        truth: Intensities at the targets.
        target_mask: True where a target is scored: its value is known, and it is not observed (or
            the recipe scores observed pixels too).
        whole: The pictures with all known pixels: input of the posterior of an ELBO.
        noise: Standard normal draws, one for each z of the objective or draw of a flow; None for a
            conditional variant.
    """

    context: Context
    targets: Targets
    truth: Float[Tensor, "batch target channel"]
    target_mask: Bool[Tensor, "batch target"]
    whole: Context
    noise: Float[Tensor, "sample batch latent"] | None

    def part(self, number: int, count: int) -> "Batch":
        """Cut out one of `count` equal parts. Targets that all pictures share stay shared."""
        index, noise = self.targets.index, self.noise

        def cut(tensor: Tensor, axis: int = 0) -> Tensor:
            return tensor.chunk(count, axis)[number]

        def of(context: Context) -> Context:
            return replace(context, pixels=cut(context.pixels), observed=cut(context.observed))

        return Batch(
            of(self.context),
            replace(self.targets, index=cut(index) if index.ndim > 1 else index),
            cut(self.truth),
            cut(self.target_mask),
            of(self.whole),
            None if noise is None else cut(noise, 1),
        )


def training_pictures(
    data: Path, recipe: Recipe, damaged: list[InputError] | None = None
) -> tuple[Pictures, Pictures]:
    """Read the pictures to train on and those held out.

    Photographs held out are those of a part `val` where there is one, else the last
    `data.validation` of all, as with other pictures. `damaged` is as for `readable` of
    `npfill.data.sources`.

    Raises:
        InputError: Nothing is there, it cannot be used, or none would be left to train on.
    """
    held_out, model = recipe.data.validation, recipe.model
    if recipe.data.kind == "fields":
        fields = RandomFields(held_out, model.size, torch.device("cpu"))
        return fields, fields
    if recipe.damage is None:
        images: Pictures = read_images_with_holes(
            data, "train", model.size, model.channels, damaged
        )
    else:
        images = read_photographs(data, "train", max(model.size, SHORTEST), damaged)
        if has_parts(data, "val"):
            return images, read_photographs(data, "val", SHORTEST, damaged)
    if not 0 < held_out < len(images):
        raise InputError(
            f"{data}: {len(images)} pictures, of which data.validation = {held_out} are held out",
            "change data.validation, or train on more",
        )
    return images[:-held_out], images[-held_out:]


def draw(images: Pictures, recipe: Recipe, step: int) -> Batch:
    """Draw the batch of a step. It depends on the recipe's seed and the step alone."""
    if isinstance(images, Photographs):
        return _of_photographs(images, recipe, step)
    if isinstance(images, RandomFields):
        return _of_fields(images, recipe, step)
    pixels, known = _pictures(images, recipe, step)
    seed, size = recipe.run.seed, pixels.shape[-1]
    context = _context(pixels, known, recipe, step)
    everywhere = torch.ones_like(context.observed) if known is None else known
    whole = Context(pixels, everywhere, at_most=size * size)
    targets = Targets.every((size, size), images.device)
    if recipe.objective.targets:
        # The same pixels for all pictures of a step: their features are computed once.
        order = generator(seed, step, "targets", device=images.device)
        shuffled = torch.randperm(size * size, generator=order, device=images.device)
        targets = Targets(shuffled[: recipe.objective.targets], (size, size))
    scored = whole.mask() if recipe.objective.observed else whole.mask() & ~context.mask()
    noise = _noise(recipe, step, len(pixels), images.device)
    return Batch(context, targets, targets.values(pixels), scored[:, targets.index], whole, noise)


def _pictures(
    images: Images | MaskedImages, recipe: Recipe, step: int
) -> tuple[Squares, Known | None]:
    """Draw a step's pictures, zero in their own holes, and a mask of what is known of them."""
    whole, known = parted(images)
    source = generator(recipe.run.seed, step, "images", device=images.device)
    batch = recipe.schedule.batch
    index = torch.randint(len(images), (batch,), generator=source, device=images.device)
    pixels = whole[index].float() / 255.0
    there = None if known is None else known[index]
    if recipe.data.flip:
        mirrored = torch.rand(batch, 1, 1, 1, generator=source, device=images.device) < 0.5
        pixels = torch.where(mirrored, pixels.flip(-1), pixels)
        there = None if there is None else torch.where(mirrored, there.flip(-1), there)
    return pixels if there is None else torch.where(there, pixels, 0.0), there


def _of_photographs(photographs: Photographs, recipe: Recipe, step: int) -> Batch:
    """Draw crops of photographs, with all their pixels as targets.

    A step has scattered pixels in all crops, or a hole of another family in each. Scattered pixels
    need no wide view: their crops have half the side, and are four times as many. In a fraction of
    the other steps holes have twice the scale, and crops 1.5 times the side, from pictures that
    are large enough.
    """
    damage, random = recipe.damage, array_generator(recipe.run.seed, step, "crops")
    assert damage is not None
    names = [name for name in FAMILIES if name != "scattered"]
    weights = np.array([getattr(damage, name) for name in names])
    count, side, scale = recipe.schedule.batch, recipe.model.size, 1
    if random.random() * (damage.scattered + weights.sum()) < damage.scattered:
        count, side, families = 4 * count, side // 2, ["scattered"] * 4 * count
    else:
        families = list(random.choice(names, count, p=weights / weights.sum()))
        largest = max(min(picture.shape[-2:]) for picture in photographs.pictures)
        if random.random() < damage.wide and 3 * side // 2 <= largest:
            side, scale = 3 * side // 2, 2
    kinds = damage.grey, damage.planes, damage.structures, damage.grain
    pixels = crops(photographs, count, side, damage.scales, *kinds, random)
    holes = [_hole(name, side, scale, damage.revealed, random) for name in families]
    observed = ~torch.from_numpy(np.stack(holes)[:, None])
    context = Context(pixels, observed.to(pixels.device))
    targets = Targets.every((side, side), pixels.device)
    whole = Context(pixels, torch.ones_like(context.observed))
    noise = _noise(recipe, step, len(pixels), pixels.device)
    return Batch(context, targets, targets.values(pixels), ~context.mask(), whole, noise)


def _of_fields(fields: RandomFields, recipe: Recipe, step: int) -> Batch:
    """Draw random fields with a gap each, and all their pixels as targets.

    In some steps they are of twice the side, and `fewer`.
    """
    seed, count, side = recipe.run.seed, recipe.schedule.batch, recipe.model.size
    if array_generator(seed, step, "size").random() < _LARGE:
        count, side = fewer(count), 2 * side
    pixels, observed = fields.draw(count, side, seed, step)
    context = Context(pixels, observed)
    targets, whole = Targets.every((side, side), pixels.device), torch.ones_like(observed)
    noise, truth = _noise(recipe, step, count, pixels.device), targets.values(pixels)
    return Batch(context, targets, truth, ~context.mask(), Context(pixels, whole), noise)


def fewer(batch: int) -> int:
    """The number of fields of a batch in a step with larger ones."""
    return max(1, batch // 4)


def _hole(name: str, side: int, scale: int, revealed: float, random: np.random.Generator) -> Hole:
    """Draw a hole of a family, enlarged `scale` times, and reveal a part of some."""
    small = FAMILIES[name]((-(-side // scale),) * 2, random)
    hole = small.repeat(scale, 0).repeat(scale, 1)[:side, :side]
    if name == "scattered" or random.random() >= revealed:
        return hole
    fraction = np.exp(random.uniform(*np.log(_REVEALED)))
    return hole & (random.random(hole.shape) >= fraction)


def _noise(
    recipe: Recipe, step: int, batch: int, device: torch.device
) -> Float[Tensor, "sample batch latent"] | None:
    """Draw the noise of z: one from the posterior and, if the loss has any, some from C.

    Of a flow, that of its draws.
    """
    now, width = recipe.objective_at(step), recipe.model.latent
    count = 1 + (now.draws if now.from_context else 0)
    if isinstance(recipe.model, FlowNPConfig):
        width, count = noise_width(recipe.model), now.draws
    if not width:
        return None
    source = generator(recipe.run.seed, step, "z", device=device)
    return torch.randn(count, batch, width, generator=source, device=device)


def _context(pixels: Squares, known: Known | None, recipe: Recipe, step: int) -> Context:
    """Draw one family of holes for the whole step, and one number of pixels observed outside."""
    holes, seed = recipe.holes, recipe.run.seed
    assert holes is not None
    family_draw, count_draw = torch.rand(2, generator=generator(seed, step, "family")).tolist()
    names = ["random", *STRUCTURED]
    weights = torch.tensor([getattr(holes, name) for name in names]).cumsum(0)
    family = names[min(int((weights <= family_draw * weights[-1]).sum()), len(names) - 1)]
    batch, size = pixels.shape[0], pixels.shape[-1]
    count = min(_count(holes, count_draw), size * size - 1)
    device = generator(seed, step, "holes", device=pixels.device)
    within = STRUCTURED[family](batch, size, device) if family != "random" else None
    all_seen = torch.rand(1, generator=generator(seed, step, "whole")).item() < holes.whole
    count = size * size if all_seen and within is not None else count
    if known is not None:
        within = known if within is None else within & known
    most = count if count < size * size else None
    return Context(pixels, random_pixels(batch, size, count, device, within), at_most=most)


def _count(holes: Holes, draw: float) -> int:
    """Turn a draw in [0, 1) into a number of pixels."""
    low, high = holes.fewest, holes.most + 1
    if holes.spread == "linear":
        return int(low + draw * (high - low))
    return int(low * (high / low) ** draw)
