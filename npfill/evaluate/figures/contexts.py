"""One picture with different parts observed, completed by one model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from npfill.completion.arrays import complete
from npfill.evaluate.settings import Setting
from npfill.models import NeuralProcess
from npfill.pictures.picture import intensities
from npfill.pictures.sheet import Row, contact_sheet


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
    holes = [~setting.observed(1, image.width, seed)[0, 0].numpy() for setting in settings]
    rows = []
    for setting, hole in zip(settings, holes, strict=True):
        done = complete(picture, hole, model, samples, seed)
        rows.append(Row(setting.name, done.mean, done.std, list(done.samples)))
    return contact_sheet(picture, np.stack(holes), rows)
