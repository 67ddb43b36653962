"""Figures of what models predict: their pictures and contexts, samples, and rows of sheets."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from npfill import baselines, zoo
from npfill.context import Context, Targets
from npfill.data import has_hole
from npfill.data.sources import read_images
from npfill.errors import InputError, ModelError, UsageError
from npfill.evaluate.contexts import kind
from npfill.files import folder
from npfill.models import NeuralProcess
from npfill.package import __version__
from npfill.pictures.formats import png_bytes
from npfill.pictures.hole import Hole, check, from_mask
from npfill.pictures.picture import Picture, intensities
from npfill.pictures.read import read_mask, read_picture
from npfill.pictures.sheet import Row, blue_where, contact_sheet, panel, panel_size, table
from npfill.predictor import NeuralPredictor, Prediction, load
from npfill.predictor.neural import Array, HoleArray
from npfill.sampling import Sampler, sampler_for

# Its pictures are taken where only baselines are compared.
_DIGITS = "anp-mnist"
# The baselines that are compared where nothing is named.
_BASELINES = ("nearest", "linear", "gp")


@dataclass(frozen=True)
class Source:
    """The place of a figure's picture: a file, test pictures and a number, or the bundled digit.

    Raises:
        UsageError: It names two pictures, or a number and no test pictures.
    """

    image: Path | None
    data: Path | None
    index: int | None

    def __post_init__(self) -> None:
        if self.image is not None and self.data is not None:
            raise UsageError("IMG and `data` both name a picture", "give one of them")
        if self.index is not None and self.data is None:
            raise UsageError("`index`: there are no test pictures", "`data=PATH` names some")

    def picture(self, size: int, channels: int) -> Picture:
        """The picture; one of a test set as a square of `size` pixels, as a model is given it.

        Raises:
            InputError: The file or the set cannot be read, or the picture has a hole of its own.
            UsageError: The set has no such picture.
        """
        if self.data is None:
            picture = read_picture(self.image or folder("examples") / "digit.png")
            if has_hole(picture.image):
                problem = f"{picture.name}: has a hole of its own (transparent, or NaN)"
                raise InputError(problem, "fill it first")
            return picture
        images, index = read_images(self.data, "test", size, channels), self.index or 0
        if index >= len(images):
            raise UsageError(
                f"`index={index}`: {self.data} has {len(images):,} test pictures",
                f"0 to {len(images) - 1}",
            )
        array = images[index].permute(1, 2, 0).numpy()
        image = Image.fromarray(array[..., 0] if channels == 1 else array)
        return Picture.of(image, f"{self.data}:{index}")


def context_hole(picture: Picture, mask: Path | None, context: int, seed: int) -> Hole:
    """The hole of a mask, or all but a number of random pixels.

    Raises:
        InputError: The mask cannot be used, or is of another size.
        UsageError: The picture has no pixel beside the context.
    """
    size = picture.size
    if mask is not None:
        drawn = read_mask(mask)
        if drawn.size != size:
            raise InputError(f"{mask}: not of the size of {picture.name}", "give one that is")
        return check(from_mask(drawn, picture), str(mask))
    if context >= size[0] * size[1]:
        raise UsageError(
            f"`context={context}`: {picture.name} has {size[0] * size[1]:,} pixels",
            "at least one is missing",
        )
    return Hole(~kind(f"random:{context}").observed(1, size, seed)[0, 0].numpy())


def compared(models: str | None) -> dict[str, str]:
    """The models to compare, and their names in the figure.

    Args:
        models: Names of models and baselines and paths to weights, separated by commas. None: all
            models for digits, and the baselines.

    Raises:
        NpfillError: There is no name, or one is unknown.
    """
    digits = [name for name, entry in zoo.entries().items() if entry.is_of_digits]
    words = [*digits, *_BASELINES] if models is None else models.split(",")
    names = [word.strip() for word in words if word.strip()]
    if not names:
        raise UsageError("`models`: no name", "npfill models lists the names")
    return {name: name if name in baselines.BASELINES else zoo.find(name).name for name in names}


def grid_of(names: Iterable[str]) -> tuple[int, int]:
    """Side and channels of the grid of the first model; for baselines alone, of digits."""
    first = next((name for name in names if name not in baselines.BASELINES), _DIGITS)
    config = neural(first).model.config
    return config.size, config.channels


def samplers_of(predictor: NeuralPredictor, names: str) -> list[Sampler]:
    """The samplers of names that are separated by commas, each once."""
    words = dict.fromkeys(word.strip() for word in names.split(","))
    return [sampler_for(predictor.model, word) for word in words]


def neural(model: str) -> NeuralPredictor:
    """A neural process by its name, on the CPU; ModelError where the name is a baseline's."""
    predictor = load(model, "cpu")
    if not isinstance(predictor, NeuralPredictor):
        raise ModelError(f"{model} is a baseline", "npfill models lists the models")
    return predictor


def on_grid(image: Image.Image, size: int, channels: int) -> Image.Image:
    """The centre square of a picture, on a model's grid, as datasets cut it."""
    picture = image.convert("L" if channels == 1 else "RGB")
    return ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)


def samples_figure(
    model: NeuralProcess,
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
    model: NeuralProcess, context: Context, sampler: Sampler, samples: int, seed: int
) -> list[Array]:
    """Samples of all pixels of a batch of one: sample k depends on the seed and k alone."""
    targets = Targets.every(context.size, context.pixels.device)
    with torch.no_grad():
        drawn = sampler.sample(model.condition(context), targets, seed, samples)
    return [value.reshape(*context.size, -1).cpu().numpy() for value in drawn]


def compare_figure(
    picture: Picture,
    hole: Hole,
    models: Mapping[str, str],
    samples: int,
    seed: int,
    on_row: Callable[[], None] = lambda: None,
) -> tuple[Image.Image, list[str], list[str]]:
    """A row for each model's completion of one picture, the rows' names, and notes on them.

    `models` is what `compared` returns. A baseline that cannot complete the picture is left out.

    Raises:
        ModelError: No model is left.
    """
    values, rows, notes = intensities(picture.image), [], []
    for word, label in models.items():
        try:
            predictor = load(word, "cpu")
            predicted = predictor.predict(values, hole.selected, samples=samples, seed=seed)
        except (ModelError, InputError) as error:
            if word not in baselines.BASELINES:
                raise
            notes.append(f"{word} is left out: {error}; {error.hint}")
        else:
            rows.append(row_of(label, values, hole.selected, predicted))
            notes += [f"{label}: {note}" for note in predicted.notes]
        on_row()
    if not rows:
        raise ModelError(f"no model is left to compare; {notes[0]}", "`models` names others")
    return contact_sheet(values, hole.selected, rows), [row.label for row in rows], notes


def png(figure: Image.Image, models: str, seed: int) -> bytes:
    """A figure as a PNG, with what made it in its text."""
    text = {"npfill_model": models, "npfill_seed": str(seed), "npfill_version": __version__}
    return png_bytes(figure, text)


def row_of(label: str, picture: Array, hole: HoleArray, predicted: Prediction) -> Row:
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
