"""The axes of a chart: from values to places, and round numbers along the way."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_MARGIN = 0.05
_MOST_LOG_TICKS = 10
_STEPS = 6


@dataclass(frozen=True)
class Axis:
    """A range of values, laid out from one place to another in pixels."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def at(self, value: float) -> float:
        """The place of a value."""
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        """Round numbers in the range, and how they are written."""
        if self.log:
            return [(tick, f"{tick:,.0f}" if tick >= 1 else f"{tick:g}") for tick in self._powers()]
        rough = (self.high - self.low) / _STEPS
        power = math.floor(math.log10(rough))
        step = next(k * 10.0**power for k in (1, 2, 5, 10) if k * 10.0**power >= rough)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        numbers = [number * step for number in range(first, last + 1)]
        return [(number, f"{number:,.{decimals}f}") for number in numbers]

    def _powers(self) -> list[float]:
        """1, 2 and 5 times powers of ten, or powers of ten alone where that is enough."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        inside = [
            (factor, factor * 10.0**power)
            for power in powers
            for factor in (1, 2, 5)
            if self.low <= factor * 10.0**power <= self.high
        ]
        sparse = len(inside) <= _MOST_LOG_TICKS
        return [tick for factor, tick in inside if sparse or factor == 1]


def axis_around(values: Sequence[float], start: float, end: float, *, log: bool = False) -> Axis:
    """An axis that holds all values, with a margin; from 0 to 1 where there are none.

    Args:
        values: Finite, and positive where `log`.
        start: The place of the lowest, in pixels.
        end: The place of the highest.
        log: Whether equal factors are equally far.
    """
    if not values:
        return Axis(0.1 if log else 0.0, 1.0, start, end, log)
    low, high = min(values), max(values)
    if log:
        factor = (high / low) ** _MARGIN if high > low else 2.0
        return Axis(low / factor, high * factor, start, end, log)
    extra = (high - low) * _MARGIN or abs(high) * _MARGIN or 1.0
    return Axis(low - extra, high + extra, start, end, log)
