"""Contact sheets of completions of one picture."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from npfill.completion.completed import CompletedPicture
from npfill.completion.doubt import shown_std
from npfill.pictures.sheet import Row, contact_sheet


def sheet_of(done: Sequence[CompletedPicture], labels: Sequence[str] = ("",)) -> Image.Image:
    """A contact sheet with a row for each completion of one picture, its label beside it.

    Data in neither one nor three channels show their first.
    """
    shown = slice(None) if done[0].mean.shape[-1] in {1, 3} else slice(1)
    rows = []
    for label, each in zip(labels, done, strict=True):
        std = None if each.std is None else shown_std(each)[..., shown]
        samples = [sample[..., shown] for sample in each.samples]
        rows.append(Row(label, each.mean[..., shown], std, samples))
    hole = np.logical_or.reduce(done[0].prepared.masked.by_channel[..., shown], axis=-1)
    return contact_sheet(rows[0].mean, hole, rows)
