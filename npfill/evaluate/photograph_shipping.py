"""A finished run on photographs becomes shipped weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npfill import checkpoint
from npfill.data.sets import Photographs
from npfill.evaluate.calibration import calibrate_photographs
from npfill.evaluate.card import photograph_card
from npfill.evaluate.photographs import Entrant, measure_photographs
from npfill.evaluate.shipping import store, trained_weights

_SEED = 0
# What is a machine's and not the weights'.
_COSTS = ("seconds", "memory")


@dataclass(frozen=True)
class Sets:
    """What weights for photographs are measured on.

    Attributes:
        places: Folders or zips of photographs, each with a table of its own.
        masks: Irregular masks; None to do without.
        images: How many photographs of each at most.
    """

    places: Sequence[Path]
    masks: Path | None
    images: int


def ship_photographs(
    name: str,
    weights: Path,
    validation: Photographs,
    sets: Sets,
    on_kind: Callable[[str], None] = lambda _: None,
) -> Path:
    """Take weights into `pretrained/`, calibrated, and measured as they will be shipped.

    Args:
        name: The word that users will type; `train/NAME.toml` must exist.
        weights: A file that training wrote.
        validation: Photographs held out of training: what the calibration is fitted to.
        sets: What they are measured on.
        on_kind: Told what is done next.

    Returns:
        The file that was written; its card lies beside it.

    Raises:
        InputError: No recipe has this name, the weights are not from a training run, or a set
            cannot be read.
    """
    trained = trained_weights(name, weights)
    model = trained.model.half().float().to(validation.device)
    on_kind("calibration")
    calibrate_photographs(model, validation)
    model.half().float()
    scores: dict[str, dict[str, Any]] = {}
    for place in sets.places:
        measured = measure_photographs(
            [Entrant(name, "", model)], place, sets.masks, sets.images, _SEED,
            lambda _: None, lambda _, kind: on_kind(kind),
        )  # fmt: skip
        rows = {
            kind: {key: round(value, 5) for key, value in row.items() if key not in _COSTS}
            for kind, row in measured.scores[name].items()
        }
        scores["/".join(place.parts[-2:])] = {"images": measured.images, "scores": rows}
    first = scores["/".join(sets.places[0].parts[-2:])]["scores"]
    columns: dict[str, Any] = dict.fromkeys(
        ("counts", "mse", "log_likelihood", "floored_log_likelihood"), ()
    )
    columns["contexts"] = tuple(first)
    columns["psnr"] = tuple(round(row["psnr"], 2) for row in first.values())
    shipped = checkpoint.Weights(model, trained.provenance | {"scores": scores})
    return store(name, shipped, columns, photograph_card)
