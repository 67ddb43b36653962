"""A recipe that fits a set of pictures, as a start."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from npfill.data import has_hole, size_in_words
from npfill.data.sources import entries, has_parts, readable
from npfill.errors import InputError
from npfill.training.batch import SHORTEST
from npfill.training.recipe import Recipe, find

# Of larger sets so many pictures are looked at, evenly spread.
_MOST_SEEN = 300
# Small pictures have a grid of their own size up to here; what is larger is reduced to this.
_GRID = 64
# A grid on which a few pixels tell much and a cosine basis suits grey pictures, as digits are.
_DIGITS = 32
# How many times each picture is seen, and a tenth that is held out has at most so many.
_EPOCHS, _PHOTOGRAPH_EPOCHS = 300, 200
_MOST_HELD_OUT, _MOST_PHOTOGRAPHS_HELD_OUT = 1000, 24
_LEAST_STEPS, _LEAST_PHOTOGRAPH_STEPS = 500, 5000
_VALIDATIONS, _SAVES = 10, 40


@dataclass(frozen=True)
class Survey:
    """A training set at a glance.

    Attributes:
        name: The name of its file or folder.
        count: Number of pictures.
        smallest: Shortest side of any, in pixels.
        largest: Longest side of any.
        usual: The median of the shorter sides.
        grey: Whether no picture has colours.
        holes: Whether a picture has a hole of its own.
        has_validation: Whether there is a part `val` beside the training part.
    """

    name: str
    count: int
    smallest: int
    largest: int
    usual: int
    grey: bool
    holes: bool
    has_validation: bool

    @property
    def are_photographs(self) -> bool:
        """True where a model for pictures of any size can be trained."""
        return self.smallest >= SHORTEST and not self.holes

    def __str__(self) -> str:
        colours = "grey pictures" if self.grey else "pictures in colour"
        size = size_in_words([self.smallest, self.largest])
        return f"{self.count:,} {colours} {size}{', with holes' if self.holes else ''}"

    def recipe(self) -> Recipe:
        """Propose a recipe: that of the shipped weights nearest to the set, made to measure.

        Raises:
            InputError: It is a single picture, of which none would be left to train on.
        """
        if self.count < 2 and not (self.are_photographs and self.has_validation):
            raise InputError(
                f"{self.name}: one picture, and one is held out of training: two are the fewest",
                "npfill complete with `adapt=300` trains a model on a single picture",
            )
        own: dict[str, object] = {"data.name": self.name, "data.terms": "not stated", "run.seed": 0}
        if self.are_photographs:
            held_out = max(1, min(_MOST_PHOTOGRAPHS_HELD_OUT, self.count // 10))
            rhythm = _rhythm(_PHOTOGRAPH_EPOCHS * self.count, _LEAST_PHOTOGRAPH_STEPS, 100_000)
            return find("convcnp-photo", own | {"data.validation": held_out} | rhythm)
        held_out = max(1, min(_MOST_HELD_OUT, self.count // 10))
        size = min(_GRID, self.usual)
        simple = self.grey and size <= _DIGITS
        return find(
            "cnp-mnist" if simple else "cnp-celeba",
            own | {"data.validation": held_out} | self._grid(size, self.count - held_out, simple),
        )

    def _grid(self, size: int, count: int, simple: bool) -> dict[str, object]:
        """Propose changes for pictures of one size."""
        pixels, parts = size * size, ("model.encoder", "model.decoder")
        unit, number = ("frequencies", 18 * size / 28) if simple else ("nodes", size / 4)
        batch = 2 ** int(np.clip(np.log2(max(1, count / 4)), 2, 8 if simple else 7))
        return {
            "model.channels": 1 if self.grey else 3,
            "model.size": size,
            **{f"{part}.{unit}": max(2, round(number)) for part in parts},
            "data.flip": not self.grey,
            "holes.fewest": max(1, round(pixels / 260)),
            "holes.most": max(1, pixels - 1 if simple else round(0.6 * pixels)),
            "objective.targets": 0 if pixels <= 1024 else 1024,
            "schedule.batch": batch,
            **_rhythm(_EPOCHS * count // batch, _LEAST_STEPS, 20_000 if simple else 12_000),
        }


def survey(data: Path, *, skip_damaged: bool = False) -> Survey:
    """Look at a training set.

    Args:
        data: Where it is.
        skip_damaged: Look at the pictures that can be read alone.

    Raises:
        InputError: Nothing is there, or it cannot be used.
    """
    found = entries(data, "train")
    seen = [found[int(at)] for at in np.linspace(0, len(found) - 1, min(len(found), _MOST_SEEN))]
    damaged: list[InputError] = []
    some = [picture for _, picture in readable(seen, damaged if skip_damaged else None)]
    sides = [side for picture in some for side in picture.size]
    return Survey(
        name=data.resolve().stem.encode("utf-8", "replace").decode(),
        count=len(found) - len(damaged),
        smallest=min(sides),
        largest=max(sides),
        usual=int(np.median([min(picture.size) for picture in some])),
        grey=all(map(_is_grey, some)),
        holes=any(map(has_hole, some)),
        has_validation=has_parts(data, "val"),
    )


def _rhythm(steps: int, least: int, most: int) -> dict[str, object]:
    """Bound a number of steps, and fit warm-up, validations and saves to it."""
    steps = min(most, max(least, steps))
    return {
        "schedule.steps": steps,
        "schedule.warmup": min(500, steps // 20),
        "run.validate_every": -(-steps // _VALIDATIONS),
        "run.save_every": -(-steps // _SAVES),
    }


def _is_grey(picture: Image.Image) -> bool:
    """Tell whether no pixel has a colour, whatever the picture's mode."""
    channels = np.asarray(picture.convert("RGB"))
    return bool((channels == channels[..., :1]).all())
