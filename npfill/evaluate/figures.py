"""Figures of what a model predicts: samples given more and more pixels, and kinds of contexts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image, ImageOps

from npfill.context import Context, Targets
from npfill.data.sources import read_images
from npfill.errors import UsageError
from npfill.evaluate.contexts import ContextKind, kind
from npfill.models import NeuralProcess
from npfill.pictures.picture import intensities
from npfill.pictures.sheet import Row, blue_where, contact_sheet, panel, panel_size, table
from npfill.predictor import Prediction, load
from npfill.sampling import Sampler


def numbered_picture(path: Path, index: int, size: int, channels: int) -> Image.Image:
    """A picture of a test set, as datasets give it to a model.

    Args:
        path: Whatever `read_images` reads.
        index: Its number in the set, from 0.
        size: Side in pixels.
        channels: 1 for grey, 3 for RGB.

    Raises:
        InputError: The set cannot be read.
        UsageError: It has no such picture.
    """
    images = read_images(path, "test", size, channels)
    if index >= len(images):
        raise UsageError(
            f"`index={index}`: {path} has {len(images):,} test pictures", f"0 to {len(images) - 1}"
        )
    array = images[index].permute(1, 2, 0).numpy()
    return Image.fromarray(array[..., 0] if channels == 1 else array)


def on_grid(image: Image.Image, size: int, channels: int) -> Image.Image:
    """The centre square of a picture, on a model's grid, as datasets cut it."""
    picture = image.convert("L" if channels == 1 else "RGB")
    if picture.size == (size, size):
        return picture
    return ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)


def samples_figure(
    model: NeuralProcess[Any],
    image: Image.Image,
    counts: Sequence[int],
    samplers: Sequence[Sampler],
    samples: int,
    seed: int,
) -> Image.Image:
    """A column for each number of context pixels and sampler: the context above samples given it.

    A sample is shown as the model predicts it, at observed pixels too.

    Args:
        model: The model.
        image: A picture with the model's channels.
        counts: Numbers of random context pixels.
        samplers: The samplers; all are shown the same contexts.
        samples: The number of samples in a column.
        seed: The seed of masks and samples.
    """
    picture = intensities(image)
    size = picture.shape[0], picture.shape[1]
    columns, titles = [], []
    for count in counts:
        observed = kind(f"random:{count}").observed(1, size, seed)
        context = Context(torch.from_numpy(picture).permute(2, 0, 1)[None], observed)
        for sampler in samplers:
            drawn = whole_samples(model, context, sampler, samples, seed)
            columns.append([blue_where(~observed[0, 0].numpy(), picture), *drawn])
            of = f", {sampler.name}" if len(samplers) > 1 else ""
            titles.append(_title(count, size[0] * size[1]) + of)
    panels = [
        [panel(values, panel_size(values[..., 0])) for values in column] for column in columns
    ]
    labels = ["context", *(f"sample {number + 1}" for number in range(samples))]
    return table(titles, labels, list(zip(*panels, strict=True)))


def whole_samples(
    model: NeuralProcess[Any], context: Context, sampler: Sampler, samples: int, seed: int
) -> list[Float[np.ndarray, "height width channel"]]:
    """Samples of all pixels of one picture: sample k depends on the seed and k alone.

    Args:
        model: The model.
        context: A batch of one picture.
        sampler: The sampler.
        samples: The number of samples.
        seed: The seed.
    """
    targets = Targets.every(context.size, context.pixels.device)
    with torch.no_grad():
        drawn = sampler.sample(model.condition(context), targets, seed, samples)
    return [value.reshape(*context.size, -1).cpu().numpy() for value in drawn]


def contexts_figure(
    model: NeuralProcess[Any],
    image: Image.Image,
    kinds: Sequence[ContextKind],
    samples: int,
    seed: int,
) -> Image.Image:
    """A row for each kind of context: observed pixels, mean, std and samples; std on one scale.

    Args:
        model: The model.
        image: A square picture with the model's channels.
        kinds: The kinds of contexts, row by row.
        samples: The number of samples in a row.
        seed: The seed of masks and samples.
    """
    picture, predictor, rows, holes = intensities(image), load(model), [], []
    for each in kinds:
        size = picture.shape[0], picture.shape[1]
        hole = ~each.observed(1, size, seed)[0, 0].numpy()
        predicted = predictor.predict(picture, hole, samples=samples, seed=seed)
        rows.append(row_of(each.name, picture, hole, predicted))
        holes.append(hole)
    return contact_sheet(picture, np.stack(holes), rows)


def row_of(
    label: str,
    picture: Float[np.ndarray, "height width channel"],
    hole: Bool[np.ndarray, "height width"],
    predicted: Prediction,
) -> Row:
    """A row of a contact sheet: the picture with its hole filled by a prediction."""

    def filled(values: np.ndarray, around: np.ndarray = picture) -> np.ndarray:
        whole = around.copy()
        whole[hole] = values
        return whole

    std = None if predicted.std is None else filled(predicted.std, np.zeros_like(picture))
    return Row(label, filled(predicted.mean), std, [filled(each) for each in predicted.samples])


def _title(count: int, pixels: int) -> str:
    if count == pixels:
        return f"all {count:,} pixels"
    return f"{count:,} pixels" if count > 1 else "1 pixel"
