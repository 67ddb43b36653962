"""A contact sheet: what was observed, mean, std and samples side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
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
        label: What stands beside it; nothing for a sheet of one.
        mean: "height width channel" in [0, 1].
        std: The same shape, zero outside the hole.
        samples: Pictures of the same shape.
    """

    label: str
    mean: np.ndarray
    std: np.ndarray
    samples: Sequence[np.ndarray]


def contact_sheet(picture: np.ndarray, hole: np.ndarray, rows: Sequence[Row]) -> Image.Image:
    """A row of panels per completion of the same picture.

    Args:
        picture: "height width channel" in [0, 1]; what is under the hole is not shown.
        hole: bool "height width", shown in blue.
        rows: The completions; std shares one scale over all of them, on the bar below.
    """
    width, height = _panel_size(hole)
    deviations = [_rms(row.std) for row in rows]
    full = max(float(deviation.max()) for deviation in deviations) or 1.0
    titles = ["observed", "mean", "std", *(f"sample {k + 1}" for k in range(len(rows[0].samples)))]
    column_width = max(width, *(_text_width(title) for title in titles))
    margin = max(_text_width(row.label) for row in rows) + _GAP if any(r.label for r in rows) else 0
    left = _GAP + margin
    bar_space = _GAP + _BAR + _LABEL
    sheet = Image.new(
        "RGB",
        (
            left + len(titles) * (column_width + _GAP),
            _GAP + _LABEL + len(rows) * (height + _GAP) + bar_space,
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    for number, title in enumerate(titles):
        draw.text((left + number * (column_width + _GAP), _GAP), title, _INK, _font())
    observed = np.where(hole[..., None], np.array(_HOLE, np.float32) / 255, _rgb(picture))
    for number, (row, deviation) in enumerate(zip(rows, deviations, strict=True)):
        top = _GAP + _LABEL + number * (height + _GAP)
        draw.text((_GAP, top + height // 2 - _LABEL // 2), row.label, _INK, _font())
        pictures = [
            _panel(values, (width, height)) for values in (observed, row.mean, *row.samples)
        ]
        pictures.insert(2, _heat_panel(deviation / full, (width, height)))
        for column, panel in enumerate(pictures):
            sheet.paste(panel, (left + column * (column_width + _GAP), top))
    at = left + 2 * (column_width + _GAP)
    _scale_bar(sheet, at, sheet.height - bar_space, column_width, full)
    return sheet


def heat(values: np.ndarray) -> np.ndarray:
    """Colours "height width 3" in [0, 1] for values "height width" in [0, 1], dark to light."""
    at = np.clip(values, 0, 1) * (len(_HEAT) - 1)
    low = np.minimum(at.astype(int), len(_HEAT) - 2)
    share = (at - low)[..., None]
    colours: np.ndarray = ((1 - share) * _HEAT[low] + share * _HEAT[low + 1]) / 255
    return colours


def _scale_bar(sheet: Image.Image, left: int, top: int, width: int, full: float) -> None:
    ramp = heat(np.tile(np.linspace(0, 1, width), (_BAR, 1)))
    sheet.paste(Image.fromarray(_bytes(ramp)), (left, top))
    draw = ImageDraw.Draw(sheet)
    draw.text((left, top + _BAR + 2), "0", _INK, _font())
    text = f"{full:.2g}"
    draw.text((left + width - _text_width(text), top + _BAR + 2), text, _INK, _font())


def _panel_size(hole: np.ndarray) -> tuple[int, int]:
    """Width and height of a panel: small pictures whole times larger, large ones smaller."""
    height, width = hole.shape
    longer = max(height, width)
    factor: float = max(1, round(_PANEL / longer))
    if longer > _LARGEST_PANEL:
        factor = _LARGEST_PANEL / longer
    return max(1, round(width * factor)), max(1, round(height * factor))


def _panel(values: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """Values "height width channel" as a picture of another size."""
    return _resized(Image.fromarray(_bytes(_rgb(values))), size)


def _heat_panel(values: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """Values "height width" in the colours of the map; resized first, as colours take memory."""
    resized = _resized(Image.fromarray(values.astype(np.float32)), size)
    return Image.fromarray(_bytes(heat(np.asarray(resized))))


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    smaller = max(size) < max(picture.size)
    return picture.resize(size, Image.Resampling.LANCZOS if smaller else Image.Resampling.NEAREST)


def _rms(std: np.ndarray) -> np.ndarray:
    """The root mean square over channels."""
    result: np.ndarray = np.sqrt(np.square(std).mean(-1))
    return result


def _rgb(values: np.ndarray) -> np.ndarray:
    return values.repeat(3, -1) if values.shape[-1] == 1 else values


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=13)


def _text_width(text: str) -> int:
    return round(_font().getlength(text))
