"""Samples given more and more random context pixels of one picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image

from npfill.context import Context, Targets
from npfill.evaluate.figures.pictures import observed_at_random
from npfill.models import NeuralProcess
from npfill.pictures.picture import intensities
from npfill.pictures.sheet import blue_where, panel, panel_size, table
from npfill.sampling import Sampler


def samples_figure(
    model: NeuralProcess[Any],
    image: Image.Image,
    counts: Sequence[int],
    samplers: Sequence[Sampler],
    samples: int,
    seed: int,
) -> Image.Image:
    """A column per number of context pixels and sampler: the context, and samples given it below.

    A sample is shown as the model predicts it, at observed pixels too.

    Args:
        model: The model.
        image: A picture with the model's channels.
        counts: Numbers of random context pixels.
        samplers: How samples are drawn; all are shown the same contexts.
        samples: How many samples stand in a column.
        seed: The seed of masks and samples.
    """
    picture = intensities(image)
    size, pixels = picture.shape[:2], picture.shape[0] * picture.shape[1]
    columns, titles = [], []
    for count in counts:
        observed = observed_at_random((size[0], size[1]), count, seed)
        seen = torch.from_numpy(observed)[None, None]
        context = Context(torch.from_numpy(picture).permute(2, 0, 1)[None], seen)
        for sampler in samplers:
            drawn = whole_samples(model, context, sampler, samples, seed)
            columns.append([blue_where(~observed, picture), *drawn])
            of = f", {sampler.name}" if len(samplers) > 1 else ""
            titles.append(_title(count, pixels) + of)
    panels = [
        [panel(values, panel_size(values[..., 0])) for values in column] for column in columns
    ]
    rows = list(zip(*panels, strict=True))
    return table(titles, _labels(samples), rows)


def whole_samples(
    model: NeuralProcess[Any], context: Context, sampler: Sampler, samples: int, seed: int
) -> list[Float[np.ndarray, "height width channel"]]:
    """Samples of all pixels of one picture: sample k depends on the seed and k alone.

    Args:
        model: The model.
        context: A batch of one picture.
        sampler: How they are drawn.
        samples: How many.
        seed: The seed.
    """
    targets = Targets.every(context.size, context.pixels.device)
    with torch.no_grad():
        given = model.condition(context)
    drawn = sampler.sample(given, targets, seed, samples)
    return [value.reshape(*context.size, -1).cpu().numpy() for value in drawn]


def _title(count: int, pixels: int) -> str:
    if count == pixels:
        return f"all {count:,} pixels"
    return f"{count:,} pixels" if count > 1 else "1 pixel"


def _labels(samples: int) -> list[str]:
    return ["context", *(f"sample {number + 1}" for number in range(samples))]
