"""Rules of measuring: the quality of a picture against the share of its pixels that is measured."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from npfill.completion.parameters import check_number
from npfill.data import Photographs
from npfill.data.parts import Split
from npfill.data.sources import read_images, read_photographs
from npfill.errors import InputError, UsageError
from npfill.evaluate.entrants import common_shape
from npfill.evaluate.protocol import Estimate, Pictures
from npfill.evaluate.report import draw_lines
from npfill.evaluate.test_set import test_set_of
from npfill.exploring import RULES, Explorer
from npfill.models import NeuralProcess
from npfill.models.lawful import network_alone
from npfill.pictures.read import read_picture
from npfill.predictor import Predictor, load
from npfill.scores import EXACT

# Shares of the pixels at which pictures are compared. Of a digit, 0.07 are 55 and 0.1276 are 100.
SHARES = (0.02, 0.05, 0.07, 0.1, 0.1276, 0.15, 0.17, 0.2, 0.25)
# What the others are compared with, and the longer side that photographs and fields have at most.
BASIS, LONGEST = "low-discrepancy", 192
# A round measures a share of the pixels.
_ROUND = 1 / 250

Pixels = Float[np.ndarray, "height width channel"]


@dataclass(frozen=True)
class SamplingResults:
    """Scores of rules.

    Attributes:
        model: The model that completed the pictures, and was asked.
        pictures: The number of pictures.
        sizes: Their sizes in words.
        psnr: By rule, for each of `SHARES`: the mean PSNR of whole pictures, in dB.
        mse: Their mean squared error likewise.
        shares: These shares.
        notes: Sentences on how to read them.
    """

    model: str
    pictures: int
    sizes: str
    psnr: Mapping[str, Sequence[Estimate]]
    mse: Mapping[str, Sequence[Estimate]]
    shares: tuple[float, ...] = SHARES
    notes: tuple[str, ...] = (
        "of whole pictures, measured pixels included; means over pictures",
        f"needed: the share for the PSNR of {BASIS} at {100 * SHARES[-1]:g} %",
    )

    @property
    def title(self) -> str:
        """A line on the model, the pictures and the scores."""
        return f"{self.model}, {self.pictures} pictures of {self.sizes}: PSNR in dB, and MSE"

    def reached(self) -> dict[str, float]:
        """The share at which each rule's mean PSNR is that of low discrepancy at the last share.

        Between shares the PSNR is linear in the share's logarithm; NaN where it is not reached.
        """
        goal = self.psnr[BASIS][-1].value
        return {rule: _share_at(goal, [e.value for e in line]) for rule, line in self.psnr.items()}

    def rows(self) -> list[list[str]]:
        """A table: a head of the rules' names, then a row for each share."""
        names, found = [*self.psnr], self.reached()
        cells = []
        for k, share in enumerate(SHARES):
            part = f"{100 * share:g} %"
            cells.append([part, *(f"{self.psnr[name][k].value:.2f}" for name in names)])
            cells.append([f"{part}, MSE", *(f"{self.mse[name][k].value:.4f}" for name in names)])
        needed = ["-" if math.isnan(found[n]) else f"{100 * found[n]:.1f} %" for n in names]
        return [["measured", *names], *cells, ["needed", *needed]]


def evaluate_sampling(
    model: str | Path | NeuralProcess | Predictor,
    data: str | Path,
    *,
    photos: bool = False,
    rules: Sequence[str] = tuple(RULES),
    images: int = 12,
    seed: int = 0,
    device: str = "auto",
    on_start: Callable[[int], None] = lambda _: None,
    on_picture: Callable[[str], None] = lambda _: None,
) -> SamplingResults:
    """Measure pictures pixel by pixel by each rule, and compare what a model makes of them.

    Args:
        model: The model, as of `npfill.load`.
        data: Pictures as of `npfill.evaluate.evaluate`; or a folder of .npy files, each a field
            in any unit, on the scale of its range.
        photos: Photographs, of which the longer side is brought to 192 pixels.
        rules: Keys of `npfill.exploring.RULES`; low discrepancy is always among them.
        images: The most pictures.
        seed: The seed of the rules.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        on_start: Called with the number of pictures times rules.
        on_picture: Called with the rule after each picture.

    Raises:
        UsageError: A rule is unknown.
        InputError: The data cannot be read.
        ModelError: The model is unknown, or gives no standard deviation.
    """
    check_number("images", images, like="rounds")
    if unknown := [rule for rule in rules if rule not in RULES]:
        raise UsageError(f"`rules`: {unknown[0]!r} is unknown", f"some of {', '.join(RULES)}")
    loaded, names = load(model, device), list(dict.fromkeys([*rules, BASIS]))
    pictures, notes = _pictures(loaded, str(model), Path(data), photos, images)
    on_start(len(names) * len(pictures))
    psnr: dict[str, list[Estimate]] = {}
    mse: dict[str, list[Estimate]] = {}
    for rule in names:
        errors = []
        for picture in pictures:
            errors.append(list(_errors(loaded, picture, rule, seed)))
            on_picture(rule)
        found = np.maximum(np.array(errors), EXACT)
        psnr[rule], mse[rule] = _estimates(-10 * np.log10(found)), _estimates(found)
    sizes = sorted({f"{each.shape[1]}x{each.shape[0]}" for each in pictures})
    found = SamplingResults(loaded.name, len(pictures), ", ".join(sizes), psnr, mse)
    return replace(found, notes=(*found.notes, *notes))


def plot(results: SamplingResults) -> bytes:
    """PSNR against the share that is measured, a line for each rule, as a PNG.

    Raises:
        ModelError: matplotlib is not installed.
    """
    series = {
        rule: [(100 * share, each) for share, each in zip(SHARES, line, strict=True)]
        for rule, line in results.psnr.items()
    }
    return draw_lines("PSNR by rule", "per cent of pixels measured", "PSNR in dB", series)


def _errors(predictor: Predictor, picture: Pixels, rule: str, seed: int) -> Iterator[float]:
    """The mean squared error of the whole picture once each share of it is measured."""
    pixels = picture.shape[0] * picture.shape[1]
    explorer = Explorer(picture.shape, predictor, rule=rule, seed=seed)
    batch = max(1, round(_ROUND * pixels)) if RULES[rule].asks else pixels
    known = 0
    for share in SHARES:
        while (left := round(share * pixels) - known) > 0:
            rows, columns = explorer.ask(min(batch, left))
            explorer.tell(rows, columns, picture[rows, columns])
            known += len(rows)
        hole = ~explorer.measured
        with network_alone():  # as `Explorer.completion` is
            mean = predictor.predict(np.where(hole[..., None], np.float32(0), picture), hole).mean
        yield float(np.square(mean - picture[hole]).sum() / picture.size)


def _pictures(
    predictor: Predictor, word: str, data: Path, photos: bool, images: int
) -> tuple[list[Pixels], tuple[str, ...]]:
    """The pictures in [0, 1], and what is to be said of them."""
    if photos:
        read: Callable[[Split], Pictures] = partial(read_photographs, data, least=1)
    elif files := sorted(data.glob("*.npy")) if data.is_dir() else []:
        return [_field(file) for file in files[:images]], ()
    else:
        size, channels = common_shape({word: predictor}, data)
        read = partial(read_images, data, size=size, channels=channels)
    test = test_set_of(data, {word: predictor}, read)
    some = test.pictures[:images]
    every = some.pictures if isinstance(some, Photographs) else some
    arrays = [each.permute(1, 2, 0).numpy().astype(np.float32) / 255 for each in every]
    return ([_small(each) for each in arrays] if photos else arrays), test.notes


def _field(file: Path) -> Pixels:
    """A field of one band on the scale of its range.

    Raises:
        InputError: It has several bands, or misses values.
    """
    picture = read_picture(file)
    if picture.colours != 1 or picture.lacking.any():
        raise InputError(f"{file}: several bands, or missing values", "leave it out")
    values = picture.values.astype(np.float64)
    width = values.max() - values.min()
    return _small(((values - values.min()) / (width or 1.0)).astype(np.float32))


def _small(values: Pixels) -> Pixels:
    """A picture whose longer side is `LONGEST` at most, its pixels averaged."""
    height, width = values.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    bands = [
        np.asarray(Image.fromarray(band).resize(size, Image.Resampling.BOX))
        for band in np.moveaxis(values, -1, 0)
    ]
    return np.stack(bands, axis=-1)


def _estimates(values: np.ndarray) -> list[Estimate]:
    """Means over pictures, with their standard errors."""
    count = len(values)
    errors = values.std(axis=0, ddof=1) / math.sqrt(count) if count > 1 else values[0] * math.nan
    means = values.mean(axis=0)
    return [Estimate(float(m), float(e), count) for m, e in zip(means, errors, strict=True)]


def _share_at(goal: float, line: Sequence[float]) -> float:
    """The share from which on a line is not below a goal."""
    below = [k for k, value in enumerate(line) if value < goal - 1e-9]
    k = below[-1] + 1 if below else 0
    if k == 0 or k == len(line):
        return math.nan if k else SHARES[0]
    part = (goal - line[k - 1]) / (line[k] - line[k - 1])
    return SHARES[k - 1] * (SHARES[k] / SHARES[k - 1]) ** part
