"""One picture with different parts observed, completed by one model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from npfill.completion import complete
from npfill.evaluate.settings import Setting
from npfill.images.files import intensities
from npfill.images.sheet import blue_where, heat_panel, panel, panel_size, rms, table
from npfill.models import NeuralProcess


def contexts_figure(
    model: NeuralProcess[Any],
    image: Image.Image,
    settings: Sequence[Setting],
    samples: int,
    seed: int,
) -> Image.Image:
    """A row per setting: what is observed, mean, std and samples; std shares one scale.

    Args:
        model: The model.
        image: A square picture with the model's channels.
        settings: What is observed, row by row.
        samples: How many samples stand in a row.
        seed: The seed of masks and samples.
    """
    picture = intensities(image)
    size = panel_size(picture[..., 0])
    holes = [~setting.observed(1, image.width, seed)[0, 0].numpy() for setting in settings]
    completions = [complete(picture, hole, model, samples, seed) for hole in holes]
    deviations = [rms(one.std) for one in completions if one.std is not None]
    full = float(np.max(deviations))
    rows = [
        [
            panel(blue_where(hole, picture), size),
            panel(one.mean, size),
            heat_panel(std / full, size),
            *(panel(sample, size) for sample in one.samples),
        ]
        for hole, one, std in zip(holes, completions, deviations, strict=True)
    ]
    titles = ["observed", "mean", "std", *(f"sample {number + 1}" for number in range(samples))]
    return table(titles, [setting.name for setting in settings], rows, bar=(2, full))
