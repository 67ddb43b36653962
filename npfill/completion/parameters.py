"""The parameters of a completion as a result says them, and what is allowed of a stranger's."""

import math
import os
import sys
from typing import Any

# The parameters of a completion that its pixels depend on, and the types of their values.
TYPES: dict[str, type | tuple[type, ...]] = {
    "mask": (str, list),
    "box": list,
    "invert_mask": bool,
    "grow": int,
    "mask_threshold": (int, float),
    "fit_mask": bool,
    "mask_label": list,
    "model": str,
    "seed": int,
    "sampler": str,
    "rounds": int,
    "noise": bool,
    "no_check": bool,
    "kind": str,
    "wrap": str,
    "device": str,
    "strip": bool,
    "max_pixels": int,
}
# Their keys in a result's metadata: the options of the command.
KEYS = {name: f"--{name.replace('_', '-')}" for name in TYPES}
# The limits of numbers, as on a command line.
_LIMITS: dict[str, tuple[float, float]] = {
    "grow": (-100_000, 100_000),
    "mask_threshold": (0, sys.float_info.max),
    "seed": (0, math.inf),
    "rounds": (1, math.inf),
    "max_pixels": (1, math.inf),
}


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


def is_path(word: object) -> bool:
    """A word may be looked up on this machine, without asking another."""
    remote = os.name == "nt" and str(word).replace("\\", "/").startswith("//")
    return "\0" not in str(word) and not remote
