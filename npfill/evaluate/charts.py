"""Line charts, drawn through Pillow."""

import math
from collections.abc import Iterable, Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from npfill.evaluate.axes import Axis, axis_around

# x, y, and the error of y: 0 where there is none.
Point = tuple[float | int, float | int | None, float | int | None]
_Place = tuple[float | int, float | int]
_Colour = tuple[int, int, int]

# Okabe and Ito's eight, which colour-blind people tell apart; on white, yellow comes last.
COLOURS: tuple[_Colour, ...] = (
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167),
    (230, 159, 0), (86, 180, 233), (0, 0, 0), (240, 228, 66),
)  # fmt: skip
_PAPER, _INK, _GRID, _FRAME = (255, 255, 255), (40, 40, 40), (226, 226, 226), (140, 140, 140)
# Directions of a marker's corners, in turns: lines differ by more than their colour.
_SHAPES = (
    tuple(corner / 24 for corner in range(24)),
    (1 / 8, 3 / 8, 5 / 8, 7 / 8),
    (3 / 12, 7 / 12, 11 / 12),
    (0.0, 0.25, 0.5, 0.75),
    (1 / 12, 5 / 12, 9 / 12),
)

_WIDTH, _HEIGHT = 700, 450
# Drawn so many times larger, and scaled down: what makes lines smooth.
_FINE = 3
_LEFT, _TOP, _RIGHT, _BOTTOM = 80.0, 42.0, 20.0, 60.0
_KEY, _KEY_GAP, _KEY_HEIGHT = 26, 16, 21
_TEXT, _TITLE = 13, 15
_MARKER, _CAP = 4.5, 3.0
_THIN, _THICK = _FINE, 2 * _FINE
_DASHES = 81


def line_chart(
    title: str,
    x_label: str,
    y_label: str,
    series: Mapping[str, Iterable[Point]],
    *,
    log_x: bool = False,
    diagonal: bool = False,
) -> Image.Image:
    """One line per name, with markers, error bars and a legend on the right: 700x450 pixels.

    A line's colour and marker go by its place in `series`: charts of the same names agree. The font
    has no Greek letters, superscripts, × or long dashes.

    Args:
        title: What stands above.
        x_label: What stands below the x axis.
        y_label: What stands beside the y axis.
        series: (x, y, error) by name; a bar reaches from y - error to y + error. Points without a
            finite y are left out, and x <= 0 where `log_x`; an error that is not finite is none.
            A name without points is left out of the legend too; without any points at all, the
            axes are empty.
        log_x: Let x be logarithmic.
        diagonal: Draw y = x, dashed, over one range for both axes.

    Raises:
        ValueError: A diagonal is wanted where x is logarithmic.
    """
    if diagonal and log_x:
        raise ValueError("the diagonal is for two linear axes")
    lines = {name: _drawable(points, log_x) for name, points in series.items()}
    legend = max(
        (_width(name) + _KEY + _KEY_GAP for name, line in lines.items() if line), default=0.0
    )
    xs = [x for line in lines.values() for x, _, _ in line]
    ys = [end for line in lines.values() for _, y, error in line for end in (y - error, y + error)]
    if diagonal:
        xs = ys = xs + ys
    x_axis = axis_around(xs, _LEFT, _WIDTH - _RIGHT - legend, log=log_x)
    chart = _Chart(x_axis, axis_around(ys, _HEIGHT - _BOTTOM, _TOP))
    chart.draw_axes(title, x_label, y_label)
    if diagonal:
        chart.draw_diagonal()
    height = _TOP + 8
    for number, (name, line) in enumerate(lines.items()):
        if line:
            colour, shape = COLOURS[number % len(COLOURS)], _SHAPES[number % len(_SHAPES)]
            chart.draw_line(line, colour, shape)
            chart.draw_key(height, name, colour, shape)
            height += _KEY_HEIGHT
    return chart.image.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS)


class _Chart:
    """A chart in the making; places are in pixels of the finished one."""

    def __init__(self, x: Axis, y: Axis) -> None:
        self.x, self.y = x, y
        self.image = Image.new("RGB", (_WIDTH * _FINE, _HEIGHT * _FINE), _PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def draw_axes(self, title: str, x_label: str, y_label: str) -> None:
        """A grid at round numbers, these, a frame at the left and the bottom, and the words."""
        for value, text in self.x.ticks():
            at = self.x.at(value)
            self._line([(at, self.y.start), (at, self.y.end)], _GRID)
            self._text((at, self.y.start + 7), text, "ma")
        for value, text in self.y.ticks():
            at = self.y.at(value)
            self._line([(self.x.start, at), (self.x.end, at)], _GRID)
            self._text((self.x.start - 7, at), text, "rm")
        corner, middle = (self.x.start, self.y.start), (self.x.start + self.x.end) / 2
        self._line([(self.x.start, self.y.end), corner, (self.x.end, self.y.start)], _FRAME)
        self._text((middle, _TOP - 14), title, "ms", _TITLE)
        self._text((middle, _HEIGHT - 14), x_label, "ms")
        self._upward((18, (self.y.start + self.y.end) / 2), y_label)

    def draw_diagonal(self) -> None:
        """y = x in dashes, where both axes have it."""
        low, high = max(self.x.low, self.y.low), min(self.x.high, self.y.high)
        values = [low + (high - low) * number / _DASHES for number in range(_DASHES + 1)]
        places = [(self.x.at(value), self.y.at(value)) for value in values]
        for number in range(0, _DASHES, 2):
            self._line(places[number : number + 2], _FRAME, _THIN + 1)

    def draw_line(
        self, line: list[tuple[float, float, float]], colour: _Colour, shape: Sequence[float]
    ) -> None:
        """A line through points (x, y, error), with their bars and markers."""
        for x, y, error in line:
            if error:
                at, ends = self.x.at(x), [self.y.at(y - error), self.y.at(y + error)]
                self._line([(at, end) for end in ends], colour)
                for end in ends:
                    self._line([(at - _CAP, end), (at + _CAP, end)], colour)
        places = [(self.x.at(x), self.y.at(y)) for x, y, _ in line]
        self._line(places, colour, _THICK)
        for place in places:
            self._marker(place, colour, shape)

    def draw_key(
        self, height: float | int, name: str, colour: _Colour, shape: Sequence[float]
    ) -> None:
        """A line of the legend."""
        left = self.x.end + _KEY_GAP
        right = left + _KEY - 6
        self._line([(left, height), (right, height)], colour, _THICK)
        self._marker(((left + right) / 2, height), colour, shape)
        self._text((left + _KEY, height), name, "lm")

    def _line(self, places: Sequence[_Place], colour: _Colour, width: int = _THIN) -> None:
        """A line of a width in finer pixels."""
        fine = [(x * _FINE, y * _FINE) for x, y in places]
        self.draw.line(fine, colour, width, joint="curve")

    def _marker(self, place: _Place, colour: _Colour, shape: Sequence[float]) -> None:
        angles = [2 * math.pi * turn for turn in shape]
        corners = [
            (place[0] + _MARKER * math.cos(a), place[1] - _MARKER * math.sin(a)) for a in angles
        ]
        self.draw.polygon([(x * _FINE, y * _FINE) for x, y in corners], colour)

    def _text(self, place: _Place, text: str, anchor: str, size: int = _TEXT) -> None:
        """Text with its anchor, in Pillow's two letters, at a place."""
        fine = place[0] * _FINE, place[1] * _FINE
        self.draw.text(fine, text, _INK, _font(size), anchor)

    def _upward(self, place: _Place, text: str) -> None:
        """Text from bottom to top, its middle at a place."""
        left, top, right, bottom = (round(edge) for edge in _font(_TEXT).getbbox(text, anchor="ls"))
        ink = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(ink).text((-left, -top), text, 255, _font(_TEXT), "ls")
        turned = ink.transpose(Image.Transpose.ROTATE_90)
        at = round(place[0] * _FINE - turned.width / 2), round(place[1] * _FINE - turned.height / 2)
        self.image.paste(_INK, at, turned)


def _drawable(points: Iterable[Point], log_x: bool) -> list[tuple[float, float, float]]:
    """The points that can be drawn, by x."""
    return sorted(
        (float(x), float(y), float(error) if error and math.isfinite(error) else 0.0)
        for x, y, error in points
        if y is not None and math.isfinite(x) and math.isfinite(y) and (x > 0 or not log_x)
    )


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """The font at a size in pixels of the finished chart."""
    return ImageFont.load_default(size=size * _FINE)


def _width(text: str) -> float:
    return _font(_TEXT).getlength(text) / _FINE
