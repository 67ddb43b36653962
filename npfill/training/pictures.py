"""The pictures of a run: those that it is trained on, and those held out."""

from pathlib import Path

from npfill.data.sources import has_parts, read_images_with_holes, read_photographs
from npfill.errors import InputError
from npfill.training.batches import Pictures
from npfill.training.recipe import Recipe

# Photographs that are held out are scored on so many pixels at least.
_SHORTEST = 224


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
        images = read_photographs(data, "train", max(model.size, _SHORTEST))
        if has_parts(data, "val"):
            return images, read_photographs(data, "val", _SHORTEST)
    if not 0 < held_out < len(images):
        raise InputError(
            f"{data}: {len(images)} pictures, of which data.validation = {held_out} are held out",
            "change data.validation, or train on more",
        )
    return images[:-held_out], images[-held_out:]
