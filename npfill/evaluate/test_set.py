"""The pictures that an evaluation measures: those of a test part, or what a run held out."""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from npfill.data import fingerprint
from npfill.data.parts import Split, part_of
from npfill.data.sources import has_parts, has_pictures, read_images_with_holes, read_photographs
from npfill.evaluate.protocol import Pictures
from npfill.predictor import NeuralPredictor, Predictor


@dataclass(frozen=True)
class TestSet:
    """Pictures to measure on.

    Attributes:
        pictures, part: The pictures, and which of the data's they are.
        train: Reads pictures that baselines may be fitted to; None where there are none.
        notes: Sentences on what scores on them do not show.
    """

    pictures: Pictures
    part: str
    train: Callable[[], Pictures] | None
    notes: tuple[str, ...] = ()


def test_set_of(
    data: Path, predictors: Mapping[str, Predictor], read: Callable[[Split], Pictures]
) -> TestSet:
    """The test part of data; without one, what a run held out of training; else what there is.

    That is the validation part, or all pictures where there are no parts.

    Args:
        data: The place of the data.
        predictors: What is measured: weights in the folders of runs count.
        read: Reads a part of the data, or raises InputError.
    """
    terms = tuple(
        f"{name}: {each.terms}"
        for name, each in predictors.items()
        if "non-commercial" in each.terms
    )
    if has_parts(data) and has_pictures(data, "test"):
        is_apart = part_of(data, "train") != data
        train = partial(read, "train") if is_apart or has_pictures(data, "train") else None
        return TestSet(read("test"), "test pictures", train, terms)
    files = [each.path for each in predictors.values() if isinstance(each, NeuralPredictor)]
    runs = [run for file in files if file and (run := _run_on(data, file.parent)) is not None]
    # The last pictures of all were held out: by every run those of the run with the fewest.
    run = min(runs, key=lambda run: run.validation, default=None)
    since = "" if run is None or run.saw(data) else f" and is not what {run.folder} was trained on"
    validation, part = has_parts(data, "val"), "validation pictures"
    note = f"{data} has no test part"
    if run is not None and not since:
        note += (
            f": the pictures that {run.folder} held out of training are measured; they chose its "
            "weights and its calibration, and flatter them a little"
        )
        if not (run.photographs and validation):
            every, count = read("train"), run.validation
            return TestSet(every[-count:], part, lambda: every[:-count], (*terms, note))
    elif validation:
        note += (
            f"{since}: its validation part is measured, and a model that was chosen by it is "
            "flattered a little"
        )
    else:
        note += (
            f"{since}: all its pictures are measured, and a model that was trained on some of them "
            "is not tested by this"
        )
        return TestSet(read("train"), "all pictures", None, (*terms, note))
    return TestSet(read("val"), part, partial(read, "train"), (*terms, note))


@dataclass(frozen=True)
class _Run:
    """A training run: its folder, how many pictures it held out, their kind and hash."""

    folder: Path
    validation: int
    photographs: bool
    size: int
    channels: int
    pictures: str

    def saw(self, data: Path) -> bool:
        """Tell whether it held out the last of the pictures that are there; of parts, a part."""
        if self.photographs and has_parts(data, "val"):
            return True
        every = (
            read_photographs(data, "train", 1, [])
            if self.photographs
            else read_images_with_holes(data, "train", self.size, self.channels, [])
        )
        count = self.validation
        return fingerprint(every[:-count], every[-count:]) == self.pictures


def _run_on(data: Path, folder: Path) -> _Run | None:
    """The run of a folder, if it was trained on this data."""
    try:
        environment = json.loads((folder / "environment.json").read_text("utf-8"))
        recipe = tomllib.loads((folder / "recipe.toml").read_text("utf-8"))
        size, channels = (int(recipe["model"][key]) for key in ("size", "channels"))
        held_out, seen = int(recipe["data"]["validation"]), str(environment["pictures"])
        run = _Run(folder, held_out, "damage" in recipe, size, channels, seen)
        same = Path(environment["data"]).resolve() == data.resolve()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return run if same and run.validation > 0 else None
