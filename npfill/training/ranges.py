"""The values that the keys of a recipe may have."""

import math
from typing import TYPE_CHECKING

from npfill.data.damage import FAMILIES
from npfill.data.masks import STRUCTURED
from npfill.errors import UsageError

if TYPE_CHECKING:
    from npfill.training.recipe import Recipe

_FAMILIES = {"holes": ("random", *STRUCTURED), "damage": tuple(FAMILIES)}
_COUNT, _AMOUNT, _SHARE = (0, 2**31), (0, 1e6), (0, 1)
_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "data": {"validation": (1, 2**31)},
    "holes": {
        **dict.fromkeys(_FAMILIES["holes"], _AMOUNT),
        "fewest": (1, 2**31),
        "most": (1, 2**31),
    },
    "damage": {
        "scales": (1, 64),
        **dict.fromkeys(("grey", "planes", "revealed", "wide", "grain"), _SHARE),
        **dict.fromkeys(_FAMILIES["damage"], _AMOUNT),
    },
    "objective": {
        **dict.fromkeys(("beta", "late_beta", "kl_weight"), _AMOUNT),
        **dict.fromkeys(("from_context", "late_from_context", "late"), _SHARE),
        **dict.fromkeys(("targets", "kl_warmup"), _COUNT),
        "draws": (1, 1024),
    },
    "optimiser": {
        "learning_rate": (0, 1e6),
        "weight_decay": _AMOUNT,
        "clip": _AMOUNT,
        "ema": (0, 1 - 1e-9),
    },
    "schedule": {"steps": (1, 2**31), "warmup": _COUNT, "batch": (1, 2**16)},
    "run": {"seed": (0, 2**63 - 1), "validate_every": (1, 2**31), "save_every": (1, 2**31)},
}


def check(recipe: "Recipe", where: str) -> None:
    """Refuse a recipe with a value that no training can have.

    Args:
        recipe: The recipe.
        where: The file's name, for the errors' text.

    Raises:
        UsageError: A number is not finite or out of range, or two do not go together.
    """
    for table, ranges in _RANGES.items():
        record = getattr(recipe, table)
        for key, (low, high) in ranges.items() if record is not None else ():
            value = getattr(record, key)
            values = value if isinstance(value, tuple) else (value,)
            if not values or not all(math.isfinite(one) and low <= one <= high for one in values):
                raise UsageError(
                    f"{where}: [{table}]: {key} = {value} is out of range",
                    f"it lies in {low:g} .. {high:g}",
                )
    for table, families in _FAMILIES.items():
        record = getattr(recipe, table)
        if record is not None and not any(getattr(record, family) for family in families):
            raise UsageError(
                f"{where}: [{table}]: no family of holes has a share",
                f"one of {', '.join(families)} is more than 0",
            )
    holes = recipe.holes
    if holes is not None and holes.fewest > holes.most:
        raise UsageError(
            f"{where}: [holes]: fewest = {holes.fewest}, most = {holes.most}",
            "fewest is no more than most",
        )
