"""The parameters of a completion as a result says them, and what is allowed of a stranger's."""

import math
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npfill.errors import UsageError
from npfill.pictures.picture import Picture

# The parameters of a completion that its pixels depend on, and the types of their values.
TYPES: dict[str, type | tuple[type, ...]] = {
    "mask": (str, list),
    "box": list,
    "invert_mask": bool,
    "grow": int,
    "mask_threshold": (int, float),
    "fit_mask": bool,
    "mask_label": list,
    "keep_out": (str, list),
    "inner": bool,
    "max_distance": (int, float),
    "model": str,
    "seed": int,
    "sampler": str,
    "rounds": int,
    "noise": bool,
    "draw_from": str,
    "no_check": bool,
    "adapt": int,
    "confidence": (int, float),
    "tolerance": (int, float),
    "kind": str,
    "wrap": str,
    "nodata": (int, float),
    "log": bool,
    "clip": bool,
    "variable": str,
    "device": str,
    "strip": bool,
    "max_pixels": int,
}
# Those of which 0 says something.
OF_ZERO = ("seed", "nodata", "tolerance", "mask_threshold")
# Their keys in a result's metadata: the options of the command.
KEYS = {name: f"--{name.replace('_', '-')}" for name in TYPES}
# The limits of numbers, as on a command line.
_LIMITS: dict[str, tuple[float, float]] = {
    "grow": (-100_000, 100_000),
    "mask_threshold": (0, sys.float_info.max),
    "max_distance": (0, sys.float_info.max),
    "seed": (0, math.inf),
    "rounds": (1, math.inf),
    "confidence": (1e-6, 1 - 1e-6),
    "tolerance": (0, sys.float_info.max),
    "adapt": (1, 100_000),
    "max_pixels": (1, math.inf),
}
# A number of steps, or a time.
_BUDGET = re.compile(r"(\d{1,6})|(\d+(?:\.\d+)?)(s|min|h)")
_SECONDS = {"s": 1, "min": 60, "h": 3600}
# The probability of intervals where none is named.
CONFIDENCE = 0.9


@dataclass(frozen=True)
class SamplingOptions:
    """The options of samples.

    Attributes:
        samples: The number of samples.
        seed: Sample k depends on the seed and k alone.
        sampler: A sampler's name, or `auto`.
        rounds: Rounds of the autoregressive sampler; None for its default.
        noise: Draw the pixels of samples where they would be means.
        draw_from: A mask, a file or in memory, of where samples take patches from; None for
            everywhere.
        no_check: Keep the model's standard deviation, without a check on the picture itself.
        confidence: The probability of intervals; None for `CONFIDENCE`.
        tolerance: The width of that interval, in levels or the unit of data, beyond which a pixel
            stays open; None to fill all.
        adapt: The number of steps that the network is trained for on the picture itself, or a time
            such as `60s`, `1.5min`; 0 for none.

    Raises:
        UsageError: A number is beyond its limits.
    """

    samples: int = 3
    seed: int = 0
    sampler: str = "auto"
    rounds: int | None = None
    noise: bool = False
    no_check: bool = False
    confidence: float | None = None
    tolerance: float | None = None
    draw_from: str | Path | Picture | None = None
    adapt: int | str = 0

    def __post_init__(self) -> None:
        for name in ("seed", "rounds", "confidence", "tolerance"):
            given = getattr(self, name)
            value = given.item() if isinstance(given, np.generic) else given
            if TYPES[name] is not int and value is not None:
                check_number(name, value)
                value = float(value)  # as the command line reads it
            object.__setattr__(self, name, value)
        _ = self.budget

    @property
    def budget(self) -> tuple[int | None, float | None]:
        """The steps, or else the seconds, that `adapt` asks for.

        Raises:
            UsageError: It is neither a number of steps nor a time.
        """
        found = _BUDGET.fullmatch(str(self.adapt))
        if found is None:
            raise UsageError(
                f"`adapt={self.adapt}`", "steps, as in 300, or a time, as in 60s and 2min"
            )
        steps, time, unit = found.groups()
        return (int(steps), None) if steps else (None, float(time) * _SECONDS[unit])


def is_allowed(name: str, value: Any) -> bool:
    """A value is one that the command line takes for a parameter."""
    if isinstance(value, bool) is not (TYPES[name] is bool):
        return False
    if isinstance(value, list):
        return TYPES[name] in {list, (str, list)} and all(isinstance(each, str) for each in value)
    low, high = _LIMITS.get(name, (0, 0))
    return isinstance(value, TYPES[name]) and (
        name not in _LIMITS or (isinstance(value, int | float) and low <= value <= high)
    )


def check_number(name: str, given: object, like: str = "") -> None:
    """Refuse what is not the number of Python or NumPy that a parameter wants.

    Args:
        name: The parameter.
        given: What was given for it.
        like: The key of `TYPES` whose limits it has; its own by default.

    Raises:
        UsageError: It is no number, no whole one, or beyond the limits.
    """
    key, is_one = like or name, getattr(given, "ndim", 0) == 0
    if not is_allowed(key, getattr(given, "item", lambda: given)() if is_one else given):
        low, high = _LIMITS.get(key, (-math.inf, math.inf))
        kind = "a whole number" if TYPES[key] is int else "a number"
        some = f", {low:g} or more"
        if math.isfinite(high) and high < sys.float_info.max:
            some = f" between {round(low, 3):,g} and {round(high, 3):,g}"
        raise UsageError(f"`{name}={given}`", kind + some * (key in _LIMITS))


def is_path(word: object) -> bool:
    """A word may be looked up on this machine, without asking another."""
    remote = os.name == "nt" and str(word).replace("\\", "/").startswith("//")
    return "\0" not in str(word) and not remote
