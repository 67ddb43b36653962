"""Contact sheets: the observed picture, mean, std and samples side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest

import numpy as np
from jaxtyping import Bool, Float, Shaped
from PIL import Image, ImageDraw, ImageFont

_PANEL = 160
_LARGEST_PANEL = 512
_GAP, _LABEL, _BAR = 8, 18, 12
_PAPER, _INK = (255, 255, 255), (40, 40, 40)
_HOLE = (64, 96, 224)
# Dark to light in even steps of lightness, so that the map reads in grey too.
_HEAT = np.array(
    [
        (0, 0, 4), (58, 12, 94), (128, 31, 108), (193, 55, 86),
        (238, 105, 37), (252, 180, 26), (252, 255, 164),
    ],
    dtype=np.float64,
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One completion on a sheet.

    Attributes:
        label: The text beside it; empty on a sheet of one.
        mean: A picture in [0, 1].
        std: Zero outside the hole; None if there is none.
        samples: Pictures; rows may have more or fewer.
    """

    label: str
    mean: Float[np.ndarray, "height width channel"]
    std: Float[np.ndarray, "height width _"] | None
    samples: Sequence[Float[np.ndarray, "height width channel"]]


def contact_sheet(
    picture: Float[np.ndarray, "height width channel"],
    hole: Bool[np.ndarray, "*row height width"],
    rows: Sequence[Row],
) -> Image.Image:
    """Draw a row of panels for each completion of the same picture.

    Args:
        picture: The observed picture in [0, 1]; blue covers it in the hole.
        hole: True in the hole, the same for all rows or one for each.
        rows: The completions; std shares one scale over all of them, on the bar below.
    """
    holes = np.broadcast_to(hole, (len(rows), *picture.shape[:2]))
    size = panel_size(holes[0])
    deviations = [None if row.std is None else rms(row.std) for row in rows]
    highest = [float(std.max()) for std in deviations if std is not None]
    full = max(highest, default=0.0) or 1.0
    panels = [
        [
            panel(blue_where(missing, picture), size),
            panel(row.mean, size),
            None if std is None else heat_panel(std / full, size),
            *(panel(sample, size) for sample in row.samples),
        ]
        for missing, row, std in zip(holes, rows, deviations, strict=True)
    ]
    samples = max(len(row.samples) for row in rows)
    titles = ["observed", "mean", "std", *(f"sample {k + 1}" for k in range(samples))]
    return table(titles, [row.label for row in rows], panels, bar=(2, full) if highest else None)


def table(
    titles: Sequence[str],
    labels: Sequence[str],
    rows: Sequence[Sequence[Image.Image | None]],
    *,
    bar: tuple[int, float] | None = None,
) -> Image.Image:
    """Arrange panels of one size in rows and columns.

    Args:
        titles: The text above each column.
        labels: The text beside each row; if all are empty, there is no room for them.
        rows: The panels, no more in a row than titles. None, or an early end, is "none".
        bar: The column above the bar of the colours of `heat`, and the value at the bar's end.
    """
    width, height = next(shown.size for row in rows for shown in row if shown)
    column_width = max(width, *(_text_width(title) for title in titles))
    margin = max(_text_width(label) for label in labels) + _GAP if any(labels) else 0
    left, top = _GAP + margin, _GAP + _LABEL
    right = left + len(titles) * (column_width + _GAP)
    bottom = top + len(rows) * (height + _GAP)
    below = _GAP + _BAR + _LABEL if bar else 0
    sheet = Image.new("RGB", (right, bottom + below), _PAPER)
    draw = ImageDraw.Draw(sheet)
    columns = [left + number * (column_width + _GAP) for number in range(len(titles))]
    for title, at in zip(titles, columns, strict=True):
        draw.text((at, _GAP), title, _INK, _font())
    for number, (label, row) in enumerate(zip(labels, rows, strict=True)):
        y = top + number * (height + _GAP)
        draw.text((_GAP, y + height // 2 - _LABEL // 2), label, _INK, _font())
        for at, shown in zip_longest(columns, row):
            if shown:
                sheet.paste(shown, (at, y))
            else:
                draw.text((at + width // 2, y + height // 2), "none", _INK, _font(), anchor="mm")
    if bar:
        _scale_bar(sheet, columns[bar[0]], bottom, column_width, bar[1])
    return sheet


def captioned(pictures: Sequence[Image.Image], captions: Sequence[str]) -> list[Image.Image]:
    """Add a line of text above each of several pictures of one size."""
    width = max(pictures[0].width, *(_text_width(caption) + 2 * _GAP for caption in captions))
    results = []
    for picture, caption in zip(pictures, captions, strict=True):
        result = Image.new("RGB", (width, picture.height + _GAP + _LABEL), _PAPER)
        ImageDraw.Draw(result).text((_GAP, _GAP), caption, _INK, _font())
        result.paste(picture, (0, _GAP + _LABEL))
        results.append(result)
    return results


def blue_where(
    hole: Bool[np.ndarray, "height width"], picture: Float[np.ndarray, "height width channel"]
) -> Float[np.ndarray, "height width 3"]:
    """Draw a picture in RGB, blue in the hole."""
    return np.where(hole[..., None], np.array(_HOLE, np.float32) / 255, picture)


def heat(values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width 3"]:
    """Map values in [0, 1] to colours in [0, 1], dark to light."""
    at = np.clip(values, 0, 1) * (len(_HEAT) - 1)
    low = np.minimum(at.astype(int), len(_HEAT) - 2)
    share = (at - low)[..., None]
    return ((1 - share) * _HEAT[low] + share * _HEAT[low + 1]) / 255


def _scale_bar(sheet: Image.Image, left: int, top: int, width: int, full: float) -> None:
    ramp = heat(np.tile(np.linspace(0, 1, width), (_BAR, 1)))
    sheet.paste(Image.fromarray(_bytes(ramp)), (left, top))
    draw = ImageDraw.Draw(sheet)
    draw.text((left, top + _BAR + 2), "0", _INK, _font())
    text = f"{full:.2g}"
    draw.text((left + width - _text_width(text), top + _BAR + 2), text, _INK, _font())


def panel_size(hole: Shaped[np.ndarray, "height width"]) -> tuple[int, int]:
    """Width and height of a panel: small pictures whole times larger, large ones smaller."""
    height, width = hole.shape
    longer = max(height, width)
    factor: float = max(1, round(_PANEL / longer))
    if longer > _LARGEST_PANEL:
        factor = _LARGEST_PANEL / longer
    return max(1, round(width * factor)), max(1, round(height * factor))


def panel(values: Float[np.ndarray, "height width channel"], size: tuple[int, int]) -> Image.Image:
    """Draw values in [0, 1] at another size."""
    return _resized(image_of(values), size)


def image_of(values: Float[np.ndarray, "height width channel"]) -> Image.Image:
    """Values in [0, 1] in 8 bits; of neither one nor three channels, the first."""
    shown = values if values.shape[-1] == 3 else values[..., :1].repeat(3, -1)
    return Image.fromarray(_bytes(shown))


def heat_panel(values: Float[np.ndarray, "height width"], size: tuple[int, int]) -> Image.Image:
    """Draw values in [0, 1] in the colours of `heat`; resized first, as colours take memory."""
    resized = _resized(Image.fromarray(values.astype(np.float32)), size)
    return Image.fromarray(_bytes(heat(np.asarray(resized))))


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    smaller = max(size) < max(picture.size)
    return picture.resize(size, Image.Resampling.LANCZOS if smaller else Image.Resampling.NEAREST)


def rms(std: Float[np.ndarray, "height width channel"]) -> Float[np.ndarray, "height width"]:
    """The root mean square over channels."""
    std = np.where(np.isnan(std), 0, std)  # that of channels without a value
    return reduce(np.hypot, np.moveaxis(std, -1, 0)) / std.shape[-1] ** 0.5  # squares may overflow


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=13)


def _text_width(text: str) -> int:
    return round(_font().getlength(text))
