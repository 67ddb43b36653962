"""An animated figure: a picture completed while more and more of its pixels are revealed."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from PIL.ExifTags import Base
from torch.nn.functional import interpolate

from npfill.context import Targets
from npfill.errors import UsageError
from npfill.exploring import RULES, Explorer
from npfill.models import NeuralProcess
from npfill.models.lawful import network_alone
from npfill.pictures.picture import intensities, match_channels
from npfill.pictures.sheet import blue_where, captioned, heat_panel, panel, panel_size, rms, table
from npfill.predictor.drawn import channels_last
from npfill.predictor.neural import Array, HoleArray, context_of
from npfill.sampling import moments
from npfill.seeds import generator

# A model has nothing finer to say than this many predictions per side of a cell of its grid.
_FINENESS = 2
_FRAME_MS, _LAST_FRAME_MS = 300, 2500
# A round of measuring adds an eighth of what is measured.
_ROUNDS = 8


@dataclass(frozen=True)
class Frame:
    """A picture with some of its pixels revealed.

    Attributes:
        observed: True where it is revealed.
        mean: The mean of the others in [0, 1], the picture where it is observed.
        std: Their standard deviation; 0 where the picture is observed.
    """

    observed: HoleArray
    mean: Array
    std: Array


def scaled_down(image: Image.Image, longest: int) -> Image.Image:
    """A picture whose longer side is at most `longest` pixels, without alpha."""
    picture = image.convert("RGB" if image.mode.startswith("RGB") else "L")
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return picture


def revealed_counts(pixels: int, frames: int) -> list[int]:
    """Numbers of observed pixels, evenly spaced in their logarithm, each more than the last.

    The first is one pixel, or a thousandth of them; the last is all.

    Raises:
        UsageError: The picture has too few pixels.
    """
    first = max(1, round(pixels / 1000))
    most = pixels - first + 1
    if frames > most:
        hint = f"`frames={most}`" if most > 1 else "take a larger picture"
        raise UsageError(f"`frames={frames}`: the picture has {pixels} pixels", hint)
    spaced, number = np.rint(np.geomspace(first, pixels, frames)), np.arange(frames)
    increasing = np.maximum.accumulate(spaced - number) + number
    return np.minimum(increasing, pixels - number[::-1]).astype(int).tolist()


def grid_of(size: tuple[int, int], model: NeuralProcess) -> tuple[int, int]:
    """Height and width of the grid that a picture is predicted on: its own where it is small."""
    if model.any_size:
        return size
    finest = _FINENESS * model.config.size / max(size)
    height, width = (max(1, round(side * min(1, finest))) for side in size)
    return height, width


def frames(
    model: NeuralProcess, picture: Array, counts: Sequence[int], seed: int, by: str = "random"
) -> Iterator[Frame]:
    """The picture at each number of observed pixels; what is revealed stays revealed.

    Args:
        model: The model.
        picture: In [0, 1].
        counts: Numbers of observed pixels.
        seed: The seed of the order that pixels are revealed in, and of the draws of z.
        by: The rule of that order, a key of `npfill.exploring.RULES`.
    """
    if model.config.channels > 1:
        picture = match_channels(picture, model.config.channels)
    for observed in _revealed(model, picture, counts, seed, by):
        with network_alone(RULES[by].asks):  # as `Explorer.completion` is
            mean, std = _moments(model, picture, observed, seed)
        shown = observed[..., None]
        whole = np.where(shown, picture, mean.clip(0, 1))
        yield Frame(observed, whole, np.where(shown, np.float32(0), std))


def _revealed(
    model: NeuralProcess, picture: Array, counts: Sequence[int], seed: int, by: str
) -> Iterator[HoleArray]:
    """The observed pixels at each number of them; rules that ask the model do so in rounds."""
    if by == "random":
        pixels = picture.shape[0] * picture.shape[1]
        rank = torch.randperm(pixels, generator=generator(seed, "reveal")).numpy()
        yield from ((rank < count).reshape(picture.shape[:2]) for count in counts)
        return
    explorer, known = Explorer(picture.shape, model, seed=seed, rule=by), 0
    for count in counts:
        while known < count:
            rows, columns = explorer.ask(min(count - known, 1 + known // _ROUNDS))
            explorer.tell(rows, columns, picture[rows, columns])
            known += len(rows)
        yield explorer.measured


def animation(
    model: NeuralProcess,
    image: Image.Image,
    counts: Sequence[int],
    seed: int,
    description: str,
    on_frame: Callable[[], None] = lambda: None,
    by: str = "random",
) -> bytes:
    """A picture that is revealed, as a WebP: see `frames`, `drawn` and `webp_bytes`."""
    picture, shown = intensities(image), []
    for frame in frames(model, picture, counts, seed, by):
        shown.append(frame)
        on_frame()
    return webp_bytes(drawn(picture, shown), description)


def drawn(picture: Array, frames: Sequence[Frame]) -> list[Image.Image]:
    """Context, mean and std of each frame side by side; std has one scale over all of them."""
    size = panel_size(frames[0].observed)
    full = max(float(rms(frame.std).max()) for frame in frames) or 1.0
    sheets, captions = [], []
    for frame in frames:
        panels = [
            panel(blue_where(~frame.observed, picture), size),
            panel(frame.mean, size),
            heat_panel(rms(frame.std) / full, size),
        ]
        sheets.append(table(["observed", "mean", "std"], [""], [panels], bar=(2, full)))
        count, pixels = np.count_nonzero(frame.observed), frame.observed.size
        captions.append(f"{count:,} of {pixels:,} pixels observed ({100 * count / pixels:.1f} %)")
    return captioned(sheets, captions)


def webp_bytes(pictures: Sequence[Image.Image], description: str) -> bytes:
    """An animated WebP without loss of frames of one size; its EXIF block has the description.

    It starts again after holding its last picture.
    """
    exif = Image.Exif()
    exif[Base.ImageDescription] = description
    content = io.BytesIO()
    pictures[0].save(
        content,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=[_FRAME_MS] * (len(pictures) - 1) + [_LAST_FRAME_MS],
        loop=0,
        lossless=True,
        exif=exif,
    )
    return content.getvalue()


@torch.no_grad()
def _moments(
    model: NeuralProcess, picture: Array, observed: HoleArray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and std at all pixels, predicted on `grid_of` and interpolated between its points."""
    size, channels = (observed.shape[0], observed.shape[1]), picture.shape[-1]
    context, _ = context_of(model, picture, ~observed)
    given = model.condition(context)
    grid = grid_of(size, model)
    predicted = moments(given, Targets.every(grid, given.context.pixels.device), seed)
    parts = (channels_last(values, channels).T for values in (predicted.mean, predicted.scale))
    planes = torch.from_numpy(np.stack([part.reshape(-1, *grid) for part in parts]))
    pixels = interpolate(planes, size, mode="bilinear", align_corners=False)
    mean, std = pixels.permute(0, 2, 3, 1).numpy()
    return mean, std
