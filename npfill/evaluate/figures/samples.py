"""Samples given more and more random context pixels of one picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image

from npfill.context import Context, Targets
from npfill.evaluate.figures.pictures import observed_at_random
from npfill.gaussian import Gaussian
from npfill.images.files import intensities
from npfill.images.sheet import blue_where, panel, panel_size, table
from npfill.models import NeuralProcess
from npfill.sampling import draws
from npfill.seeds import generator


def samples_figure(
    model: NeuralProcess[Any], image: Image.Image, counts: Sequence[int], samples: int, seed: int
) -> Image.Image:
    """One column per number of context pixels: the context, and samples given it below.

    A sample is shown as the model predicts it, at observed pixels too.

    Args:
        model: The model.
        image: A picture with the model's channels.
        counts: Numbers of random context pixels.
        samples: How many samples stand in a column.
        seed: The seed of masks and samples.
    """
    picture = intensities(image)
    size, pixels = picture.shape[:2], picture.shape[0] * picture.shape[1]
    columns = []
    for count in counts:
        observed = observed_at_random((size[0], size[1]), count, seed)
        seen = torch.from_numpy(observed)[None, None]
        context = Context(torch.from_numpy(picture).permute(2, 0, 1)[None], seen)
        drawn = whole_samples(model, context, samples, seed)
        columns.append([blue_where(~observed, picture), *drawn])
    panels = [
        [panel(values, panel_size(values[..., 0])) for values in column] for column in columns
    ]
    rows = list(zip(*panels, strict=True))
    return table([_title(count, pixels) for count in counts], _labels(samples), rows)


@torch.no_grad()
def whole_samples(
    model: NeuralProcess[Any], context: Context, samples: int, seed: int
) -> list[Float[np.ndarray, "height width channel"]]:
    """Samples of all pixels of one picture: sample k depends on the seed and k alone.

    For a latent variant each is the mean given a z of its own; for a conditional variant the mean
    with noise of its own in every pixel.

    Args:
        model: The model.
        context: A batch of one picture.
        samples: How many.
        seed: The seed.
    """
    given = model.condition(context)
    targets = Targets.every(context.size, context.pixels.device)
    if given.latent is None:
        predicted = given.predict(None, targets)
        values = [_noisy(predicted, seed, number) for number in range(samples)]
    else:
        values = list(given.predict(draws(given.latent, seed, "sample", samples), targets).mean)
    return [value.reshape(*context.size, -1).cpu().numpy() for value in values]


def _noisy(predicted: Gaussian, seed: int, number: int) -> torch.Tensor:
    noise = torch.randn(predicted.mean.shape, generator=generator(seed, "sample", number))
    return predicted.rsample(noise.to(predicted.mean))


def _title(count: int, pixels: int) -> str:
    if count == pixels:
        return f"all {count:,} pixels"
    return f"{count:,} pixels" if count > 1 else "1 pixel"


def _labels(samples: int) -> list[str]:
    return ["context", *(f"sample {number + 1}" for number in range(samples))]
